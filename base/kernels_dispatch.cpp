// Which instruction set the score kernels use.

#include <cstdlib>
#include <string>
#include <vector>

#include "error.h"
#include "kernels.h"

namespace openke {
namespace {

bool runs_avx2() {
#if defined(OPENKE_AVX_SETS)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

bool runs_avx512() {
#if defined(OPENKE_AVX_SETS)
  return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

}  // namespace

std::vector<const InstructionSet*> available_sets() {
  std::vector<const InstructionSet*> sets;
  if (avx512_set() != nullptr && runs_avx512()) sets.push_back(avx512_set());
  if (avx2_set() != nullptr && runs_avx2()) sets.push_back(avx2_set());
  if (neon_set() != nullptr) sets.push_back(neon_set());
  sets.push_back(plain_set());
  return sets;
}

namespace {

const InstructionSet& choose_set() {
  const std::vector<const InstructionSet*> sets = available_sets();
  const char* variable = std::getenv("OPENKE_ISA");
  const std::string wanted = variable == nullptr ? "" : variable;
  if (wanted.empty()) return *sets.front();
  std::string names;
  for (const InstructionSet* set : sets) {
    if (wanted == set->name) return *set;
    names += (names.empty() ? "" : ", ") + std::string(set->name);
  }
  throw InvalidInput(text("environment variable OPENKE_ISA is \"", wanted,
                          "\"; expected one that runs on this processor (", names, "), or unset"));
}

const InstructionSet& instruction_set() {
  static const InstructionSet& chosen = choose_set();
  return chosen;
}

}  // namespace

template <>
const Routines<float>& routines(const Comparison<float>& x) {
  return instruction_set().single[x.kind][x.gate != nullptr];
}

template <>
const Routines<double>& routines(const Comparison<double>& x) {
  return instruction_set().twofold[x.kind][x.gate != nullptr];
}

template <>
const LossRoutines<float>& loss_routines() {
  return instruction_set().single_losses;
}

template <>
const LossRoutines<double>& loss_routines() {
  return instruction_set().twofold_losses;
}

template <>
const LossRoutines<Bfloat16>& loss_routines() {
  return instruction_set().half_losses;
}

const char* kernel_isa() { return instruction_set().name; }

}  // namespace openke
