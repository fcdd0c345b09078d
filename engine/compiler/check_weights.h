// Purpose: weights that are no numbers are found when compiling, not in the picture.
#pragma once

#include "coco/status.h"
#include "graph/graph.h"

namespace coco::compiler {

/// Whether all elements of an f32 constant are finite; true without a value.
bool all_finite(const graph::Value* value);

/// kInvalidData where a convolution's constant weights, bias or slopes hold NaN or infinity, naming the convolution.
Status check_weights(const graph::Graph& graph);

}  // namespace coco::compiler
