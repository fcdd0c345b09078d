// Purpose: brings an optimised f32 graph into the form that integers are chosen for.
#pragma once

#include "graph/graph.h"

namespace coco::compiler {

/// A convolution's activation that an integer one cannot take: neither sign by sign nor by bounds.
bool needs_f32_activation(const graph::Node& node);

/// A copy in which such activations stand behind their convolutions, means over whole pictures are depthwise
/// convolutions of equal weights, and products with constant matrices are 1x1 convolutions.
Result<graph::Graph> prepare_for_integers(const graph::Graph& graph);

}  // namespace coco::compiler
