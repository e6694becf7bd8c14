#include <atomic>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "error.h"
#include "parallel.h"

using openke::guarded;
using openke::parallel_for;

TEST(every_index_is_visited_once) {
  for (const int64_t n : {0, 1, 7, 64, 1000}) {
    for (const int threads : {0, 1, 2, 5}) {
      for (const int64_t grain : {0, 1, 10, 2000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(n));
        parallel_for(n, threads, grain, [&](int64_t begin, int64_t end) {
          CHECK(begin < end && end <= n);
          for (int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        for (const auto& count : visits) CHECK(count == 1);
      }
    }
  }
}

TEST(a_small_loop_runs_inline) {
  const auto here = std::this_thread::get_id();
  int calls = 0;
  parallel_for(10, 8, 10, [&](int64_t begin, int64_t end) {
    CHECK(std::this_thread::get_id() == here && begin == 0 && end == 10);
    ++calls;
  });
  CHECK(calls == 1);
}

TEST(a_loop_uses_other_threads) {
  // The first range waits for another thread to take the second.
  std::atomic<int> ranges{0};
  parallel_for(2, 2, 1, [&](int64_t, int64_t) {
    ++ranges;
    while (ranges < 2) std::this_thread::yield();
  });
  CHECK(ranges == 2);
}

TEST(the_exception_of_a_worker_reaches_the_caller) {
  for (int trial = 0; trial < 50; ++trial) {
    const std::string message = check::thrown<openke::InvalidInput>([] {
      parallel_for(1000, 4, 1, [](int64_t begin, int64_t) {
        if (begin > 300) throw openke::InvalidInput("row " + std::to_string(begin));
      });
    });
    CHECK_CONTAINS(message, "row ");
  }
}

TEST(only_one_of_many_exceptions_is_carried) {
  CHECK(check::thrown<std::runtime_error>([] {
          parallel_for(100, 4, 1, [](int64_t, int64_t) { throw std::runtime_error("each"); });
        }) == "each");
}

TEST(negative_threads_are_refused) {
  CHECK_CONTAINS(
      check::thrown<openke::InvalidInput>([] { parallel_for(0, -1, 1, [](int64_t, int64_t) {}); }),
      "threads is -1; expected 0 (all processors) or more");
}

TEST(exceptions_become_statuses) {
  CHECK(guarded([] {}) == OPENKE_OK);
  CHECK(guarded([] { throw openke::InvalidInput("bad"); }) == OPENKE_INVALID);
  CHECK(std::string(openke_last_error()) == "bad");
  CHECK(guarded([] { throw openke::NotFound("none"); }) == OPENKE_NOT_FOUND);
  CHECK(guarded([] { throw openke::IoError("torn"); }) == OPENKE_IO);
  CHECK(guarded([] { throw std::bad_alloc(); }) == OPENKE_NO_MEMORY);
  CHECK(guarded([] { throw std::length_error("too long"); }) == OPENKE_NO_MEMORY);
  CHECK(std::string(openke_last_error()) == "not enough memory");
  CHECK(guarded([] { throw std::out_of_range("bug"); }) == OPENKE_INTERNAL);
  CHECK(guarded([] { throw 7; }) == OPENKE_INTERNAL);
  CHECK(std::string(openke_last_error()) == "unknown exception");
}

TEST(the_last_error_belongs_to_a_thread) {
  guarded([] { throw openke::InvalidInput("mine"); });
  std::thread([] {
    CHECK(std::string(openke_last_error()).empty());
    guarded([] { throw openke::InvalidInput("theirs"); });
  }).join();
  CHECK(std::string(openke_last_error()) == "mine");
}
