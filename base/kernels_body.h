// The arithmetic of the score kernels, included by one file per instruction set after it has
// defined its registers: `Lanes<Real>::V` (width reals) and the operations on them.
//
// Everything is in the including file's unnamed namespace and no standard template is used, so that
// nothing compiled for a newer processor can be linked into code that runs on an older one.
// Multiply-adds are written out: the compiler has no freedom in how a score is rounded.

// ---- kinds ----------------------------------------------------------------------------------
// A coordinate is `parts` registers of each row. add() takes one coordinate into a sum, score()
// turns the sum over all coordinates into the score, weight() prepares an incoming gradient, and
// push() adds weight * d score / d own to acc. Every kind is symmetric, so `own` may be the query
// or the candidate.

struct Dot {
  static constexpr int parts = 1;
  static constexpr bool distance = false, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    return multiply_add(q[0], c[0], sum);
  }
  static inline double score(double sum) { return sum; }
  static inline double weight(double grad, double) { return grad; }
  template <class V>
  static inline void push(const V*, const V* other, V weight, V* acc) {
    acc[0] = multiply_add(weight, other[0], acc[0]);
  }
};

struct L1 {
  static constexpr int parts = 1;
  static constexpr bool distance = true, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    return sum + magnitude(q[0] - c[0]);
  }
  static inline double score(double sum) { return -sum; }
  static inline double weight(double grad, double) { return grad; }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    acc[0] = acc[0] + times_sign(weight, other[0] - own[0]);
  }
};

struct L2 {
  static constexpr int parts = 1;
  static constexpr bool distance = true, weight_needs_score = true;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    const V difference = q[0] - c[0];
    return multiply_add(difference, difference, sum);
  }
  static inline double score(double sum) { return -sqrt(sum); }
  static inline double weight(double grad, double score) {
    return score == 0 ? 0 : grad / -score;  // at distance zero the subgradient is zero
  }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    acc[0] = multiply_add(weight, other[0] - own[0], acc[0]);
  }
};

// Twice the root, and twice its inverse, are what a Newton step gives for free; score() and
// weight() halve them once.
struct Complex {
  static constexpr int parts = 2;
  static constexpr bool distance = true, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    const V real = q[0] - c[0], imaginary = q[1] - c[1];
    return add_twice_root(sum, multiply_add(imaginary, imaginary, real * real));
  }
  static inline double score(double sum) { return -0.5 * sum; }
  static inline double weight(double grad, double) { return 0.5 * grad; }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    const V real = other[0] - own[0], imaginary = other[1] - own[1];
    const V squared = multiply_add(imaginary, imaginary, real * real);
    const V scale = times_twice_inverse_root(weight, squared);
    acc[0] = multiply_add(scale, real, acc[0]);
    acc[1] = multiply_add(scale, imaginary, acc[1]);
  }
};

// ---- rows -----------------------------------------------------------------------------------

// A register of a row from position k, of which `left` reals remain; zeros fill a part register.
template <bool whole, class Real>
inline auto fetch(const Real* row, int64_t k, int64_t left) {
  if constexpr (whole) {
    return load(row + k);
  } else {
    return load_part(row + k, static_cast<int>(left));
  }
}

template <bool whole, class Real, class V>
inline void add_to(Real* row, int64_t k, int64_t left, V value) {
  if constexpr (whole) {
    store(row + k, load(row + k) + value);
  } else {
    const int count = static_cast<int>(left);
    store_part(row + k, load_part(row + k, count) + value, count);
  }
}

// Asks for a row that is read soon: rows stand anywhere in a table, where no processor foresees
// them.
template <class Real>
inline void prefetch_row(const Real* row, int64_t dim) {
#if defined(__GNUC__)
  constexpr int64_t line = 64 / sizeof(Real);
  for (int64_t k = 0; k < dim; k += line) __builtin_prefetch(row + k);
#else
  static_cast<void>(row), static_cast<void>(dim);
#endif
}

// Asks for the next chunk of up to four candidates, of which `left` are still to come.
template <bool gated, class Real>
inline void prefetch_candidates(const Comparison<Real>& x, const int64_t* candidate, int64_t left) {
  for (int64_t j = 0; j < left && j < 4; ++j) {
    prefetch_row(x.table + candidate[j] * x.dim, x.dim);
    if constexpr (gated) prefetch_row(x.modal + candidate[j] * x.dim, x.dim);
  }
}

