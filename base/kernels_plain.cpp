// The score kernels without any instruction asked for by name: in the compiler's own vectors (SSE2
// on x86-64), one real at a time where it has none.

#include <math.h>

#include <cstring>

#include "kernels.h"

namespace openke {
namespace {

template <class Real>
struct Lanes;

#if defined(__GNUC__)

typedef float Floats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(16)));
typedef int32_t FloatBits __attribute__((vector_size(16)));
typedef int64_t DoubleBits __attribute__((vector_size(16)));

template <>
struct Lanes<float> {
  using V = Floats;
  typedef uint32_t Bits __attribute__((vector_size(16)));
  typedef uint16_t Halves __attribute__((vector_size(8)));
  static constexpr int width = 4;
};
template <>
struct Lanes<double> {
  using V = Doubles;
  static constexpr int width = 2;
};

inline Floats broadcast(float x) { return Floats{x, x, x, x}; }
inline Doubles broadcast(double x) { return Doubles{x, x}; }
inline Floats magnitude(Floats x) { return (Floats)((FloatBits)x & INT32_MAX); }
inline Doubles magnitude(Doubles x) { return (Doubles)((DoubleBits)x & INT64_MAX); }
inline Floats root(Floats x) { return Floats{sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])}; }
inline Doubles root(Doubles x) { return Doubles{sqrt(x[0]), sqrt(x[1])}; }
inline float across(Floats x) { return (x[0] + x[2]) + (x[1] + x[3]); }
inline double across(Doubles x) { return x[0] + x[1]; }

inline Floats multiply_add(Floats a, Floats b, Floats c) { return a * b + c; }
inline Doubles multiply_add(Doubles a, Doubles b, Doubles c) { return a * b + c; }

#else  // no vector types: a register is one real

template <class Real>
struct Lanes {
  using V = Real;
  using Bits = uint32_t;
  using Halves = uint16_t;
  static constexpr int width = 1;
};

inline float broadcast(float x) { return x; }
inline double broadcast(double x) { return x; }
inline float magnitude(float x) { return fabsf(x); }
inline double magnitude(double x) { return fabs(x); }
inline float root(float x) { return sqrtf(x); }
inline double root(double x) { return sqrt(x); }
inline float across(float x) { return x; }
inline double across(double x) { return x; }
inline float multiply_add(float a, float b, float c) { return a * b + c; }
inline double multiply_add(double a, double b, double c) { return a * b + c; }

#endif

template <class Real>
inline typename Lanes<Real>::V load_part(const Real* p, int count) {
  Real lanes[Lanes<Real>::width] = {};
  for (int i = 0; i < count; ++i) lanes[i] = p[i];
  typename Lanes<Real>::V v;
  memcpy(&v, lanes, sizeof v);
  return v;
}

template <class Real>
inline typename Lanes<Real>::V load(const Real* p) {
  typename Lanes<Real>::V v;
  memcpy(&v, p, sizeof v);
  return v;
}

template <class Real>
inline void store_part(Real* p, typename Lanes<Real>::V v, int count) {
  memcpy(p, &v, static_cast<size_t>(count) * sizeof(Real));
}

template <class Real>
inline void store(Real* p, typename Lanes<Real>::V v) {
  memcpy(p, &v, sizeof v);
}

// weight * sign(x), zero at zero
template <class V>
inline V times_sign(V weight, V x) {
  const V zero = x - x;
  return x > zero ? weight : (x < zero ? -weight : zero);
}

template <class V>
inline V add_twice_root(V sum, V squared) {
  const V once = root(squared);
  return sum + (once + once);
}

// 2 * weight / sqrt(squared), finite at zero
template <class V>
inline V times_twice_inverse_root(V weight, V squared) {
  const V zero = squared - squared;
  const V once = root(squared);
  return squared > zero ? (weight + weight) / once : zero;
}

#include "kernels_body.h"
#include "losses_body.h"

}  // namespace

const InstructionSet* plain_set() {
  static constexpr InstructionSet set = {"plain", OPENKE_ROUTINES(float), OPENKE_ROUTINES(double),
                                         OPENKE_LOSSES};
  return &set;
}

}  // namespace openke
