// The ABI of the sampler: checks pointers and numbers, calls the core.

#include <cstdint>
#include <memory>

#include "c_api.h"
#include "distinct.h"
#include "error.h"
#include "handles.h"
#include "sampler.h"

struct openke_sampler {
  openke::Sampler sampler;
};

namespace {

using openke::guarded;
using openke::require;
using openke::require_pointer;
using openke::store_of;

}  // namespace

openke_status openke_sampler_create(const openke_store* store,
                                    const openke_sampler_options* options, openke_sampler** out) {
  return guarded([&] {
    store_of(store);
    require_pointer(options, "options");
    require_pointer(out, "out");
    *out = std::make_unique<openke_sampler>(openke_sampler{openke::Sampler(store->store, *options)})
               .release();
  });
}

openke_status openke_sampler_free(openke_sampler* sampler) {
  return guarded([&] { const std::unique_ptr<openke_sampler> owner(sampler); });
}

openke_status openke_sampler_order(const openke_sampler* sampler, int64_t epoch,
                                   int32_t with_replacement, int64_t* out) {
  return guarded([&] {
    require_pointer(sampler, "sampler");
    require_pointer(out, "out");
    sampler->sampler.order(epoch, with_replacement != 0, out);
  });
}

openke_status openke_sampler_draw(const openke_sampler* sampler, const int64_t* rows, int64_t b,
                                  int64_t epoch, int64_t first, int32_t side, int32_t threads,
                                  int64_t* positive, int64_t* negative, uint8_t* slot,
                                  uint8_t* mask) {
  return guarded([&] {
    require_pointer(sampler, "sampler");
    if (b > 0 || sampler->sampler.shared()) require_pointer(negative, "negative");
    if (b > 0) {
      require_pointer(rows, "rows");
      require_pointer(positive, "positive");
      require_pointer(slot, "slot");
      if (sampler->sampler.shared()) require_pointer(mask, "mask");
    }
    sampler->sampler.draw(rows, b, epoch, first, side, threads, {positive, negative, slot, mask});
  });
}

openke_status openke_distinct(const int64_t* ids, int64_t n, int64_t bound, int64_t* distinct,
                              int64_t* index, int64_t* count) {
  return guarded([&] {
    require(n >= 0 && bound >= 0, "n is ", n, " and bound is ", bound, "; expected 0 or more");
    require_pointer(count, "count");
    if (n > 0) {
      require_pointer(ids, "ids");
      require_pointer(distinct, "distinct");
      require_pointer(index, "index");
    }
    *count = openke::find_distinct(ids, n, bound, distinct, index);
  });
}
