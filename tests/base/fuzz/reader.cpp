// The five files of a data set, with a line "%%" between them.

#include <cstdlib>
#include <string>

#include "input.h"

namespace {

// A count without names may be a thousand times the largest id: right, and slow for a fuzzer.
bool takes_long(const std::string& content) {
  const std::size_t digit = content.find_first_of("0123456789");
  if (digit == std::string::npos) return false;
  const long long count = std::strtoll(content.c_str() + digit, nullptr, 10);
  return count > 100000 && count <= std::numeric_limits<int32_t>::max();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  static const fuzz::Folder folder;
  const std::string all(reinterpret_cast<const char*>(data), size);
  std::string paths[5];
  const char* names[] = {"entity2id.txt", "relation2id.txt", "train2id.txt", "valid2id.txt",
                         "test2id.txt"};
  std::size_t at = 0;
  for (int i = 0; i < 5; ++i) {
    const std::size_t end = i < 4 ? all.find("%%\n", at) : std::string::npos;
    const std::string content = at > all.size() ? "" : all.substr(at, end - at);
    if (i < 2 && takes_long(content)) return 0;
    paths[i] = folder.write(names[i], content);
    at = end == std::string::npos ? all.size() + 1 : end + 3;
  }
  openke_store* opened = nullptr;
  if (!fuzz::fine(openke_store_open(paths[0].c_str(), paths[1].c_str(), paths[2].c_str(),
                                    paths[3].c_str(), paths[4].c_str(), &opened))) {
    CHECK(opened == nullptr);
    return 0;
  }
  const fuzz::Owner<openke_store> store(opened);
  const openke_counts counts = fuzz::counts_of(opened);
  for (int32_t split = 0; split < 3; ++split) {
    CHECK(counts.triples[split] <= counts.rows[split]);
    const std::vector<int64_t> rows = fuzz::triples_of(opened, split);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      CHECK(rows[i] >= 0 && rows[i] < (i % 3 == 1 ? counts.relations : counts.entities));
    }
    std::vector<int64_t> times(static_cast<std::size_t>(counts.triples[split]));
    CHECK(openke_store_multiplicity(opened, split, times.data()) == OPENKE_OK);
    int64_t total = 0;
    for (const int64_t each : times) total += each;
    CHECK(total == counts.rows[split]);
  }
  for (const int32_t kind : {OPENKE_HEAD, OPENKE_RELATION}) {
    const char* blob = nullptr;
    const int64_t* offsets = nullptr;
    CHECK(openke_store_names(opened, kind, &blob, &offsets) == OPENKE_OK);
    const int64_t n = kind == OPENKE_HEAD ? counts.entities : counts.relations;
    int64_t read = 0;
    for (int64_t i = 0; offsets != nullptr && i < n; ++i) {
      CHECK(offsets[i] <= offsets[i + 1]);
      for (int64_t j = offsets[i]; j < offsets[i + 1]; ++j) read += blob[j] != '\n';
    }
    CHECK(offsets == nullptr || read == offsets[n]);
  }
  return 0;
}
