// How the work of the score kernels is divided: over threads, and into tiles that stay in cache.
// Gradients take two passes, one over queries and one over candidates: each row has one writer, so
// there is nothing to lock and nothing that depends on the number of threads.

#include "kernels.h"

#include <algorithm>
#include <vector>

#include "parallel.h"

namespace openke {
namespace {

constexpr int64_t kPairs = 256;  // pairs of a task, and of a call of a gradient routine
constexpr int64_t kRows = 32;    // rows of a task that pass over tiles of the other side

// Rows of such a tile: about 64 KiB, in the second level of cache of any processor.
template <class Real>
int64_t tile_rows(int64_t dim) {
  const int64_t bytes = std::max<int64_t>(1, dim) * static_cast<int64_t>(sizeof(Real));
  return std::clamp<int64_t>((int64_t{1} << 16) / bytes, 8, 512);
}

int64_t blocks(int64_t n, int64_t size) { return (n + size - 1) / size; }

// Calls f(begin, end) for the blocks of [0, n): a task of parallel_for is a block, whatever the
// number of threads.
template <class F>
void parallel_blocks(int64_t n, int64_t size, int threads, F f) {
  parallel_for(blocks(n, size), threads, 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) f(i * size, std::min(n, (i + 1) * size));
  });
}

// The other side of a row's pairs and the gradients of their scores. Pairs without gradient, of
// which a hinge or a mask leaves many, add nothing and are left out.
template <class Real>
class Batch {
 public:
  explicit Batch(int64_t capacity) : index_(capacity), grad_(capacity) {}

  void clear() { size_ = 0; }
  void add(int64_t index, Real grad) {
    if (grad == 0) return;
    index_[size_] = index;
    grad_[size_++] = grad;
  }
  bool full() const { return size_ == index_.size(); }
  int64_t size() const { return static_cast<int64_t>(size_); }
  const int64_t* index() const { return index_.data(); }
  const Real* grad() const { return grad_.data(); }

 private:
  std::vector<int64_t> index_;
  std::vector<Real> grad_;
  std::size_t size_ = 0;
};

// Pairs grouped by the index of one side, in their given order within a group.
class Grouping {
 public:
  Grouping(const int64_t* index, int64_t pairs, int64_t rows) : offset_(rows + 1), order_(pairs) {
    for (int64_t i = 0; i < pairs; ++i) ++offset_[index[i] + 1];
    for (int64_t r = 0; r < rows; ++r) offset_[r + 1] += offset_[r];
    std::vector<int64_t> next(offset_.begin(), offset_.end() - 1);
    for (int64_t i = 0; i < pairs; ++i) order_[next[index[i]]++] = i;
  }

  // Calls f() each time the batch holds pairs of row r to be taken; `other` is the other side, of
  // which a pair meets `vectors` rows, `stride` apart.
  template <class Real, class F>
  void each_batch(int64_t r, const int64_t* other, int64_t vectors, int64_t stride,
                  const Real* grad, Batch<Real>& batch, F f) const {
    batch.clear();
    for (int64_t i = offset_[r]; i < offset_[r + 1]; ++i) {
      for (int64_t v = 0; v < vectors; ++v) {
        batch.add(other[order_[i]] + v * stride, grad[order_[i]]);
        if (!batch.full()) continue;
        f();
        batch.clear();
      }
    }
    if (batch.size() > 0) f();
  }

 private:
  std::vector<int64_t> offset_, order_;
};

// The rows of a gradient, or a scratch in their place where that gradient is not wanted.
template <class Real>
class Rows {
 public:
  Rows(Real* gradient, int64_t rows, int64_t dim)
      : gradient_(gradient), dim_(dim), scratch_(gradient == nullptr ? rows * dim : 0) {}

  // Rows [begin, begin + n), all zero, to add to.
  Real* start(int64_t begin, int64_t n) {
    Real* const rows = gradient_ == nullptr ? scratch_.data() : gradient_ + begin * dim_;
    std::fill_n(rows, n * dim_, Real(0));
    return rows;
  }

