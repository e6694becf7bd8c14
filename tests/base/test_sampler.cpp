#include <thread>

#include "check.h"
#include "error.h"
#include "graphs.h"
#include "sampler.h"

using graphs::Graph;
using graphs::Ids;
using openke::Sampler;
using openke::Stream;

namespace {

struct Batch {
  std::vector<int64_t> positive, negative;
  std::vector<uint8_t> slot, mask;

  bool operator==(const Batch& o) const {
    return positive == o.positive && negative == o.negative && slot == o.slot && mask == o.mask;
  }
};

Batch draw(const Sampler& sampler, const std::vector<int64_t>& rows, int64_t k, bool shared,
           int32_t side, int threads, int64_t first = 0) {
  const std::size_t b = rows.size();
  const auto n = static_cast<std::size_t>(k);
  Batch batch{std::vector<int64_t>(3 * b), std::vector<int64_t>(shared ? n : b * n),
              std::vector<uint8_t>(shared ? b : b * n), std::vector<uint8_t>(shared ? b * n : 0)};
  sampler.draw(rows.data(), static_cast<int64_t>(b), 3, first, side, threads,
               {batch.positive.data(), batch.negative.data(), batch.slot.data(),
                shared ? batch.mask.data() : nullptr});
  return batch;
}

Ids replaced(const std::vector<int64_t>& positive, std::size_t i, int32_t slot, int64_t id) {
  Ids ids{static_cast<int32_t>(positive[3 * i]), static_cast<int32_t>(positive[3 * i + 1]),
          static_cast<int32_t>(positive[3 * i + 2])};
  ids[static_cast<std::size_t>(slot)] = static_cast<int32_t>(id);
  return ids;
}

std::vector<int64_t> order(const Sampler& sampler, const Graph& graph) {
  std::vector<int64_t> rows(graph.store->split(OPENKE_TRAIN).triples.size());
  sampler.order(3, false, rows.data());
  return rows;
}

}  // namespace

TEST(bounded_draws_are_in_bounds_and_reach_all) {
  Stream stream(1, openke::Purpose::kOrder, 0, 0);
  for (const uint32_t bound : {1U, 2U, 3U, 7U, 0x80000001U, 0xffffffffU}) {
    std::set<uint32_t> seen;
    for (int i = 0; i < 200; ++i) {
      const uint32_t x = stream.below(bound);
      CHECK(x < bound);
      seen.insert(x);
    }
    CHECK(bound > 7 || seen.size() == bound);
  }
  for (int i = 0; i < 1000; ++i) CHECK(stream.unit() >= 0 && stream.unit() < 1);
}

TEST(a_remainder_draws_all_that_is_left_and_nothing_else) {
  std::mt19937 random(0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<int32_t> excluded;
    std::set<int32_t> left;
    const int n = 1 + static_cast<int>(random() % 12);
    for (int32_t id = 0; id < n; ++id) {
      if (random() % 2 == 0) {
        excluded.push_back(id);
      } else {
        left.insert(id);
      }
    }
    const openke::Remainder remainder(n, excluded.data(), static_cast<int64_t>(excluded.size()));
    CHECK(remainder.left() == left.size());
    if (left.empty()) continue;
    std::set<int32_t> drawn;
    Stream stream(0, openke::Purpose::kNegatives, 0, trial);
    for (int i = 0; i < 400; ++i) drawn.insert(remainder.draw(stream));
    CHECK(drawn == left);
  }
}

TEST(own_negatives_are_never_facts_of_train) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    const Graph graph = graphs::random(seed, 8, 3, 60);
    const std::set<Ids> facts = graph.facts(OPENKE_TRAIN);
    const Sampler sampler(graph.store, {seed, 5, 0, seed % 2 == 0, 1, 0, 0});
    const Batch batch = draw(sampler, order(sampler, graph), 5, false, OPENKE_MIXED, 2);
    for (std::size_t i = 0; i < batch.negative.size(); ++i) {
      const int64_t id = batch.negative[i];
      CHECK(id >= 0 && id < graph.entities && batch.slot[i] != OPENKE_RELATION);
      CHECK(facts.count(replaced(batch.positive, i / 5, batch.slot[i], id)) == 0);
    }
  }
}

