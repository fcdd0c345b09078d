// Per-channel Mul, Div, Add, Sub by constants after a convolution (a batch normalisation among them) go into its
// weights and bias: (w * x + b) * m + a = (w * m) * x + (b * m + a).
#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using graph::Node;
using graph::Value;

/// y = x * multiply + add, per channel.
struct Affine {
  std::vector<double> multiply, add;
};

/// The constant's value per channel: one element, [C,1,1] or [1,C,1,1].
std::optional<std::vector<double>> per_channel(const Value* value, int64_t channels) {
  if (!value->is_constant() || value->type() != DataType::kF32) return std::nullopt;
  std::span<const float> data = value->floats();
  if (data.size() == 1 && value->shape().rank() <= 4) {
    return std::vector<double>(static_cast<size_t>(channels), data[0]);
  }
  const Shape& s = value->shape();
  if (s != Shape{channels, 1, 1} && s != Shape{1, channels, 1, 1}) return std::nullopt;
  return std::vector<double>(data.begin(), data.end());
}

/// The binary node as an affine function of the operand `conv_slot`, when it is one.
std::optional<Affine> as_affine(const Node* node, size_t conv_slot, int64_t channels) {
  const auto other = per_channel(node->input(1 - conv_slot), channels);
  if (!other) return std::nullopt;
  const auto count = static_cast<size_t>(channels);
  Affine affine{std::vector<double>(count, 1.0), std::vector<double>(count, 0.0)};
  const BinaryKind kind = node->as<format::BinaryParams>()->kind;
  const bool conv_first = conv_slot == 0;
  for (size_t c = 0; c < count; ++c) {
    const double v = (*other)[c];
    switch (kind) {
      case BinaryKind::kAdd:
        affine.add[c] = v;
        break;
      case BinaryKind::kSub:
        affine.multiply[c] = conv_first ? 1.0 : -1.0;
        affine.add[c] = conv_first ? -v : v;
        break;
      case BinaryKind::kMul:
        affine.multiply[c] = v;
        break;
      case BinaryKind::kDiv:
        if (!conv_first || v == 0) return std::nullopt;
        affine.multiply[c] = 1.0 / v;
        break;
      default:
        return std::nullopt;
    }
  }
  return affine;
}

/// A convolution (transposed or not) that only `reader` reads, with constant weights and no epilogue yet.
bool is_open_conv(const graph::Graph& graph, const Node* conv) {
  if (conv == nullptr || graph.use_count(conv->output()) != 1) return false;
  if (const auto* p = conv->as<format::Conv2dParams>()) {
    if (p->activation != format::UnaryKind::kIdentity || conv->input(3) != nullptr) return false;
  } else if (conv->kind() != format::OpKind::kConvTranspose2d) {
    return false;
  }
  const Value* bias = conv->input(2);
  return conv->input(1)->is_constant() && (bias == nullptr || bias->is_constant()) && conv->output()->shape()[1] > 0;
}

/// The output channel that weight element `i` belongs to.
size_t output_channel(const Node* conv, const Shape& weight, size_t i) {
  const auto area = static_cast<size_t>(weight[2] * weight[3]);
  const auto inner = static_cast<size_t>(weight[1]);
  if (conv->kind() == format::OpKind::kConv2d) return i / (inner * area);
  // [C, M / group, kh, kw]: the group follows from the input channel.
  const auto group = static_cast<size_t>(conv->as<format::ConvTranspose2dParams>()->group);
  const size_t inputs_per_group = static_cast<size_t>(weight[0]) / group;
  return i / (inner * area) / inputs_per_group * inner + i / area % inner;
}

Status fold(graph::Graph& graph, Node* conv, const Affine& affine) {
  const Value* weight = conv->input(1);
  std::span<const float> old = weight->floats();
  std::vector<float> weights(old.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<float>(old[i] * affine.multiply[output_channel(conv, weight->shape(), i)]);
  }
  std::vector<float> biases(affine.add.size());
  for (size_t c = 0; c < biases.size(); ++c) {
    const double bias = conv->input(2) != nullptr ? conv->input(2)->floats()[c] : 0.0;
    biases[c] = static_cast<float>(bias * affine.multiply[c] + affine.add[c]);
  }
  std::vector<Value*> inputs = conv->inputs();
  inputs.resize(3, nullptr);
  inputs[1] = graph.add_constant(weight->name() + ".folded", weight->shape(), weights);
  inputs[2] = graph.add_constant(conv->name() + ".bias", Shape{static_cast<int64_t>(biases.size())}, biases);
  return graph.rewrite(conv, conv->params(), std::move(inputs));
}

}  // namespace

Status fold_affine(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    for (size_t slot = 0; slot < 2 && node->kind() == format::OpKind::kBinary; ++slot) {
      Node* conv = node->input(slot)->producer();
      if (!is_open_conv(graph, conv) || node->output()->shape() != conv->output()->shape()) continue;
      const auto affine = as_affine(node, slot, conv->output()->shape()[1]);
      if (!affine) continue;
      COCO_TRY(fold(graph, conv, *affine));
      graph.replace_all_uses(node->output(), conv->output());
      graph.erase(node);
      break;
    }
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
