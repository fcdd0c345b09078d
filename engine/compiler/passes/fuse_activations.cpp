// A pointwise function or PReLU that is the only reader of a convolution becomes the convolution's epilogue.
#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

/// The slope as [channels]: one slope for all, or one per channel ([C], [C,1,1], [1,C,1,1] with a 4-D input).
Value* channel_slope(graph::Graph& graph, const Value* slope, int64_t channels, const std::string& name) {
  if (!slope->is_constant() || slope->type() != DataType::kF32) return nullptr;
  std::span<const float> data = slope->floats();
  if (data.size() == 1) {
    const std::vector<float> all(static_cast<size_t>(channels), data[0]);
    return graph.add_constant(name, Shape{channels}, all);
  }
  const Shape& s = slope->shape();
  const bool per_channel = s == Shape{channels, 1, 1} || s == Shape{1, channels, 1, 1};
  return per_channel ? graph.add_constant(name, Shape{channels}, data) : nullptr;
}

/// The convolution that makes the node's input, when it can take an epilogue.
Node* open_conv(const graph::Graph& graph, const Node* node) {
  Value* x = node->input(0);
  Node* producer = x->producer();
  const auto* conv = producer != nullptr ? producer->as<format::Conv2dParams>() : nullptr;
  if (conv == nullptr || graph.use_count(x) != 1) return nullptr;
  if (conv->activation != format::UnaryKind::kIdentity || producer->input(3) != nullptr) return nullptr;
  return producer;
}

Status fuse(graph::Graph& graph, Node* node, Node* conv, bool& fused) {
  format::Conv2dParams params = *conv->as<format::Conv2dParams>();
  std::vector<Value*> inputs = conv->inputs();
  inputs.resize(4, nullptr);
  if (const auto* unary = node->as<format::UnaryParams>()) {
    params.activation = unary->kind;
    params.act_a = unary->a;
    params.act_b = unary->b;
  } else {
    const int64_t channels = conv->output()->shape()[1];
    if (channels < 1) return {};
    inputs[3] = channel_slope(graph, node->input(1), channels, node->name() + ".slope");
    if (inputs[3] == nullptr) return {};
  }
  while (inputs.back() == nullptr) inputs.pop_back();
  COCO_TRY(graph.rewrite(conv, params, std::move(inputs)));
  fused = true;
  return {};
}

}  // namespace

Status fuse_activations(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    const bool pointwise = node->kind() == format::OpKind::kUnary || node->kind() == format::OpKind::kPrelu;
    Node* conv = pointwise && node->output()->type() == DataType::kF32 ? open_conv(graph, node) : nullptr;
    if (conv != nullptr) {
      bool fused = false;
      COCO_TRY(fuse(graph, node, conv, fused));
      if (fused) {
        graph.replace_all_uses(node->output(), conv->output());
        graph.erase(node);
      }
    }
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
