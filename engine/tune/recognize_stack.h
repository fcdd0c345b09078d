// Purpose: from a graph back to the description of a plain 3x3 stack, for its faster training.
#pragma once

#include <optional>

#include "graph/graph.h"
#include "tune/architecture.h"

namespace coco::tune {

/// The net whose lower() is this graph, node by node and name by name: what cocopipe-tune has exported. Nothing for any
/// other graph. Constants that nobody reads, of which an import has some, are erased first.
std::optional<PlainNet> recognize_stack(graph::Graph& graph);

}  // namespace coco::tune