template <class Kind, bool whole, class Real, class V>
inline void fetch_parts(const Real* row, int64_t size, int64_t k, int64_t left, V* out) {
  for (int part = 0; part < Kind::parts; ++part) {
    out[part] = fetch<whole>(row + part * size, k, left);
  }
}

// gate * table + (1 - gate) * modal
template <class Kind, class V>
inline void blend(V gate, V rest, const V* table, const V* modal, V* out) {
  for (int part = 0; part < Kind::parts; ++part) {
    out[part] = multiply_add(gate, table[part], rest * modal[part]);
  }
}

// ---- forward --------------------------------------------------------------------------------

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

// ---- backward -------------------------------------------------------------------------------

// The factor of each pair's push(), from the gradient of its score.
template <class Kind, bool gated, int Q, int C, class Real>
inline void pair_weights(const Comparison<Real>& x, const int64_t* query, const int64_t* candidate,
                         const Real* grad, Real* weight) {
  constexpr int n = Q * C;
  Real score[Q][C] = {};
  if constexpr (Kind::weight_needs_score) score_tile<Kind, gated, Q, C>(x, query, candidate, score);
  for (int j = 0; j < n; ++j) {
    weight[j] =
        static_cast<Real>(Kind::weight(grad[j], Q == 1 ? score[0][j % C] : score[j % Q][0]));
  }
}

template <class Kind, bool gated, bool whole, int N, class Real, class V>
inline void push_query(const Tile<Real, 1, N>& tile, const Real* weight, int64_t k, int64_t left,
                       Real* row, V& gate_sum) {
  constexpr int parts = Kind::parts;
  V query[parts], acc[parts];
  fetch_parts<Kind, whole>(tile.query[0], tile.size, k, left, query);
  for (int part = 0; part < parts; ++part) acc[part] = broadcast(Real(0));
  for (int j = 0; j < N; ++j) {
    const V factor = broadcast(weight[j]);
    V table[parts];
    fetch_parts<Kind, whole>(tile.table[j], tile.size, k, left, table);
    if constexpr (gated) {
      V modal[parts], candidate[parts], push[parts];
      fetch_parts<Kind, whole>(tile.modal[j], tile.size, k, left, modal);
      blend<Kind>(broadcast(tile.gate[0]), broadcast(1 - tile.gate[0]), table, modal, candidate);
      for (int part = 0; part < parts; ++part) push[part] = broadcast(Real(0));
      Kind::push(candidate, query, factor, push);  // d score / d candidate
      for (int part = 0; part < parts; ++part) {
        gate_sum = multiply_add(push[part], table[part] - modal[part], gate_sum);
      }
      if constexpr (Kind::distance) {  // d score / d query is its negative
        for (int part = 0; part < parts; ++part) acc[part] = acc[part] - push[part];
      } else {
        Kind::push(query, candidate, factor, acc);
      }
    } else {
      Kind::push(query, table, factor, acc);
    }
  }
  for (int part = 0; part < parts; ++part) {
    add_to<whole>(row + part * tile.size, k, left, acc[part]);
  }
}

template <class Kind, bool gated, int N, class Real>
inline void query_chunk(const Comparison<Real>& x, int64_t query, const int64_t* candidate,
                        const Real* grad, Real* row, double* gate) {
  using V = typename Lanes<Real>::V;
  constexpr int width = Lanes<Real>::width;
  const Tile<Real, 1, N> tile = make_tile<Kind, gated, 1, N>(x, &query, candidate);
  Real weight[N];
  pair_weights<Kind, gated, 1, N>(x, &query, candidate, grad, weight);
  V gate_sum = broadcast(Real(0));
  int64_t k = 0;
  for (; k + width <= tile.size; k += width) {
    push_query<Kind, gated, true>(tile, weight, k, width, row, gate_sum);
  }
  if (k < tile.size) {
    push_query<Kind, gated, false>(tile, weight, k, tile.size - k, row, gate_sum);
  }
  if constexpr (gated) *gate += across(gate_sum);
}

template <class Kind, bool gated, class Real>
void query_gradient(const Comparison<Real>& x, int64_t query, const int64_t* candidate,
                    const Real* grad, int64_t n, Real* row, double* gate) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) {
    prefetch_candidates<gated>(x, candidate + j + 4, n - j - 4);
    query_chunk<Kind, gated, 4>(x, query, candidate + j, grad + j, row, gate);
  }
  switch (n - j) {
    case 3:
      query_chunk<Kind, gated, 3>(x, query, candidate + j, grad + j, row, gate);
      break;
    case 2:
      query_chunk<Kind, gated, 2>(x, query, candidate + j, grad + j, row, gate);
      break;
    case 1:
      query_chunk<Kind, gated, 1>(x, query, candidate + j, grad + j, row, gate);
      break;
  }
}

