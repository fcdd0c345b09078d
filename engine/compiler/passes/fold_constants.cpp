// Operators on constants alone become constants: what exporters emit around weights. The reference kernels compute
// them.
#include "compiler/fold.h"
#include "compiler/passes/passes.h"

namespace coco::compiler {

Status fold_constants(graph::Graph& graph) {
  int64_t budget = int64_t{1} << 29;  // bytes one run of the pass may make; beyond it, nodes stay
  for (graph::Node* node = graph.first(); node != nullptr;) {
    graph::Node* next = graph.next(node);
    const int64_t bytes = result_bytes(*node);
    if (!fold_node(graph, node, budget).empty()) budget -= bytes;
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
