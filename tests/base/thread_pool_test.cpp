#include "base/thread_pool.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "catch.h"
#include "coco/device.h"

using namespace coco;

namespace {

// Checks that each task runs once, worker numbers stay below `most` and no two threads hold one at the same time.
struct Watch {
  std::vector<std::atomic<int>> runs;
  std::vector<std::atomic<bool>> busy;
  std::atomic<int> faults{0};

  Watch(int tasks, int most) : runs(static_cast<size_t>(tasks)), busy(static_cast<size_t>(most)) {}

  void operator()(int task, int worker) {
    if (worker < 0 || static_cast<size_t>(worker) >= busy.size()) {
      ++faults;
      return;
    }
    if (busy[static_cast<size_t>(worker)].exchange(true)) ++faults;
    ++runs[static_cast<size_t>(task)];
    busy[static_cast<size_t>(worker)] = false;
  }

  bool good() const {
    for (const auto& count : runs) {
      if (count != 1) return false;
    }
    return faults == 0;
  }
};

bool run_watched(ThreadPool& pool, int tasks, int max_threads) {
  Watch watch(tasks, max_threads > 0 ? max_threads : pool.threads());
  pool.parallel_for(tasks, max_threads, std::ref(watch));
  return watch.good();
}

}  // namespace

TEST_CASE("every task runs once, whatever the numbers") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const int tasks : {1, 2, 3, 64, 1000}) {
      for (const int most : {0, 1, 2, 3, 100}) CHECK(run_watched(pool, tasks, most));
    }
  }
}

TEST_CASE("no tasks, no calls") {
  ThreadPool pool(3);
  bool called = false;
  pool.parallel_for(0, 0, [&](int, int) { called = true; });
  pool.parallel_for(-4, 0, [&](int, int) { called = true; });
  CHECK_FALSE(called);
}

TEST_CASE("one worker takes the tasks in order on the calling thread") {
  ThreadPool pool(4);
  std::vector<int> order;
  bool here = true;
  const auto caller = std::this_thread::get_id();
  pool.parallel_for(20, 1, [&](int task, int worker) {
    order.push_back(task);
    here = here && worker == 0 && std::this_thread::get_id() == caller;
  });
  REQUIRE(order.size() == 20);
  for (int i = 0; i < 20; ++i) CHECK(order[static_cast<size_t>(i)] == i);
  CHECK(here);
}

TEST_CASE("workers really run side by side") {
  ThreadPool pool(3);
  std::atomic<int> inside{0};
  // Each task waits for the other two: only three threads at once can finish.
  pool.parallel_for(3, 3, [&](int, int) {
    ++inside;
    while (inside < 3) std::this_thread::yield();
  });
  CHECK(inside == 3);
}

TEST_CASE("what tasks write is seen by the caller, again and again") {
  ThreadPool pool(4);
  std::vector<int> values(257, 0);
  for (int round = 1; round <= 500; ++round) {
    pool.parallel_for(static_cast<int>(values.size()), 0, [&](int task, int) { ++values[static_cast<size_t>(task)]; });
    bool all = true;
    for (const int value : values) all = all && value == round;
    if (!all) FAIL("round " << round);
  }
}

TEST_CASE("several callers share the pool") {
  ThreadPool pool(4);
  std::atomic<int> bad{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 6; ++c) {
    callers.emplace_back([&, c] {
      for (int round = 0; round < 100; ++round) {
        if (!run_watched(pool, 1 + (round * 7 + c) % 40, c % 4)) ++bad;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(bad == 0);
}

TEST_CASE("calls from inside tasks finish") {
  ThreadPool pool(3);
  for (int round = 0; round < 50; ++round) {
    std::atomic<int> leaves{0};
    pool.parallel_for(5, 0, [&](int, int) {
      pool.parallel_for(4, 2, [&](int, int) { pool.parallel_for(3, 0, [&](int, int) { ++leaves; }); });
    });
    if (leaves != 60) FAIL("round " << round << ": " << leaves);
  }
}

TEST_CASE("pools come and go") {
  for (int i = 0; i < 50; ++i) {
    ThreadPool pool(4);
    if (i % 2 == 0) CHECK(run_watched(pool, 10, 0));
  }
}

TEST_CASE("the process's pool has the threads the process may use") {
  CHECK(ThreadPool::process().threads() == cpu_info().allowed_threads);
  CHECK(&ThreadPool::process() == &ThreadPool::process());
  CHECK(run_watched(ThreadPool::process(), 100, 0));
}
