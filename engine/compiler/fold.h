// Purpose: computes one node whose inputs are constants.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace coco::compiler {

/// Replaces a node by constants and erases it; they are returned, one per result. Empty where an input is no constant,
/// the results have more than `most_bytes`, the node is expensive to compute, or no reference kernel takes its types.
std::vector<graph::Value*> fold_node(graph::Graph& graph, graph::Node* node, int64_t most_bytes);

/// Bytes of all results; more than any limit where they are not known.
int64_t result_bytes(const graph::Node& node);

}  // namespace coco::compiler
