// The score kernels in AVX2 with FMA: 8 float32 or 4 float64 at a time.

#include "kernels.h"

#if defined(OPENKE_AVX_SETS)

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>

// Only what stands between the pragmas is compiled for these processors.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

namespace openke {
namespace {

template <class Real>
struct Lanes;
template <>
struct Lanes<float> {
  using V = __m256;
  typedef uint32_t Bits __attribute__((vector_size(32)));
  typedef uint16_t Halves __attribute__((vector_size(16)));
  static constexpr int width = 8;
};
template <>
struct Lanes<double> {
  using V = __m256d;
  static constexpr int width = 4;
};

inline __m256i first_floats(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_doubles(int count) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}

inline __m256 load(const float* p) { return _mm256_loadu_ps(p); }
inline __m256d load(const double* p) { return _mm256_loadu_pd(p); }
inline __m256 load_part(const float* p, int count) {
  return _mm256_maskload_ps(p, first_floats(count));
}
inline __m256d load_part(const double* p, int count) {
  return _mm256_maskload_pd(p, first_doubles(count));
}
inline void store(float* p, __m256 x) { _mm256_storeu_ps(p, x); }
inline void store(double* p, __m256d x) { _mm256_storeu_pd(p, x); }
inline void store_part(float* p, __m256 x, int count) {
  _mm256_maskstore_ps(p, first_floats(count), x);
}
inline void store_part(double* p, __m256d x, int count) {
  _mm256_maskstore_pd(p, first_doubles(count), x);
}

inline __m256 broadcast(float x) { return _mm256_set1_ps(x); }
inline __m256d broadcast(double x) { return _mm256_set1_pd(x); }
inline float across(__m256 x) {
  const __m128 four = _mm256_castps256_ps128(x) + _mm256_extractf128_ps(x, 1);
  const __m128 two = four + _mm_movehl_ps(four, four);
  return two[0] + two[1];
}
inline double across(__m256d x) {
  const __m128d two = _mm256_castpd256_pd128(x) + _mm256_extractf128_pd(x, 1);
  return two[0] + two[1];
}

inline __m256 multiply_add(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
inline __m256d multiply_add(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
inline __m256 magnitude(__m256 x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
inline __m256d magnitude(__m256d x) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x); }

// weight * sign(x), zero at zero
inline __m256 times_sign(__m256 weight, __m256 x) {
  const __m256 nonzero = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NEQ_UQ);
  const __m256 sign = _mm256_and_ps(_mm256_set1_ps(-0.0f), x);
  return _mm256_and_ps(nonzero, _mm256_xor_ps(weight, sign));
}
inline __m256d times_sign(__m256d weight, __m256d x) {
  const __m256d nonzero = _mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_NEQ_UQ);
  const __m256d sign = _mm256_and_pd(_mm256_set1_pd(-0.0), x);
  return _mm256_and_pd(nonzero, _mm256_xor_pd(weight, sign));
}

// An estimate of the inverse root to 12 bits, finite at zero; one Newton step, y (3 - x y y) / 2,
// makes it good to 2e-7.
inline __m256 estimate(__m256 x) {
  return _mm256_rsqrt_ps(_mm256_max_ps(x, _mm256_set1_ps(FLT_MIN)));
}

inline __m256 add_twice_root(__m256 sum, __m256 squared) {
  const __m256 inverse = estimate(squared), once = squared * inverse;
  return _mm256_fmadd_ps(once, _mm256_fnmadd_ps(once, inverse, _mm256_set1_ps(3.0f)), sum);
}
inline __m256d add_twice_root(__m256d sum, __m256d squared) {
  return _mm256_fmadd_pd(_mm256_set1_pd(2.0), _mm256_sqrt_pd(squared), sum);
}

// 2 * weight / sqrt(squared), finite at zero
inline __m256 times_twice_inverse_root(__m256 weight, __m256 squared) {
  const __m256 inverse = estimate(squared), once = squared * inverse;
  return (weight * inverse) * _mm256_fnmadd_ps(once, inverse, _mm256_set1_ps(3.0f));
}
inline __m256d times_twice_inverse_root(__m256d weight, __m256d squared) {
  const __m256d positive = _mm256_max_pd(squared, _mm256_set1_pd(DBL_MIN));
  return (weight + weight) / _mm256_sqrt_pd(positive);
}

#include "kernels_body.h"
#include "losses_body.h"

}  // namespace

const InstructionSet* avx2_set() {
  static constexpr InstructionSet set = {"avx2", OPENKE_ROUTINES(float), OPENKE_ROUTINES(double),
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

const openke::InstructionSet* openke::avx2_set() { return nullptr; }

#endif
