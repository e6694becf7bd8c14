// Score kernels: similarities of queries and candidates, and their gradients, without temporaries.
//
// The arithmetic (kernels_body.h) is compiled once per instruction set, each in its own file
// (kernels_plain.cpp, kernels_avx2.cpp, kernels_avx512.cpp, kernels_neon.cpp); kernels_dispatch.cpp
// picks the best one that the processor runs, kernels.cpp divides the work over threads and keeps
// it in cache. The environment variable OPENKE_ISA = plain | avx2 | avx512 | neon, read once at the
// first call, forces a lower set.
//
// A score is one fixed sequence of operations on its two rows: it depends neither on the number of
// threads nor on where the rows stand, so equal candidates get equal scores. Sums of gradients
// run in the order of the pairs. The squares of differences must not overflow: float32 distances
// hold for coordinates below 1e19.

#ifndef OPENKE_KERNELS_H
#define OPENKE_KERNELS_H

#include <cstdint>
#include <type_traits>
#include <vector>

#include "bfloat16.h"

namespace openke {

// openke_compare, typed. kind is OPENKE_DOT, OPENKE_L1, OPENKE_L2 or OPENKE_COMPLEX.
template <class Real>
struct Comparison {
  int32_t kind;
  int64_t queries, candidates, dim;
  const Real* query;  // [queries][dim]
  const Real* table;  // [candidates][dim]
  const Real* modal;  // [candidates][dim], or null without a gate
  const Real* gate;   // [queries], or null
};

// openke_compare_gradient, typed: null where a gradient is not wanted.
template <class Real>
struct Gradient {
  Real* query;
  Real* table;
  Real* modal;
  Real* gate;
};

// The pairs of a call: query[i] against candidate[i]. Each query has one or several vectors, rows
// q, q + n, q + 2 n, … of a comparison that has `vectors` times n of them; gates likewise. The
// score of a pair is the sum over its query's vectors.
struct Pairs {
  const int64_t* query;
  const int64_t* candidate;
  int64_t count;
  int64_t vectors;
};

template <class Real>
void compare_pairs(const Comparison<Real>& comparison, const Pairs& pairs, int threads, Real* out);
template <class Real>
void compare_pairs_backward(const Comparison<Real>& comparison, const Pairs& pairs,
                            const Real* grad, int threads, const Gradient<Real>& out);
template <class Real>
void compare_all(const Comparison<Real>& comparison, int threads, Real* out);
template <class Real>
void compare_all_backward(const Comparison<Real>& comparison, const Real* grad, int threads,
                          const Gradient<Real>& out);

// Name of the instruction set in use. Throws InvalidInput for a bad OPENKE_ISA.
const char* kernel_isa();

// ---- what an instruction set provides -------------------------------------------------------

// For one kind, with or without a gate; each runs on the calling thread.
template <class Real>
struct Routines {
  // out[i] of the first n pairs.
  void (*pairs)(const Comparison<Real>&, const int64_t* query, const int64_t* candidate, int64_t n,
                Real* out);
  // Scores of queries [q0, q1) against candidates [c0, c1), into out[queries][candidates].
  void (*block)(const Comparison<Real>&, int64_t q0, int64_t q1, int64_t c0, int64_t c1, Real* out);
  // row[dim] += sum_j grad[j] * d score(query, candidate[j]) / d query, *gate likewise by the gate.
  void (*query_gradient)(const Comparison<Real>&, int64_t query, const int64_t* candidate,
                         const Real* grad, int64_t n, Real* row, double* gate);
  // table[dim] and modal[dim] likewise, for one candidate against n queries.
  void (*candidate_gradient)(const Comparison<Real>&, int64_t candidate, const int64_t* query,
                             const Real* grad, int64_t n, Real* table, Real* modal);
};

// Passes over a row of n logits, for losses (losses.h); each runs on the calling thread.
template <class Stored>
struct LossRoutines {
  using Real = std::conditional_t<std::is_same_v<Stored, double>, double, float>;
  // out[3]: the largest logit, the sum of exp(logit - largest), that of (logit - largest).
  void (*softmax)(const Stored* row, int64_t n, double* out);
  // out[k] = scale * exp(row[k] - largest) + shift
  void (*softmax_gradient)(const Stored* row, int64_t n, Real largest, Real scale, Real shift,
                           Stored* out);
  // out[2]: the sum of log(1 + exp(logit)), the sum of the logits.
  void (*softplus)(const Stored* row, int64_t n, double* out);
  // out[k] = scale / (1 + exp(-row[k])) + shift
  void (*softplus_gradient)(const Stored* row, int64_t n, Real scale, Real shift, Stored* out);
};

// GCC and Clang compile parts of a library for newer processors. (On Windows GCC misaligns their
// registers on the stack.)
#if defined(__x86_64__) && defined(__GNUC__) && !defined(_WIN32)
#define OPENKE_AVX_SETS 1
#endif
// Part of every aarch64 processor: nothing to ask at run time.
#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__)
#define OPENKE_NEON_SET 1
#endif

struct InstructionSet {
  const char* name;
  Routines<float> single[4][2];  // [kind][gated]
  Routines<double> twofold[4][2];
  LossRoutines<float> single_losses;
  LossRoutines<double> twofold_losses;
  LossRoutines<Bfloat16> half_losses;
};

// Null where the compiler or the processor family has no such set.
const InstructionSet* plain_set();
const InstructionSet* avx2_set();
const InstructionSet* avx512_set();
const InstructionSet* neon_set();

// Those that this processor runs, best first.
std::vector<const InstructionSet*> available_sets();

// Those of the instruction set in use. Throws InvalidInput for a bad OPENKE_ISA.
template <class Real>
const Routines<Real>& routines(const Comparison<Real>& comparison);
template <class Stored>
const LossRoutines<Stored>& loss_routines();

}  // namespace openke

#endif  // OPENKE_KERNELS_H
