#include <cmath>
#include <cstdint>
#include <vector>

#include "c_api.h"
#include "check.h"

namespace {

constexpr int64_t ROWS = 50, DIM = 9;

std::vector<double> values(int64_t n, double scale) {
  std::vector<double> made;
  for (int64_t i = 0; i < n; ++i) made.push_back(scale * std::sin(1.7 * static_cast<double>(i)));
  return made;
}

// Adam of the dense gradient, value by value; lazily for the rows of `touched` alone.
void expected_adam(const openke_adam& s, const std::vector<double>& dense,
                   const std::vector<bool>& touched, std::vector<double>& table,
                   std::vector<double>& mean, std::vector<double>& square) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (s.lazy != 0 && !touched[i / DIM]) continue;
    const double g = dense[i] + s.weight_decay * table[i];
    mean[i] = s.beta1 * mean[i] + (1 - s.beta1) * g;
    square[i] = s.beta2 * square[i] + (1 - s.beta2) * g * g;
    const double t = static_cast<double>(s.step);
    table[i] -= s.lr * mean[i] / (1 - std::pow(s.beta1, t)) /
                (std::sqrt(square[i] / (1 - std::pow(s.beta2, t))) + s.epsilon);
  }
}

}  // namespace

TEST(adam_by_row_is_adam) {
  const std::vector<int64_t> ids = {0, 3, 4, 17, 49};
  const auto n = static_cast<int64_t>(ids.size());
  const std::vector<double> gradient = values(n * DIM, 2);
  std::vector<double> dense(ROWS * DIM, 0);
  std::vector<bool> touched(ROWS, false);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    touched[static_cast<std::size_t>(ids[i])] = true;
    for (std::size_t k = 0; k < DIM; ++k) {
      dense[static_cast<std::size_t>(ids[i]) * DIM + k] = gradient[i * DIM + k];
    }
  }
  for (const int32_t lazy : {0, 1}) {
    std::vector<double> table = values(ROWS * DIM, 1), mean = values(ROWS * DIM, 0.1);
    std::vector<double> square(ROWS * DIM, 0.2);
    std::vector<double> other_table = table, other_mean = mean, other_square = square;
    const openke_adam settings = {0.1, 0.9, 0.99, 1e-8, 0.05, 3, lazy};
    const openke_row_gradient x = {OPENKE_FLOAT64, ROWS, DIM, n, ids.data(), gradient.data()};
    CHECK(openke_adam_rows(&x, &settings, 3, table.data(), mean.data(), square.data()) ==
          OPENKE_OK);
    expected_adam(settings, dense, touched, other_table, other_mean, other_square);
    for (std::size_t i = 0; i < table.size(); ++i) {
      CHECK(std::abs(table[i] - other_table[i]) < 1e-12);
      CHECK(std::abs(mean[i] - other_mean[i]) < 1e-12);
      CHECK(std::abs(square[i] - other_square[i]) < 1e-12);
    }
  }
}

TEST(adagrad_moves_the_rows_that_have_a_gradient) {
  const int64_t ids[] = {1, 7};
  const std::vector<double> gradient = values(2 * DIM, 3);
  const openke_row_gradient x = {OPENKE_FLOAT64, ROWS, DIM, 2, ids, gradient.data()};
  for (const int32_t rowwise : {0, 1}) {
    const std::vector<double> before = values(ROWS * DIM, 1);
    std::vector<double> table = before, sum(rowwise != 0 ? ROWS : ROWS * DIM, 0.5);
    CHECK(openke_adagrad_rows(&x, 0.1, 1e-10, rowwise, 2, table.data(), sum.data()) == OPENKE_OK);
    for (std::size_t r = 0; r < ROWS; ++r) {
      const std::size_t at = r == 1 ? 0 : 1;
      double mean_square = 0;
      for (std::size_t k = 0; k < DIM; ++k)
        mean_square += std::pow(gradient[at * DIM + k], 2) / DIM;
      for (std::size_t k = 0; k < DIM; ++k) {
        const double g = r == 1 || r == 7 ? gradient[at * DIM + k] : 0;
        const double total = 0.5 + (rowwise != 0 ? mean_square : g * g);
        CHECK(std::abs(table[r * DIM + k] - (before[r * DIM + k] - 0.1 * g / std::sqrt(total))) <
              1e-8);
      }
    }
  }
}

TEST(arguments_of_optimisers_are_checked) {
  float table[4] = {}, mean[4] = {}, square[4] = {};
  const float gradient[4] = {1, 1, 1, 1};
  const int64_t good[] = {0, 1}, twice[] = {1, 1}, out[] = {0, 2};
  const openke_adam settings = {0.1, 0.9, 0.99, 1e-8, 0, 1, 0};
  openke_row_gradient x = {OPENKE_FLOAT32, 2, 2, 2, good, gradient};
  CHECK(openke_adam_rows(&x, &settings, 1, table, mean, square) == OPENKE_OK);
  CHECK(openke_adam_rows(nullptr, &settings, 1, table, mean, square) == OPENKE_INVALID);
  CHECK(openke_adam_rows(&x, nullptr, 1, table, mean, square) == OPENKE_INVALID);
  CHECK(openke_adam_rows(&x, &settings, -1, table, mean, square) == OPENKE_INVALID);
  CHECK(openke_adam_rows(&x, &settings, 1, table, mean, nullptr) == OPENKE_INVALID);
  CHECK(openke_adagrad_rows(&x, 0.1, 0, 0, 1, table, nullptr) == OPENKE_INVALID);
  CHECK(openke_adagrad_rows(&x, 0.1, 0, 0, 1, nullptr, square) == OPENKE_INVALID);
  openke_adam bad = settings;
  bad.step = 0;
  CHECK(openke_adam_rows(&x, &bad, 1, table, mean, square) == OPENKE_INVALID);
  for (const int64_t* ids : {twice, out, static_cast<const int64_t*>(nullptr)}) {
    x.ids = ids;
    CHECK(openke_adagrad_rows(&x, 0.1, 0, 0, 1, table, square) == OPENKE_INVALID);
  }
  x = {2, 2, 2, 2, good, gradient};
  CHECK(openke_adagrad_rows(&x, 0.1, 0, 0, 1, table, square) == OPENKE_INVALID);
  x = {OPENKE_FLOAT32, 2, -2, 2, good, gradient};
  CHECK(openke_adagrad_rows(&x, 0.1, 0, 0, 1, table, square) == OPENKE_INVALID);
}

TEST(malloc_may_be_asked_to_keep_memory) {
  int32_t kept = -1;
  CHECK(openke_keep_memory(&kept) == OPENKE_OK);
  CHECK(kept == 0 || kept == 1);  // under a sanitizer malloc is not glibc's
  CHECK(openke_keep_memory(nullptr) == OPENKE_INVALID);
}
