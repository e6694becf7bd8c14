// Scores and gradients against loops in double, in arrays without a byte to spare.

#include <algorithm>
#include <cmath>
#include <random>

#include "c_api.h"
#include "check.h"
#include "kernels.h"

using openke::Comparison;
using openke::InstructionSet;
using openke::Routines;

namespace {

constexpr int64_t kQueries = 6, kCandidates = 7, kPairs = 11;
constexpr int64_t kQuery = 2, kNear = 3;  // whose gradients are looked at

template <class Real>
std::vector<Real> random(int64_t n, uint32_t seed) {
  std::mt19937 draw(seed);
  std::vector<Real> values;
  values.reserve(static_cast<std::size_t>(n));
  while (static_cast<int64_t>(values.size()) < n) {
    values.push_back(static_cast<Real>((draw() % 2001) / 1000.0 - 1));
  }
  return values;
}

template <class Real>
struct Case {
  std::vector<Real> query, table, modal, gate, grad;
  Comparison<Real> x;

  Case(int32_t kind, bool gated, int64_t dim)
      : query(random<Real>(kQueries * dim, 1)),
        table(random<Real>(kCandidates * dim, 2)),
        modal(random<Real>(kCandidates * dim, 3)),
        gate(random<Real>(kQueries, 4)),
        grad(random<Real>(kQueries * kCandidates, 5)),
        x{kind,
          kQueries,
          kCandidates,
          dim,
          query.data(),
          table.data(),
          gated ? modal.data() : nullptr,
          gated ? gate.data() : nullptr} {
    // One pair at distance zero.
    std::copy_n(table.begin() + kNear * dim, dim, query.begin() + kQuery * dim);
    gate[kQuery] = 1;
  }

  double gate_of(int64_t q) const { return x.gate == nullptr ? 1 : x.gate[q]; }
  double modal_of(int64_t c, int64_t k) const {
    return x.modal == nullptr ? 0 : x.modal[c * x.dim + k];
  }
  double query_of(int64_t q, int64_t k) const { return x.query[q * x.dim + k]; }
  double table_of(int64_t c, int64_t k) const { return x.table[c * x.dim + k]; }
  double candidate_of(int64_t q, int64_t c, int64_t k) const {
    return gate_of(q) * table_of(c, k) + (1 - gate_of(q)) * modal_of(c, k);
  }
  double difference(int64_t q, int64_t c, int64_t k) const {
    return query_of(q, k) - candidate_of(q, c, k);
  }
  double length(int64_t q, int64_t c, int64_t k) const {  // of complex coordinate k
    return std::hypot(difference(q, c, k), difference(q, c, k + x.dim / 2));
  }

  double score(int64_t q, int64_t c) const {
    double sum = 0;
    for (int64_t k = 0; k < (x.kind == OPENKE_COMPLEX ? x.dim / 2 : x.dim); ++k) {
      if (x.kind == OPENKE_DOT) sum += query_of(q, k) * candidate_of(q, c, k);
      if (x.kind == OPENKE_L1) sum -= std::abs(difference(q, c, k));
      if (x.kind == OPENKE_L2) sum -= std::pow(difference(q, c, k), 2);
      if (x.kind == OPENKE_COMPLEX) sum -= length(q, c, k);
    }
    return x.kind == OPENKE_L2 ? -std::sqrt(-sum) : sum;
  }

