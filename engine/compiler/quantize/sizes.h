// Purpose: what a convolution's weights take in memory, in f32 and in the forms an integer layer may have.
#pragma once

#include "coco/compile.h"
#include "graph/graph.h"

namespace coco::compiler {

/// Fills bytes_f32 and, when there is an integer form (`integer`, a QuantConv2d; may be null), the other two.
void set_sizes(const graph::Node& f32, const graph::Node* integer, QuantizedLayer& layer);

}  // namespace coco::compiler
