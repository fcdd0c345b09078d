// Purpose: the stages of a block segment, one after another over the same workers, and the memory between them.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/block_op.h"
#include "coco/buffer.h"
#include "runtime/layer_step.h"

namespace coco::runtime {

class BlockStages : public LayerStep {
 public:
  struct Stage {
    std::unique_ptr<backends::BlockOp> op;
    std::vector<size_t> in;  // tensors, or for a source the input of the step
    size_t out = 0;          // a tensor, or for a sink the output of the step
    bool source = false, sink = false;
    int number = -1;  // of its operator in the step, counted from its first; none for sources and sinks
  };

  /// Where a tensor lies: in a tensor of its own (its own number), or from a block on in a join's result.
  struct Place {
    size_t root = 0;
    int block = 0;
  };

  BlockStages(int64_t batch, int threads, bool profile) : batch_(batch), threads_(threads), profile_(profile) {}

  /// Lays the tensors out in memory of its own. `places`: one a tensor.
  Status plan(std::vector<Stage> stages, std::span<const backends::BlockTensor> tensors, std::span<const Place> places);

  void run(std::span<const TensorView> in, std::span<const MutableTensorView> out) override;
  size_t memory_bytes() const override { return arena_.size() + scratch_.size(); }
  /// A row a stage; an operator that another one does in passing has none.
  void add_profile(double ms, std::vector<OperatorProfile>& rows) const override;

 private:
  /// The tasks of a stage in a part for each worker: neighbouring layers give a worker the same rows, which its cache
  /// holds. Who is done helps the others.
  struct Progress {
    std::vector<std::atomic<int>> next;
    std::atomic<int> done{0};
    int tasks = 0;
    explicit Progress(int workers) : next(static_cast<size_t>(workers)) {}
    int part_begin(int part) const { return static_cast<int>(int64_t{tasks} * part / static_cast<int>(next.size())); }
    void reset(int count, int workers) {
      tasks = count;
      done.store(0, std::memory_order_relaxed);
      for (int part = 0; part < workers; ++part)
        next[static_cast<size_t>(part)].store(part_begin(part), std::memory_order_relaxed);
    }
  };

  /// Milliseconds of all runs, with a profile.
  struct Times {
    std::vector<double> stages;
    double waited = 0;
  };

  void work(int worker);

  std::vector<Stage> stages_;
  std::vector<std::vector<const void*>> inputs_;  // per stage
  std::vector<void*> outputs_;                    // likewise
  std::deque<Progress> progress_;                 // likewise
  std::vector<uint8_t*> tensors_;
  Buffer arena_, scratch_;
  size_t scratch_floats_ = 0;  // of a worker
  int64_t batch_;
  int threads_;
  bool profile_;
  std::vector<Times> times_;  // per worker
  std::function<void(int, int)> task_;
};

}  // namespace coco::runtime
