// What the fuzz harnesses share: values from bytes, files, handles with owners, CHECK that aborts.

#ifndef OPENKE_FUZZ_INPUT_H
#define OPENKE_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "c_api.h"

// A sanitizer and libFuzzer take an abort for a finding, and keep the input.
#define CHECK(...)                                                                   \
  do {                                                                               \
    if (!(__VA_ARGS__)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #__VA_ARGS__); \
      std::abort();                                                                  \
    }                                                                                \
  } while (false)

namespace fuzz {

// Values of an input, in order; zeros behind its end.
class Input {
 public:
  Input(const uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  uint8_t byte() { return empty() ? uint8_t{0} : *at_++; }

  // Mostly small, and now and then what overflows.
  int64_t number() {
    const uint8_t found = byte();
    switch (found) {
      case 255:
        return std::numeric_limits<int64_t>::max();
      case 254:
        return std::numeric_limits<int64_t>::min();
      case 253:
        return std::numeric_limits<int32_t>::max();
      case 252:
        return int64_t{1} << 32;
      default:
        return found < 240 ? found % 16 : found - 252;
    }
  }

  std::vector<int64_t> numbers(std::size_t n) {
    std::vector<int64_t> found(n);
    for (int64_t& each : found) each = number();
    return found;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

// A folder of this process for files that the core reads by their paths.
class Folder {
 public:
  Folder() {
    std::string made = (std::filesystem::temp_directory_path() / "openke-fuzz-XXXXXX").string();
    CHECK(mkdtemp(made.data()) != nullptr);
    path_ = made;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string write(const char* name, const std::string& content) const {
    const std::filesystem::path path = path_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

struct Free {
  void operator()(openke_store* store) const { openke_store_free(store); }
  void operator()(openke_sampler* sampler) const { openke_sampler_free(sampler); }
  void operator()(openke_constraint* constraint) const { openke_constraint_free(constraint); }
};
template <class Handle>
using Owner = std::unique_ptr<Handle, Free>;

// Whether a call did what it was asked; a refusal says why, and anything else is a bug.
inline bool fine(openke_status status) {
  if (status == OPENKE_OK) return true;
  CHECK(status == OPENKE_INVALID);
  const std::string said = openke_last_error();
  CHECK(!said.empty() && said.size() < 500 && said.find('\n') == std::string::npos);
  return false;
}

inline openke_counts counts_of(const openke_store* store) {
  openke_counts counts;
  CHECK(openke_store_counts(store, &counts) == OPENKE_OK);
  return counts;
}

inline std::vector<int64_t> triples_of(const openke_store* store, int32_t split) {
  std::vector<int64_t> rows(static_cast<std::size_t>(3 * counts_of(store).triples[split]));
  CHECK(openke_store_triples(store, split, rows.data()) == OPENKE_OK);
  return rows;
}

inline std::vector<int64_t> known(const openke_store* store, int32_t slot, int64_t first,
                                  int64_t second, int32_t split_mask) {
  int64_t count = 0;
  CHECK(openke_store_known(store, slot, first, second, split_mask, nullptr, &count) == OPENKE_OK);
  std::vector<int64_t> ids(static_cast<std::size_t>(count));
  CHECK(openke_store_known(store, slot, first, second, split_mask, ids.data(), &count) ==
        OPENKE_OK);
  return ids;
}

// A small graph, or none where the ids do not fit.
inline Owner<openke_store> graph(Input& input) {
  const int64_t entities = input.number();
  const int64_t relations = input.number();
  const std::size_t n[] = {input.byte() % 24U, input.byte() % 6U, input.byte() % 6U};
  const std::vector<int64_t> rows[] = {input.numbers(3 * n[0]), input.numbers(3 * n[1]),
                                       input.numbers(3 * n[2])};
  openke_store* store = nullptr;
  // Counts that are huge and right are no bug, but take all memory for tables of ids.
  if (entities > 1000 || relations > 1000) return nullptr;
  fine(openke_store_from_triples(entities, relations, rows[0].data(), static_cast<int64_t>(n[0]),
                                 rows[1].data(), static_cast<int64_t>(n[1]), rows[2].data(),
                                 static_cast<int64_t>(n[2]), &store));
  return Owner<openke_store>(store);
}

}  // namespace fuzz

#endif  // OPENKE_FUZZ_INPUT_H
