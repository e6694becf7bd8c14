// Optimiser steps and the memory allocator at the border of the ABI.

#include <cstdint>
#include <limits>

#include "c_api.h"
#include "error.h"
#include "optimizer.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace {

using openke::require;

void check_rows(const openke_row_gradient* x) {
  openke::require_pointer(x, "gradient");
  require(x->type == OPENKE_FLOAT32 || x->type == OPENKE_FLOAT64, "type is ", x->type,
          "; expected 0 (float32) or 1 (float64)");
  require(x->rows >= 0 && x->dim >= 0 && x->n >= 0, "found ", x->n, " gradients of a table of ",
          x->rows, " rows of ", x->dim, " values; expected 0 or more of each");
  if (x->n > 0) openke::require_pointer(x->ids, "ids");
  if (x->n * x->dim > 0) openke::require_pointer(x->gradient, "gradient values");
  for (int64_t i = 0; i < x->n; ++i) {
    require(x->ids[i] >= 0 && x->ids[i] < x->rows, "ids[", i, "] is ", x->ids[i],
            "; expected 0 to ", x->rows - 1);
    require(i == 0 || x->ids[i - 1] < x->ids[i], "ids[", i, "] is ", x->ids[i], " after ",
            i == 0 ? 0 : x->ids[i - 1], "; expected increasing ids, each once");
  }
}

void check_table(const openke_row_gradient* x, const void* values, const char* name) {
  if (x->rows * x->dim > 0) openke::require_pointer(values, name);
}

template <class Real>
openke::RowGradient<Real> typed(const openke_row_gradient& x) {
  return {x.rows, x.dim, x.ids, static_cast<const Real*>(x.gradient), x.n};
}

template <class Real>
void adam(const openke_row_gradient& x, const openke_adam& s, int threads, void* table, void* mean,
          void* square) {
  openke::adam_rows(
      typed<Real>(x), {s.lr, s.beta1, s.beta2, s.epsilon, s.weight_decay, s.step, s.lazy != 0},
      threads, static_cast<Real*>(table), static_cast<Real*>(mean), static_cast<Real*>(square));
}

template <class Real>
void adagrad(const openke_row_gradient& x, double rate, double epsilon, bool rowwise, int threads,
             void* table, void* sum) {
  openke::adagrad_rows(typed<Real>(x), rate, epsilon, rowwise, threads, static_cast<Real*>(table),
                       static_cast<Real*>(sum));
}

}  // namespace

openke_status openke_adam_rows(const openke_row_gradient* gradient, const openke_adam* settings,
                               int32_t threads, void* table, void* mean, void* square) {
  return openke::guarded([&] {
    check_rows(gradient);
    openke::require_pointer(settings, "settings");
    require(settings->step >= 1, "step is ", settings->step, "; expected 1 or more");
    check_table(gradient, table, "table");
    check_table(gradient, mean, "mean");
    check_table(gradient, square, "square");
    const bool single = gradient->type == OPENKE_FLOAT32;
    (single ? adam<float> : adam<double>)(*gradient, *settings, threads, table, mean, square);
  });
}

openke_status openke_adagrad_rows(const openke_row_gradient* gradient, double rate, double epsilon,
                                  int32_t rowwise, int32_t threads, void* table, void* sum) {
  return openke::guarded([&] {
    check_rows(gradient);
    check_table(gradient, table, "table");
    check_table(gradient, sum, "sum");
    const bool single = gradient->type == OPENKE_FLOAT32;
    (single ? adagrad<float> : adagrad<double>)(*gradient, rate, epsilon, rowwise != 0, threads,
                                                table, sum);
  });
}

openke_status openke_keep_memory(int32_t* out) {
  return openke::guarded([&] {
    openke::require_pointer(out, "out");
    *out = 0;
#if defined(__GLIBC__)
    // An array that malloc maps afresh is paid for page by page when it is first written: about a
    // quarter of a training step. Larger ones than this are still mapped, and so returned.
    constexpr int large = 1 << 30;
    *out = mallopt(M_MMAP_THRESHOLD, large) != 0 &&
           mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()) != 0;
#endif
  });
}
