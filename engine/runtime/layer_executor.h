// Purpose: runs a program step by step over whole tensors: any operator, any rank, any dependence. Operators in a row
// that work row by row make one step, run by the line executor; every other operator is a step with a dense kernel.
// Ownership: borrows the program, which must outlive it; owns one arena, planned ahead, for everything in between.
// Threads: one run at a time; each step is spread over the process's pool.
// Failure: an operator without a kernel is kUnsupported when planning; run never fails and never allocates.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "coco/buffer.h"
#include "coco/session.h"
#include "coco/status.h"
#include "format/program.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

class LayerExecutor {
 public:
  /// `shapes`: the resolved shape of every value of the program.
  static Result<std::unique_ptr<LayerExecutor>> create(const format::Program& program, std::span<const Shape> shapes,
                                                       const SessionOptions& options);

  /// Views must have the planned types and shapes (the session checks); outputs overlap no input.
  void run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs);

  /// The arena and what the steps hold for themselves.
  size_t memory_bytes() const;
  size_t arena_bytes() const { return arena_.size(); }
  size_t steps() const { return nodes_.size(); }
  int threads() const { return threads_; }
  /// With SessionOptions::profile: appends a row an operator; names and MACs are the caller's to fill in.
  void add_profile(std::vector<OperatorProfile>& rows) const;

 private:
  struct Node {
    std::vector<TensorView> in;
    std::vector<MutableTensorView> out;
    std::unique_ptr<LayerStep> step;
    int first = 0;  // operator of the program
    double ms = 0;  // of all runs, with a profile
  };
  // A view's pointer that follows the caller's input or output of a run.
  struct InputLink {
    const void** pointer;
    size_t input;
  };
  struct OutputLink {
    void** pointer;
    size_t output;
  };
  struct ReadbackLink {
    const void** pointer;
    size_t output;
  };
  // An output that no operator writes: it repeats a constant, an input or an earlier output.
  struct Copy {
    const void* constant;
    int input;
    int earlier_output;
    size_t output;
    size_t bytes;
  };
  struct Planner;

  LayerExecutor() = default;
  void run_steps();

  std::vector<Node> nodes_;
  std::vector<InputLink> input_links_;
  std::vector<OutputLink> output_links_;
  std::vector<ReadbackLink> readback_links_;
  std::vector<Copy> copies_;
  Buffer arena_;
  int threads_ = 1;
  bool profile_ = false;
};

}  // namespace coco::runtime
