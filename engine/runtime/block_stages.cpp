#include "runtime/block_stages.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/thread_pool.h"
#include "runtime/arena_plan.h"

namespace coco::runtime {
namespace {

// Some tens of microseconds; then the core may be needed by whoever holds the last task.
constexpr int kSpins = 20000;

using Clock = std::chrono::steady_clock;

/// Where picture n of a batch begins.
template <typename View>
int64_t picture(const View& view, int64_t n) {
  const Shape& s = view.shape;
  return n * s[1] * s[2] * s[3] * static_cast<int64_t>(byte_size(view.type));
}

}  // namespace

Status BlockStages::plan(std::vector<Stage> stages, std::span<const backends::BlockTensor> tensors,
                         std::span<const Place> places) {
  std::vector<LiveRange> ranges;
  for (const backends::BlockTensor& tensor : tensors)
    ranges.push_back({tensor.bytes(), static_cast<int>(stages.size()), 0});
  for (size_t i = 0; i < stages.size(); ++i) {
    const int step = static_cast<int>(i);
    const auto use = [&](size_t tensor) {
      LiveRange& range = ranges[places[tensor].root];
      range.first = std::min(range.first, step), range.last = std::max(range.last, step);
    };
    if (!stages[i].sink) use(stages[i].out);
    if (!stages[i].source) std::for_each(stages[i].in.begin(), stages[i].in.end(), use);
  }
  for (size_t t = 0; t < tensors.size(); ++t) {
    if (places[t].root != t || ranges[t].first > ranges[t].last) ranges[t] = {};
  }
  const ArenaPlan plan = plan_arena(ranges, kBufferAlignment);
  COCO_ASSIGN(arena_, Buffer::allocate(plan.bytes));
  for (size_t t = 0; t < tensors.size(); ++t)
    tensors_.push_back(static_cast<uint8_t*>(arena_.data()) + plan.offsets[places[t].root] +
                       places[t].block * tensors[t].block() * static_cast<ptrdiff_t>(byte_size(tensors[t].type)));
  stages_ = std::move(stages);
  for (const Stage& stage : stages_) {
    outputs_.push_back(stage.sink ? nullptr : tensors_[stage.out]);
    progress_.emplace_back(threads_);
    std::vector<const void*> in;
    if (stage.source) {
      in.push_back(nullptr);
    } else {
      for (const size_t t : stage.in) in.push_back(tensors_[t]);
    }
    inputs_.push_back(std::move(in));
  }
  size_t scratch = 0;
  for (const Stage& stage : stages_) scratch = std::max(scratch, stage.op->scratch_floats());
  scratch_floats_ = (scratch + 15) / 16 * 16;
  COCO_ASSIGN(scratch_, Buffer::allocate(scratch_floats_ * static_cast<size_t>(threads_) * sizeof(float)));
  task_ = [this](int, int worker) { work(worker); };
  times_.assign(static_cast<size_t>(threads_), {std::vector<double>(profile_ ? stages_.size() : 0), 0});
  return {};
}

void BlockStages::add_profile(double, std::vector<OperatorProfile>& rows) const {
  const auto mean = [&](auto part) {
    double sum = 0;
    for (const Times& times : times_) sum += part(times);
    return sum / threads_;
  };
  for (size_t i = 0; profile_ && i < stages_.size(); ++i) {
    OperatorProfile& row = rows.emplace_back();
    row.index = stages_[i].number;
    if (stages_[i].number < 0) row.op = stages_[i].source ? "load" : "store";
    row.ms = mean([i](const Times& times) { return times.stages[i]; });
  }
  OperatorProfile& wait = rows.emplace_back();
  wait.op = "wait";
  wait.ms = mean([](const Times& times) { return times.waited; });
}

void BlockStages::run(std::span<const TensorView> in, std::span<const MutableTensorView> out) {
  for (int64_t n = 0; n < batch_; ++n) {
    for (size_t i = 0; i < stages_.size(); ++i) {
      const Stage& stage = stages_[i];
      if (stage.source) inputs_[i][0] = in[stage.in[0]].as<uint8_t>() + picture(in[stage.in[0]], n);
      if (stage.sink) outputs_[i] = static_cast<uint8_t*>(out[stage.out].data) + picture(out[stage.out], n);
      progress_[i].reset(stage.op->tasks(), threads_);
    }
    ThreadPool::process().parallel_for(threads_, threads_, task_);
  }
}
/// Every worker goes through all stages; a stage begins when the one before is done. No worker waits for another that
/// has not taken a task.
void BlockStages::work(int worker) {
  float* scratch = static_cast<float*>(scratch_.data()) + static_cast<size_t>(worker) * scratch_floats_;
  Times& times = times_[static_cast<size_t>(worker)];
  Clock::time_point lap = profile_ ? Clock::now() : Clock::time_point();
  const auto add_lap = [&](double& ms) {
    const Clock::time_point now = Clock::now();
    ms += std::chrono::duration<double, std::milli>(now - lap).count();
    lap = now;
  };
  for (size_t i = 0; i < stages_.size(); ++i) {
    Progress& progress = progress_[i];
    const backends::BlockArgs args{inputs_[i].data(), outputs_[i]};
    for (int k = 0; k < threads_; ++k) {
      const int part = (worker + k) % threads_;
      std::atomic<int>& next = progress.next[static_cast<size_t>(part)];
      const int end = progress.part_begin(part + 1);
      for (int task = next.fetch_add(1, std::memory_order_relaxed); task < end;
           task = next.fetch_add(1, std::memory_order_relaxed)) {
        stages_[i].op->run(task, args, scratch);
        progress.done.fetch_add(1, std::memory_order_release);
      }
    }
    if (profile_) add_lap(times.stages[i]);
    if (stages_[i].sink) continue;  // nobody reads it, and the tensors are not written again
    for (int spins = 0; progress.done.load(std::memory_order_acquire) < progress.tasks; ++spins) {
      spins < kSpins ? pause_core() : std::this_thread::yield();
    }
    if (profile_) add_lap(times.waited);
  }
}

}  // namespace coco::runtime
