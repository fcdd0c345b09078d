// Purpose: a network as a Vulkan device runs it: tensors in the device's memory and one dispatch an operator, from
// sources (the caller's pictures in) to sinks (the caller's pictures out). Programs can be joined one after the other.
// Ownership: the program is plain data; an executor holds its plan and shares the device.
// Threads: one run at a time per executor.
// Failure: append() names the operator a device does not run (kUnsupported), create() what is too large for it.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backends/vulkan/bind.h"
#include "coco/session.h"

namespace coco::runtime {

struct GpuStep {
  backends::GpuOp op;
  std::vector<int> inputs;  ///< tensor numbers, one per op.inputs
  int output = -1;
  format::OpParams params = {};  ///< of the program's operator; monostate for others
};

struct GpuProgram {
  std::vector<backends::GpuTensor> tensors;
  std::vector<GpuStep> steps;
  std::vector<int> sources, sinks;  ///< tensor numbers, in the order a run binds them
  int64_t macs = 0;                 ///< of one run

  /// Adds a tensor of the caller's.
  int add_source(const backends::GpuTensor& tensor);
  /// Adds the operators of a program whose inputs are these tensors; returns its output tensors.
  Result<std::vector<int>> append(const format::Program& program, std::span<const Shape> shapes,
                                  std::span<const int> inputs);
  /// Resamples `tensor` to width x height (antialiased when shrinking); returns the result.
  int add_resample(int tensor, int width, int height, kernels::ResampleKernel kernel);
  /// Ends at the caller's f32 planes.
  void add_sink(int tensor);
  /// The same, as the only sink; with what add_sink for samples makes one dispatch.
  void add_only_sink(int tensor);
  /// Ends at a plane of samples, the only sink. The pixel shuffle and the residual sum in front of it become one
  /// dispatch with it where they are what is stored: the same bytes.
  void add_sink(int tensor, SampleType type);

 private:
  int add_step(backends::GpuOp op, std::vector<int> inputs, const format::OpParams& params = {});
  /// `tensor`, or it loaded into f32 planes where that is what `as` reads and it is samples.
  int loaded(int tensor, const backends::GpuTensor& as);
  /// The step that makes a tensor which nothing but its reader uses; null: there is none.
  const GpuStep* sole_producer(int tensor) const;
  /// The pixel shuffle of `sums`, plus `base`, as samples: together with what makes the two where that fits.
  int add_shuffled(int sums, int base, SampleType type);
  bool add_shuffled_sink(int tensor, SampleType type);
  void drop_unread();
};

/// Rows of the caller's memory behind a source or sink: those of its first plane, then those of the next one.
struct GpuRows {
  void* data = nullptr;  ///< of sources only read
  ptrdiff_t stride = 0;  ///< bytes
};

class GpuExecutor {
 public:
  static Result<std::unique_ptr<GpuExecutor>> create(GpuProgram program, const SessionOptions& options);

  const SessionStats& stats() const { return stats_; }
  /// One binding per source, then one per sink. Meanwhile the process's workers do extra(i) for i in [0, extra_tasks).
  /// Allocates nothing.
  Status run(std::span<const GpuRows> bindings, int extra_tasks = 0, const std::function<void(int)>* extra = nullptr);

 private:
  struct End {
    size_t offset;  ///< in the plan's input or output
    size_t rows, row_bytes, pitch;
  };
  GpuExecutor() = default;
  void place(const GpuProgram& program, backends::GpuPlanSpec& spec);
  static End end_of(const backends::GpuTensor& tensor, size_t& bytes);

  std::unique_ptr<backends::GpuPlan> plan_;
  std::vector<End> sources_, sinks_;
  SessionStats stats_;
  const std::function<void(int)>* extra_ = nullptr;  ///< of the running run(), read by the stored task
  std::function<void(int, int)> extra_task_;
};

}  // namespace coco::runtime