 private:
  Real* gradient_;
  int64_t dim_;
  std::vector<Real> scratch_;
};

// The comparison with vector v of each query alone.
template <class Real>
Comparison<Real> with_vector(Comparison<Real> x, const Pairs& pairs, int64_t v) {
  x.queries /= pairs.vectors;
  x.query += v * x.queries * x.dim;
  if (x.gate != nullptr) x.gate += v * x.queries;
  return x;
}

template <class Real>
void pairs_by_query(const Comparison<Real>& x, const Pairs& pairs, const Real* grad, int threads,
                    const Gradient<Real>& out) {
  const auto add_gradient = routines(x).query_gradient;
  const int64_t queries = x.queries / pairs.vectors;
  const Grouping grouping(pairs.query, pairs.count, queries);
  parallel_for(queries, threads, 4, [&](int64_t begin, int64_t end) {
    Batch<Real> batch(kPairs);
    Rows<Real> rows(out.query, 1, x.dim);
    std::vector<Real*> row(pairs.vectors);
    std::vector<double> gate(pairs.vectors);
    for (int64_t q = begin; q < end; ++q) {
      for (int64_t v = 0; v < pairs.vectors; ++v) row[v] = rows.start(q + v * queries, 1);
      std::fill(gate.begin(), gate.end(), 0);
      // The vectors take turns at a few candidates, which all but the first find in cache.
      grouping.each_batch(q, pairs.candidate, 1, 0, grad, batch, [&] {
        for (int64_t v = 0; v < pairs.vectors; ++v) {
          add_gradient(x, q + v * queries, batch.index(), batch.grad(), batch.size(), row[v],
                       &gate[v]);
        }
      });
      for (int64_t v = 0; out.gate != nullptr && v < pairs.vectors; ++v) {
        out.gate[q + v * queries] = static_cast<Real>(gate[v]);
      }
    }
  });
}

template <class Real>
void pairs_by_candidate(const Comparison<Real>& x, const Pairs& pairs, const Real* grad,
                        int threads, const Gradient<Real>& out) {
  const auto add_gradient = routines(x).candidate_gradient;
  const Grouping grouping(pairs.candidate, pairs.count, x.candidates);
  parallel_for(x.candidates, threads, 16, [&](int64_t begin, int64_t end) {
    Batch<Real> batch(kPairs);
    Rows<Real> table(out.table, 1, x.dim), modal(out.modal, 1, x.dim);
    for (int64_t c = begin; c < end; ++c) {
      Real* const table_row = table.start(c, 1);
      Real* const modal_row = x.modal == nullptr ? nullptr : modal.start(c, 1);
      grouping.each_batch(
          c, pairs.query, pairs.vectors, x.queries / pairs.vectors, grad, batch, [&] {
            add_gradient(x, c, batch.index(), batch.grad(), batch.size(), table_row, modal_row);
          });
    }
  });
}

template <class Real>
void all_by_query(const Comparison<Real>& x, const Real* grad, int threads,
                  const Gradient<Real>& out) {
  const auto add_gradient = routines(x).query_gradient;
  const int64_t tile = tile_rows<Real>(x.dim);
  parallel_blocks(x.queries, kRows, threads, [&](int64_t q0, int64_t q1) {
    Batch<Real> batch(tile);
    Rows<Real> rows(out.query, q1 - q0, x.dim);
    Real* const query_rows = rows.start(q0, q1 - q0);
    std::vector<double> gate(q1 - q0);
    for (int64_t c0 = 0; c0 < x.candidates; c0 += tile) {
      for (int64_t q = q0; q < q1; ++q) {
        batch.clear();
        for (int64_t c = c0; c < std::min(x.candidates, c0 + tile); ++c) {
          batch.add(c, grad[q * x.candidates + c]);
        }
        add_gradient(x, q, batch.index(), batch.grad(), batch.size(), query_rows + (q - q0) * x.dim,
                     &gate[q - q0]);
      }
    }
    if (out.gate != nullptr) std::copy(gate.begin(), gate.end(), out.gate + q0);
  });
}

