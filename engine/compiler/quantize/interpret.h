// Purpose: runs a graph on tensors at compile time, with the reference kernels.
// Integer convolutions are summed in f32 over integers, which is exact below 2^24 and so gives the reference's bytes.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "coco/compile.h"
#include "coco/status.h"
#include "graph/graph.h"

namespace coco::compiler {

/// Both may be empty. Views are valid during the call.
struct Observer {
  /// Inputs and results, as they come to exist.
  std::function<void(const graph::Value&, const TensorView&)> value;
  /// A convolution's f32 sums with bias, before the activation; for QuantConv2d the integers.
  std::function<void(const graph::Node&, const TensorView&)> sums;
};

/// The graph's outputs for one tensor per graph input; all must be f32.
Result<std::vector<FloatTensor>> interpret(const graph::Graph& graph, std::span<const FloatTensor> inputs,
                                           const Observer& observer = {});

}  // namespace coco::compiler
