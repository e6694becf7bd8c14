#include "ranker.h"

#include <algorithm>
#include <utility>

#include "c_api.h"
#include "error.h"
#include "parallel.h"

namespace openke {
namespace {

constexpr int64_t kGrain = 16;  // queries

struct Counts {
  int64_t greater = 0;
  int64_t equal = 0;

  // Adds or takes away one candidate's part.
  void count(float score, float target, int64_t by) {
    greater += score > target ? by : 0;
    equal += score == target ? by : 0;
  }
};

// One pass over contiguous scores; also how many are NaN.
Counts count_all(const float* scores, int64_t candidates, float target, int64_t& nan) {
  int32_t greater = 0;
  int32_t equal = 0;
  int32_t bad = 0;
#pragma omp simd reduction(+ : greater, equal, bad)
  for (int64_t i = 0; i < candidates; ++i) {
    greater += scores[i] > target;
    equal += scores[i] == target;
    bad += scores[i] != scores[i];
  }
  nan = bad;
  return {greater, equal};
}

bool counts_for(const Answers& known, int64_t i, int32_t split_mask, int64_t target) {
  return (known.splits[i] & split_mask) != 0 && known.ids[i] != target;
}

class Ranker {
 public:
  Ranker(const TripleStore& store, const TypeConstraint* constraint, const Queries& queries)
      : constraint_(constraint),
        queries_(queries),
        index_(store.answers(queries.slot)),
        candidates_(domains(store, queries.slot).answer->count) {}

  Counts operator()(int64_t i) const {
    const Queries& q = queries_;
    const float* scores = q.scores + q.row[i] * candidates_;
    const int64_t target = q.target[i];
    const float score = scores[target];
    int64_t nan = 0;
    Counts counts = count_all(scores, candidates_, score, nan);
    require(nan == 0, "found ", nan, " NaN scores among the ", candidates_,
            " candidates of scores row ", q.row[i], ", expected numbers: the model has diverged");
    const std::vector<int32_t>* allowed =
        constraint_ == nullptr ? nullptr : &constraint_->allowed(q.slot, q.second[i]);
    if (allowed != nullptr) {
      counts = {};
      for (const int32_t id : *allowed) {
        if (id != target) counts.count(scores[id], score, 1);
      }
    } else {
      counts.count(score, score, -1);
    }
    if (q.split_mask == 0) return counts;
    const Answers known = index_.find(q.first[i], q.second[i]);
    for (int64_t j = 0; j < known.count; ++j) {
      if (!counts_for(known, j, q.split_mask, target)) continue;
      const int32_t id = known.ids[j];
      if (allowed == nullptr || std::binary_search(allowed->begin(), allowed->end(), id)) {
        counts.count(scores[id], score, -1);
      }
    }
    return counts;
  }

 private:
  const TypeConstraint* constraint_;
  const Queries& queries_;
  const AnswerIndex& index_;
  int64_t candidates_;
};

void check(const TripleStore& store, const TypeConstraint* constraint, const Queries& q) {
  require(q.n >= 0, "the number of queries is ", q.n, "; expected 0 or more");
  require(q.score_rows >= 0, "the number of score rows is ", q.score_rows, "; expected 0 or more");
  const Domains ids = domains(store, q.slot);
  for (int64_t i = 0; i < q.n; ++i) {
    require(q.row[i] >= 0 && q.row[i] < q.score_rows, "row[", i, "] is ", q.row[i],
            "; expected 0 to ", q.score_rows - 1, ", the rows of scores");
    check_id("first", q.first[i], *ids.first);
    check_id("second", q.second[i], *ids.second);
    check_id("target", q.target[i], *ids.answer);
  }
  if (constraint == nullptr) return;
  require(q.slot != OPENKE_RELATION,
          "a type constraint says which entities a relation admits; expected none where relations "
          "are ranked");
  require(constraint->relations() == store.relations().count &&
              constraint->entities() == store.entities().count,
          "the type constraint is for ", constraint->entities(), " entities and ",
          constraint->relations(), " relations; expected the store's ", store.entities().count,
          " and ", store.relations().count);
}

}  // namespace

void check_id(const char* name, int64_t value, const Vocabulary& vocabulary) {
  if (value < 0 || value >= vocabulary.count) {
    throw InvalidInput(text(name, " is ", value, "; expected ", vocabulary.range()));
  }
}

Domains domains(const TripleStore& store, int32_t slot) {
  const Vocabulary* entities = &store.entities();
  const Vocabulary* relations = &store.relations();
  if (slot == OPENKE_RELATION) return {entities, entities, relations};
  require(slot == OPENKE_HEAD || slot == OPENKE_TAIL, "slot is ", slot,
          "; expected 0 (head), 1 (relation) or 2 (tail)");
  return {entities, relations, entities};
}

TypeConstraint TypeConstraint::from_store(const TripleStore& store, int32_t split_mask) {
  const auto relations = static_cast<std::size_t>(store.relations().count);
  Admitted admitted{std::vector<std::vector<int32_t>>(relations),
                    std::vector<std::vector<int32_t>>(relations)};
  for (int split = 0; split < kSplits; ++split) {
    if ((split_mask >> split & 1) == 0) continue;
    for (const Triple& triple : store.split(split).triples) {
      admitted.heads[static_cast<std::size_t>(triple.relation)].push_back(triple.head);
      admitted.tails[static_cast<std::size_t>(triple.relation)].push_back(triple.tail);
    }
  }
  for (auto* side : {&admitted.heads, &admitted.tails}) {
    for (std::vector<int32_t>& ids : *side) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      ids.shrink_to_fit();
    }
  }
  return {std::move(admitted), store.entities().count};
}

const std::vector<int32_t>& TypeConstraint::allowed(int32_t slot, int64_t relation) const {
  const auto& side = slot == OPENKE_HEAD ? admitted_.heads : admitted_.tails;
  return side[static_cast<std::size_t>(relation)];
}

void rank(const TripleStore& store, const TypeConstraint* constraint, const Queries& queries,
          int threads, int64_t* greater, int64_t* equal) {
  check(store, constraint, queries);
  const Ranker ranker(store, constraint, queries);
  // Written at the end, so that a NaN in the last row leaves the outputs as they were.
  std::vector<Counts> counts(static_cast<std::size_t>(queries.n));
  parallel_for(queries.n, threads, kGrain, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) counts[static_cast<std::size_t>(i)] = ranker(i);
  });
  for (std::size_t i = 0; i < counts.size(); ++i) {
    greater[i] = counts[i].greater;
    equal[i] = counts[i].equal;
  }
}

}  // namespace openke
