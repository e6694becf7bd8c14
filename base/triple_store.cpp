#include "triple_store.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "c_api.h"
#include "error.h"
#include "parallel.h"
#include "random.h"

namespace openke {
namespace {

constexpr int64_t kGrain = 4096;

// Turns counts, each one place to the right of its bucket, into where the buckets begin.
void accumulate(std::vector<int64_t>& counts) {
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
}

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

struct Row {
  uint64_t pair;  // relation and tail
  int32_t number;

  bool operator<(const Row& other) const {
    return pair != other.pair ? pair < other.pair : number < other.number;
  }
};

// How many rows equal each row; 0 for a row that was there before.
std::vector<int32_t> multiplicities(const std::vector<Triple>& triples, int64_t entities) {
  std::vector<int64_t> begin(index(entities + 1));
  for (const Triple& triple : triples) ++begin[index(triple.head) + 1];
  accumulate(begin);
  std::vector<Row> rows(triples.size());
  {
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (std::size_t i = 0; i < triples.size(); ++i) {
      const Triple& triple = triples[i];
      const auto pair =
          static_cast<uint64_t>(triple.relation) << 32 | static_cast<uint64_t>(triple.tail);
      rows[index(next[index(triple.head)]++)] = {pair, static_cast<int32_t>(i)};
    }
  }
  std::vector<int32_t> counts(triples.size());
  parallel_for(entities, 0, kGrain, [&](int64_t from, int64_t to) {
    for (int64_t head = from; head < to; ++head) {
      const auto end = rows.begin() + begin[index(head + 1)];
      auto row = rows.begin() + begin[index(head)];
      std::sort(row, end);
      while (row != end) {
        const auto run = std::find_if(row, end, [&](const Row& o) { return o.pair != row->pair; });
        counts[index(row->number)] = static_cast<int32_t>(run - row);
        row = run;
      }
    }
  });
  return counts;
}

Split deduplicate(std::vector<Triple> triples, int64_t entities) {
  Split split;
  split.rows = static_cast<int64_t>(triples.size());
  require(split.rows <= kMaxCount, "found ", split.rows, " rows in a split, expected at most ",
          kMaxCount);
  split.multiplicity = multiplicities(triples, entities);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < triples.size(); ++i) {
    if (split.multiplicity[i] == 0) continue;
    triples[kept] = triples[i];
    split.multiplicity[kept++] = split.multiplicity[i];
  }
  triples.resize(kept);
  split.multiplicity.resize(kept);
  if (kept < index(split.rows)) {
    triples.shrink_to_fit();
    split.multiplicity.shrink_to_fit();
  }
  split.triples = std::move(triples);
  return split;
}

// One triple of one split in 64 bits that sort by second id, then answer, then split.
uint64_t packed(int32_t second, int32_t answer, int split) {
  return static_cast<uint64_t>(second) << 33 | static_cast<uint64_t>(answer) << 2 |
         static_cast<uint64_t>(split);
}

int32_t second_of(uint64_t entry) { return static_cast<int32_t>(entry >> 33); }
int32_t answer_of(uint64_t entry) { return static_cast<int32_t>(entry >> 2 & 0x7fffffffU); }
uint8_t split_of(uint64_t entry) { return static_cast<uint8_t>(1U << (entry & 3U)); }

}  // namespace

bool Answers::in_train(int32_t id) const { return std::binary_search(ids, ids + train, id); }

