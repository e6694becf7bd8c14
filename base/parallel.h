// A loop over [0, n) shared by threads; the first exception of a worker reaches the caller.

#ifndef OPENKE_PARALLEL_H
#define OPENKE_PARALLEL_H

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "error.h"

namespace openke {

inline int64_t worker_count(int threads) {
  require(threads >= 0, "threads is ", threads, "; expected 0 (all processors) or more");
  if (threads > 0) return threads;
  return std::max<int64_t>(1, std::thread::hardware_concurrency());
}

// Calls f(begin, end) on ranges that together cover [0, n) once. Ranges hold at least `grain`
// indices (the last may hold fewer), so n <= grain runs inline. Workers take the next range when
// they are done with one, so which thread runs which range is open: f must not care.
template <class F>
void parallel_for(int64_t n, int threads, int64_t grain, F f) {
  const int64_t wanted = worker_count(threads);
  if (n <= 0) return;
  grain = std::max<int64_t>(1, grain);
  const int64_t workers = std::min(wanted, (n - 1) / grain + 1);
  if (workers == 1) {
    f(int64_t{0}, n);
    return;
  }
  // A few ranges per worker even out uneven work.
  const int64_t range = std::max(grain, (n - 1) / (workers * 4) + 1);
  const int64_t ranges = (n - 1) / range + 1;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr first;
  std::mutex guard;
  auto work = [&]() noexcept {
    for (int64_t i = next++; i < ranges && !failed; i = next++) {
      try {
        f(i * range, std::min(n, (i + 1) * range));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(guard);
        if (!first) first = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<std::thread> others;
  others.reserve(static_cast<std::size_t>(workers - 1));
  try {
    while (static_cast<int64_t>(others.size()) < workers - 1) others.emplace_back(work);
  } catch (...) {
    // The system gives no more threads, or memory for them: those that run, and this one, do all
    // the work.
  }
  work();
  for (std::thread& other : others) other.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace openke

#endif  // OPENKE_PARALLEL_H
