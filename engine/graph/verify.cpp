#include <set>
#include <unordered_set>
#include <utility>

#include "graph/graph.h"

namespace coco::graph {
namespace {

Error broken(const std::string& what) { return make_error(ErrorCode::kInternal, "graph verifier: " + what); }

Status verify_value(const Value& value, bool is_input) {
  const int sources = (value.producer() != nullptr ? 1 : 0) + (is_input ? 1 : 0) + (value.is_constant() ? 1 : 0);
  if (sources != 1) return broken("value '" + value.name() + "' has " + std::to_string(sources) + " definitions");
  if (value.is_constant()) {
    const auto count = value.shape().element_count();
    if (!count || static_cast<size_t>(*count) * byte_size(value.type()) != value.constant().bytes.size()) {
      return broken("constant '" + value.name() + "' does not hold " + value.shape().to_string() + " elements");
    }
  }
  std::set<std::pair<const Node*, size_t>> seen;
  for (const Use& use : value.uses()) {
    if (use.node->input(use.slot) != &value || !seen.insert({use.node, use.slot}).second) {
      return broken("use list of '" + value.name() + "' is stale");
    }
  }
  return {};
}

Status verify_node(const Node& node, const std::unordered_set<const Value*>& defined) {
  std::vector<std::optional<Shape>> shapes;
  std::vector<std::optional<DataType>> types;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    const Value* input = node.inputs()[i];
    shapes.push_back(input != nullptr ? std::optional<Shape>(input->shape()) : std::nullopt);
    types.push_back(input != nullptr ? std::optional<DataType>(input->type()) : std::nullopt);
    if (input == nullptr) continue;
    if (!defined.contains(input)) {
      return broken("node '" + node.name() + "' reads '" + input->name() + "' before it is made");
    }
  }
  auto made = format::infer_types(node.params(), types);
  if (!made.ok()) return broken("node '" + node.name() + "': " + made.error().message);
  auto inferred = format::infer_shapes(node.params(), shapes);
  if (!inferred.ok()) return broken("node '" + node.name() + "': " + inferred.error().message);
  if (inferred->size() != node.outputs().size()) return broken("node '" + node.name() + "' has a wrong result count");
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    const Value* output = node.outputs()[i];
    if (output->producer() != &node) return broken("result '" + output->name() + "' has another producer");
    if (output->shape() != (*inferred)[i]) {
      return broken("result '" + output->name() + "' has shape " + output->shape().to_string() + ", inference says " +
                    (*inferred)[i].to_string());
    }
    if (output->type() != (*made)[i]) {
      return broken("result '" + output->name() + "' has another type than its node makes");
    }
  }
  return {};
}

}  // namespace

Status verify(const Graph& graph) {
  const std::unordered_set<const Value*> inputs(graph.inputs().begin(), graph.inputs().end());
  std::unordered_set<const Value*> owned, defined;
  size_t recorded = 0, actual = 0;
  for (const Value& value : graph.values()) {
    owned.insert(&value);
    if (value.producer() == nullptr) defined.insert(&value);
    recorded += value.uses().size();
    COCO_TRY(verify_value(value, inputs.contains(&value)));
  }
  for (const Node& node : graph.nodes()) {
    for (const Value* input : node.inputs()) {
      if (input == nullptr) continue;
      if (!owned.contains(input)) return broken("node '" + node.name() + "' reads a foreign value");
      ++actual;
    }
    COCO_TRY(verify_node(node, defined));
    for (const Value* output : node.outputs()) {
      if (!defined.insert(output).second) return broken("value '" + output->name() + "' is made twice");
    }
  }
  // Every recorded use is real and recorded once, so equal counts mean that none is missing.
  if (recorded != actual) return broken("use lists miss a reader");
  for (const Output& output : graph.outputs()) {
    if (output.value == nullptr || !defined.contains(output.value)) {
      return broken("graph output '" + output.name + "' is never made");
    }
  }
  return {};
}

}  // namespace coco::graph
