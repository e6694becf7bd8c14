// A type_constrain.txt for five entities and two relations.

#include <algorithm>
#include <string>

#include "input.h"

namespace {

fuzz::Owner<openke_store> five_entities() {
  const std::vector<int64_t> train{0, 0, 1, 2, 1, 3, 4, 0, 0};
  openke_store* store = nullptr;
  CHECK(openke_store_from_triples(5, 2, train.data(), 3, nullptr, 0, nullptr, 0, &store) ==
        OPENKE_OK);
  return fuzz::Owner<openke_store>(store);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  static const fuzz::Owner<openke_store> store = five_entities();
  const std::string path =
      folder.write("type_constrain.txt", std::string(reinterpret_cast<const char*>(data), size));
  openke_constraint* read = nullptr;
  if (!fuzz::fine(openke_constraint_read(store.get(), path.c_str(), &read))) return 0;
  const fuzz::Owner<openke_constraint> constraint(read);
  for (const int32_t slot : {OPENKE_HEAD, OPENKE_TAIL}) {
    for (int64_t relation = 0; relation < 2; ++relation) {
      int64_t count = -1;
      CHECK(openke_constraint_allowed(read, slot, relation, nullptr, &count) == OPENKE_OK);
      std::vector<int64_t> ids(static_cast<std::size_t>(count));
      CHECK(openke_constraint_allowed(read, slot, relation, ids.data(), &count) == OPENKE_OK);
      CHECK(std::is_sorted(ids.begin(), ids.end()));
      CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
      CHECK(ids.empty() || (ids.front() >= 0 && ids.back() < 5));
    }
  }
  return 0;
}