// key(triple) gives first, second and answer.
template <class Key>
void AnswerIndex::build(const std::array<Split, kSplits>& splits, int64_t first_count, Key key) {
  std::vector<int64_t> begin(index(first_count + 1));
  for (const Split& split : splits) {
    for (const Triple& triple : split.triples) ++begin[index(key(triple)[0]) + 1];
  }
  accumulate(begin);
  std::vector<uint64_t> entries(index(begin.back()));
  {
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (int split = 0; split < kSplits; ++split) {
      for (const Triple& triple : splits[index(split)].triples) {
        const std::array<int32_t, 3> ids = key(triple);
        entries[index(next[index(ids[0])]++)] = packed(ids[1], ids[2], split);
      }
    }
  }

  // First pass: sort the entries of each first id, and count its queries and distinct answers.
  queries_.assign(index(first_count + 1), 0);
  std::vector<int64_t> answers(index(first_count + 1));
  parallel_for(first_count, 0, kGrain, [&](int64_t from, int64_t to) {
    for (int64_t first = from; first < to; ++first) {
      const auto start = entries.begin() + begin[index(first)];
      const auto end = entries.begin() + begin[index(first + 1)];
      std::sort(start, end);
      for (auto entry = start; entry != end; ++entry) {
        const uint64_t before = entry == start ? ~*entry : entry[-1];
        queries_[index(first + 1)] += second_of(before) != second_of(*entry);
        answers[index(first + 1)] += before >> 2 != *entry >> 2;
      }
    }
  });
  accumulate(queries_);
  accumulate(answers);

  // Second pass: write them where they belong.
  second_.resize(index(queries_.back()));
  train_.resize(second_.size());
  begin_.resize(second_.size() + 1);
  begin_.back() = answers.back();
  answers_.resize(index(answers.back()));
  splits_.resize(answers_.size());
  parallel_for(first_count, 0, kGrain, [&](int64_t from, int64_t to) {
    std::vector<std::pair<int32_t, uint8_t>> later;  // answers that train lacks
    for (int64_t first = from; first < to; ++first) {
      int64_t query = queries_[index(first)];
      int64_t out = answers[index(first)];
      const auto end = entries.begin() + begin[index(first + 1)];
      for (auto entry = entries.begin() + begin[index(first)]; entry != end; ++query) {
        const int32_t second = second_of(*entry);
        second_[index(query)] = second;
        begin_[index(query)] = out;
        later.clear();
        while (entry != end && second_of(*entry) == second) {
          const int32_t answer = answer_of(*entry);
          const uint64_t same = *entry >> 2;
          uint8_t mask = 0;
          for (; entry != end && *entry >> 2 == same; ++entry) mask |= split_of(*entry);
          if ((mask & 1U << OPENKE_TRAIN) == 0) {
            later.emplace_back(answer, mask);
          } else {
            answers_[index(out)] = answer;
            splits_[index(out++)] = mask;
          }
        }
        train_[index(query)] = static_cast<int32_t>(out - begin_[index(query)]);
        for (const auto& [answer, mask] : later) {
          answers_[index(out)] = answer;
          splits_[index(out++)] = mask;
        }
      }
    }
  });
  for (const int32_t count : train_) most_train_ = std::max<int64_t>(most_train_, count);
}

AnswerIndex::AnswerIndex(const std::array<Split, kSplits>& splits, int32_t slot,
                         int64_t first_count) {
  using Ids = std::array<int32_t, 3>;
  if (slot == OPENKE_HEAD) {
    build(splits, first_count, [](const Triple& t) { return Ids{t.tail, t.relation, t.head}; });
  } else if (slot == OPENKE_RELATION) {
    build(splits, first_count, [](const Triple& t) { return Ids{t.head, t.tail, t.relation}; });
  } else {
    build(splits, first_count, [](const Triple& t) { return Ids{t.head, t.relation, t.tail}; });
  }
}

Answers AnswerIndex::find(int64_t first, int64_t second) const {
  const auto start = second_.begin() + queries_[index(first)];
  const auto end = second_.begin() + queries_[index(first + 1)];
  const auto found = std::lower_bound(start, end, static_cast<int32_t>(second));
  if (found == end || *found != second) return {};
  const auto query = static_cast<std::size_t>(found - second_.begin());
  const int64_t begin = begin_[query];
  return {answers_.data() + begin, splits_.data() + begin, begin_[query + 1] - begin,
          train_[query]};
}

TripleStore::TripleStore(Names entities, Names relations, std::array<Split, kSplits> splits)
    : entities_(std::move(entities)),
      relations_(std::move(relations)),
      splits_(std::move(splits)),
      heads_(splits_, OPENKE_HEAD, entities_->count),
      tails_(splits_, OPENKE_TAIL, entities_->count) {
  require(splits_[OPENKE_TRAIN].size() > 0, "the train split has no triples; expected at least 1");
}

