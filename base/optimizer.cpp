#include "optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels.h"
#include "parallel.h"

#if defined(__GNUC__)
#define OPENKE_INLINE inline __attribute__((always_inline))
#else
#define OPENKE_INLINE inline
#endif

namespace openke {
namespace {

constexpr int64_t GRAIN = int64_t{1} << 15;  // values a thread takes at least

template <class Real>
struct AdamStep {
  Real beta1, beta2, decay, rate, scale, epsilon;

  explicit AdamStep(const AdamSettings& s)
      : beta1(static_cast<Real>(s.beta1)),
        beta2(static_cast<Real>(s.beta2)),
        decay(static_cast<Real>(s.weight_decay)),
        rate(static_cast<Real>(s.lr / (1 - std::pow(s.beta1, static_cast<double>(s.step))))),
        scale(static_cast<Real>(1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        epsilon(static_cast<Real>(s.epsilon)) {}
};

// The work on one row is written once and compiled for each instruction set: it inlines into the
// wrappers below, which name theirs.

template <class Real, bool HasGradient>
OPENKE_INLINE void adam_row(const AdamStep<Real>& s, const Real* gradient, int64_t dim, Real* table,
                            Real* mean, Real* square) {
#pragma omp simd
  for (int64_t i = 0; i < dim; ++i) {
    const Real g = (HasGradient ? gradient[i] : Real{0}) + s.decay * table[i];
    mean[i] += (1 - s.beta1) * (g - mean[i]);
    square[i] = s.beta2 * square[i] + (1 - s.beta2) * g * g;
    table[i] -= s.rate * mean[i] / (std::sqrt(square[i]) * s.scale + s.epsilon);
  }
}

template <class Real>
OPENKE_INLINE void adagrad_row(Real rate, Real epsilon, const Real* gradient, int64_t dim,
                               Real* table, Real* sum) {
#pragma omp simd
  for (int64_t i = 0; i < dim; ++i) {
    sum[i] += gradient[i] * gradient[i];
    table[i] -= rate * gradient[i] / (std::sqrt(sum[i]) + epsilon);
  }
}

template <class Real>
OPENKE_INLINE void rowwise_row(Real rate, Real epsilon, const Real* gradient, int64_t dim,
                               Real* table, Real* sum) {
  Real squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < dim; ++i) squares += gradient[i] * gradient[i];
  *sum += squares / static_cast<Real>(dim);
  const Real step = rate / (std::sqrt(*sum) + epsilon);
#pragma omp simd
  for (int64_t i = 0; i < dim; ++i) table[i] -= step * gradient[i];
}

template <class Real>
struct Rows {
  void (*adam)(const AdamStep<Real>&, const Real*, int64_t, Real*, Real*, Real*);
  void (*adam_without)(const AdamStep<Real>&, const Real*, int64_t, Real*, Real*, Real*);
  void (*adagrad)(Real, Real, const Real*, int64_t, Real*, Real*);
  void (*rowwise)(Real, Real, const Real*, int64_t, Real*, Real*);
};

#define OPENKE_ROWS(NAME, TARGET)                                                                \
  template <class Real>                                                                          \
  struct NAME {                                                                                  \
    TARGET static void adam(const AdamStep<Real>& s, const Real* g, int64_t n, Real* t, Real* m, \
                            Real* v) {                                                           \
      adam_row<Real, true>(s, g, n, t, m, v);                                                    \
    }                                                                                            \
    TARGET static void adam_without(const AdamStep<Real>& s, const Real* g, int64_t n, Real* t,  \
                                    Real* m, Real* v) {                                          \
      adam_row<Real, false>(s, g, n, t, m, v);                                                   \
    }                                                                                            \
    TARGET static void adagrad(Real r, Real e, const Real* g, int64_t n, Real* t, Real* s) {     \
      adagrad_row<Real>(r, e, g, n, t, s);                                                       \
    }                                                                                            \
    TARGET static void rowwise(Real r, Real e, const Real* g, int64_t n, Real* t, Real* s) {     \
      rowwise_row<Real>(r, e, g, n, t, s);                                                       \
    }                                                                                            \
    static Rows<Real> all() { return {adam, adam_without, adagrad, rowwise}; }                   \
  };

OPENKE_ROWS(Plain, )
#if defined(OPENKE_AVX_SETS)
OPENKE_ROWS(Avx2, __attribute__((target("avx2,fma"))))
#endif

// Wider registers than AVX2's gain nothing: memory is the limit.
template <class Real>
Rows<Real> choose_rows() {
#if defined(OPENKE_AVX_SETS)
  if (std::strcmp(kernel_isa(), "plain") != 0) return Avx2<Real>::all();
#endif
  return Plain<Real>::all();
}

int64_t grain(int64_t dim) { return std::max<int64_t>(1, GRAIN / std::max<int64_t>(1, dim)); }

}  // namespace

template <class Real>
void adam_rows(const RowGradient<Real>& x, const AdamSettings& settings, int threads, Real* table,
               Real* mean, Real* square) {
  const Rows<Real> row = choose_rows<Real>();
  const AdamStep<Real> step(settings);
  const auto touched = [&](int64_t i) {
    const int64_t at = x.ids[i] * x.dim;
    row.adam(step, x.gradient + i * x.dim, x.dim, table + at, mean + at, square + at);
  };
  if (settings.lazy) {
    parallel_for(x.n, threads, grain(x.dim), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) touched(i);
    });
    return;
  }
  parallel_for(x.rows, threads, grain(x.dim), [&](int64_t begin, int64_t end) {
    int64_t i = std::lower_bound(x.ids, x.ids + x.n, begin) - x.ids;
    for (int64_t r = begin; r < end; ++r) {
      if (i < x.n && x.ids[i] == r) {
        touched(i++);
      } else {
        const int64_t at = r * x.dim;
        row.adam_without(step, nullptr, x.dim, table + at, mean + at, square + at);
      }
    }
  });
}

template <class Real>
void adagrad_rows(const RowGradient<Real>& x, double rate, double epsilon, bool rowwise,
                  int threads, Real* table, Real* sum) {
  const Rows<Real> row = choose_rows<Real>();
  const auto step = rowwise ? row.rowwise : row.adagrad;
  const int64_t width = rowwise ? 1 : x.dim;
  parallel_for(x.n, threads, grain(x.dim), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      step(static_cast<Real>(rate), static_cast<Real>(epsilon), x.gradient + i * x.dim, x.dim,
           table + x.ids[i] * x.dim, sum + x.ids[i] * width);
    }
  });
}

#define OPENKE_INSTANTIATE(REAL)                                                                  \
  template void adam_rows<REAL>(const RowGradient<REAL>&, const AdamSettings&, int, REAL*, REAL*, \
                                REAL*);                                                           \
  template void adagrad_rows<REAL>(const RowGradient<REAL>&, double, double, bool, int, REAL*,    \
                                   REAL*);
OPENKE_INSTANTIATE(float)
OPENKE_INSTANTIATE(double)

}  // namespace openke
