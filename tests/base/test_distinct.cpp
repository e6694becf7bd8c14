#include <map>
#include <set>
#include <vector>

#include "c_api.h"
#include "check.h"

TEST(distinct_ids_and_their_positions) {
  for (const int64_t bound : {1, 63, 64, 65, 200}) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < 300; ++i) ids.push_back((i * i * 31 + 7 * i) % bound);
    std::vector<int64_t> distinct(300), index(300);
    int64_t count = 0;
    CHECK(openke_distinct(ids.data(), 300, bound, distinct.data(), index.data(), &count) ==
          OPENKE_OK);
    const std::set<int64_t> expected(ids.begin(), ids.end());
    distinct.resize(static_cast<std::size_t>(count));
    CHECK(distinct == std::vector<int64_t>(expected.begin(), expected.end()));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      CHECK(distinct[static_cast<std::size_t>(index[i])] == ids[i]);
    }
  }
}

TEST(distinct_ids_are_checked) {
  int64_t ids[2] = {0, 5}, distinct[2], index[2], count = -1;
  CHECK(openke_distinct(ids, 2, 5, distinct, index, &count) == OPENKE_INVALID);
  CHECK(openke_distinct(ids, -1, 5, distinct, index, &count) == OPENKE_INVALID);
  CHECK(openke_distinct(nullptr, 2, 9, distinct, index, &count) == OPENKE_INVALID);
  CHECK(count == -1);
  CHECK(openke_distinct(nullptr, 0, 9, nullptr, nullptr, &count) == OPENKE_OK);
  CHECK(count == 0);
}
