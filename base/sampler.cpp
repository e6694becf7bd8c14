#include "sampler.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "error.h"
#include "parallel.h"

namespace openke {
namespace {

// Positives for a thread of its own: starting one takes as long as some ten thousand draws.
int64_t grain(int64_t negatives) { return 1 + 65536 / (negatives + 1); }

const char* slot_name(int32_t slot) {
  return slot == OPENKE_HEAD ? "head" : slot == OPENKE_TAIL ? "tail" : "relation";
}

void check_count(const char* name, int64_t wanted, const Vocabulary& vocabulary) {
  require(wanted >= 0, name, " is ", wanted, "; expected 0 or more");
  require(wanted <= vocabulary.count, name, " is ", wanted, "; expected at most ", vocabulary.count,
          ", the number of ", vocabulary.what);
}

}  // namespace

int32_t Remainder::draw(Stream& stream) const {
  const auto x = static_cast<int64_t>(stream.below(left_));
  // The answer is x + i for the number i of excluded ids before it: those with excluded[i] - i <=
  // x, which come first. Without branches, as the way through the list is random.
  int64_t i = 0;
  for (int64_t length = count_; length > 0;) {
    const int64_t half = (length + 1) / 2;
    i += (excluded_[i + half - 1] - (i + half - 1) <= x) ? half : 0;
    length -= half;
  }
  return static_cast<int32_t>(x + i);
}

Sampler::Sampler(std::shared_ptr<const TripleStore> store, const openke_sampler_options& options)
    : store_(std::move(store)), options_(options) {
  check_count("entity_negatives", options.entity_negatives, store_->entities());
  check_count("relation_negatives", options.relation_negatives, store_->relations());
  require(options.shared == 0 || options.relation_negatives == 0, "relation_negatives is ",
          options.relation_negatives, "; expected 0, as shared negatives are entities");

  const auto relations = static_cast<std::size_t>(store_->relations().count);
  corrupt_head_.assign(relations, 0.5);
  if (options.bernoulli != 0) {
    std::vector<double> tails_per_head(relations);
    std::vector<double> heads_per_tail(relations);
    store_->relation_statistics(tails_per_head.data(), heads_per_tail.data());
    for (std::size_t r = 0; r < relations; ++r) {
      // Wang et al. (AAAI 2014): replace the side with fewer answers, so fewer draws are facts.
      const double sum = tails_per_head[r] + heads_per_tail[r];
      if (sum > 0) corrupt_head_[r] = tails_per_head[r] / sum;
    }
  }

  const auto most = [&](int32_t slot) { return store_->answers(slot).most_train(); };
  always_left_ = std::max(most(OPENKE_HEAD), most(OPENKE_TAIL)) < store_->entities().count;
  if (options.relation_negatives > 0) {  // which also indexes the relations, before any draw
    always_left_ = most(OPENKE_RELATION) < store_->relations().count && always_left_;
  }
}

void Sampler::order(int64_t epoch, bool with_replacement, int64_t* out) const {
  require(epoch >= 0, "epoch is ", epoch, "; expected 0 or more");
  const int64_t n = store_->split(OPENKE_TRAIN).size();
  Stream stream(options_.seed, Purpose::kOrder, epoch, with_replacement ? 1 : 0);
  if (with_replacement) {
    for (int64_t i = 0; i < n; ++i) out[i] = stream.below(static_cast<uint32_t>(n));
    return;
  }
  std::iota(out, out + n, int64_t{0});
  for (int64_t left = n; left > 1; --left) {
    std::swap(out[stream.below(static_cast<uint32_t>(left))], out[left - 1]);
  }
}

// What may replace a slot of the triple. Only facts of the train split are excluded: leaving out
// those of valid and test as well would tell training which other triples are true. Unfiltered,
// any id may come, the triple's own included.
Remainder Sampler::remainder(const Triple& triple, int32_t slot) const {
  const int64_t n = slot == OPENKE_RELATION ? store_->relations().count : store_->entities().count;
  if (options_.filtered == 0) return {n, nullptr, 0};
  const AnswerIndex& index = store_->answers(slot);
  const Answers known = slot == OPENKE_HEAD   ? index.find(triple.tail, triple.relation)
                        : slot == OPENKE_TAIL ? index.find(triple.head, triple.relation)
                                              : index.find(triple.head, triple.tail);
  return {n, known.ids, known.train};
}

double Sampler::corrupt_head(const Triple& triple) const {
  return corrupt_head_[static_cast<std::size_t>(triple.relation)];
}

// Throws unless each slot that a draw asks for has a candidate.
void Sampler::check_left(const Triple& triple, int32_t side) const {
  const auto any = [&](int32_t slot) { return remainder(triple, slot).left() > 0; };
  const auto fail = [&](const char* slots) {
    throw InvalidInput(text(
        "found no ", slots, " to corrupt the triple (head ", triple.head, ", relation ",
        triple.relation, ", tail ", triple.tail,
        ") with: each is a fact of the train split; draw unfiltered (filtered=False), or leave "
        "the triple out"));
  };
  if (options_.entity_negatives > 0) {
    if (side == OPENKE_MIXED) {
      if (!any(OPENKE_HEAD) && !any(OPENKE_TAIL)) fail("head or tail");
    } else if (!any(side)) {
      fail(slot_name(side));
    }
  }
  if (options_.relation_negatives > 0 && !any(OPENKE_RELATION)) fail("relation");
}

void Sampler::draw(const int64_t* rows, int64_t b, int64_t epoch, int64_t first, int32_t side,
                   int threads, const Output& out) const {
  const Split& train = store_->split(OPENKE_TRAIN);
  require(b >= 0, "the batch size is ", b, "; expected 0 or more");
  require(epoch >= 0, "epoch is ", epoch, "; expected 0 or more");
  const int64_t most = std::numeric_limits<int64_t>::max() - b;
  require(first >= 0 && first <= most, "first is ", first, "; expected 0 to ", most);
  require(side == OPENKE_HEAD || side == OPENKE_TAIL || side == OPENKE_MIXED, "side is ", side,
          "; expected 0 (head), 2 (tail) or 3 (mixed)");
  worker_count(threads);
  for (int64_t i = 0; i < b; ++i) {
    require(rows[i] >= 0 && rows[i] < train.size(), "rows[", i, "] is ", rows[i],
            "; expected 0 to ", train.size() - 1, ", the train triples");
  }
  const auto triple = [&](int64_t i) -> const Triple& {
    return train.triples[static_cast<std::size_t>(rows[i])];
  };
  // Before anything is written, and only in graphs where it can happen at all. A shared set is
  // masked, not filtered.
  if (!always_left_ && options_.filtered != 0 && options_.shared == 0) {
    for (int64_t i = 0; i < b; ++i) check_left(triple(i), side);
  }
  for (int64_t i = 0; i < b; ++i) {
    out.positive[3 * i] = triple(i).head;
    out.positive[3 * i + 1] = triple(i).relation;
    out.positive[3 * i + 2] = triple(i).tail;
  }
  if (options_.shared != 0) {
    draw_shared(rows, b, epoch, first, side, threads, out);
    return;
  }
  const int64_t k = options_.entity_negatives + options_.relation_negatives;
  parallel_for(b, threads, grain(k), [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      Stream stream(options_.seed, Purpose::kNegatives, epoch, first + i);
      draw_own(triple(i), side, stream, out.negative + i * k, out.slot + i * k);
    }
  });
}

