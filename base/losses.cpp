#include "losses.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"

namespace openke {
namespace {

constexpr int64_t kReals = int64_t{1} << 15;  // of a task, at least

// Calls f(row) for every row, on threads.
template <class Stored, class F>
void each_row(const Logits<Stored>& x, int threads, F f) {
  const int64_t grain = 1 + kReals / std::max<int64_t>(1, x.columns);
  parallel_for(x.rows, threads, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) f(row);
  });
}

template <class Stored>
double sum_of_positives(const Logits<Stored>& x, int64_t row) {
  const Stored* logits = x.values + row * x.columns;
  const int64_t* target = x.first(row);
  double sum = 0;
  for (int64_t i = 0; i < x.positives(row); ++i) sum += widen(logits[target[i]]);
  return sum;
}

// Adds to a row's gradient at its positives.
template <class Stored>
void add_at_positives(const Logits<Stored>& x, int64_t row, double addend, Stored* gradient) {
  const int64_t* target = x.first(row);
  for (int64_t i = 0; i < x.positives(row); ++i) {
    Stored& at = gradient[target[i]];
    narrow(widen(at) + addend, &at);
  }
}

}  // namespace

template <class Stored>
void softmax_cross_entropy(const Logits<Stored>& x, int threads, LossReal<Stored>* loss,
                           LossReal<Stored>* normaliser) {
  const auto sums = loss_routines<Stored>().softmax;
  each_row(x, threads, [&](int64_t row) {
    double found[3];
    sums(x.values + row * x.columns, x.columns, found);
    const auto [largest, total, distance] = found;
    // From the largest logit on, so that nothing is lost where all are large.
    const double log_sum = std::log(total), columns = static_cast<double>(x.columns);
    double sum = 0;
    if (const auto n = static_cast<double>(x.positives(row)); n > 0) {
      sum += (1 - x.smoothing) * (log_sum + (largest - sum_of_positives(x, row) / n));
    }
    if (x.smoothing > 0) sum += x.smoothing * (log_sum - distance / columns);
    narrow(sum, &loss[row]);
    narrow(largest, &normaliser[2 * row]);
    narrow(total, &normaliser[2 * row + 1]);
  });
}

template <class Stored>
void softmax_cross_entropy_backward(const Logits<Stored>& x, const LossReal<Stored>* normaliser,
                                    const LossReal<Stored>* grad, int threads, Stored* out) {
  using Real = LossReal<Stored>;
  const auto gradient = loss_routines<Stored>().softmax_gradient;
  each_row(x, threads, [&](int64_t row) {
    const auto n = static_cast<double>(x.positives(row));
    const double weight = n > 0 ? 1 - x.smoothing : 0, g = grad[row];
    const Real largest = normaliser[2 * row], total = normaliser[2 * row + 1];
    Stored* to = out + row * x.columns;
    gradient(x.values + row * x.columns, x.columns, largest,
             static_cast<Real>(g * (weight + x.smoothing) / total),
             static_cast<Real>(-g * x.smoothing / static_cast<double>(x.columns)), to);
    add_at_positives(x, row, -g * weight / n, to);
  });
}

template <class Stored>
void binary_cross_entropy(const Logits<Stored>& x, int threads, LossReal<Stored>* loss) {
  const auto sums = loss_routines<Stored>().softplus;
  each_row(x, threads, [&](int64_t row) {
    double found[2];
    sums(x.values + row * x.columns, x.columns, found);
    const auto [total, values] = found;
    const auto columns = static_cast<double>(x.columns);
    double sum = total - (1 - x.smoothing) * sum_of_positives(x, row);
    if (x.smoothing > 0) sum -= x.smoothing * values / columns;
    narrow(sum / columns, &loss[row]);
  });
}

template <class Stored>
void binary_cross_entropy_backward(const Logits<Stored>& x, const LossReal<Stored>* grad,
                                   int threads, Stored* out) {
  using Real = LossReal<Stored>;
  const auto gradient = loss_routines<Stored>().softplus_gradient;
  each_row(x, threads, [&](int64_t row) {
    const auto columns = static_cast<double>(x.columns);
    const double g = grad[row] / columns;
    Stored* to = out + row * x.columns;
    gradient(x.values + row * x.columns, x.columns, static_cast<Real>(g),
             static_cast<Real>(-g * x.smoothing / columns), to);
    add_at_positives(x, row, -g * (1 - x.smoothing), to);
  });
}

#define OPENKE_INSTANTIATE(Stored)                                                                 \
  template void softmax_cross_entropy(const Logits<Stored>&, int, LossReal<Stored>*,               \
                                      LossReal<Stored>*);                                          \
  template void softmax_cross_entropy_backward(const Logits<Stored>&, const LossReal<Stored>*,     \
                                               const LossReal<Stored>*, int, Stored*);             \
  template void binary_cross_entropy(const Logits<Stored>&, int, LossReal<Stored>*);               \
  template void binary_cross_entropy_backward(const Logits<Stored>&, const LossReal<Stored>*, int, \
                                              Stored*);
OPENKE_INSTANTIATE(float)
OPENKE_INSTANTIATE(double)
OPENKE_INSTANTIATE(Bfloat16)

}  // namespace openke
