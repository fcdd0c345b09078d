// Purpose: runs a line program depth-first: tiles (a band of rows x a strip of columns) are spread over the process's
// workers; in a tile each operator keeps a ring of rows and a row is computed when a later operator asks for it.
// The result does not depend on the tiling: every row and column is computed by the same arithmetic wherever it is cut.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "runtime/line_plan.h"

namespace coco::runtime {

class LineExecutor {
 public:
  static Result<std::unique_ptr<LineExecutor>> create(LineProgram program, const SessionOptions& options);
  ~LineExecutor();

  const SessionStats& stats() const;
  /// One binding per source and sink, in the order they were added. `extra` as in ImageSession::run. Allocates nothing.
  void run(std::span<const backends::Binding> bindings, int extra_tasks = 0,
           const std::function<void(int)>* extra = nullptr);

  const LinePlan& plan() const;
  /// For callers that spread the work themselves: binds a frame's samples, then any worker in [0, stats().threads)
  /// computes runs of the plan's cells and strips, at most plan().joined of the latter.
  void bind(std::span<const backends::Binding> bindings);
  void run_cells(int worker, backends::Interval cells, backends::Interval strips);

  /// With SessionOptions::profile: appends a row an operator; names, MACs and step are the caller's to fill in.
  void add_profile(std::vector<OperatorProfile>& rows) const;

 private:
  struct State;
  explicit LineExecutor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The line program of a whole model: a source per input, a sink per output, f32 tensors.
Result<LineProgram> make_line_program(const format::Program& program, std::span<const Shape> shapes,
                                      const SessionOptions& options);

/// A dense f32 [1, C, H, W] tensor (or one picture of a batch) as a binding.
backends::Binding bind_tensor(const void* data, const Shape& shape, SampleType type = SampleType::kF32);

}  // namespace coco::runtime
