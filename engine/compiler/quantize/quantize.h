// Purpose: post-training quantization: convolutions of an optimised f32 graph become integer (docs/numerics.md).
#pragma once

#include "coco/compile.h"
#include "graph/graph.h"

namespace coco::compiler {

/// The graph with its convolutions in integers as `precision` asks (kInt8 or kAuto). kUnsupported when kInt8 loses more
/// than allowed or no convolution can be integer; kInvalidData for weights and activations that are no numbers;
/// kInvalidArgument for samples that do not fit the model, or none.
Result<graph::Graph> quantize(const graph::Graph& graph, Precision precision, const QuantizeOptions& options,
                              QuantizeReport& report);

}  // namespace coco::compiler
