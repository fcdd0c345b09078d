#include "compiler/quantize/rewrite.h"

#include <algorithm>

#include "compiler/quantize/prepare.h"
#include "compiler/quantize/reciprocal.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

template <typename T>
format::ConstantData data_of(const std::vector<T>& values) {
  return format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
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
      if (choices_.carriers.contains(&node)) {
        COCO_TRY(add_carrier(node));
        continue;
      }
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

  Status add_carrier(const Node& node) {
    if (result_.values.contains(node.output())) return {};  // part of the operator before
    std::vector<Value*> inputs;
    for (const Value* input : carrier_inputs(node)) {
      COCO_ASSIGN(inputs.emplace_back(), steps_of(input));
    }
    const auto scale = [&](const Value* value) -> const ActivationScale& { return choices_.scales.at(value); };
    format::OpParams params = node.params();
    switch (carrier_kind(node)) {
      case CarrierKind::kFunction: {
        const ActivationScale& out = scale(node.output());
        const std::vector<uint8_t> table = table_of(node, scale(carrier_inputs(node)[0]), out);
        inputs.push_back(result_.graph.add_constant(node.name() + ".table", DataType::kU8, Shape{256}, data_of(table)));
        return add_steps(node, format::LookupParams{out.zero_point}, std::move(inputs), node.output());
      }
      case CarrierKind::kSum:
      case CarrierKind::kProduct: {
        const Node* bounds = bounding_reader(graph_, node);
        if (bounds != nullptr && !choices_.carriers.contains(bounds)) bounds = nullptr;
        const Value* result = bounds != nullptr ? bounds->output() : node.output();
        const ActivationScale *a = &scale(node.input(0)), *b = &scale(node.input(1));
        // Kernels take the one that stands for a whole channel second.
        if (node.input(0)->shape() != node.output()->shape()) std::swap(a, b), std::swap(inputs[0], inputs[1]);
        return add_steps(node, binary_of(node, *a, *b, scale(result), bounds), std::move(inputs), result);
      }
      default:
        if (auto* pad = std::get_if<format::PadParams>(&params))
          pad->value = static_cast<float>(scale(node.output()).zero_point);
        return add_steps(node, std::move(params), std::move(inputs), node.output());
    }
  }

  Status add_steps(const Node& node, format::OpParams params, std::vector<Value*> inputs, const Value* result) {
    COCO_ASSIGN(Node * made, result_.graph.append(std::move(params), std::move(inputs), node.name(), result->name()));
    result_.values[result] = made->output();
    if (result == node.output() && carrier_kind(node) != CarrierKind::kKeeps) result_.nodes[&node] = made;
    return {};
  }

  Result<bool> add_integer(const Node& node, const LayerChoice& choice) {
    ActivationScale in = choices_.scales.at(node.input(0));
    if (!is_between_convs(graph_, node.input(0), choices_)) in.factors.clear();
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
  if (producer == nullptr) return false;
  const bool made =
      choices.carriers.contains(producer) || (choices.integer.contains(producer) && !needs_f32_activation(*producer));
  const auto reads_steps = [&](const graph::Use& use) {
    if (choices.carriers.contains(use.node)) return true;
    return use.slot == 0 && choices.integer.contains(use.node);
  };
  return made && !value->uses().empty() && graph.use_count(value) == value->uses().size() &&
         std::all_of(value->uses().begin(), value->uses().end(), reads_steps);
}

bool is_between_convs(const graph::Graph& graph, const Value* value, const Choices& choices) {
  const auto is_conv = [&](const Node* node) { return choices.integer.contains(node); };
  return is_steps(graph, value, choices) && is_conv(value->producer()) &&
         std::all_of(value->uses().begin(), value->uses().end(), [&](const auto& use) { return is_conv(use.node); });
}

NodeSet convs_of(const Choices& choices) {
  NodeSet convs;
  for (const auto& [node, choice] : choices.integer) convs.insert(node);
  return convs;
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
    if (!choices.carriers.empty()) choices.carriers = useful_carriers(graph, convs_of(choices));
  }
}

}  // namespace coco::compiler
