// Scores of queries and candidates, by tiles of a few rows of each; a part of kernels_body.h.

// The rows of Q queries and C candidates, each with `size` coordinates.
template <class Real, int Q, int C>
struct Tile {
  int64_t size;
  const Real* query[Q];
  Real gate[Q];
  const Real* table[C];
  const Real* modal[C];
};

template <class Kind, bool gated, int Q, int C, class Real>
inline Tile<Real, Q, C> make_tile(const Comparison<Real>& x, const int64_t* query,
                                  const int64_t* candidate) {
  Tile<Real, Q, C> tile;
  tile.size = x.dim / Kind::parts;
  for (int i = 0; i < Q; ++i) {
    tile.query[i] = x.query + query[i] * x.dim;
    tile.gate[i] = gated ? x.gate[query[i]] : 1;
  }
  for (int j = 0; j < C; ++j) {
    tile.table[j] = x.table + candidate[j] * x.dim;
    tile.modal[j] = gated ? x.modal + candidate[j] * x.dim : nullptr;
  }
  return tile;
}

template <class Kind, bool gated, bool whole, int Q, int C, class Real, class V>
inline void add_coordinates(const Tile<Real, Q, C>& tile, int64_t k, int64_t left, V (&sum)[Q][C]) {
  constexpr int parts = Kind::parts;
  V query[Q][parts];
  for (int i = 0; i < Q; ++i) {
    fetch_parts<Kind, whole>(tile.query[i], tile.size, k, left, query[i]);
  }
  for (int j = 0; j < C; ++j) {
    V table[parts];
    fetch_parts<Kind, whole>(tile.table[j], tile.size, k, left, table);
    if constexpr (gated) {
      V modal[parts];
      fetch_parts<Kind, whole>(tile.modal[j], tile.size, k, left, modal);
      for (int i = 0; i < Q; ++i) {
        V candidate[parts];
        blend<Kind>(broadcast(tile.gate[i]), broadcast(1 - tile.gate[i]), table, modal, candidate);
        sum[i][j] = Kind::add(sum[i][j], query[i], candidate);
      }
    } else {
      for (int i = 0; i < Q; ++i) sum[i][j] = Kind::add(sum[i][j], query[i], table);
    }
  }
}

// A register sums at most this many coordinates before it goes into a double: a float32 sum stays
// accurate for any dimension.
constexpr int64_t kBlock = 1024;

// out[i][j]: query i against candidate j.
template <class Kind, bool gated, int Q, int C, class Real>
inline void score_tile(const Comparison<Real>& x, const int64_t* query, const int64_t* candidate,
                       Real (&out)[Q][C]) {
  using V = typename Lanes<Real>::V;
  constexpr int width = Lanes<Real>::width;
  const Tile<Real, Q, C> tile = make_tile<Kind, gated, Q, C>(x, query, candidate);
  double total[Q][C] = {};
  for (int64_t begin = 0; begin < tile.size; begin += kBlock) {
    const int64_t end = tile.size - begin < kBlock ? tile.size : begin + kBlock;
    V sum[Q][C];
    for (int i = 0; i < Q; ++i) {
      for (int j = 0; j < C; ++j) sum[i][j] = broadcast(Real(0));
    }
    int64_t k = begin;
    for (; k + width <= end; k += width) {
      add_coordinates<Kind, gated, true>(tile, k, width, sum);
    }
    if (k < end) add_coordinates<Kind, gated, false>(tile, k, end - k, sum);
    for (int i = 0; i < Q; ++i) {
      for (int j = 0; j < C; ++j) total[i][j] += across(sum[i][j]);
    }
  }
  for (int i = 0; i < Q; ++i) {
    for (int j = 0; j < C; ++j) out[i][j] = static_cast<Real>(Kind::score(total[i][j]));
  }
}

// out[j]: query j against candidate j, all side by side: the steps of a score wait for each other,
// those of different pairs do not.
template <class Kind, bool gated, int N, class Real>
inline void score_abreast(const Comparison<Real>& x, const int64_t* query, const int64_t* candidate,
                          Real* out) {
  using V = typename Lanes<Real>::V;
  constexpr int width = Lanes<Real>::width;
  Tile<Real, 1, 1> tile[N];
  for (int j = 0; j < N; ++j) {
    tile[j] = make_tile<Kind, gated, 1, 1>(x, query + j, candidate + j);
  }
  const int64_t size = tile[0].size;
  double total[N] = {};
  for (int64_t begin = 0; begin < size; begin += kBlock) {
    const int64_t end = size - begin < kBlock ? size : begin + kBlock;
    V sum[N][1][1];
    for (int j = 0; j < N; ++j) sum[j][0][0] = broadcast(Real(0));
    int64_t k = begin;
    for (; k + width <= end; k += width) {
      for (int j = 0; j < N; ++j) add_coordinates<Kind, gated, true>(tile[j], k, width, sum[j]);
    }
    for (int j = 0; k < end && j < N; ++j) {
      add_coordinates<Kind, gated, false>(tile[j], k, end - k, sum[j]);
    }
    for (int j = 0; j < N; ++j) total[j] += across(sum[j][0][0]);
  }
  for (int j = 0; j < N; ++j) out[j] = static_cast<Real>(Kind::score(total[j]));
}

template <class Kind, bool gated, class Real>
void score_pairs(const Comparison<Real>& x, const int64_t* query, const int64_t* candidate,
                 int64_t n, Real* out) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    prefetch_candidates<gated>(x, candidate + i + 4, n - i - 4);
    if (query[i] == query[i + 1] && query[i] == query[i + 2] && query[i] == query[i + 3]) {
      Real scores[1][4];
      score_tile<Kind, gated, 1, 4>(x, query + i, candidate + i, scores);
      for (int j = 0; j < 4; ++j) out[i + j] = scores[0][j];
    } else {
      score_abreast<Kind, gated, 4>(x, query + i, candidate + i, out + i);
    }
  }
  for (; i < n; ++i) {
    Real scores[1][1];
    score_tile<Kind, gated, 1, 1>(x, query + i, candidate + i, scores);
    out[i] = scores[0][0];
  }
}

template <class Kind, bool gated, int Q, class Real>
inline void score_queries(const Comparison<Real>& x, int64_t q, int64_t c0, int64_t c1, Real* out) {
  int64_t query[Q];
  for (int i = 0; i < Q; ++i) query[i] = q + i;
  for (int64_t c = c0; c < c1; ++c) {
    Real scores[Q][1];
    score_tile<Kind, gated, Q, 1>(x, query, &c, scores);
    for (int i = 0; i < Q; ++i) out[(q + i) * x.candidates + c] = scores[i][0];
  }
}

template <class Kind, bool gated, class Real>
void score_block(const Comparison<Real>& x, int64_t q0, int64_t q1, int64_t c0, int64_t c1,
                 Real* out) {
  int64_t q = q0;
  for (; q + 4 <= q1; q += 4) score_queries<Kind, gated, 4>(x, q, c0, c1, out);
  for (; q < q1; ++q) score_queries<Kind, gated, 1>(x, q, c0, c1, out);
}
