#include <algorithm>
#include <cstring>
#include <string>

#include "base/thread_pool.h"
#include "runtime/arena_plan.h"
#include "runtime/gpu_program.h"

namespace coco::runtime {

using backends::GpuPlanSpec;
using backends::GpuPool;
using backends::GpuTensor;
using backends::kGpuAlignment;

namespace {

size_t aligned(size_t bytes) { return (bytes + kGpuAlignment - 1) / kGpuAlignment * kGpuAlignment; }

/// Where the tensors between sources and sinks lie. `fixed`: those that lie elsewhere.
ArenaPlan plan_tensors(const GpuProgram& program, const std::vector<bool>& fixed, std::vector<int>& range_of) {
  std::vector<LiveRange> ranges;
  range_of.assign(program.tensors.size(), -1);
  for (size_t i = 0; i < program.steps.size(); ++i) {
    const int step = static_cast<int>(i);
    for (const int input : program.steps[i].inputs)
      if (range_of[static_cast<size_t>(input)] >= 0)
        ranges[static_cast<size_t>(range_of[static_cast<size_t>(input)])].last = step;
    const auto made = static_cast<size_t>(program.steps[i].output);
    if (fixed[made]) continue;
    range_of[made] = static_cast<int>(ranges.size());
    ranges.push_back({program.tensors[made].bytes(), step, step});
  }
  return plan_arena(ranges, kGpuAlignment);
}

}  // namespace

GpuExecutor::End GpuExecutor::end_of(const GpuTensor& tensor, size_t& bytes) {
  const size_t sample = tensor.layout == backends::GpuLayout::kSamples ? byte_size(tensor.samples) : sizeof(float);
  const End end{bytes, static_cast<size_t>(tensor.planes()) * static_cast<size_t>(tensor.height),
                static_cast<size_t>(tensor.width) * sample, 4 * static_cast<size_t>(tensor.pitch())};
  bytes += aligned(tensor.bytes());
  return end;
}

void GpuExecutor::place(const GpuProgram& program, GpuPlanSpec& spec) {
  std::vector<bool> fixed(program.tensors.size(), false);
  spec.regions.resize(program.tensors.size());
  const auto put = [&](int tensor, GpuPool pool, size_t offset) {
    const auto number = static_cast<size_t>(tensor);
    spec.regions[number] = {pool, offset, program.tensors[number].bytes(), "tensor " + std::to_string(tensor)};
    fixed[number] = true;
  };
  for (const int tensor : program.sources) {
    sources_.push_back(end_of(program.tensors[static_cast<size_t>(tensor)], spec.input_bytes));
    put(tensor, GpuPool::kInput, sources_.back().offset);
  }
  for (const int tensor : program.sinks) {
    sinks_.push_back(end_of(program.tensors[static_cast<size_t>(tensor)], spec.output_bytes));
    put(tensor, GpuPool::kOutput, sinks_.back().offset);
  }
  std::vector<int> range_of;
  const ArenaPlan arena = plan_tensors(program, fixed, range_of);
  spec.arena_bytes = arena.bytes;
  for (size_t i = 0; i < program.tensors.size(); ++i)
    if (range_of[i] >= 0) put(static_cast<int>(i), GpuPool::kArena, arena.offsets[static_cast<size_t>(range_of[i])]);
}

Result<std::unique_ptr<GpuExecutor>> GpuExecutor::create(GpuProgram program, const SessionOptions& options) {
  std::unique_ptr<GpuExecutor> executor(new GpuExecutor);
  GpuPlanSpec spec;
  executor->place(program, spec);
  for (GpuStep& step : program.steps) {
    backends::GpuDispatch& dispatch = step.op.dispatch;
    spec.regions[static_cast<size_t>(step.output)].name = dispatch.name;
    dispatch.regions.push_back(step.output);
    dispatch.regions.insert(dispatch.regions.end(), step.inputs.begin(), step.inputs.end());
    if (const std::vector<uint32_t>& words = step.op.constants; !words.empty()) {
      dispatch.regions.push_back(static_cast<int>(spec.regions.size()));
      const size_t offset = aligned(spec.constants.size() * sizeof(uint32_t));
      spec.regions.push_back({GpuPool::kConstants, offset, words.size() * sizeof(uint32_t), dispatch.name});
      spec.constants.resize(offset / sizeof(uint32_t));
      spec.constants.insert(spec.constants.end(), words.begin(), words.end());
    }
    spec.dispatches.push_back(std::move(dispatch));
  }
  COCO_ASSIGN(executor->plan_, backends::GpuPlan::create(options.vulkan, std::move(spec)));
  const int available = ThreadPool::process().threads();
  executor->stats_.executor = "vulkan";
  executor->stats_.arena_bytes = executor->plan_->memory_bytes();
  executor->stats_.threads = options.threads > 0 ? std::min(options.threads, available) : available;
  executor->stats_.macs = program.macs;
  executor->extra_task_ = [raw = executor.get()](int task, int) { (*raw->extra_)(task); };
  return executor;
}

Status GpuExecutor::run(std::span<const GpuRows> bindings, int extra_tasks, const std::function<void(int)>* extra) {
  const auto copy = [](const End& end, char* inside, const GpuRows& outside, bool in) {
    for (size_t y = 0; y < end.rows; ++y) {
      char* const theirs = static_cast<char*>(outside.data) + static_cast<ptrdiff_t>(y) * outside.stride;
      char* const ours = inside + end.offset + y * end.pitch;
      std::memcpy(in ? ours : theirs, in ? theirs : ours, end.row_bytes);
    }
  };
  for (size_t i = 0; i < sources_.size(); ++i) copy(sources_[i], static_cast<char*>(plan_->input()), bindings[i], true);
  COCO_TRY(plan_->submit());
  extra_ = extra;
  if (extra != nullptr && extra_tasks > 0) ThreadPool::process().parallel_for(extra_tasks, stats_.threads, extra_task_);
  COCO_TRY(plan_->wait());
  auto* const output = static_cast<char*>(const_cast<void*>(plan_->output()));
  for (size_t i = 0; i < sinks_.size(); ++i) copy(sinks_[i], output, bindings[sources_.size() + i], false);
  return {};
}

}  // namespace coco::runtime
