// Small random graphs for the tests of the core.

#ifndef OPENKE_TESTS_GRAPHS_H
#define OPENKE_TESTS_GRAPHS_H

#include <array>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "triple_store.h"

namespace graphs {

using Ids = std::array<int32_t, 3>;  // head, relation, tail

struct Graph {
  int32_t entities;
  int32_t relations;
  std::array<std::vector<openke::Triple>, 3> rows;
  std::shared_ptr<const openke::TripleStore> store;

  std::set<Ids> facts(int split) const {
    std::set<Ids> found;
    for (const openke::Triple& t : rows[static_cast<std::size_t>(split)]) {
      found.insert({t.head, t.relation, t.tail});
    }
    return found;
  }

  // The triple of a query: its answer goes into the slot.
  static Ids triple(int32_t slot, int32_t first, int32_t second, int32_t answer) {
    if (slot == 0) return {answer, second, first};
    if (slot == 1) return {first, answer, second};
    return {first, second, answer};
  }

  std::set<int32_t> known(int32_t slot, int32_t first, int32_t second, int32_t split_mask) const {
    std::set<int32_t> answers;
    for (int split = 0; split < 3; ++split) {
      if ((split_mask >> split & 1) == 0) continue;
      const std::set<Ids> there = facts(split);
      for (int32_t answer = 0; answer < (slot == 1 ? relations : entities); ++answer) {
        if (there.count(triple(slot, first, second, answer)) > 0) answers.insert(answer);
      }
    }
    return answers;
  }
};

inline Graph random(uint32_t seed, int32_t entities = 12, int32_t relations = 3, int rows = 60) {
  std::mt19937 draw(seed);
  const auto below = [&](int32_t n) {
    return static_cast<int32_t>(draw() % static_cast<uint32_t>(n));
  };
  Graph graph{entities, relations, {}, nullptr};
  for (std::size_t split = 0; split < 3; ++split) {
    for (int i = 0; i < (split == 0 ? rows : rows / 4); ++i) {
      graph.rows[split].push_back({below(entities), below(relations), below(entities)});
    }
  }
  openke::Vocabulary entity_ids;
  entity_ids.what = "entities";
  entity_ids.count = entities;
  openke::Vocabulary relation_ids;
  relation_ids.what = "relations";
  relation_ids.count = relations;
  graph.store = openke::TripleStore::from_rows(entity_ids, relation_ids, graph.rows);
  return graph;
}

}  // namespace graphs

#endif  // OPENKE_TESTS_GRAPHS_H
