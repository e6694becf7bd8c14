// Gradients of the rows of one query or one candidate; a part of kernels_body.h.

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
