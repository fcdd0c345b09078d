// Purpose: from a network's description and numbers to the compiler's graph.
#pragma once

#include "coco/status.h"
#include "graph/graph.h"
#include "tune/architecture.h"

namespace coco::tune {

/// Input `luma` [1, 1, ?, ?] in 0..1, output `upscaled`.
Result<graph::Graph> lower(const PlainNet& net);

}  // namespace coco::tune
