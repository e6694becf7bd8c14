// Registers of the rows of vectors; a part of kernels_body.h.

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
