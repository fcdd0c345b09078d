#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "coco/device.h"

namespace coco {
namespace {

// Some tens of microseconds: the gap between two frames' passes, not more, so that idle cores stay free for others.
constexpr int kSpins = 2000;

using TaskFunction = std::function<void(int, int)>;

// One parallel_for, on its caller's stack, linked into the pool's list while it can use helpers.
struct Job {
  const TaskFunction* fn = nullptr;
  int tasks = 0;
  std::atomic<int> next{0};    // the next task to take
  std::atomic<int> active{0};  // helpers inside; changed under the pool's mutex
  int places = 0;              // workers admitted at most, the caller included; guarded by the pool's mutex
  int admitted = 1;            // workers admitted so far, which is the next worker's number; guarded likewise
  std::condition_variable done;
  Job* following = nullptr;

  bool open() const { return admitted < places && next.load(std::memory_order_relaxed) < tasks; }

  // noexcept: a throwing task would leave helpers on a dead stack frame.
  void work(int worker) noexcept {
    for (int task = next.fetch_add(1, std::memory_order_relaxed); task < tasks;
         task = next.fetch_add(1, std::memory_order_relaxed)) {
      (*fn)(task, worker);
    }
  }
};

}  // namespace

struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  Job* first = nullptr;             // guarded by mutex
  int sleepers = 0;                 // guarded by mutex
  std::atomic<bool> stop{false};    // changed under mutex
  std::atomic<unsigned> posted{0};  // counts jobs linked, so that spinning workers need no lock

  void link(Job& job) {
    std::lock_guard lock(mutex);
    job.following = first;
    first = &job;
    posted.fetch_add(1, std::memory_order_release);
    const int helpers = std::min(job.places - 1, sleepers);
    for (int i = 0; i < helpers; ++i) wake.notify_one();
  }

  // Unlinks the job and waits for its helpers. They leave under the mutex, so none touches the job afterwards.
  void finish(Job& job) {
    for (int i = 0; i < kSpins && job.active.load(std::memory_order_relaxed) > 0; ++i) pause_core();
    std::unique_lock lock(mutex);
    Job** place = &first;
    while (*place != &job) place = &(*place)->following;
    *place = job.following;
    job.done.wait(lock, [&] { return job.active.load(std::memory_order_relaxed) == 0; });
  }

  Job* find_open() {
    for (Job* job = first; job != nullptr; job = job->following) {
      if (job->open()) return job;
    }
    return nullptr;
  }

  void spin(unsigned seen) {
    for (int i = 0; i < kSpins; ++i) {
      if (posted.load(std::memory_order_acquire) != seen || stop.load(std::memory_order_relaxed)) return;
      pause_core();
    }
  }

  void run_worker() {
    std::unique_lock lock(mutex);
    while (true) {
      Job* job = find_open();
      if (job == nullptr) {
        const unsigned seen = posted.load(std::memory_order_relaxed);
        lock.unlock();
        spin(seen);
        lock.lock();
        ++sleepers;
        wake.wait(lock, [&] { return stop.load(std::memory_order_relaxed) || (job = find_open()) != nullptr; });
        --sleepers;
      }
      if (job == nullptr) return;
      const int worker = job->admitted++;
      job->active.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      job->work(worker);
      lock.lock();
      if (job->active.fetch_sub(1, std::memory_order_relaxed) == 1) job->done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  for (int i = 1; i < threads; ++i) {
    try {
      state_->workers.emplace_back([state = state_.get()] {
        pthread_setname_np(pthread_self(), "coco-worker");
        state->run_worker();
      });
    } catch (const std::system_error&) {
      break;  // The system gives no more threads; those there are do all the work.
    }
  }
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop.store(true, std::memory_order_relaxed);
    state_->wake.notify_all();
  }
  for (std::thread& worker : state_->workers) worker.join();
}

ThreadPool& ThreadPool::process() {
  // Never destroyed: sessions on other threads may outlive main's statics.
  static ThreadPool* pool = new ThreadPool(cpu_info().allowed_threads);
  return *pool;
}

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int tasks, int max_threads, const std::function<void(int, int)>& fn) {
  if (tasks <= 0) return;
  Job job;
  job.fn = &fn;
  job.tasks = tasks;
  job.places = std::min(tasks, threads());
  if (max_threads > 0) job.places = std::min(job.places, max_threads);
  if (job.places <= 1) {
    job.work(0);
    return;
  }
  state_->link(job);
  job.work(0);
  state_->finish(job);
}

}  // namespace coco
