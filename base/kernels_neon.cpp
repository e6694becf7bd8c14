// The score kernels in NEON, which every aarch64 processor has: 4 float32 or 2 float64 at a time.

#include "kernels.h"

#if defined(OPENKE_NEON_SET)

#include <arm_neon.h>
#include <float.h>
#include <math.h>
#include <string.h>

namespace openke {
namespace {

template <class Real>
struct Lanes;
template <>
struct Lanes<float> {
  using V = float32x4_t;
  using Bits = uint32x4_t;
  using Halves = uint16x4_t;
  static constexpr int width = 4;
};
template <>
struct Lanes<double> {
  using V = float64x2_t;
  static constexpr int width = 2;
};

inline float32x4_t load(const float* p) { return vld1q_f32(p); }
inline float64x2_t load(const double* p) { return vld1q_f64(p); }
inline void store(float* p, float32x4_t x) { vst1q_f32(p, x); }
inline void store(double* p, float64x2_t x) { vst1q_f64(p, x); }
template <class Real>
inline auto load_part(const Real* p, int count) {
  Real lanes[Lanes<Real>::width] = {};
  memcpy(lanes, p, static_cast<size_t>(count) * sizeof(Real));
  return load(lanes);
}
template <class Real, class V>
inline void store_part(Real* p, V x, int count) {
  memcpy(p, &x, static_cast<size_t>(count) * sizeof(Real));
}

inline float32x4_t broadcast(float x) { return vdupq_n_f32(x); }
inline float64x2_t broadcast(double x) { return vdupq_n_f64(x); }
inline float across(float32x4_t x) { return vaddvq_f32(x); }
inline double across(float64x2_t x) { return vaddvq_f64(x); }

inline float32x4_t multiply_add(float32x4_t a, float32x4_t b, float32x4_t c) {
  return vfmaq_f32(c, a, b);
}
inline float64x2_t multiply_add(float64x2_t a, float64x2_t b, float64x2_t c) {
  return vfmaq_f64(c, a, b);
}
inline float32x4_t magnitude(float32x4_t x) { return vabsq_f32(x); }
inline float64x2_t magnitude(float64x2_t x) { return vabsq_f64(x); }

// weight * sign(x), zero at zero
template <class V>
inline V times_sign(V weight, V x) {
  const V zero = x - x;
  return x > zero ? weight : (x < zero ? -weight : zero);
}

// The inverse root to 15 bits, finite at zero: an estimate to 8 bits and a Newton step. One more
// step, y (3 - x y y) / 2, makes it as good as float32.
inline float32x4_t estimate(float32x4_t x) {
  const float32x4_t positive = vmaxq_f32(x, vdupq_n_f32(FLT_MIN));
  const float32x4_t rough = vrsqrteq_f32(positive);
  return rough * vrsqrtsq_f32(positive * rough, rough);
}

// 3 - a b
inline float32x4_t three_minus(float32x4_t a, float32x4_t b) {
  return vfmsq_f32(vdupq_n_f32(3.0f), a, b);
}

inline float32x4_t add_twice_root(float32x4_t sum, float32x4_t squared) {
  const float32x4_t inverse = estimate(squared), once = squared * inverse;
  return vfmaq_f32(sum, once, three_minus(once, inverse));
}
inline float64x2_t add_twice_root(float64x2_t sum, float64x2_t squared) {
  return vfmaq_f64(sum, vdupq_n_f64(2.0), vsqrtq_f64(squared));
}

// 2 * weight / sqrt(squared), finite at zero
inline float32x4_t times_twice_inverse_root(float32x4_t weight, float32x4_t squared) {
  const float32x4_t inverse = estimate(squared), once = squared * inverse;
  return (weight * inverse) * three_minus(once, inverse);
}
inline float64x2_t times_twice_inverse_root(float64x2_t weight, float64x2_t squared) {
  const float64x2_t positive = vmaxq_f64(squared, vdupq_n_f64(DBL_MIN));
  return (weight + weight) / vsqrtq_f64(positive);
}

#include "kernels_body.h"
#include "losses_body.h"

}  // namespace

const InstructionSet* neon_set() {
  static constexpr InstructionSet set = {"neon", OPENKE_ROUTINES(float), OPENKE_ROUTINES(double),
                                         OPENKE_LOSSES};
  return &set;
}

}  // namespace openke

#else

const openke::InstructionSet* openke::neon_set() { return nullptr; }

#endif
