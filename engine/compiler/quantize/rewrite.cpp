#include "compiler/quantize/rewrite.h"

#include <algorithm>

#include "compiler/quantize/reciprocal.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

template <typename T>
format::ConstantData data_of(const std::vector<T>& values) {
  return format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
}

/// The activation would have to be computed in f32.
bool needs_f32_activation(const Node& node) {
  const auto kind = node.as<format::Conv2dParams>()->activation;
  return node.input(3) == nullptr && kind != format::UnaryKind::kIdentity && kind != format::UnaryKind::kRelu &&
         kind != format::UnaryKind::kLeakyRelu && kind != format::UnaryKind::kClip;
}

class Writer {
 public:
  Writer(const graph::Graph& graph, Choices& choices) : graph_(graph), choices_(choices) {}

  /// False: a convolution did not fit; it is out of the choices, and the work is to be done again.
  Result<bool> write() {
    // In the order of the original's list, which does not depend on addresses.
    for (const Value& value : graph_.values()) {
      if (value.is_constant()) {
        result_.values[&value] =
            result_.graph.add_constant(value.name(), value.type(), value.shape(), value.constant());
      }
    }
    for (const Value* input : graph_.inputs()) {
      result_.values[input] = result_.graph.add_input(input->name(), input->type(), input->shape());
    }
    for (const Node& node : graph_.nodes()) {
      const auto chosen = choices_.integer.find(&node);
      if (chosen == choices_.integer.end()) {
        COCO_TRY(copy(node));
        continue;
      }
      COCO_ASSIGN(const bool fits, add_integer(node, chosen->second));
      if (!fits) return false;
    }
    for (const graph::Output& output : graph_.outputs()) {
      result_.graph.add_output(output.name, result_.values.at(output.value));
    }
    result_.graph.erase_unused_constants();
    return true;
  }

  Rewritten take() { return std::move(result_); }
  const std::string& reason() const { return reason_; }
  const Node* refused() const { return refused_; }

 private:
  Status copy(const Node& node) {
    std::vector<Value*> inputs;
    for (const Value* input : node.inputs()) inputs.push_back(input != nullptr ? result_.values.at(input) : nullptr);
    COCO_ASSIGN(Node * made, result_.graph.append(node.params(), inputs, node.name(), node.output()->name()));
    for (size_t i = 0; i < node.outputs().size(); ++i) result_.values[node.outputs()[i]] = made->outputs()[i];
    if (node.kind() == format::OpKind::kConv2d) result_.nodes[&node] = made;
    return {};
  }

  /// The value in u8: as its integer producer leaves it, or through a Quantize that all readers share.
  Result<Value*> steps_of(const Value* value) {
    Value* present = result_.values.at(value);
    if (present->type() == DataType::kU8) return present;
    Value*& quantized = quantized_[value];
    if (quantized == nullptr) {
      const ActivationScale& scale = choices_.scales.at(value);
      const format::QuantizeParams params{multiplier_of_step(static_cast<float>(scale.step)), scale.zero_point};
      COCO_ASSIGN(Node * node, result_.graph.append(params, {present}, value->name() + ".u8"));
      quantized = node->output();
    }
    return quantized;
  }

  Result<bool> add_integer(const Node& node, const LayerChoice& choice) {
    ActivationScale in = choices_.scales.at(node.input(0));
    if (!is_steps(graph_, node.input(0), choices_)) in.factors.clear();
    const bool steps = is_steps(graph_, node.output(), choices_);
    auto made = integer_layer(node, in, steps ? &choices_.scales.at(node.output()) : nullptr, choice);
    if (!made.ok()) {
      reason_ = made.error().message;
      refused_ = &node;
      return false;
    }
    IntegerLayer layer = std::move(made).value();
    graph::Graph& graph = result_.graph;
    const Shape channels{node.input(1)->shape()[0]};
    const std::string& name = node.name();
    COCO_ASSIGN(Value * x, steps_of(node.input(0)));
    std::vector<Value*> inputs{
        x, graph.add_constant(name + ".w8", DataType::kS8, node.input(1)->shape(), data_of(layer.weight)),
        graph.add_constant(name + ".b32", DataType::kS32, channels, data_of(layer.bias)),
        graph.add_constant(name + ".scale", DataType::kF32, channels, data_of(layer.scale))};
    if (!layer.negative.empty()) {
      inputs.push_back(graph.add_constant(name + ".negative", DataType::kF32, channels, data_of(layer.negative)));
    }
    const std::string& result = node.output()->name();
    COCO_ASSIGN(Node * conv, graph.append(layer.params, inputs, name, layer.activation ? "" : result));
    result_.nodes[&node] = conv;
    result_.sum_units[&node] = std::move(layer.sum_unit);
    Value* out = conv->output();
    if (layer.activation) {
      COCO_ASSIGN(Node * unary, graph.append(*layer.activation, {out}, name + ".activation", result));
      out = unary->output();
    }
    result_.values[node.output()] = out;
    return true;
  }

  const graph::Graph& graph_;
  Choices& choices_;
  Rewritten result_;
  std::unordered_map<const Value*, Value*> quantized_;
  std::string reason_;
  const Node* refused_ = nullptr;
};

}  // namespace

bool is_steps(const graph::Graph& graph, const Value* value, const Choices& choices) {
  const Node* producer = value->producer();
  if (producer == nullptr || !choices.integer.contains(producer) || needs_f32_activation(*producer)) return false;
  const auto reads_steps = [&](const graph::Use& use) { return use.slot == 0 && choices.integer.contains(use.node); };
  return !value->uses().empty() && graph.use_count(value) == value->uses().size() &&
         std::all_of(value->uses().begin(), value->uses().end(), reads_steps);
}

Result<Rewritten> rewrite(const graph::Graph& graph, Choices& choices) {
  std::map<std::string, std::string> refused;
  while (true) {
    Writer writer(graph, choices);
    COCO_ASSIGN(const bool done, writer.write());
    if (done) {
      Rewritten result = writer.take();
      result.refused = std::move(refused);
      return result;
    }
    refused[writer.refused()->name()] = writer.reason();
    choices.integer.erase(writer.refused());
  }
}

}  // namespace coco::compiler
