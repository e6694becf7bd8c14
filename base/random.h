// Random numbers keyed by what they are for, so that threads and batch sizes cannot change them.

#ifndef OPENKE_RANDOM_H
#define OPENKE_RANDOM_H

#include <cstdint>

namespace openke {

enum class Purpose : uint64_t { kOrder = 1, kNegatives = 2, kSide = 3, kShared = 4, kHoldOut = 5 };

// The stream of one (seed, purpose, epoch, position): a Weyl sequence through a bijective mixer
// (SplitMix64; Steele, Lea and Flood, OOPSLA 2014), started at a hash of the key.
class Stream {
 public:
  Stream(uint64_t seed, Purpose purpose, int64_t epoch, int64_t position)
      : state_(mix(seed + kStep)) {
    absorb(static_cast<uint64_t>(purpose));
    absorb(static_cast<uint64_t>(epoch));
    absorb(static_cast<uint64_t>(position));
  }

  uint64_t next() { return mix(state_ += kStep); }

  // Uniform in [0, bound), bound > 0: the upper half of a 32-bit product, drawn again in the rare
  // case that would favour some values (Lemire, TOMACS 2019).
  uint32_t below(uint32_t bound) {
    uint64_t product = (next() >> 32) * bound;
    if (static_cast<uint32_t>(product) < bound) {
      const uint32_t favoured = (0U - bound) % bound;
      while (static_cast<uint32_t>(product) < favoured) product = (next() >> 32) * bound;
    }
    return static_cast<uint32_t>(product >> 32);
  }

  // Uniform in [0, 1), 53 bits.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  static constexpr uint64_t kStep = 0x9e3779b97f4a7c15U;

  static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

  void absorb(uint64_t part) { state_ = mix(state_ ^ mix(part + kStep)); }

  uint64_t state_;
};

}  // namespace openke

#endif  // OPENKE_RANDOM_H
