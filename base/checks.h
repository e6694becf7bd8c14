// Checks of arrays at the border of the ABI.

#ifndef OPENKE_CHECKS_H
#define OPENKE_CHECKS_H

#include <cstdint>
#include <limits>

#include "error.h"

namespace openke {

inline void check_array(const void* array, int64_t count, const char* name) {
  if (count > 0) require_pointer(array, name);
}

inline void check_size(int64_t size, const char* name) {
  require(size >= 0, name, " is ", size, "; expected 0 or more");
}

// rows * columns reals must be addressable.
inline void check_product(int64_t rows, int64_t columns, const char* name) {
  const int64_t most = std::numeric_limits<int64_t>::max() / 8;
  require(columns == 0 || rows <= most / columns, name, " are too many: ", rows, " x ", columns);
}

}  // namespace openke

#endif  // OPENKE_CHECKS_H
