#include <cmath>
#include <map>
#include <thread>

#include "c_api.h"
#include "check.h"
#include "error.h"
#include "graphs.h"

using graphs::Graph;
using graphs::Ids;
using openke::Answers;
using openke::Split;
using openke::Triple;

namespace {

std::set<int32_t> answers_of(const Graph& graph, int32_t slot, int32_t first, int32_t second,
                             int32_t mask) {
  const Answers known = graph.store->answers(slot).find(first, second);
  std::set<int32_t> found;
  for (int64_t i = 0; i < known.count; ++i) {
    CHECK((known.splits[i] & 1) == (i < known.train));  // those of train come first
    CHECK(i == 0 || i == known.train || known.ids[i - 1] < known.ids[i]);
    CHECK(known.in_train(known.ids[i]) == (i < known.train));
    if ((known.splits[i] & mask) != 0) found.insert(known.ids[i]);
  }
  return found;
}

}  // namespace

TEST(splits_keep_the_first_of_equal_rows) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const Graph graph = graphs::random(seed, 4, 2, 50);
    for (int split = 0; split < 3; ++split) {
      std::vector<Ids> order;
      std::map<Ids, int32_t> counts;
      for (const Triple& t : graph.rows[static_cast<std::size_t>(split)]) {
        if (++counts[{t.head, t.relation, t.tail}] == 1)
          order.push_back({t.head, t.relation, t.tail});
      }
      const Split& found = graph.store->split(split);
      CHECK(found.triples.size() == order.size() && found.multiplicity.size() == order.size());
      CHECK(found.rows == static_cast<int64_t>(graph.rows[static_cast<std::size_t>(split)].size()));
      for (std::size_t i = 0; i < order.size(); ++i) {
        const Triple& t = found.triples[i];
        CHECK(order[i] == Ids{t.head, t.relation, t.tail} &&
              found.multiplicity[i] == counts[order[i]]);
      }
    }
  }
}

TEST(answers_are_those_of_brute_force) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    const Graph graph = graphs::random(seed, 6, 3, 80);
    for (const int32_t slot : {OPENKE_HEAD, OPENKE_RELATION, OPENKE_TAIL}) {
      for (int32_t first = 0; first < graph.entities; ++first) {
        for (int32_t second = 0; second < (slot == 1 ? graph.entities : graph.relations);
             ++second) {
          for (const int32_t mask : {1, 2, 4, 5, 7}) {
            CHECK(answers_of(graph, slot, first, second, mask) ==
                  graph.known(slot, first, second, mask));
          }
        }
      }
    }
  }
}

TEST(the_relation_index_is_built_once_for_many_threads) {
  const Graph graph = graphs::random(1, 50, 4, 400);
  std::vector<const openke::AnswerIndex*> seen(8);
  std::vector<std::thread> threads;
  for (auto& place : seen) {
    threads.emplace_back([&graph, &place] { place = &graph.store->answers(OPENKE_RELATION); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto* index : seen) CHECK(index == seen.front());
}

TEST(a_large_store_is_built_by_many_threads) {
  const Graph graph = graphs::random(2, 20000, 5, 30000);
  CHECK(graph.store->split(OPENKE_TRAIN).size() > 29000);
  for (const Triple& t : graph.store->split(OPENKE_TEST).triples) {
    const Answers known = graph.store->answers(OPENKE_TAIL).find(t.head, t.relation);
    bool there = false;
    for (int64_t i = 0; i < known.count; ++i)
      there |= known.ids[i] == t.tail && (known.splits[i] & 4) != 0;
    CHECK(there);
  }
}

TEST(held_out_triples_leave_something_of_all_their_parts) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const Graph graph = graphs::random(seed, 15, 4, 60);
    const auto held = graph.store->hold_out(0.4, seed);
    const Split& train = held->split(OPENKE_TRAIN);
    const Split& valid = held->split(OPENKE_VALID);
    const Split& all = graph.store->split(OPENKE_TRAIN);
    CHECK(train.size() + valid.size() == all.size() && train.rows + valid.rows == all.rows);
    CHECK(valid.size() > 0 && valid.size() <= all.size() * 4 / 10);
    CHECK(held->split(OPENKE_TEST).triples.size() ==
          graph.store->split(OPENKE_TEST).triples.size());
    std::set<int32_t> entities;
    std::set<int32_t> relations;
    for (const Triple& t : train.triples) {
      entities.insert({t.head, t.tail});
      relations.insert(t.relation);
    }
    for (const Triple& t : valid.triples) {
      CHECK(entities.count(t.head) > 0 && entities.count(t.tail) > 0 &&
            relations.count(t.relation) > 0);
    }
  }
}

TEST(hold_out_refuses_other_fractions) {
  const Graph graph = graphs::random(0);
  for (const double fraction : {0.0, 1.0, -0.5, 1.5, std::nan("")}) {
    CHECK_CONTAINS(check::thrown<openke::InvalidInput>([&] { graph.store->hold_out(fraction, 0); }),
                   "expected more than 0 and less than 1");
  }
}
