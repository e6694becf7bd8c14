// A graph, scores and queries; what is counted is counted plainly, too.

#include <algorithm>
#include <cmath>

#include "input.h"

namespace {

bool has(const std::vector<int64_t>& sorted, int64_t id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

float score(fuzz::Input& input) {
  const uint8_t found = input.byte();
  if (found == 255) return std::nanf("");
  if (found == 254) return INFINITY;
  return static_cast<float>(found % 8);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const fuzz::Owner<openke_store> store = fuzz::graph(input);
  if (!store) return 0;
  const auto slot = static_cast<int32_t>(input.byte() % 5) - 1;
  const auto mask = static_cast<int32_t>(input.byte() % 10) - 1;
  const openke_counts counts = fuzz::counts_of(store.get());
  const int64_t candidates = slot == OPENKE_RELATION ? counts.relations : counts.entities;

  openke_constraint* made = nullptr;
  if (input.byte() % 2 == 1) {
    CHECK(openke_constraint_from_store(store.get(), 7, &made) == OPENKE_OK);
  }
  const fuzz::Owner<openke_constraint> constraint(made);

  const int64_t score_rows = input.byte() % 4;
  std::vector<float> scores(static_cast<std::size_t>(score_rows * candidates));
  for (float& each : scores) each = score(input);
  const std::size_t n = input.byte() % 6U;
  const std::vector<int64_t> row = input.numbers(n);
  const std::vector<int64_t> first = input.numbers(n);
  const std::vector<int64_t> second = input.numbers(n);
  const std::vector<int64_t> target = input.numbers(n);
  std::vector<int64_t> greater(n);
  std::vector<int64_t> equal(n);
  scores.reserve(1);  // an address also where there are none
  const openke_status status = openke_rank(
      store.get(), slot, mask, made, scores.data(), score_rows, row.data(), first.data(),
      second.data(), target.data(), static_cast<int64_t>(n), 1, greater.data(), equal.data());
  if (!fuzz::fine(status)) return 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float* of = &scores[static_cast<std::size_t>(row[i] * candidates)];
    const std::vector<int64_t> known = fuzz::known(store.get(), slot, first[i], second[i], mask);
    std::vector<int64_t> allowed;
    if (made != nullptr) {
      int64_t count = 0;
      CHECK(openke_constraint_allowed(made, slot, second[i], nullptr, &count) == OPENKE_OK);
      allowed.resize(static_cast<std::size_t>(count));
      CHECK(openke_constraint_allowed(made, slot, second[i], allowed.data(), &count) == OPENKE_OK);
    }
    int64_t better = 0;
    int64_t alike = 0;
    for (int64_t id = 0; id < candidates; ++id) {
      CHECK(!std::isnan(of[id]));
      if (id == target[i] || has(known, id) || (made != nullptr && !has(allowed, id))) continue;
      better += of[id] > of[target[i]];
      alike += of[id] == of[target[i]];
    }
    CHECK(better == greater[i] && alike == equal[i]);
  }
  return 0;
}
