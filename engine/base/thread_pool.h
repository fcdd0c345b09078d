// Purpose: one pool of workers for the whole process, shared by all sessions.
// Ownership: the process pool lives until exit; tests may make their own.
// Threads: parallel_for may be called from several threads at once; each call's caller works too.
// Failure: never fails; with no free worker the caller does all the work.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace coco {

/// Tells the core that this thread waits for another one, in a loop that asks again at once.
inline void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

class ThreadPool {
 public:
  /// `threads` counts the calling thread: a pool of 1 has no workers of its own.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The process's pool, made at first use with cpu_info().allowed_threads threads.
  static ThreadPool& process();

  int threads() const;

  /// Calls fn(task, worker) for task in [0, tasks), at most `max_threads` at once (0: all), each worker number in
  /// [0, max_threads) used by one thread at a time. Tasks are taken in rising order, dynamically. Returns when all are
  /// done. Allocates nothing.
  void parallel_for(int tasks, int max_threads, const std::function<void(int task, int worker)>& fn);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coco
