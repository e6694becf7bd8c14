#include "distinct.h"

#include <vector>

#include "error.h"

namespace openke {

namespace {

// C++17 has no std::popcount; this one counts in parallel within the word.
int64_t bits_of(uint64_t word) {
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return static_cast<int64_t>((word * 0x0101010101010101u) >> 56);
}

}  // namespace

int64_t find_distinct(const int64_t* ids, int64_t n, int64_t bound, int64_t* distinct,
                      int64_t* index) {
  const auto words = static_cast<std::size_t>((bound + 63) / 64);
  std::vector<uint64_t> seen(words, 0);
  for (int64_t i = 0; i < n; ++i) {
    require(ids[i] >= 0 && ids[i] < bound, "id ", ids[i], " at position ", i, "; expected 0 to ",
            bound - 1);
    seen[static_cast<std::size_t>(ids[i] / 64)] |= uint64_t{1} << (ids[i] % 64);
  }
  std::vector<int64_t> before(words);  // distinct ids in earlier words
  int64_t count = 0;
  for (std::size_t w = 0; w < words; ++w) {
    before[w] = count;
    count += bits_of(seen[w]);
  }
  for (int64_t i = 0; i < n; ++i) {
    const auto w = static_cast<std::size_t>(ids[i] / 64);
    const uint64_t lower = (uint64_t{1} << (ids[i] % 64)) - 1;
    index[i] = before[w] + bits_of(seen[w] & lower);
    distinct[index[i]] = ids[i];
  }
  return count;
}

}  // namespace openke
