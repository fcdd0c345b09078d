#include "tune/graph_network.h"

#include "tune/graph_operators.h"

namespace coco::tune {
void GraphNetwork::add_parameter(const graph::Value* constant, const std::string& name) {
  if (!numbers_.try_emplace(constant, parameters_.size()).second) return;
  parameters_.push_back({name, constants_.at(constant).clone().set_requires_grad(true)});
}

Result<GraphNetwork> GraphNetwork::create(graph::Graph graph) {
  GraphNetwork network(std::move(graph));
  COCO_ASSIGN(network.plan_, GraphPlan::create(network.graph_));
  for (const graph::Node& node : network.graph_.nodes()) COCO_TRY(check_operator(node));
  for (const graph::Value& value : network.graph_.values()) {
    if (value.is_constant() && value.type() == DataType::kF32) network.constants_[&value] = to_tensor(value);
  }
  const auto names = node_names(network.graph_);
  for (const graph::Node& node : network.graph_.nodes()) {
    for (size_t slot = 0; slot < node.inputs().size(); ++slot) {
      const std::string what = trained_number(node, slot);
      if (!what.empty()) network.add_parameter(node.input(slot), names.at(&node) + "." + what);
    }
  }
  if (network.parameters_.empty()) {
    return make_error(ErrorCode::kUnsupported,
                      "the network has no convolution and no PReLU with constant numbers: "
                      "there is nothing to train");
  }
  return network;
}

torch::Tensor GraphNetwork::forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const {
  const auto constant = [&](const graph::Value& value) {
    const auto number = numbers_.find(&value);
    return number != numbers_.end() ? deployed[number->second].tensor : constants_.at(&value).to(input.device());
  };
  return plan_.run(input, constant, run_operator);
}

Result<graph::Graph> GraphNetwork::graph(const std::vector<NamedTensor>& deployed) const {
  std::unordered_map<const graph::Value*, format::ConstantData> constants;
  for (const auto& [value, number] : numbers_) constants[value] = to_constant(deployed[number].tensor, DataType::kF32);
  return copy_graph(graph_, constants);
}

Status check_input(const Trainable& network, const std::vector<int64_t>& shape) {
  const torch::NoGradGuard no_grad;
  try {
    network.forward(network.deployed(), torch::zeros(shape));
  } catch (const std::exception& e) {
    const std::string text = e.what();
    return make_error(
        ErrorCode::kInvalidArgument,
        "the network cannot compute pictures of " + Shape(shape).to_string() + ": " + text.substr(0, text.find('\n')));
  }
  return {};
}

}  // namespace coco::tune