void Sampler::draw_own(const Triple& triple, int32_t side, Stream& stream, int64_t* negative,
                       uint8_t* slot) const {
  const int64_t entities = options_.entity_negatives;
  const Remainder heads = side == OPENKE_TAIL ? Remainder() : remainder(triple, OPENKE_HEAD);
  const Remainder tails = side == OPENKE_HEAD ? Remainder() : remainder(triple, OPENKE_TAIL);
  // A mixed draw takes the other side where the chosen one has nothing left.
  const double head = heads.left() == 0 ? 0 : tails.left() == 0 ? 1 : corrupt_head(triple);
  int32_t mixed = OPENKE_TAIL;
  for (int64_t j = 0; j < entities; ++j) {
    if (j == 0 || options_.one_slot == 0) mixed = stream.unit() < head ? OPENKE_HEAD : OPENKE_TAIL;
    const int32_t chosen = side == OPENKE_MIXED ? mixed : side;
    negative[j] = (chosen == OPENKE_HEAD ? heads : tails).draw(stream);
    slot[j] = static_cast<uint8_t>(chosen);
  }
  if (options_.relation_negatives == 0) return;
  const Remainder relations = remainder(triple, OPENKE_RELATION);
  for (int64_t j = entities; j < entities + options_.relation_negatives; ++j) {
    negative[j] = relations.draw(stream);
    slot[j] = OPENKE_RELATION;
  }
}

// Distinct entities for the whole batch, sorted; what is a fact for a positive is marked.
void Sampler::draw_shared(const int64_t* rows, int64_t b, int64_t epoch, int64_t first,
                          int32_t side, int threads, const Output& out) const {
  const int64_t k = options_.entity_negatives;
  // Floyd's algorithm (Bentley and Floyd, CACM 1987): every set of k is equally likely.
  std::unordered_set<int64_t> chosen;
  chosen.reserve(static_cast<std::size_t>(k));
  Stream stream(options_.seed, Purpose::kShared, epoch, first);
  for (int64_t last = store_->entities().count - k; last < store_->entities().count; ++last) {
    if (!chosen.insert(stream.below(static_cast<uint32_t>(last + 1))).second) chosen.insert(last);
  }
  std::copy(chosen.begin(), chosen.end(), out.negative);
  std::sort(out.negative, out.negative + k);

  // To mark a negative takes far less than to draw one.
  parallel_for(b, threads, grain(k / 8), [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) {
      const Triple& triple = store_->split(OPENKE_TRAIN).triples[static_cast<std::size_t>(rows[i])];
      Stream sides(options_.seed, Purpose::kSide, epoch, first + i);
      const int32_t mixed = sides.unit() < corrupt_head(triple) ? OPENKE_HEAD : OPENKE_TAIL;
      const int32_t slot = side == OPENKE_MIXED ? mixed : side;
      out.slot[i] = static_cast<uint8_t>(slot);
      mark_facts(triple, slot, out.negative, out.mask + i * k);
    }
  });
}

void Sampler::mark_facts(const Triple& triple, int32_t slot, const int64_t* negative,
                         uint8_t* mask) const {
  const int64_t k = options_.entity_negatives;
  std::fill(mask, mask + k, uint8_t{0});
  if (options_.filtered == 0) return;
  const Answers known = slot == OPENKE_HEAD
                            ? store_->answers(slot).find(triple.tail, triple.relation)
                            : store_->answers(slot).find(triple.head, triple.relation);
  // Both lists are sorted: search the longer for each of the shorter.
  if (known.train < k) {
    for (int64_t i = 0; i < known.train; ++i) {
      const int64_t* found = std::lower_bound(negative, negative + k, int64_t{known.ids[i]});
      if (found != negative + k && *found == known.ids[i]) mask[found - negative] = 1;
    }
  } else {
    for (int64_t j = 0; j < k; ++j) {
      mask[j] = known.in_train(static_cast<int32_t>(negative[j]));
    }
  }
}

}  // namespace openke
