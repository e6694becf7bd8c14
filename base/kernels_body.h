// The arithmetic of the score kernels, included by one file per instruction set after it has
// defined its registers: `Lanes<Real>::V` (width reals) and the operations on them.
//
// Everything is in the including file's unnamed namespace and no standard template is used, so that
// nothing compiled for a newer processor can be linked into code that runs on an older one.
// Multiply-adds are written out: the compiler has no freedom in how a score is rounded.

#include "kernels_kinds.h"
#include "kernels_rows.h"
#include "kernels_scores.h"

// Needs the scores: L2's gradient has them in it.
#include "kernels_gradients.h"

template <class Real, class Kind, bool gated>
constexpr Routines<Real> kRoutines = {
    score_pairs<Kind, gated, Real>, score_block<Kind, gated, Real>,
    query_gradient<Kind, gated, Real>, candidate_gradient<Kind, gated, Real>};

#define OPENKE_ROUTINES(Real)                                            \
  {                                                                      \
      {kRoutines<Real, Dot, false>, kRoutines<Real, Dot, true>},         \
      {kRoutines<Real, L1, false>, kRoutines<Real, L1, true>},           \
      {kRoutines<Real, L2, false>, kRoutines<Real, L2, true>},           \
      {kRoutines<Real, Complex, false>, kRoutines<Real, Complex, true>}, \
  }
