#include "tune/recognize_stack.h"

#include "graph/text.h"
#include "tune/lower.h"

namespace coco::tune {
namespace {

std::vector<float> copy_of(const graph::Value* constant) {
  const auto values = constant->floats();
  return {values.begin(), values.end()};
}

bool is_constant(const graph::Value* value) {
  return value != nullptr && value->is_constant() && value->type() == DataType::kF32;
}

/// Appends what the node says about the stack; false when it does not belong to one.
bool read_node(const graph::Node& node, PlainNet& net) {
  switch (node.kind()) {
    case format::OpKind::kConv2d: {
      if (!is_constant(node.input(1)) || !is_constant(node.input(2))) return false;
      const Shape& shape = node.input(1)->shape();
      LayerSpec spec;
      spec.in = static_cast<int>(shape[1]);
      spec.out = static_cast<int>(shape[0]);
      net.layers.push_back({spec, copy_of(node.input(1)), copy_of(node.input(2)), {}});
      return true;
    }
    case format::OpKind::kPrelu:
      if (net.layers.empty() || !is_constant(node.input(1))) return false;
      net.layers.back().spec.activation = Activation::kPrelu;
      net.layers.back().slope = copy_of(node.input(1));
      return true;
    case format::OpKind::kDepthToSpace:
      net.architecture.scale = static_cast<int>(node.as<format::DepthToSpaceParams>()->block);
      return true;
    default:
      return true;
  }
}

}  // namespace

std::optional<PlainNet> recognize_stack(graph::Graph& graph) {
  graph.erase_unused_constants();
  PlainNet net;
  net.architecture.name = "stack";
  for (const graph::Node& node : graph.nodes()) {
    if (!read_node(node, net)) return {};
  }
  for (PlainLayer& l : net.layers) {
    if (l.spec.activation == Activation::kPrelu && l.slope.size() != static_cast<size_t>(l.spec.out)) return {};
    net.architecture.layers.push_back(l.spec);
  }
  if (net.layers.empty() || !check_architecture(net.architecture).ok() || !is_plain_stack(net.architecture)) return {};
  for (size_t i = 0; i < net.layers.size(); ++i) {
    const PlainLayer& l = net.layers[i];
    if (l.weight.size() != static_cast<size_t>(l.spec.in * l.spec.out * 9)) return {};
    if (l.bias.size() != static_cast<size_t>(l.spec.out)) return {};
  }
  const auto lowered = lower(net);
  if (!lowered.ok() || graph::print(graph, 0) != graph::print(*lowered, 0)) return {};
  return net;
}

}  // namespace coco::tune
