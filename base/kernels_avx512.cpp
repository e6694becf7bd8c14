// The score kernels in AVX-512 (F, DQ, VL): 16 float32 or 8 float64 at a time, masked ends of rows.

#include "kernels.h"

#if defined(OPENKE_AVX_SETS)

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

// Only what stands between the pragmas is compiled for these processors.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"))), \
                             apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12 warns of its own header's intrinsics
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma")
#endif

namespace openke {
namespace {

template <class Real>
struct Lanes;
template <>
struct Lanes<float> {
  using V = __m512;
  typedef uint32_t Bits __attribute__((vector_size(64)));
  typedef uint16_t Halves __attribute__((vector_size(32)));
  static constexpr int width = 16;
};
template <>
struct Lanes<double> {
  using V = __m512d;
  static constexpr int width = 8;
};

inline __mmask16 first_floats(int count) { return static_cast<__mmask16>((1u << count) - 1); }
inline __mmask8 first_doubles(int count) { return static_cast<__mmask8>((1u << count) - 1); }

inline __m512 load(const float* p) { return _mm512_loadu_ps(p); }
inline __m512d load(const double* p) { return _mm512_loadu_pd(p); }
inline __m512 load_part(const float* p, int count) {
  return _mm512_maskz_loadu_ps(first_floats(count), p);
}
inline __m512d load_part(const double* p, int count) {
  return _mm512_maskz_loadu_pd(first_doubles(count), p);
}
inline void store(float* p, __m512 x) { _mm512_storeu_ps(p, x); }
inline void store(double* p, __m512d x) { _mm512_storeu_pd(p, x); }
inline void store_part(float* p, __m512 x, int count) {
  _mm512_mask_storeu_ps(p, first_floats(count), x);
}
inline void store_part(double* p, __m512d x, int count) {
  _mm512_mask_storeu_pd(p, first_doubles(count), x);
}

inline __m512 broadcast(float x) { return _mm512_set1_ps(x); }
inline __m512d broadcast(double x) { return _mm512_set1_pd(x); }
inline float across(__m512 x) { return _mm512_reduce_add_ps(x); }
inline double across(__m512d x) { return _mm512_reduce_add_pd(x); }

inline __m512 multiply_add(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
inline __m512d multiply_add(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
inline __m512 magnitude(__m512 x) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), x); }
inline __m512d magnitude(__m512d x) { return _mm512_andnot_pd(_mm512_set1_pd(-0.0), x); }

// weight * sign(x), zero at zero
inline __m512 times_sign(__m512 weight, __m512 x) {
  const __mmask16 nonzero = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ);
  const __m512 sign = _mm512_and_ps(_mm512_set1_ps(-0.0f), x);
  return _mm512_maskz_xor_ps(nonzero, weight, sign);
}
inline __m512d times_sign(__m512d weight, __m512d x) {
  const __mmask8 nonzero = _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_NEQ_UQ);
  const __m512d sign = _mm512_and_pd(_mm512_set1_pd(-0.0), x);
  return _mm512_maskz_xor_pd(nonzero, weight, sign);
}

// An estimate of the inverse root to 14 bits, finite at zero; one Newton step, y (3 - x y y) / 2,
// makes it as good as float32.
inline __m512 estimate(__m512 x) {
  return _mm512_rsqrt14_ps(_mm512_max_ps(x, _mm512_set1_ps(FLT_MIN)));
}

inline __m512 add_twice_root(__m512 sum, __m512 squared) {
  const __m512 inverse = estimate(squared), once = squared * inverse;
  return _mm512_fmadd_ps(once, _mm512_fnmadd_ps(once, inverse, _mm512_set1_ps(3.0f)), sum);
}
inline __m512d add_twice_root(__m512d sum, __m512d squared) {
  return _mm512_fmadd_pd(_mm512_set1_pd(2.0), _mm512_sqrt_pd(squared), sum);
}

// 2 * weight / sqrt(squared), finite at zero
inline __m512 times_twice_inverse_root(__m512 weight, __m512 squared) {
  const __m512 inverse = estimate(squared), once = squared * inverse;
  return (weight * inverse) * _mm512_fnmadd_ps(once, inverse, _mm512_set1_ps(3.0f));
}
inline __m512d times_twice_inverse_root(__m512d weight, __m512d squared) {
  const __m512d positive = _mm512_max_pd(squared, _mm512_set1_pd(DBL_MIN));
  return (weight + weight) / _mm512_sqrt_pd(positive);
}

#include "kernels_body.h"
#include "losses_body.h"

}  // namespace

const InstructionSet* avx512_set() {
  static constexpr InstructionSet set = {"avx512", OPENKE_ROUTINES(float), OPENKE_ROUTINES(double),
                                         OPENKE_LOSSES};
  return &set;
}

}  // namespace openke

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else

const openke::InstructionSet* openke::avx512_set() { return nullptr; }

#endif
