// bfloat16, one number at a time. Functions are static, so that each file has its own: one compiled
// for a newer processor is never linked into code for an older one.

#ifndef OPENKE_BFLOAT16_H
#define OPENKE_BFLOAT16_H

#include <stdint.h>
#include <string.h>

namespace openke {

// A stored number of half the width of a float32: its upper 16 bits.
struct Bfloat16 {
  uint16_t bits;
};

static inline double widen(float x) { return x; }
static inline double widen(double x) { return x; }
static inline double widen(Bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float out;
  memcpy(&out, &bits, sizeof out);
  return out;
}

static inline void narrow(double x, float* out) { *out = static_cast<float>(x); }
static inline void narrow(double x, double* out) { *out = x; }
// To the nearest, ties to even.
static inline void narrow(double x, Bfloat16* out) {
  const float rounded = static_cast<float>(x);
  uint32_t bits;
  memcpy(&bits, &rounded, sizeof bits);
  out->bits = static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace openke

#endif  // OPENKE_BFLOAT16_H