  // d score / d query[k]; d score / d candidate[k] is its negative, of a dot the query
  double slope(int64_t q, int64_t c, int64_t k) const {
    const double difference_k = difference(q, c, k);
    if (x.kind == OPENKE_DOT) return candidate_of(q, c, k);
    if (x.kind == OPENKE_L1) return difference_k > 0 ? -1 : difference_k < 0 ? 1 : 0;
    const double distance = x.kind == OPENKE_L2 ? -score(q, c) : length(q, c, k % (x.dim / 2));
    return distance > 0 ? -difference_k / distance : 0;
  }
  double candidate_slope(int64_t q, int64_t c, int64_t k) const {
    return x.kind == OPENKE_DOT ? query_of(q, k) : -slope(q, c, k);
  }
  double grad_of(int64_t q, int64_t c) const { return grad[q * kCandidates + c]; }
};

template <class Real>
bool close(Real found, double expected) {
  const double tolerance = sizeof(Real) == 4 ? 1e-5 : 1e-12;
  return std::abs(found - expected) <= tolerance * (10 + std::abs(expected));
}

template <class Real>
const Routines<Real>& routines_of(const InstructionSet& set, const Comparison<Real>& x) {
  if constexpr (sizeof(Real) == 4) {
    return set.single[x.kind][x.gate != nullptr];
  } else {
    return set.twofold[x.kind][x.gate != nullptr];
  }
}

template <class Real>
void check_scores(const InstructionSet& set, const Case<Real>& given) {
  const Routines<Real>& run = routines_of(set, given.x);
  std::vector<Real> all(kQueries * kCandidates);
  run.block(given.x, 0, kQueries, 0, kCandidates, all.data());
  for (int64_t q = 0; q < kQueries; ++q) {
    for (int64_t c = 0; c < kCandidates; ++c) {
      CHECK(close(all[q * kCandidates + c], given.score(q, c)));
    }
  }
  // Runs of one query, long enough for a tile of four, and single pairs.
  const std::vector<int64_t> query{0, 0, 0, 0, 0, 3, 4, 5, 5, 5, 5};
  const std::vector<int64_t> candidate{6, 1, 1, 0, 5, 2, 2, 3, 4, 0, 6};
  std::vector<Real> pairs(kPairs);
  run.pairs(given.x, query.data(), candidate.data(), kPairs, pairs.data());
  for (int64_t i = 0; i < kPairs; ++i) {
    CHECK(pairs[i] == all[query[i] * kCandidates + candidate[i]]);
  }
}

template <class Real>
void check_gradients(const InstructionSet& set, const Case<Real>& given) {
  const Routines<Real>& run = routines_of(set, given.x);
  const int64_t dim = given.x.dim, q = kQuery, c = kNear;
  std::vector<int64_t> candidates, queries;
  std::vector<Real> to_candidates, to_queries;
  for (int64_t i = 0; i < kCandidates; ++i) {
    candidates.push_back(i);
    to_candidates.push_back(given.grad[q * kCandidates + i]);
  }
  for (int64_t i = 0; i < kQueries; ++i) {
    queries.push_back(i);
    to_queries.push_back(given.grad[i * kCandidates + c]);
  }
  std::vector<Real> row(dim), table(dim), modal(dim);
  double gate = 0, gate_expected = 0;
  run.query_gradient(given.x, q, candidates.data(), to_candidates.data(), kCandidates, row.data(),
                     &gate);
  run.candidate_gradient(given.x, c, queries.data(), to_queries.data(), kQueries, table.data(),
                         modal.data());
  for (int64_t k = 0; k < dim; ++k) {
    double by_query = 0, by_table = 0, by_modal = 0;
    for (int64_t i = 0; i < kCandidates; ++i) {
      by_query += given.grad_of(q, i) * given.slope(q, i, k);
      gate_expected += given.grad_of(q, i) * given.candidate_slope(q, i, k) *
                       (given.table_of(i, k) - given.modal_of(i, k));
    }
    for (int64_t i = 0; i < kQueries; ++i) {
      const double push = given.grad_of(i, c) * given.candidate_slope(i, c, k);
      by_table += given.gate_of(i) * push;
      by_modal += (1 - given.gate_of(i)) * push;
    }
    CHECK(close(row[k], by_query));
    CHECK(close(table[k], by_table));
    CHECK(given.x.gate == nullptr || close(modal[k], by_modal));
  }
  CHECK(given.x.gate == nullptr || close<Real>(static_cast<Real>(gate), gate_expected));
}

template <class Real>
void check_set(const InstructionSet& set) {
  for (int32_t kind = OPENKE_DOT; kind <= OPENKE_COMPLEX; ++kind) {
    for (const bool gated : {false, true}) {
      for (const int64_t dim : {1, 2, 3, 4, 7, 8, 16, 18, 33, 34, 66, 2100}) {
        if (kind == OPENKE_COMPLEX && dim % 2 != 0) continue;
        const Case<Real> given(kind, gated, dim);
        check_scores(set, given);
        check_gradients(set, given);
      }
    }
  }
}

struct Results {
  std::vector<float> all, pairs, query, table, modal, gate;
  bool operator==(const Results& o) const {
    return all == o.all && pairs == o.pairs && query == o.query && table == o.table &&
           modal == o.modal && gate == o.gate;
  }
};

// Every function of the ABI on sizes that fill several tasks; of pairs with `vectors` of a query.
Results run_abi(int32_t kind, int32_t threads, int64_t vectors) {
  constexpr int64_t q = 70, u = 90, dim = 34, pairs = 900;
  const auto query = random<float>(q * dim, 1), table = random<float>(u * dim, 2),
             modal = random<float>(u * dim, 3), gate = random<float>(q, 4),
             grad = random<float>(q * u, 5);
  std::mt19937 draw(6);
  std::vector<int64_t> query_index, candidate_index;
  for (int64_t i = 0; i < pairs; ++i) {
    query_index.push_back(draw() % (q / vectors));
    candidate_index.push_back(draw() % u);
  }
  const openke_compare compare{kind,         OPENKE_FLOAT32, q,          u, dim, query.data(),
                               table.data(), modal.data(),   gate.data()};
  Results out{std::vector<float>(q * u),   std::vector<float>(pairs),   std::vector<float>(q * dim),
              std::vector<float>(u * dim), std::vector<float>(u * dim), std::vector<float>(q)};
  openke_compare_gradient into{out.query.data(), out.table.data(), out.modal.data(),
                               out.gate.data()};
  CHECK(openke_compare_all(&compare, threads, out.all.data()) == OPENKE_OK);
  CHECK(openke_compare_pairs(&compare, query_index.data(), candidate_index.data(), pairs, vectors,
                             threads, out.pairs.data()) == OPENKE_OK);
  CHECK(openke_compare_pairs_backward(&compare, query_index.data(), candidate_index.data(), pairs,
                                      vectors, grad.data(), threads, &into) == OPENKE_OK);
  const std::vector<float> of_pairs = out.query;
  CHECK(openke_compare_all_backward(&compare, grad.data(), threads, &into) == OPENKE_OK);
  out.pairs.insert(out.pairs.end(), of_pairs.begin(), of_pairs.end());
  return out;
}

}  // namespace