std::shared_ptr<const TripleStore> TripleStore::from_rows(
    Vocabulary entities, Vocabulary relations, std::array<std::vector<Triple>, kSplits> rows) {
  Triple largest{-1, -1, -1};
  for (const std::vector<Triple>& split : rows) {
    for (const Triple& triple : split) {
      largest.head = std::max({largest.head, triple.head, triple.tail});
      largest.relation = std::max(largest.relation, triple.relation);
    }
  }
  check_count(entities, largest.head);
  check_count(relations, largest.relation);
  std::array<Split, kSplits> splits;
  for (std::size_t i = 0; i < kSplits; ++i) {
    splits[i] = deduplicate(std::move(rows[i]), entities.count);
  }
  return std::make_shared<const TripleStore>(
      std::make_shared<const Vocabulary>(std::move(entities)),
      std::make_shared<const Vocabulary>(std::move(relations)), std::move(splits));
}

const AnswerIndex& TripleStore::answers(int32_t slot) const {
  if (slot == OPENKE_HEAD) return heads_;
  if (slot == OPENKE_TAIL) return tails_;
  std::call_once(relations_once_, [this] {
    relation_index_ =
        std::make_unique<const AnswerIndex>(splits_, OPENKE_RELATION, entities_->count);
  });
  return *relation_index_;
}

void TripleStore::relation_statistics(double* tails_per_head, double* heads_per_tail) const {
  const auto mean = [this](const AnswerIndex& answers, double* out) {
    std::vector<int64_t> queries(index(relations_->count));
    std::vector<int64_t> triples(index(relations_->count));
    answers.for_each([&](int32_t relation, int32_t train) {
      queries[index(relation)] += train > 0;
      triples[index(relation)] += train;
    });
    for (std::size_t r = 0; r < queries.size(); ++r) {
      out[r] =
          queries[r] == 0 ? 0.0 : static_cast<double>(triples[r]) / static_cast<double>(queries[r]);
    }
  };
  mean(tails_, tails_per_head);
  mean(heads_, heads_per_tail);
}

std::shared_ptr<const TripleStore> TripleStore::hold_out(double fraction, uint64_t seed) const {
  require(fraction > 0 && fraction < 1, "fraction is ", fraction,
          "; expected more than 0 and less than 1");
  const Split& train = splits_[OPENKE_TRAIN];
  std::vector<int64_t> entities(index(entities_->count));
  std::vector<int64_t> relations(index(relations_->count));
  for (const Triple& triple : train.triples) {
    ++entities[index(triple.head)];
    ++entities[index(triple.tail)];
    ++relations[index(triple.relation)];
  }

  // Visits the triples in random order and takes each that leaves something of all its parts.
  Stream stream(seed, Purpose::kHoldOut, 0, 0);
  std::vector<int32_t> order(train.triples.size());
  std::iota(order.begin(), order.end(), 0);
  auto wanted = static_cast<int64_t>(std::floor(fraction * static_cast<double>(train.size())));
  std::vector<bool> taken(order.size());
  for (std::size_t left = order.size(); left > 0 && wanted > 0; --left) {
    std::swap(order[stream.below(static_cast<uint32_t>(left))], order[left - 1]);
    const Triple& triple = train.triples[index(order[left - 1])];
    int64_t& head = entities[index(triple.head)];
    int64_t& tail = entities[index(triple.tail)];
    int64_t& relation = relations[index(triple.relation)];
    --head;  // head and tail may be the same count
    --tail;
    --relation;
    if (head > 0 && tail > 0 && relation > 0) {
      taken[index(order[left - 1])] = true;
      --wanted;
    } else {
      ++head;
      ++tail;
      ++relation;
    }
  }

  std::array<Split, kSplits> splits;
  splits[OPENKE_TEST] = splits_[OPENKE_TEST];
  for (std::size_t i = 0; i < taken.size(); ++i) {
    Split& split = splits[taken[i] ? OPENKE_VALID : OPENKE_TRAIN];
    split.triples.push_back(train.triples[i]);
    split.multiplicity.push_back(train.multiplicity[i]);
    split.rows += train.multiplicity[i];
  }
  return std::make_shared<const TripleStore>(entities_, relations_, std::move(splits));
}

}  // namespace openke
