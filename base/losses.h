// Losses of rows of logits against sets of true columns, and their gradients: no other array of the
// logits' size is made, and a gradient depends neither on the number of threads nor on other rows.
//
// With labels y = (1 - smoothing) w + smoothing / columns:
//   softmax: -sum_j y_j log softmax(x)_j, where w is 1 / (number of true columns) at a true one
//   binary:  -mean_j [y_j log sigmoid(x_j) + (1 - y_j) log sigmoid(-x_j)], where w is 1 there
// A row without a true column has w = 0.
// The arithmetic is in losses_body.h, once for each instruction set.

#ifndef OPENKE_LOSSES_H
#define OPENKE_LOSSES_H

#include <cstdint>

#include "kernels.h"

namespace openke {

// openke_logits, typed.
template <class Stored>
struct Logits {
  int64_t rows, columns;
  const Stored* values;    // [rows][columns]
  const int64_t* offsets;  // [rows + 1] into targets, or null: one target for each row
  const int64_t* targets;
  double smoothing;

  const int64_t* first(int64_t row) const {
    return targets + (offsets == nullptr ? row : offsets[row]);
  }
  int64_t positives(int64_t row) const {
    return offsets == nullptr ? 1 : offsets[row + 1] - offsets[row];
  }
};

template <class Stored>
using LossReal = typename LossRoutines<Stored>::Real;

// loss[rows]; normaliser[rows][2], for the gradient: the largest logit, and the sum of
// exp(logit - largest).
template <class Stored>
void softmax_cross_entropy(const Logits<Stored>& x, int threads, LossReal<Stored>* loss,
                           LossReal<Stored>* normaliser);
// out[rows][columns], the gradient of sum_i grad[i] loss[i].
template <class Stored>
void softmax_cross_entropy_backward(const Logits<Stored>& x, const LossReal<Stored>* normaliser,
                                    const LossReal<Stored>* grad, int threads, Stored* out);
template <class Stored>
void binary_cross_entropy(const Logits<Stored>& x, int threads, LossReal<Stored>* loss);
template <class Stored>
void binary_cross_entropy_backward(const Logits<Stored>& x, const LossReal<Stored>* grad,
                                   int threads, Stored* out);

}  // namespace openke

#endif  // OPENKE_LOSSES_H
