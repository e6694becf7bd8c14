#include <algorithm>
#include <limits>
#include <thread>

#include "c_api.h"
#include "check.h"
#include "error.h"
#include "graphs.h"
#include "ranker.h"

using graphs::Graph;
using openke::TypeConstraint;

namespace {

struct Asked {
  std::vector<float> scores;
  std::vector<int64_t> row, first, second, target, greater, equal;
};

// Scores of few values, so that many are equal.
Asked random_queries(const Graph& graph, int32_t slot, uint32_t seed, int n) {
  std::mt19937 draw(seed);
  const auto below = [&](int64_t bound) {
    return static_cast<int64_t>(draw() % static_cast<uint64_t>(bound));
  };
  const int64_t candidates = slot == OPENKE_RELATION ? graph.relations : graph.entities;
  Asked asked;
  for (int64_t i = 0; i < 5 * candidates; ++i) asked.scores.push_back(static_cast<float>(below(4)));
  for (int i = 0; i < n; ++i) {
    asked.row.push_back(below(5));
    asked.first.push_back(below(graph.entities));
    asked.second.push_back(below(slot == OPENKE_RELATION ? graph.entities : graph.relations));
    asked.target.push_back(below(candidates));
  }
  asked.greater.assign(asked.row.size(), -1);
  asked.equal.assign(asked.row.size(), -1);
  return asked;
}

void rank(const Graph& graph, const TypeConstraint* constraint, int32_t slot, int32_t mask,
          Asked& asked, int threads) {
  openke::rank(*graph.store, constraint,
               {slot, mask, asked.scores.data(), 5, asked.row.data(), asked.first.data(),
                asked.second.data(), asked.target.data(), static_cast<int64_t>(asked.row.size())},
               threads, asked.greater.data(), asked.equal.data());
}

void check_brute_force(const Graph& graph, const TypeConstraint* constraint, int32_t slot,
                       int32_t mask, const Asked& asked) {
  const int32_t candidates = slot == OPENKE_RELATION ? graph.relations : graph.entities;
  for (std::size_t i = 0; i < asked.row.size(); ++i) {
    const auto first = static_cast<int32_t>(asked.first[i]);
    const auto second = static_cast<int32_t>(asked.second[i]);
    const std::set<int32_t> known = graph.known(slot, first, second, mask);
    const float* scores = asked.scores.data() + asked.row[i] * candidates;
    int64_t greater = 0;
    int64_t equal = 0;
    for (int32_t id = 0; id < candidates; ++id) {
      if (id == asked.target[i] || known.count(id) > 0) continue;
      if (constraint != nullptr) {
        const std::vector<int32_t>& ids = constraint->allowed(slot, second);
        if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
      }
      greater += scores[id] > scores[asked.target[i]];
      equal += scores[id] == scores[asked.target[i]];
    }
    CHECK(asked.greater[i] == greater && asked.equal[i] == equal);
  }
}

}  // namespace

TEST(counts_are_those_of_brute_force) {
  for (uint32_t seed = 0; seed < 6; ++seed) {
    const Graph graph = graphs::random(seed, 10, 3, 60);
    const TypeConstraint types =
        TypeConstraint::from_store(*graph.store, 1 + static_cast<int32_t>(seed) % 7);
    for (const int32_t slot : {OPENKE_HEAD, OPENKE_RELATION, OPENKE_TAIL}) {
      for (const int32_t mask : {0, 1, 6, 7}) {
        for (const TypeConstraint* constraint :
             {static_cast<const TypeConstraint*>(nullptr), &types}) {
          if (slot == OPENKE_RELATION && constraint != nullptr) continue;
          Asked asked = random_queries(graph, slot, seed, 60);
          rank(graph, constraint, slot, mask, asked, 3);
          check_brute_force(graph, constraint, slot, mask, asked);
        }
      }
    }
  }
}

TEST(infinite_scores_are_counted) {
  const Graph graph = graphs::random(0, 4, 1, 1);
  const float infinite = std::numeric_limits<float>::infinity();
  Asked asked{
      {infinite, -infinite, 0, infinite}, {0, 0}, {0, 0}, {0, 0}, {0, 1}, {-1, -1}, {-1, -1}};
  openke::rank(*graph.store, nullptr,
               {OPENKE_TAIL, 0, asked.scores.data(), 1, asked.row.data(), asked.first.data(),
                asked.second.data(), asked.target.data(), 2},
               1, asked.greater.data(), asked.equal.data());
  CHECK(asked.greater == std::vector<int64_t>{0, 3} && asked.equal == std::vector<int64_t>{1, 0});
}

TEST(nan_is_refused_and_leaves_the_outputs_alone) {
  const Graph graph = graphs::random(0, 10, 3, 60);
  Asked asked = random_queries(graph, OPENKE_TAIL, 0, 60);
  asked.scores[3 * 10 + 7] = std::numeric_limits<float>::quiet_NaN();
  CHECK_CONTAINS(
      check::thrown<openke::InvalidInput>([&] { rank(graph, nullptr, OPENKE_TAIL, 7, asked, 4); }),
      "found 1 NaN scores among the 10 candidates of scores row 3");
  for (const int64_t count : asked.greater) CHECK(count == -1);
}

TEST(a_constraint_belongs_to_entities_of_its_store) {
  const Graph graph = graphs::random(0, 10, 3, 60);
  const Graph other = graphs::random(0, 9, 3, 60);
  const TypeConstraint types = TypeConstraint::from_store(*other.store, 7);
  Asked asked = random_queries(graph, OPENKE_TAIL, 0, 5);
  CHECK_CONTAINS(
      check::thrown<openke::InvalidInput>([&] { rank(graph, &types, OPENKE_TAIL, 7, asked, 1); }),
      "the type constraint is for 9 entities and 3 relations; expected the store's 10 and 3");
  asked = random_queries(graph, OPENKE_RELATION, 0, 5);
  CHECK_CONTAINS(check::thrown<openke::InvalidInput>(
                     [&] { rank(graph, &types, OPENKE_RELATION, 7, asked, 1); }),
                 "expected none where relations are ranked");
}

TEST(many_threads_rank_with_one_store) {
  const Graph graph = graphs::random(3, 40, 3, 300);
  Asked expected = random_queries(graph, OPENKE_RELATION, 1, 200);
  std::vector<Asked> asked(6, expected);
  std::vector<std::thread> threads;
  for (Asked& mine : asked) {
    threads.emplace_back([&] { rank(graph, nullptr, OPENKE_RELATION, 7, mine, 2); });
  }
  for (std::thread& thread : threads) thread.join();
  rank(graph, nullptr, OPENKE_RELATION, 7, expected, 1);
  for (const Asked& mine : asked)
    CHECK(mine.greater == expected.greater && mine.equal == expected.equal);
}
