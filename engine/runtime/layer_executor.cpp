#include "runtime/layer_executor.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "backends/cpu/dense_binding.h"
#include "base/thread_pool.h"
#include "runtime/arena_plan.h"
#include "runtime/block_segment.h"
#include "runtime/line_segment.h"
#include "runtime/matmul_step.h"

namespace coco::runtime {
namespace {

// Below this many elementary operations a task is not worth handing to another core.
constexpr int64_t kMinTaskCost = 1 << 15;
// Tasks per worker: enough to even out unequal cores.
constexpr int64_t kTasksPerWorker = 4;

// One dense kernel, its rows split evenly among the tasks.
class DenseStep : public LayerStep {
 public:
  DenseStep(const format::OpParams& params, const backends::DenseBinding& binding, int threads)
      : params_(params),
        name_(binding.kernel->name),
        kernel_(binding.kernel->function),
        rows_(binding.rows),
        threads_(threads) {
    const int64_t wanted = std::clamp<int64_t>(binding.cost / kMinTaskCost, 1, threads * kTasksPerWorker);
    tasks_ = static_cast<int>(std::min(rows_, threads == 1 ? 1 : wanted));
    task_ = [this](int task, int) { kernel_(params_, in_, out_, rows_ * task / tasks_, rows_ * (task + 1) / tasks_); };
  }

  void run(std::span<const TensorView> in, std::span<const MutableTensorView> out) override {
    in_ = in;
    out_ = out;
    ThreadPool::process().parallel_for(tasks_, threads_, task_);
  }
  void add_profile(double ms, std::vector<OperatorProfile>& rows) const override {
    OperatorProfile& row = rows.emplace_back();
    row.index = 0;
    row.kernel = name_;
    row.ms = ms;
  }

 private:
  const format::OpParams& params_;
  std::string_view name_;
  kernels::DenseKernel kernel_;
  int64_t rows_;
  int threads_;
  int tasks_;
  std::span<const TensorView> in_;  // of the run at hand
  std::span<const MutableTensorView> out_;
  std::function<void(int, int)> task_;  // made once, so that a run allocates nothing
};

// A plan larger than the machine's memory would end the process instead of failing.
Status check_arena(size_t bytes) {
  const long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0 || bytes / static_cast<size_t>(page_bytes) < static_cast<size_t>(pages)) return {};
  return make_error(ErrorCode::kResourceLimit, "the network needs " + std::to_string(bytes >> 20) +
                                                   " MiB of working memory, more than this machine has; use smaller "
                                                   "inputs");
}

}  // namespace

// Decides where every value lives: constant, caller's input, caller's output or arena.
struct LayerExecutor::Planner {
  const format::Program& program;
  std::span<const Shape> shapes;
  LayerExecutor& executor;
  std::vector<LayerStepSpec> specs;
  std::vector<int> input_of, output_of, slot_of;  // by value number; -1: not one
  std::vector<LiveRange> ranges;                  // by slot

  Planner(const format::Program& p, std::span<const Shape> s, LayerExecutor& e)
      : program(p),
        shapes(s),
        executor(e),
        input_of(p.values.size(), -1),
        output_of(p.values.size(), -1),
        slot_of(p.values.size(), -1) {}

  size_t bytes_of(int32_t value) const {
    return static_cast<size_t>(shapes[value].element_count().value_or(0)) * byte_size(program.values[value].type);
  }

  // The views a step gets, their memory not known yet.
  Node make_node(const LayerStepSpec& spec) const {
    Node node;
    node.first = static_cast<int>(spec.begin);
    for (const int32_t value : spec.inputs) {
      node.in.push_back(value == format::kNoValue ? TensorView{}
                                                  : TensorView{program.values[value].type, shapes[value], nullptr});
    }
    for (const int32_t value : spec.outputs) {
      node.out.push_back({program.values[value].type, shapes[value], nullptr});
    }
    return node;
  }

  Status make_steps(const SessionOptions& options) {
    std::optional<LineSegmenter> segmenter;
    std::optional<BlockSegmenter> blocks;
    if (!options.reference_kernels) segmenter.emplace(program, shapes, options);
    if (!options.reference_kernels) blocks.emplace(program, shapes, options, executor.threads_);
    for (size_t i = 0; i < program.operators.size(); i = specs.back().end) {
      const format::Operator& op = program.operators[i];
      LayerStepSpec spec;
      if (blocks) {
        COCO_ASSIGN(spec, blocks->cut(i));
      }
      if (!options.reference_kernels && !spec.step) {
        COCO_ASSIGN(spec, make_matmul_step(program, shapes, i, options, executor.threads_));
      }
      if (segmenter && !spec.step) spec = segmenter->cut(i);
      if (!spec.step) spec = {i, i + 1, op.inputs, op.outputs, nullptr};
      Node node = make_node(spec);
      if (!spec.step) {
        COCO_ASSIGN(const backends::DenseBinding binding,
                    backends::bind_dense(op, {&op.params, node.in, node.out}, options.reference_kernels));
        spec.step = std::make_unique<DenseStep>(op.params, binding, executor.threads_);
      }
      node.step = std::move(spec.step);
      executor.nodes_.push_back(std::move(node));
      specs.push_back(std::move(spec));
    }
    return {};
  }

