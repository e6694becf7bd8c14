// A graph, options of a sampler, and a batch of rows that it draws.

#include <algorithm>

#include "input.h"

namespace {

// What a draw of own negatives promises: ids of the slot's kind, and no fact of train if filtered.
void check_own(const openke_store* store, const openke_sampler_options& options,
               const std::vector<int64_t>& positive, const std::vector<int64_t>& negative,
               const std::vector<uint8_t>& slot) {
  const openke_counts counts = fuzz::counts_of(store);
  const auto k = static_cast<std::size_t>(options.entity_negatives + options.relation_negatives);
  for (std::size_t i = 0; i < negative.size(); ++i) {
    const int64_t* triple = &positive[3 * (i / k)];
    const bool relation = slot[i] == OPENKE_RELATION;
    CHECK(relation == (static_cast<int64_t>(i % k) >= options.entity_negatives));
    CHECK(negative[i] >= 0 && negative[i] < (relation ? counts.relations : counts.entities));
    if (options.filtered == 0) continue;
    const std::vector<int64_t> facts =
        fuzz::known(store, slot[i], slot[i] == OPENKE_HEAD ? triple[2] : triple[0],
                    relation ? triple[2] : triple[1], 1);
    CHECK(!std::binary_search(facts.begin(), facts.end(), negative[i]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const fuzz::Owner<openke_store> store = fuzz::graph(input);
  if (!store) return 0;
  const uint8_t switches = input.byte();
  const openke_sampler_options options{static_cast<uint64_t>(input.number()),
                                       input.number(),
                                       input.number(),
                                       switches & 1,
                                       switches >> 1 & 1,
                                       switches >> 2 & 1,
                                       switches >> 3 & 1};
  openke_sampler* made = nullptr;
  if (!fuzz::fine(openke_sampler_create(store.get(), &options, &made))) return 0;
  const fuzz::Owner<openke_sampler> sampler(made);

  const int64_t epoch = input.number();
  const std::vector<int64_t> train = fuzz::triples_of(store.get(), OPENKE_TRAIN);
  std::vector<int64_t> order(train.size() / 3);
  if (fuzz::fine(openke_sampler_order(made, epoch, switches >> 4 & 1, order.data()))) {
    for (const int64_t row : order) {
      CHECK(row >= 0 && row < static_cast<int64_t>(order.size()));
    }
  }

  const std::size_t b = input.byte() % 9U;
  std::vector<int64_t> rows = input.numbers(b);
  const int64_t first = input.number();
  const auto side = static_cast<int32_t>(input.number());
  const int32_t threads = switches >> 5 & 1 ? 2 : 1;
  const auto k = static_cast<std::size_t>(options.entity_negatives + options.relation_negatives);
  const bool shared = options.shared != 0;
  std::vector<int64_t> positive(3 * b);
  std::vector<int64_t> negative(shared ? k : b * k);
  std::vector<uint8_t> slot(shared ? b : b * k);
  std::vector<uint8_t> mask(shared ? b * k : 0);
  if (!fuzz::fine(openke_sampler_draw(made, rows.data(), static_cast<int64_t>(b), epoch, first,
                                      side, threads, positive.data(), negative.data(), slot.data(),
                                      mask.data()))) {
    return 0;
  }
  for (std::size_t i = 0; i < b; ++i) {
    CHECK(std::equal(&positive[3 * i], &positive[3 * i] + 3,
                     &train[3 * static_cast<std::size_t>(rows[i])]));
  }
  if (shared) {
    CHECK(std::is_sorted(negative.begin(), negative.end()));
    CHECK(negative.empty() ||
          (negative.front() >= 0 && negative.back() < fuzz::counts_of(store.get()).entities));
  } else {
    check_own(store.get(), options, positive, negative, slot);
  }
  return 0;
}