template <class Real>
void all_by_candidate(const Comparison<Real>& x, const Real* grad, int threads,
                      const Gradient<Real>& out) {
  const auto add_gradient = routines(x).candidate_gradient;
  const int64_t tile = tile_rows<Real>(x.dim);
  parallel_blocks(x.candidates, kRows, threads, [&](int64_t c0, int64_t c1) {
    Batch<Real> batch(tile);
    Rows<Real> table(out.table, c1 - c0, x.dim), modal(out.modal, c1 - c0, x.dim);
    Real* const table_rows = table.start(c0, c1 - c0);
    Real* const modal_rows = x.modal == nullptr ? nullptr : modal.start(c0, c1 - c0);
    for (int64_t q0 = 0; q0 < x.queries; q0 += tile) {
      for (int64_t c = c0; c < c1; ++c) {
        batch.clear();
        for (int64_t q = q0; q < std::min(x.queries, q0 + tile); ++q) {
          batch.add(q, grad[q * x.candidates + c]);
        }
        const int64_t at = (c - c0) * x.dim;
        add_gradient(x, c, batch.index(), batch.grad(), batch.size(), table_rows + at,
                     modal_rows == nullptr ? nullptr : modal_rows + at);
      }
    }
  });
}

}  // namespace

template <class Real>
void compare_pairs(const Comparison<Real>& x, const Pairs& pairs, int threads, Real* out) {
  const auto score = routines(x).pairs;
  // Candidates that the second vector and those after it find in cache.
  const int64_t near = pairs.vectors == 1 ? kPairs : std::min(kPairs, tile_rows<Real>(x.dim));
  parallel_blocks(pairs.count, near, threads, [&](int64_t begin, int64_t end) {
    const int64_t* const query = pairs.query + begin;
    const int64_t* const candidate = pairs.candidate + begin;
    score(x, query, candidate, end - begin, out + begin);
    std::vector<Real> more(pairs.vectors == 1 ? 0 : end - begin);
    for (int64_t v = 1; v < pairs.vectors; ++v) {
      score(with_vector(x, pairs, v), query, candidate, end - begin, more.data());
      for (int64_t i = begin; i < end; ++i) out[i] += more[i - begin];
    }
  });
}

template <class Real>
void compare_pairs_backward(const Comparison<Real>& x, const Pairs& pairs, const Real* grad,
                            int threads, const Gradient<Real>& out) {
  if (out.query != nullptr || out.gate != nullptr) pairs_by_query(x, pairs, grad, threads, out);
  if (out.table != nullptr || out.modal != nullptr)
    pairs_by_candidate(x, pairs, grad, threads, out);
}

template <class Real>
void compare_all(const Comparison<Real>& x, int threads, Real* out) {
  const auto score = routines(x).block;
  const int64_t tile = tile_rows<Real>(x.dim), tiles = blocks(x.candidates, tile);
  // A task: a block of queries against a tile of candidates, which they all find in cache.
  parallel_for(blocks(x.queries, kRows) * tiles, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t q = i / tiles * kRows, c = i % tiles * tile;
      score(x, q, std::min(x.queries, q + kRows), c, std::min(x.candidates, c + tile), out);
    }
  });
}

template <class Real>
void compare_all_backward(const Comparison<Real>& x, const Real* grad, int threads,
                          const Gradient<Real>& out) {
  if (out.query != nullptr || out.gate != nullptr) all_by_query(x, grad, threads, out);
  if (out.table != nullptr || out.modal != nullptr) all_by_candidate(x, grad, threads, out);
}

#define OPENKE_INSTANTIATE(Real)                                                                \
  template void compare_pairs(const Comparison<Real>&, const Pairs&, int, Real*);               \
  template void compare_pairs_backward(const Comparison<Real>&, const Pairs&, const Real*, int, \
                                       const Gradient<Real>&);                                  \
  template void compare_all(const Comparison<Real>&, int, Real*);                               \
  template void compare_all_backward(const Comparison<Real>&, const Real*, int,                 \
                                     const Gradient<Real>&);
OPENKE_INSTANTIATE(float)
OPENKE_INSTANTIATE(double)

}  // namespace openke
