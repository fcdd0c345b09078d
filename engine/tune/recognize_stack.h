// Purpose: from a graph back to the description of a plain 3x3 stack, for its faster training.
#pragma once

#include <optional>

#include "graph/graph.h"
#include "tune/architecture.h"

namespace coco::tune {

/// The net whose lower() is this graph, node by node and name by name: what cocopipe-tune has exported. Nothing for any
/// other graph.
std::optional<PlainNet> recognize_stack(const graph::Graph& graph);

}  // namespace coco::tune
