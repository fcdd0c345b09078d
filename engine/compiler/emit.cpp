#include "compiler/emit.h"

#include <unordered_map>
#include <unordered_set>

namespace coco::compiler {
namespace {

/// Gives every output a value of its own that a node makes: outputs that are an input, a constant or another output's
/// value get an identity node.
Status separate_outputs(graph::Graph& graph, std::vector<graph::Value*>& outputs) {
  std::unordered_set<const graph::Value*> taken;
  for (const graph::Output& output : graph.outputs()) {
    graph::Value* value = output.value;
    if (value->producer() == nullptr || !taken.insert(value).second) {
      COCO_ASSIGN(graph::Node * copy, graph.append(format::UnaryParams{}, {value}, output.name));
      value = copy->output();
      taken.insert(value);
    }
    outputs.push_back(value);
  }
  return {};
}

}  // namespace

Result<format::Program> emit(graph::Graph graph, const ModelCard& card) {
  std::vector<graph::Value*> outputs;
  COCO_TRY(separate_outputs(graph, outputs));
  format::Program program;
  program.card = card;
  std::unordered_map<const graph::Value*, int32_t> numbers;
  auto number = [&](const graph::Value& value) {
    auto [it, added] = numbers.try_emplace(&value, static_cast<int32_t>(program.values.size()));
    if (added) program.values.push_back({value.name(), value.type(), value.shape(), value.constant()});
    return it->second;
  };
  for (const graph::Value* input : graph.inputs()) program.inputs.push_back(number(*input));
  for (const graph::Node& node : graph.nodes()) {
    format::Operator op{node.name(), node.params(), {}, {}};
    for (const graph::Value* input : node.inputs()) {
      op.inputs.push_back(input != nullptr ? number(*input) : format::kNoValue);
    }
    for (const graph::Value* output : node.outputs()) op.outputs.push_back(number(*output));
    program.operators.push_back(std::move(op));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    program.outputs.push_back(number(*outputs[i]));
    program.values[static_cast<size_t>(program.outputs.back())].name = graph.outputs()[i].name;
  }
  COCO_TRY(format::verify(program));
  return program;
}

}  // namespace coco::compiler