TEST(every_instruction_set_agrees_with_loops) {
  const auto sets = openke::available_sets();
  CHECK(std::string(sets.back()->name) == "plain");
  for (const InstructionSet* set : sets) {
    check_set<float>(*set);
    check_set<double>(*set);
  }
}

TEST(kernels_do_not_depend_on_threads) {
  for (int32_t kind = OPENKE_DOT; kind <= OPENKE_COMPLEX; ++kind) {
    for (const int64_t vectors : {1, 5}) {
      const Results one = run_abi(kind, 1, vectors);
      for (const int32_t threads : {2, 5}) CHECK(run_abi(kind, threads, vectors) == one);
    }
  }
}

TEST(a_score_is_the_sum_over_the_vectors_of_its_query) {
  constexpr int64_t vectors = 3, each = kQueries / vectors;
  for (int32_t kind = OPENKE_DOT; kind <= OPENKE_COMPLEX; ++kind) {
    for (const bool gated : {false, true}) {
      const Case<double> given(kind, gated, 34);
      const int64_t dim = given.x.dim;
      std::vector<int64_t> query, candidate;
      for (int64_t i = 0; i < kPairs; ++i) {
        query.push_back(i % each);
        candidate.push_back(i % kCandidates);
      }
      const openke::Pairs pairs{query.data(), candidate.data(), kPairs, vectors};
      std::vector<double> out(kPairs), by_query(kQueries * dim), by_table(kCandidates * dim);
      compare_pairs(given.x, pairs, 1, out.data());
      openke::compare_pairs_backward<double>(given.x, pairs, given.grad.data(), 1,
                                             {by_query.data(), by_table.data(), nullptr, nullptr});
      std::vector<double> expected(kPairs), query_slope(kQueries * dim),
          table_slope(kCandidates * dim);
      for (int64_t i = 0; i < kPairs; ++i) {
        for (int64_t q = query[i]; q < kQueries; q += each) {
          const int64_t c = candidate[i];
          expected[i] += given.score(q, c);
          for (int64_t k = 0; k < dim; ++k) {
            query_slope[q * dim + k] += given.grad[i] * given.slope(q, c, k);
            table_slope[c * dim + k] +=
                given.grad[i] * given.gate_of(q) * given.candidate_slope(q, c, k);
          }
        }
      }
      for (int64_t i = 0; i < kPairs; ++i) CHECK(close(out[i], expected[i]));
      for (int64_t i = 0; i < kQueries * dim; ++i) CHECK(close(by_query[i], query_slope[i]));
      for (int64_t i = 0; i < kCandidates * dim; ++i) CHECK(close(by_table[i], table_slope[i]));
    }
  }
}

TEST(no_pairs_and_no_rows_are_fine) {
  const openke_compare compare{OPENKE_L1, OPENKE_FLOAT32, 0,       0,      4,
                               nullptr,   nullptr,        nullptr, nullptr};
  const openke_compare_gradient into{nullptr, nullptr, nullptr, nullptr};
  CHECK(openke_compare_pairs(&compare, nullptr, nullptr, 0, 1, 2, nullptr) == OPENKE_OK);
  CHECK(openke_compare_pairs_backward(&compare, nullptr, nullptr, 0, 1, nullptr, 2, &into) ==
        OPENKE_OK);
  CHECK(openke_compare_all(&compare, 2, nullptr) == OPENKE_OK);
  CHECK(openke_compare_all_backward(&compare, nullptr, 2, &into) == OPENKE_OK);
}

TEST(an_index_out_of_range_is_named) {
  const std::vector<float> rows(12);
  const openke_compare compare{OPENKE_L2,   OPENKE_FLOAT32, 3,       3,      4,
                               rows.data(), rows.data(),    nullptr, nullptr};
  const std::vector<int64_t> good{0, 2}, high{0, 3}, low{-1, 0};
  std::vector<float> out(2);
  CHECK(openke_compare_pairs(&compare, high.data(), good.data(), 2, 1, 1, out.data()) ==
        OPENKE_INVALID);
  CHECK_CONTAINS(openke_last_error(), "query_index[1] is 3; expected 0 to 2");
  CHECK(openke_compare_pairs(&compare, good.data(), low.data(), 2, 1, 1, out.data()) ==
        OPENKE_INVALID);
  CHECK_CONTAINS(openke_last_error(), "candidate_index[0] is -1; expected 0 to 2");
  CHECK(openke_compare_pairs(&compare, good.data(), good.data(), 2, 2, 1, out.data()) ==
        OPENKE_INVALID);
  CHECK_CONTAINS(openke_last_error(), "vectors is 2 with 3 query vectors; expected 1 or more");
}
