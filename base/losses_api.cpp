// The loss kernels at the border of the ABI.

#include <cstdint>

#include "c_api.h"
#include "checks.h"
#include "error.h"
#include "losses.h"

namespace {

using openke::check_array;
using openke::require;

void check_offsets(const openke_logits& x) {
  if (x.offsets == nullptr) {
    require(x.positives == x.rows, "positives is ", x.positives,
            " without offsets; expected one target for each row, ", x.rows);
    return;
  }
  require(x.offsets[0] == 0, "offsets[0] is ", x.offsets[0], "; expected 0");
  for (int64_t i = 0; i < x.rows; ++i) {
    require(x.offsets[i] <= x.offsets[i + 1], "offsets[", i + 1, "] is ", x.offsets[i + 1],
            "; expected ", x.offsets[i], ", the one before it, or more");
  }
  require(x.offsets[x.rows] == x.positives, "offsets[", x.rows, "] is ", x.offsets[x.rows],
          "; expected the number of targets, ", x.positives);
}

void check_logits(const openke_logits* logits) {
  openke::require_pointer(logits, "logits");
  const openke_logits& x = *logits;
  require(x.type >= OPENKE_FLOAT32 && x.type <= OPENKE_BFLOAT16, "type is ", x.type,
          "; expected 0 (float32), 1 (float64) or 2 (bfloat16)");
  openke::check_size(x.rows, "rows");
  openke::check_size(x.positives, "positives");
  require(x.columns > 0, "columns is ", x.columns, "; expected 1 or more");
  openke::check_product(x.rows, x.columns, "logits");
  check_array(x.values, x.rows, "values");
  check_array(x.targets, x.positives, "targets");
  check_offsets(x);
  for (int64_t i = 0; i < x.positives; ++i) {
    require(x.targets[i] >= 0 && x.targets[i] < x.columns, "targets[", i, "] is ", x.targets[i],
            "; expected 0 to ", x.columns - 1);
  }
  require(x.smoothing >= 0 && x.smoothing <= 1, "smoothing is ", x.smoothing, "; expected 0 to 1");
}

// Calls f with the logits typed.
template <class F>
void with_type(const openke_logits& x, F f) {
  const auto typed = [&](auto zero) {
    using Stored = decltype(zero);
    f(openke::Logits<Stored>{x.rows, x.columns, static_cast<const Stored*>(x.values), x.offsets,
                             x.targets, x.smoothing});
  };
  if (x.type == OPENKE_FLOAT32) typed(float{});
  if (x.type == OPENKE_FLOAT64) typed(double{});
  if (x.type == OPENKE_BFLOAT16) typed(openke::Bfloat16{});
}

// Reals of losses and their gradients: the type of the logits, float32 for bfloat16.
template <class Stored>
const openke::LossReal<Stored>* reals(const openke::Logits<Stored>&, const void* p) {
  return static_cast<const openke::LossReal<Stored>*>(p);
}
template <class Stored>
openke::LossReal<Stored>* reals(const openke::Logits<Stored>&, void* p) {
  return static_cast<openke::LossReal<Stored>*>(p);
}
template <class Stored>
Stored* like(const openke::Logits<Stored>&, void* p) {
  return static_cast<Stored*>(p);
}

}  // namespace

openke_status openke_softmax_cross_entropy(const openke_logits* logits, int32_t threads, void* loss,
                                           void* normaliser) {
  return openke::guarded([&] {
    check_logits(logits);
    check_array(loss, logits->rows, "loss");
    check_array(normaliser, logits->rows, "normaliser");
    with_type(*logits, [&](const auto& x) {
      openke::softmax_cross_entropy(x, threads, reals(x, loss), reals(x, normaliser));
    });
  });
}

openke_status openke_softmax_cross_entropy_backward(const openke_logits* logits,
                                                    const void* normaliser, const void* grad,
                                                    int32_t threads, void* out) {
  return openke::guarded([&] {
    check_logits(logits);
    check_array(normaliser, logits->rows, "normaliser");
    check_array(grad, logits->rows, "grad");
    check_array(out, logits->rows, "out");
    with_type(*logits, [&](const auto& x) {
      openke::softmax_cross_entropy_backward(x, reals(x, normaliser), reals(x, grad), threads,
                                             like(x, out));
    });
  });
}

openke_status openke_binary_cross_entropy(const openke_logits* logits, int32_t threads,
                                          void* loss) {
  return openke::guarded([&] {
    check_logits(logits);
    check_array(loss, logits->rows, "loss");
    with_type(*logits,
              [&](const auto& x) { openke::binary_cross_entropy(x, threads, reals(x, loss)); });
  });
}

openke_status openke_binary_cross_entropy_backward(const openke_logits* logits, const void* grad,
                                                   int32_t threads, void* out) {
  return openke::guarded([&] {
    check_logits(logits);
    check_array(grad, logits->rows, "grad");
    check_array(out, logits->rows, "out");
    with_type(*logits, [&](const auto& x) {
      openke::binary_cross_entropy_backward(x, reals(x, grad), threads, like(x, out));
    });
  });
}
