// Batches of train triples with corrupted ones, the same for any batch size and thread count.

#ifndef OPENKE_SAMPLER_H
#define OPENKE_SAMPLER_H

#include <cstdint>
#include <memory>
#include <vector>

#include "c_api.h"
#include "random.h"
#include "triple_store.h"

namespace openke {

// The ids of [0, n) that are not excluded. A draw takes the x-th of them by one binary search, so
// it takes no longer when almost all are excluded.
class Remainder {
 public:
  Remainder() = default;
  // Excluded ids are sorted and distinct, and outlive this.
  Remainder(int64_t n, const int32_t* excluded, int64_t count)
      : excluded_(excluded), count_(count), left_(static_cast<uint32_t>(n - count)) {}

  uint32_t left() const { return left_; }

  // Uniform over what is left, which must not be nothing.
  int32_t draw(Stream& stream) const;

 private:
  const int32_t* excluded_ = nullptr;
  int64_t count_ = 0;
  uint32_t left_ = 0;
};

class Sampler {
 public:
  // Where a batch is written; see openke_sampler_draw.
  struct Output {
    int64_t* positive;
    int64_t* negative;
    uint8_t* slot;
    uint8_t* mask;
  };

  Sampler(std::shared_ptr<const TripleStore> store, const openke_sampler_options& options);

  bool shared() const { return options_.shared != 0; }

  void order(int64_t epoch, bool with_replacement, int64_t* out) const;
  void draw(const int64_t* rows, int64_t b, int64_t epoch, int64_t first, int32_t side, int threads,
            const Output& out) const;

 private:
  Remainder remainder(const Triple& triple, int32_t slot) const;
  // The probability that a mixed draw replaces the head.
  double corrupt_head(const Triple& triple) const;
  void check_left(const Triple& triple, int32_t side) const;
  void draw_own(const Triple& triple, int32_t side, Stream& stream, int64_t* negative,
                uint8_t* slot) const;
  void draw_shared(const int64_t* rows, int64_t b, int64_t epoch, int64_t first, int32_t side,
                   int threads, const Output& out) const;
  void mark_facts(const Triple& triple, int32_t slot, const int64_t* negative, uint8_t* mask) const;

  std::shared_ptr<const TripleStore> store_;
  openke_sampler_options options_;
  std::vector<double> corrupt_head_;  // [relations]
  bool always_left_;                  // no query has all its candidates in train
};

}  // namespace openke

#endif  // OPENKE_SAMPLER_H