TEST(shared_negatives_are_distinct_and_masked_where_they_are_facts) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    for (const int64_t k : {1, 4, 8}) {
      const Graph graph = graphs::random(seed, 8, 3, 60);
      const std::set<Ids> facts = graph.facts(OPENKE_TRAIN);
      const Sampler sampler(graph.store, {seed, k, 0, 1, 1, 1, 0});
      const Batch batch = draw(sampler, order(sampler, graph), k, true, OPENKE_MIXED, 2);
      CHECK(std::set<int64_t>(batch.negative.begin(), batch.negative.end()).size() ==
            batch.negative.size());
      for (std::size_t i = 0; i < batch.slot.size(); ++i) {
        for (std::size_t j = 0; j < batch.negative.size(); ++j) {
          const Ids ids = replaced(batch.positive, i, batch.slot[i], batch.negative[j]);
          CHECK(batch.mask[i * batch.negative.size() + j] == facts.count(ids));
        }
      }
    }
  }
}

TEST(a_batch_depends_on_positions_only) {
  const Graph graph = graphs::random(4, 300, 4, 3000);
  for (const bool shared : {false, true}) {
    // Enough negatives for several threads to have work.
    const Sampler sampler(graph.store, {9, 250, 0, 1, 1, shared, 0});
    const std::vector<int64_t> rows = order(sampler, graph);
    const Batch all = draw(sampler, rows, 250, shared, OPENKE_MIXED, 1);
    CHECK(draw(sampler, rows, 250, shared, OPENKE_MIXED, 7) == all);
    if (shared) continue;
    const std::vector<int64_t> part(rows.begin() + 100, rows.begin() + 200);
    const Batch some = draw(sampler, part, 250, false, OPENKE_MIXED, 2, 100);
    CHECK(std::equal(some.negative.begin(), some.negative.end(), all.negative.begin() + 25000));
  }
}

TEST(many_threads_draw_from_one_sampler_after_the_store_is_gone) {
  Graph graph = graphs::random(5, 100, 4, 800);
  const Sampler sampler(graph.store, {9, 4, 2, 0, 1, 0, 0});
  const std::vector<int64_t> rows = order(sampler, graph);
  graph.store.reset();
  const Batch expected = draw(sampler, rows, 6, false, OPENKE_HEAD, 1);
  std::vector<Batch> batches(6);
  std::vector<std::thread> threads;
  for (Batch& batch : batches) {
    threads.emplace_back([&] { batch = draw(sampler, rows, 6, false, OPENKE_HEAD, 2); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Batch& batch : batches) CHECK(batch == expected);
}

TEST(an_exhausted_triple_is_named_before_anything_is_written) {
  Graph graph = graphs::random(0, 3, 2, 1);
  // Relation 0 joins 0 to everything: (0, 0, ?) has no other tail, (?, 0, 1) has two other heads.
  graph.rows[0] = {{0, 0, 0}, {0, 0, 1}, {0, 0, 2}, {1, 1, 0}};
  openke::Vocabulary entities = graph.store->entities();
  graph.store = openke::TripleStore::from_rows(entities, graph.store->relations(), graph.rows);
  const Sampler sampler(graph.store, {0, 3, 0, 1, 1, 0, 0});
  Batch batch;
  CHECK_CONTAINS(
      check::thrown<openke::InvalidInput>([&] { draw(sampler, {3, 1}, 3, false, OPENKE_TAIL, 1); }),
      "found no tail to corrupt the triple (head 0, relation 0, tail 1) with");
  batch = draw(sampler, {0, 1, 2}, 3, false, OPENKE_MIXED, 1);
  for (const uint8_t slot : batch.slot) CHECK(slot == OPENKE_HEAD);
}
