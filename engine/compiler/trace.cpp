#include "compiler/trace.h"

#include <set>

namespace coco::compiler {

std::vector<OperatorCount> count_operators(const graph::Graph& graph) {
  std::map<std::string, size_t> counts;
  for (const graph::Node& node : graph.nodes()) ++counts[std::string(to_string(node.kind()))];
  std::vector<OperatorCount> list;
  for (const auto& [op, count] : counts) list.push_back({op, count});
  return list;
}

GraphSnapshot::GraphSnapshot(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) nodes_.emplace(node.id(), state_of(node));
}

GraphSnapshot::State GraphSnapshot::state_of(const graph::Node& node) {
  State state{{node.name(), std::string(to_string(node.kind()))}, format::to_text(node.params()), {}};
  for (const graph::Value* input : node.inputs()) {
    if (input != nullptr) state.inputs.push_back(input->is_constant() ? input->constant().bytes.data() : nullptr);
  }
  return state;
}

PassEffect GraphSnapshot::compare(std::string_view pass, const graph::Graph& now) const {
  PassEffect effect{std::string(pass), {}, {}, {}};
  std::set<uint64_t> still;
  for (const graph::Node& node : now.nodes()) {
    still.insert(node.id());
    State state = state_of(node);
    const auto before = nodes_.find(node.id());
    if (before == nodes_.end()) {
      effect.added.push_back(std::move(state.name));
    } else if (!(before->second == state) || before->second.name.op != state.name.op) {
      effect.changed.push_back(std::move(state.name));
    }
  }
  for (const auto& [id, state] : nodes_) {
    if (!still.contains(id)) effect.removed.push_back(state.name);
  }
  return effect;
}

}  // namespace coco::compiler
