// The distinct ids of a batch, and where each occurrence stands among them.

#ifndef OPENKE_DISTINCT_H
#define OPENKE_DISTINCT_H

#include <cstdint>

namespace openke {

// Writes the distinct ids in increasing order, and for each of the n ids its position among them;
// returns how many are distinct. Ids are in [0, bound). `distinct` has room for min(n, bound).
// Takes bound bits of memory and no sorting, so it costs a few passes over n ids.
int64_t find_distinct(const int64_t* ids, int64_t n, int64_t bound, int64_t* distinct,
                      int64_t* index);

}  // namespace openke

#endif  // OPENKE_DISTINCT_H
