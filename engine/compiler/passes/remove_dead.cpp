// Removes nodes whose results nobody reads, then constants nobody reads.
#include <algorithm>
#include <unordered_set>

#include "compiler/passes/passes.h"

namespace coco::compiler {

Status remove_dead(graph::Graph& graph) {
  std::unordered_set<const graph::Value*> live;
  for (const graph::Output& output : graph.outputs()) live.insert(output.value);
  std::vector<graph::Node*> order;
  for (graph::Node* node = graph.first(); node != nullptr; node = graph.next(node)) order.push_back(node);
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    const auto& outputs = (*it)->outputs();
    const bool needed = std::any_of(outputs.begin(), outputs.end(), [&](auto* v) { return live.contains(v); });
    if (!needed) {
      graph.erase(*it);
      continue;
    }
    live.insert((*it)->inputs().begin(), (*it)->inputs().end());
  }
  graph.erase_unused_constants();
  return {};
}

}  // namespace coco::compiler
