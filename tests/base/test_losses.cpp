// Losses and gradients against loops in double, in arrays without a byte to spare.

#include <cmath>
#include <random>

#include "c_api.h"
#include "check.h"
#include "losses.h"

using openke::Bfloat16;
using openke::InstructionSet;
using openke::LossRoutines;
using openke::narrow;
using openke::widen;

namespace {

template <class Stored>
std::vector<Stored> random(int64_t n, double scale) {
  std::mt19937 draw(static_cast<uint32_t>(n));
  std::vector<Stored> values(static_cast<std::size_t>(n));
  for (Stored& value : values) {
    narrow((static_cast<double>(draw() % 2001) / 1000.0 - 1) * scale, &value);
  }
  return values;
}

template <class Stored>
bool close(Stored found, double expected) {
  const double tolerance = sizeof(Stored) == 8 ? 1e-12 : sizeof(Stored) == 4 ? 1e-6 : 1e-2;
  return std::abs(widen(found) - expected) <= tolerance * (1 + std::abs(expected));
}

const LossRoutines<float>& routines_of(const InstructionSet& set, float) {
  return set.single_losses;
}
const LossRoutines<double>& routines_of(const InstructionSet& set, double) {
  return set.twofold_losses;
}
const LossRoutines<Bfloat16>& routines_of(const InstructionSet& set, Bfloat16) {
  return set.half_losses;
}

template <class Stored>
void check_row(const InstructionSet& set, int64_t n, double scale) {
  const LossRoutines<Stored>& run = routines_of(set, Stored{});
  const std::vector<Stored> row = random<Stored>(n, scale);
  double largest = -HUGE_VAL, total = 0, distance = 0, soft = 0, sum = 0;
  for (const Stored x : row) largest = std::max(largest, widen(x));
  for (const Stored x : row) {
    total += std::exp(widen(x) - largest);
    distance += widen(x) - largest;
    soft += std::log1p(std::exp(-std::abs(widen(x)))) + std::max(widen(x), 0.0);
    sum += widen(x);
  }
  double softmax[3], softplus[2];
  run.softmax(row.data(), n, softmax);
  run.softplus(row.data(), n, softplus);
  CHECK(softmax[0] == largest);
  CHECK(std::abs(softmax[1] - total) <= 1e-6 * total);
  CHECK(std::abs(softmax[2] - distance) <= 1e-6 * -distance);
  CHECK(std::abs(softplus[0] - soft) <= 1e-6 * soft);
  CHECK(std::abs(softplus[1] - sum) <= 1e-6 * scale * static_cast<double>(n));

  using Real = typename LossRoutines<Stored>::Real;
  std::vector<Stored> by_softmax(row.size()), by_softplus(row.size());
  run.softmax_gradient(row.data(), n, static_cast<Real>(largest), 3, Real(-0.25),
                       by_softmax.data());
  run.softplus_gradient(row.data(), n, 3, Real(-0.25), by_softplus.data());
  for (std::size_t i = 0; i < row.size(); ++i) {
    CHECK(close(by_softmax[i], 3 * std::exp(widen(row[i]) - largest) - 0.25));
    CHECK(close(by_softplus[i], 3 / (1 + std::exp(-widen(row[i]))) - 0.25));
  }
}

}  // namespace

TEST(loss_routines_of_every_instruction_set_agree_with_loops) {
  for (const InstructionSet* set : openke::available_sets()) {
    for (const int64_t n : {1, 3, 4, 7, 8, 15, 16, 17, 33, 4096, 9001}) {
      for (const double scale : {0.1, 5.0, 200.0}) {
        check_row<float>(*set, n, scale);
        check_row<double>(*set, n, scale);
        check_row<Bfloat16>(*set, n, scale);
      }
    }
  }
}

TEST(losses_do_not_depend_on_threads) {
  constexpr int64_t rows = 300, columns = 700;
  const std::vector<float> values = random<float>(rows * columns, 9), grad = random<float>(rows, 1);
  std::vector<int64_t> targets(rows), offsets(rows + 1);
  for (int64_t i = 0; i < rows; ++i) {
    targets[i] = i * 7 % columns;
    offsets[i + 1] = i + 1;
  }
  const openke_logits logits{OPENKE_FLOAT32, rows,           columns, values.data(),
                             offsets.data(), targets.data(), rows,    0.1};
  std::vector<std::vector<float>> found;
  for (const int32_t threads : {1, 3}) {
    std::vector<float> loss(rows), normaliser(2 * rows), out(rows * columns);
    CHECK(openke_softmax_cross_entropy(&logits, threads, loss.data(), normaliser.data()) ==
          OPENKE_OK);
    CHECK(openke_softmax_cross_entropy_backward(&logits, normaliser.data(), grad.data(), threads,
                                                out.data()) == OPENKE_OK);
    found.push_back(loss);
    found.push_back(out);
    CHECK(openke_binary_cross_entropy(&logits, threads, loss.data()) == OPENKE_OK);
    CHECK(openke_binary_cross_entropy_backward(&logits, grad.data(), threads, out.data()) ==
          OPENKE_OK);
    found.push_back(loss);
    found.push_back(out);
  }
  for (std::size_t i = 0; i < 4; ++i) CHECK(found[i] == found[i + 4]);
}

TEST(a_true_column_out_of_range_is_named) {
  const std::vector<double> values(6);
  const std::vector<int64_t> targets{2, 3};
  const openke_logits logits{OPENKE_FLOAT64, 2, 3, values.data(), nullptr, targets.data(), 2, 0};
  std::vector<double> loss(2), normaliser(4);
  CHECK(openke_softmax_cross_entropy(&logits, 1, loss.data(), normaliser.data()) == OPENKE_INVALID);
  CHECK_CONTAINS(openke_last_error(), "targets[1] is 3; expected 0 to 2");
}
