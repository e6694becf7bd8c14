// The store behind its handle, and checks that more than one file of the ABI needs.

#ifndef OPENKE_HANDLES_H
#define OPENKE_HANDLES_H

#include <cstdint>
#include <memory>

#include "c_api.h"
#include "error.h"
#include "triple_store.h"

struct openke_store {
  std::shared_ptr<const openke::TripleStore> store;
};

namespace openke {

inline const TripleStore& store_of(const openke_store* handle) {
  require_pointer(handle, "store");
  return *handle->store;
}

inline void check_mask(int32_t split_mask) {
  require(split_mask >= 0 && split_mask < 1 << kSplits, "split_mask is ", split_mask,
          "; expected 0 to 7, the sum of 1 (train), 2 (valid) and 4 (test)");
}

}  // namespace openke

#endif  // OPENKE_HANDLES_H