template <class Kind, bool gated, bool whole, int N, class Real>
inline void push_candidate(const Tile<Real, N, 1>& tile, const Real* weight, int64_t k,
                           int64_t left, Real* table_row, Real* modal_row) {
  using V = typename Lanes<Real>::V;
  constexpr int parts = Kind::parts;
  V table[parts], modal[parts], table_acc[parts], modal_acc[parts];
  fetch_parts<Kind, whole>(tile.table[0], tile.size, k, left, table);
  if constexpr (gated) fetch_parts<Kind, whole>(tile.modal[0], tile.size, k, left, modal);
  for (int part = 0; part < parts; ++part) table_acc[part] = modal_acc[part] = broadcast(Real(0));
  for (int i = 0; i < N; ++i) {
    const V factor = broadcast(weight[i]);
    V query[parts];
    fetch_parts<Kind, whole>(tile.query[i], tile.size, k, left, query);
    if constexpr (gated) {
      const V gate = broadcast(tile.gate[i]), rest = broadcast(1 - tile.gate[i]);
      V candidate[parts], push[parts];
      blend<Kind>(gate, rest, table, modal, candidate);
      for (int part = 0; part < parts; ++part) push[part] = broadcast(Real(0));
      Kind::push(candidate, query, factor, push);
      for (int part = 0; part < parts; ++part) {
        table_acc[part] = multiply_add(gate, push[part], table_acc[part]);
        modal_acc[part] = multiply_add(rest, push[part], modal_acc[part]);
      }
    } else {
      Kind::push(table, query, factor, table_acc);
    }
  }
  for (int part = 0; part < parts; ++part) {
    add_to<whole>(table_row + part * tile.size, k, left, table_acc[part]);
    if constexpr (gated) add_to<whole>(modal_row + part * tile.size, k, left, modal_acc[part]);
  }
}

template <class Kind, bool gated, int N, class Real>
inline void candidate_chunk(const Comparison<Real>& x, int64_t candidate, const int64_t* query,
                            const Real* grad, Real* table_row, Real* modal_row) {
  constexpr int width = Lanes<Real>::width;
  const Tile<Real, N, 1> tile = make_tile<Kind, gated, N, 1>(x, query, &candidate);
  Real weight[N];
  pair_weights<Kind, gated, N, 1>(x, query, &candidate, grad, weight);
  int64_t k = 0;
  for (; k + width <= tile.size; k += width) {
    push_candidate<Kind, gated, true>(tile, weight, k, width, table_row, modal_row);
  }
  if (k < tile.size) {
    push_candidate<Kind, gated, false>(tile, weight, k, tile.size - k, table_row, modal_row);
  }
}

template <class Kind, bool gated, class Real>
void candidate_gradient(const Comparison<Real>& x, int64_t candidate, const int64_t* query,
                        const Real* grad, int64_t n, Real* table_row, Real* modal_row) {
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    candidate_chunk<Kind, gated, 4>(x, candidate, query + i, grad + i, table_row, modal_row);
  }
  switch (n - i) {
    case 3:
      candidate_chunk<Kind, gated, 3>(x, candidate, query + i, grad + i, table_row, modal_row);
      break;
    case 2:
      candidate_chunk<Kind, gated, 2>(x, candidate, query + i, grad + i, table_row, modal_row);
      break;
    case 1:
      candidate_chunk<Kind, gated, 1>(x, candidate, query + i, grad + i, table_row, modal_row);
      break;
  }
}

// ---- table ----------------------------------------------------------------------------------

template <class Real, class Kind, bool gated>
constexpr Routines<Real> kRoutines = {
    score_pairs<Kind, gated, Real>, score_block<Kind, gated, Real>,
    query_gradient<Kind, gated, Real>, candidate_gradient<Kind, gated, Real>};

#define OPENKE_ROUTINES(Real)                                            \
  {                                                                      \
      {kRoutines<Real, Dot, false>, kRoutines<Real, Dot, true>},         \
      {kRoutines<Real, L1, false>, kRoutines<Real, L1, true>},           \
      {kRoutines<Real, L2, false>, kRoutines<Real, L2, true>},           \
      {kRoutines<Real, Complex, false>, kRoutines<Real, Complex, true>}, \
  }
