// Purpose: a step of the layer executor: what computes one or several operators over whole tensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coco/session.h"
#include "coco/tensor.h"

namespace coco::runtime {

/// Views have the planned shapes and stay at the same address from run to run. A step spreads itself over the process's
/// pool, allocates nothing when run and cannot fail.
class LayerStep {
 public:
  virtual ~LayerStep() = default;
  virtual void run(std::span<const TensorView> in, std::span<const MutableTensorView> out) = 0;
  /// Working memory the step holds for itself.
  virtual size_t memory_bytes() const { return 0; }
  /// With SessionOptions::profile: appends a row an operator. `ms` is what the step took in all runs; operators are
  /// counted from the step's first; the caller fills in the rest. By default one row stands for the whole step.
  virtual void add_profile(double ms, std::vector<OperatorProfile>& rows) const {
    rows.emplace_back().index = 0;
    rows.back().ms = ms;
  }
};

/// The step that computes operators [begin, end) of the program. Values are numbers of the program; an absent input is
/// format::kNoValue. Results that only these operators read are not listed.
struct LayerStepSpec {
  size_t begin = 0, end = 0;
  std::vector<int32_t> inputs, outputs;
  std::unique_ptr<LayerStep> step;
};

}  // namespace coco::runtime
