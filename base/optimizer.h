// Steps of optimisers over tables of which a batch touches some rows.
//
// A gradient is the list of the rows that have one; all other rows count as zero. So no gradient of
// the table's size is ever filled with zeros, written or read. Each value follows from its own row
// alone: results do not depend on the number of threads.

#ifndef OPENKE_OPTIMIZER_H
#define OPENKE_OPTIMIZER_H

#include <cstdint>

namespace openke {

// A table [rows][dim] and the gradient of n of its rows: gradient[i] belongs to row ids[i].
template <class Real>
struct RowGradient {
  int64_t rows, dim;
  const int64_t* ids;    // [n], strictly increasing
  const Real* gradient;  // [n][dim]
  int64_t n;
};

// Adam as torch.optim.Adam writes it, at its step number `step` (from 1).
struct AdamSettings {
  double lr, beta1, beta2, epsilon, weight_decay;
  int64_t step;
  bool lazy;  // rows without gradient stay as they are, moments and all
};

template <class Real>
void adam_rows(const RowGradient<Real>& x, const AdamSettings& settings, int threads, Real* table,
               Real* mean, Real* square);

// Adagrad at the learning rate `rate`. Rows without gradient do not move, so this is the dense
// optimiser exactly. With `rowwise`, sum[rows] holds one mean square for a whole row, else
// sum[rows][dim] the square of each value.
template <class Real>
void adagrad_rows(const RowGradient<Real>& x, double rate, double epsilon, bool rowwise,
                  int threads, Real* table, Real* sum);

}  // namespace openke

#endif  // OPENKE_OPTIMIZER_H