  void place_values() {
    for (size_t i = 0; i < program.inputs.size(); ++i) input_of[program.inputs[i]] = static_cast<int>(i);
    for (size_t i = 0; i < program.outputs.size(); ++i) {
      const int32_t value = program.outputs[i];
      const bool computed = input_of[value] < 0 && !program.values[value].is_constant();
      if (computed && output_of[value] < 0) {
        output_of[value] = static_cast<int>(i);
      } else {
        const void* constant =
            program.values[value].is_constant() ? program.values[value].constant.bytes.data() : nullptr;
        executor.copies_.push_back({constant, input_of[value], output_of[value], i, bytes_of(value)});
      }
    }
    for (size_t i = 0; i < specs.size(); ++i) {
      const int step = static_cast<int>(i);
      for (const int32_t value : specs[i].inputs) {
        if (value != format::kNoValue && slot_of[value] >= 0) ranges[slot_of[value]].last = step;
      }
      for (const int32_t value : specs[i].outputs) {
        if (output_of[value] >= 0) continue;
        slot_of[value] = static_cast<int>(ranges.size());
        ranges.push_back({bytes_of(value), step, step});
      }
    }
  }

  // Points every view at its memory, or links it to the caller's.
  void link_views(const ArenaPlan& plan) {
    uint8_t* arena = static_cast<uint8_t*>(executor.arena_.data());
    for (size_t i = 0; i < specs.size(); ++i) {
      const LayerStepSpec& spec = specs[i];
      for (size_t k = 0; k < spec.inputs.size(); ++k) {
        const int32_t value = spec.inputs[k];
        const void*& pointer = executor.nodes_[i].in[k].data;
        if (value == format::kNoValue) continue;
        if (program.values[value].is_constant()) {
          pointer = program.values[value].constant.bytes.data();
        } else if (input_of[value] >= 0) {
          executor.input_links_.push_back({&pointer, static_cast<size_t>(input_of[value])});
        } else if (output_of[value] >= 0) {
          executor.readback_links_.push_back({&pointer, static_cast<size_t>(output_of[value])});
        } else {
          pointer = arena + plan.offsets[slot_of[value]];
        }
      }
      for (size_t k = 0; k < spec.outputs.size(); ++k) {
        const int32_t value = spec.outputs[k];
        void*& pointer = executor.nodes_[i].out[k].data;
        if (output_of[value] >= 0) {
          executor.output_links_.push_back({&pointer, static_cast<size_t>(output_of[value])});
        } else {
          pointer = arena + plan.offsets[slot_of[value]];
        }
      }
    }
  }
};

Result<std::unique_ptr<LayerExecutor>> LayerExecutor::create(const format::Program& program,
                                                             std::span<const Shape> shapes,
                                                             const SessionOptions& options) {
  std::unique_ptr<LayerExecutor> executor(new LayerExecutor);
  const int available = ThreadPool::process().threads();
  executor->threads_ = options.threads > 0 ? std::min(options.threads, available) : available;
  executor->profile_ = options.profile;
  Planner planner(program, shapes, *executor);
  COCO_TRY(planner.make_steps(options));
  planner.place_values();
  const ArenaPlan plan = plan_arena(planner.ranges, kBufferAlignment);
  if (plan.bytes > 0) {
    COCO_TRY(check_arena(plan.bytes));
    COCO_ASSIGN(executor->arena_, Buffer::allocate(plan.bytes));
  }
  planner.link_views(plan);
  return executor;
}

size_t LayerExecutor::memory_bytes() const {
  size_t bytes = arena_.size();
  for (const Node& node : nodes_) bytes += node.step->memory_bytes();
  return bytes;
}

void LayerExecutor::run_steps() {
  if (!profile_) {
    for (const Node& node : nodes_) node.step->run(node.in, node.out);
    return;
  }
  for (Node& node : nodes_) {
    const auto start = std::chrono::steady_clock::now();
    node.step->run(node.in, node.out);
    node.ms += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
}

void LayerExecutor::add_profile(std::vector<OperatorProfile>& rows) const {
  for (size_t i = 0; profile_ && i < nodes_.size(); ++i) {
    const size_t first = rows.size();
    nodes_[i].step->add_profile(nodes_[i].ms, rows);
    for (size_t k = first; k < rows.size(); ++k) {
      rows[k].step = static_cast<int>(i);
      if (rows[k].index >= 0) rows[k].index += nodes_[i].first;
    }
  }
}

void LayerExecutor::run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs) {
  for (const InputLink& link : input_links_) *link.pointer = inputs[link.input].data;
  for (const OutputLink& link : output_links_) *link.pointer = outputs[link.output].data;
  for (const ReadbackLink& link : readback_links_) *link.pointer = outputs[link.output].data;
  run_steps();
  for (const Copy& copy : copies_) {
    const void* from = copy.input >= 0            ? inputs[copy.input].data
                       : copy.earlier_output >= 0 ? outputs[copy.earlier_output].data
                                                  : copy.constant;
    if (copy.bytes > 0) std::memcpy(outputs[copy.output].data, from, copy.bytes);
  }
}

}  // namespace coco::runtime
