// Purpose: runs a program operator by operator over whole tensors: any operator, any rank, any dependence.
// Ownership: borrows the program, which must outlive it; owns one arena, planned ahead, for everything in between.
// Threads: one run at a time; each operator is spread over the process's pool.
// Failure: an operator without a kernel is kUnsupported when planning; run never fails and never allocates.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "coco/buffer.h"
#include "coco/session.h"
#include "coco/status.h"
#include "format/program.h"

namespace coco::runtime {

/// What computes one operator. Views have the planned shapes; tasks of one operator run at the same time and write
/// disjoint bytes.
class LayerStep {
 public:
  virtual ~LayerStep() = default;
  virtual int tasks() const = 0;
  virtual void run(std::span<const TensorView> in, std::span<const MutableTensorView> out, int task,
                   int worker) noexcept = 0;
};

class LayerExecutor {
 public:
  /// `shapes`: the resolved shape of every value of the program.
  static Result<std::unique_ptr<LayerExecutor>> create(const format::Program& program, std::span<const Shape> shapes,
                                                       const SessionOptions& options);

  /// Views must have the planned types and shapes (the session checks); outputs overlap no input.
  void run(std::span<const TensorView> inputs, std::span<const MutableTensorView> outputs);

  size_t arena_bytes() const { return arena_.size(); }
  int threads() const { return threads_; }

 private:
  struct Node {
    std::vector<TensorView> in;
    std::vector<MutableTensorView> out;
    std::unique_ptr<LayerStep> step;
    std::function<void(int, int)> task;  // what the pool calls: step->run with these views
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

  std::vector<Node> nodes_;
  std::vector<InputLink> input_links_;
  std::vector<OutputLink> output_links_;
  std::vector<ReadbackLink> readback_links_;
  std::vector<Copy> copies_;
  Buffer arena_;
  int threads_ = 1;
};

}  // namespace coco::runtime
