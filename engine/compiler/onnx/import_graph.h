// Purpose: imports the nodes of a graph inside a graph.
#pragma once

#include "compiler/onnx/node_context.h"

namespace coco::compiler {

/// Imports initialisers and nodes; names of the outer graph are seen, and names defined before are replaced. The error
/// names the node. Nesting and the number of all nodes are bounded.
Status import_subgraph(ImportState& state, const onnx::GraphProto& graph);

}  // namespace coco::compiler
