#include "tune/qat/quant_network.h"

#include <algorithm>
#include <cmath>

#include "compiler/quantize/reciprocal.h"
#include "format/verify_quant.h"
#include "tune/graph_operators.h"
#include "tune/qat/quant_chain.h"

namespace coco::tune {
namespace {

using format::DequantizeParams;
using format::QuantConv2dParams;
using format::QuantizeParams;
using torch::Tensor;

/// Steps in 1: the units of weights and biases.
constexpr double kSteps = 256;
/// Bounds of gains and ranges; training stays far within.
constexpr double kLeastFactor = 1.0 / 16, kMostFactor = 16;

Error unsupported(const graph::Node& node, const std::string& why) {
  return make_error(ErrorCode::kUnsupported, "node '" + node.name() + "' (" + std::string(to_string(node.kind())) +
                                                 ") cannot be trained: " + why);
}

/// The integer that stands for 0 in a u8 value.
int64_t zero_point(const graph::Value& value) {
  const graph::Node& node = *value.producer();
  if (const auto* p = node.as<QuantizeParams>()) return p->zero_point;
  return node.as<QuantConv2dParams>()->out_zero_point;
}

Status check_node(const graph::Node& node) {
  const bool integer = node.kind() == format::OpKind::kQuantConv2d;
  if (node.kind() == format::OpKind::kQuantize) return {};
  if (!integer && node.kind() != format::OpKind::kDequantize) return check_operator(node);
  if (node.input(0)->type() != DataType::kU8 || node.input(0)->producer() == nullptr)
    return unsupported(node, "it does not read what another node gives in u8");
  for (size_t slot = 1; slot < node.inputs().size(); ++slot) {
    const graph::Value* value = node.input(slot);
    if (value == nullptr) continue;
    if (!value->is_constant()) return unsupported(node, "its numbers are computed while it runs");
    if (integer && value->uses().size() != 1) return unsupported(node, "it shares its numbers with another node");
    if (!integer && value->shape().element_count() != 1) return unsupported(node, "it has several scales");
  }
  return {};
}

Tensor per_output(const Tensor& values) { return values.view({-1, 1, 1, 1}); }

}  // namespace

size_t QuantNetwork::add_parameter(const std::string& name, const Tensor& value) {
  parameters_.push_back({name, value.clone().set_requires_grad(true)});
  return parameters_.size() - 1;
}

Result<QuantNetwork> QuantNetwork::create(graph::Graph integer, const graph::Graph* f32,
                                          const QuantTraining& training) {
  QuantNetwork network(std::move(integer));
  COCO_ASSIGN(network.plan_, GraphPlan::create(network.graph_));
  for (const graph::Value& value : network.graph_.values()) {
    const bool number = value.type() == DataType::kF32 || value.type() == DataType::kS32;
    if (value.is_constant() && number) network.constants_[&value] = to_tensor(value);
  }
  const auto names = node_names(network.graph_);
  for (const graph::Node& node : network.graph_.nodes()) {
    COCO_TRY(check_node(node));
    if (node.kind() == format::OpKind::kQuantConv2d) {
      COCO_TRY(network.add_layer(node, names.at(&node), training));
    } else {
      network.add_f32_parameters(node, names.at(&node));
    }
  }
  if (network.layers_.empty()) {
    return make_error(ErrorCode::kUnsupported, "the network has no integer convolution to train");
  }
  if (f32 != nullptr) COCO_TRY(network.add_masks(*f32));
  network.find_chains();
  return network;
}

Status QuantNetwork::add_layer(const graph::Node& node, const std::string& name, const QuantTraining& training) {
  const auto& p = *node.as<QuantConv2dParams>();
  const graph::Value* x = node.input(0);
  Layer layer;
  layer.zero_shift = zero_point(*x) - p.in_zero_point;
  const auto before = layers_.find(x->producer());
  if (before != layers_.end()) layer.in_range = before->second.range;
  const Shape& shape = node.input(1)->shape();
  layer.pairs = find_pairs(shape[0], shape[1], p.group);
  COCO_TRY(add_scales(node, name, layer));
  if (training.learn_gains) layer.gain = add_parameter(name + ".gain", torch::ones({shape[0]}));
  const auto& uses = node.output()->uses();
  const bool steps = !p.dequantize && graph_.use_count(node.output()) == uses.size() &&
                     std::all_of(uses.begin(), uses.end(), [](const graph::Use& use) {
                       return use.node->kind() == format::OpKind::kQuantConv2d;
                     });
  if (training.learn_ranges && steps) layer.range = add_parameter(name + ".range", torch::ones({1}));
  layers_[&node] = std::move(layer);
  return {};
}

/// Units are the larger scale of a channel, so that a slope above 1, as channels turned over have, changes nothing.
Status QuantNetwork::add_scales(const graph::Node& node, const std::string& name, Layer& layer) {
  const bool real = node.as<QuantConv2dParams>()->dequantize;
  layer.scale = to_tensor(*node.input(3));
  const Tensor negative = node.input(4) != nullptr ? to_tensor(*node.input(4)) : layer.scale;
  const Tensor unit = torch::maximum(layer.scale.abs(), negative.abs());
  layer.weight_unit = unit * (real ? kSteps : 1.0);
  layer.bias_unit = unit.to(torch::kFloat64) * (real ? 1.0 : 1 / kSteps);
  layer.weight = add_parameter(name + ".weight", to_tensor(*node.input(1)) * per_output(layer.weight_unit));
  const Tensor bias = to_tensor(*node.input(2)).to(torch::kFloat64) * layer.bias_unit;
  layer.bias = add_parameter(name + ".bias", bias.to(torch::kFloat32));
  if (node.input(4) == nullptr) return {};
  std::vector<float> slopes;
  for (int64_t m = 0; m < negative.numel(); ++m) {
    const auto slope = compiler::slope_between(layer.scale[m].item<float>(), negative[m].item<float>());
    if (!slope) return unsupported(node, "the slope of channel " + std::to_string(m) + " is no f32");
    slopes.push_back(*slope);
  }
  // One slope for all is a ReLU or LeakyReLU and stays one.
  if (std::all_of(slopes.begin(), slopes.end(), [&](float s) { return s == slopes[0]; })) {
    layer.fixed_slope = torch::tensor(slopes);
  } else {
    layer.slope = add_parameter(name + ".slope", torch::tensor(slopes));
  }
  return {};
}

void QuantNetwork::add_f32_parameters(const graph::Node& node, const std::string& name) {
  for (size_t slot = 0; slot < node.inputs().size(); ++slot) {
    const std::string what = trained_number(node, slot);
    if (what.empty() || numbers_.contains(node.input(slot))) continue;
    numbers_[node.input(slot)] = add_parameter(name + "." + what, constants_.at(node.input(slot)));
  }
}

/// Quantizing keeps the convolutions in their order.
Status QuantNetwork::add_masks(const graph::Graph& f32) {
  std::vector<const graph::Node*> originals, own;
  for (const graph::Node& node : f32.nodes()) {
    if (node.kind() == format::OpKind::kConv2d) originals.push_back(&node);
  }
  for (const graph::Node& node : graph_.nodes()) {
    if (node.kind() == format::OpKind::kConv2d || node.kind() == format::OpKind::kQuantConv2d) own.push_back(&node);
  }
  const Error other = make_error(ErrorCode::kInvalidArgument, "the integer graph was not made from this f32 graph");
  if (originals.size() != own.size()) return other;
  for (size_t i = 0; i < own.size(); ++i) {
    const auto layer = layers_.find(own[i]);
    if (layer == layers_.end()) continue;
    if (own[i]->input(1)->shape() != originals[i]->input(1)->shape()) return other;
    const Tensor mask = (to_tensor(*originals[i]->input(1)) != 0).to(torch::kFloat32);
    if (mask.min().item<float>() == 0) layer->second.mask = mask;
  }
  return {};
}

QuantNetwork::Integers QuantNetwork::integers(const Layer& layer, const std::vector<NamedTensor>& deployed) const {
  const auto factor = [&](size_t number) { return deployed[number].tensor.clamp(kLeastFactor, kMostFactor); };
  Tensor weight = deployed[layer.weight].tensor;
  const auto here = [&](const Tensor& t) { return t.to(weight.device()); };
  Tensor weight_unit = here(layer.weight_unit), bias_unit = here(layer.bias_unit), scale = here(layer.scale);
  if (layer.gain != kNone) {
    const Tensor gain = factor(layer.gain);
    weight_unit = weight_unit * gain;
    bias_unit = bias_unit * gain;
    scale = scale * gain;
  }
  if (layer.in_range != kNone) {
    bias_unit = bias_unit * factor(layer.in_range);
    scale = scale * factor(layer.in_range);
  }
  if (layer.range != kNone) scale = scale / factor(layer.range);
  if (layer.mask.defined()) weight = weight * here(layer.mask);
  const WeightPairs& p = layer.pairs;
  const WeightPairs pairs = p.partner.defined() ? WeightPairs{here(p.partner), here(p.paired), here(p.first)} : p;
  Integers result{round_weights(weight / per_output(weight_unit), pairs), {}, scale, {}};
  const Tensor bias = deployed[layer.bias].tensor.to(torch::kFloat64);
  result.bias = round_through(bias / bias_unit).to(torch::kFloat32);
  const Tensor slope = layer.slope != kNone ? deployed[layer.slope].tensor : layer.fixed_slope;
  // One rounding of the exact product, as in the files.
  if (slope.defined())
    result.negative = (scale.to(torch::kFloat64) * here(slope).to(torch::kFloat64)).to(torch::kFloat32);
  return result;
}

/// 3x3, in steps of one pixel, the size kept, and `next` alone reads what `node` gives, in u8.
bool QuantNetwork::continues_chain(const graph::Node& node, const graph::Node& next) const {
  for (const graph::Node* n : {&node, &next}) {
    const auto* p = n->as<QuantConv2dParams>();
    const std::array<int64_t, 2> three{3, 3}, one{1, 1};
    const std::array<int64_t, 4> around{1, 1, 1, 1};
    if (p == nullptr || p->kernel != three || p->stride != one || p->dilation != one || p->pads != around ||
        p->group != 1 || layers_.at(n).zero_shift != 0)
      return false;
  }
  return next.input(0) == node.output() && !node.as<QuantConv2dParams>()->dequantize &&
         graph_.use_count(node.output()) == 1;
}

void QuantNetwork::find_chains() {
  std::vector<const graph::Node*> chain;
  const auto take = [&] {
    std::vector<int64_t> channels;
    for (const graph::Node* node : chain) {
      if (channels.empty()) channels.push_back(node->input(1)->shape()[1]);
      channels.push_back(node->input(1)->shape()[0]);
    }
    if (chain.size() > 1 && chain_supported(channels)) {
      for (const graph::Node* node : chain) chain_of_[node] = chains_.size();
      chains_.push_back(chain);
    }
    chain.clear();
  };
  for (const graph::Node& node : graph_.nodes()) {
    if (node.kind() != format::OpKind::kQuantConv2d) continue;
    if (!chain.empty() && !continues_chain(*chain.back(), node)) take();
    chain.push_back(&node);
  }
  take();
}

Tensor QuantNetwork::run_chain_of(const std::vector<const graph::Node*>& nodes,
                                  const std::vector<NamedTensor>& deployed, const Tensor& in) const {
  std::vector<float> bounds;
  std::vector<ChainNumbers> numbers;
  for (const graph::Node* node : nodes) {
    const auto& p = *node->as<QuantConv2dParams>();
    const auto zero = static_cast<float>(p.out_zero_point);
    bounds.push_back(p.dequantize ? -INFINITY : static_cast<float>(p.low) - zero);
    bounds.push_back(p.dequantize ? INFINITY : static_cast<float>(p.high) - zero);
    Integers own = integers(layers_.at(node), deployed);
    numbers.push_back({own.weight, own.bias, own.scale, own.negative});
  }
  return run_chain(in, torch::tensor(bounds), numbers);
}

Tensor QuantNetwork::run_integer(const graph::Node& node, const std::vector<NamedTensor>& deployed, Tensor in) const {
  const auto& p = *node.as<QuantConv2dParams>();
  const Layer& layer = layers_.at(&node);
  const Integers own = integers(layer, deployed);
  if (layer.zero_shift != 0) in = in + layer.zero_shift;
  format::Conv2dParams plain{p.kernel, p.stride, p.dilation, p.pads, p.group};
  const Tensor sums = convolve(plain, in, own.weight, own.bias);
  if (p.dequantize) return scale_sums(sums, own.scale, own.negative);
  const auto zero = static_cast<double>(p.out_zero_point);
  return requantize(sums, own.scale, own.negative, static_cast<double>(p.low) - zero,
                    static_cast<double>(p.high) - zero);
}

Tensor QuantNetwork::run_node(const graph::Node& node, const std::vector<NamedTensor>& deployed,
                              const std::vector<Tensor>& in) const {
  if (const auto chain = chain_of_.find(&node); chain != chain_of_.end() && chain_fits(in[0])) {
    // The chain's last layer computes all of it, from what the others hand on.
    const auto& nodes = chains_[chain->second];
    return &node == nodes.back() ? run_chain_of(nodes, deployed, in[0]) : in[0];
  }
  if (node.kind() == format::OpKind::kQuantConv2d) return run_integer(node, deployed, in[0]);
  if (const auto* p = node.as<QuantizeParams>()) {
    const auto zero = static_cast<double>(p->zero_point);
    return quantize(in[0], static_cast<double>(p->multiplier), -zero, 255 - zero);
  }
  if (node.kind() == format::OpKind::kDequantize) {
    const Tensor steps = in[0] + zero_point(*node.input(0));
    return (in.size() > 2 && in[2].defined() ? steps - in[2].view(-1) : steps) * in[1].view(-1);
  }
  return run_operator(node, in);
}

Tensor QuantNetwork::forward(const std::vector<NamedTensor>& deployed, const Tensor& input) const {
  const auto constant = [&](const graph::Value& value) {
    if (const auto number = numbers_.find(&value); number != numbers_.end()) return deployed[number->second].tensor;
    const auto it = constants_.find(&value);
    return it != constants_.end() ? it->second.to(input.device()) : Tensor();
  };
  return plan_.run(input, constant, [&](const graph::Node& node, const std::vector<Tensor>& in) {
    return run_node(node, deployed, in);
  });
}

/// What the compiler guarantees: exact sums, scales in range.
Status QuantNetwork::check_limits(const graph::Node& node, const Integers& own) const {
  const auto too_large = [&](const std::string& what) {
    return make_error(ErrorCode::kUnsupported,
                      what + " of '" + node.name() + "' have become too large for the engine; train at a lower rate");
  };
  const format::ConstantData weight = to_constant(own.weight, DataType::kS8);
  const auto* bytes = reinterpret_cast<const int8_t*>(weight.bytes.data());
  const auto channels = static_cast<size_t>(own.bias.numel()), count = weight.bytes.size() / channels;
  for (size_t m = 0; m < channels; ++m) {
    const float bias = own.bias[static_cast<int64_t>(m)].item<float>();
    if (!(std::abs(bias) < static_cast<float>(format::kQuantSumLimit))) return too_large("the biases");
    const int64_t largest = format::largest_sum({bytes + m * count, count}, static_cast<int32_t>(bias),
                                                node.as<QuantConv2dParams>()->in_zero_point);
    if (largest >= format::kQuantSumLimit) return too_large("the sums");
  }
  for (const Tensor& scale : {own.scale, own.negative}) {
    if (scale.defined() && !(scale.abs().max().item<float>() <= format::kQuantScaleLimit))
      return too_large("the scales");
  }
  return {};
}

Result<graph::Graph> QuantNetwork::graph(const std::vector<NamedTensor>& deployed) const {
  const torch::NoGradGuard no_grad;
  std::unordered_map<const graph::Value*, format::ConstantData> constants;
  for (const auto& [value, number] : numbers_) constants[value] = to_constant(deployed[number].tensor, DataType::kF32);
  for (const auto& [node, layer] : layers_) {
    const Integers own = integers(layer, deployed);
    COCO_TRY(check_limits(*node, own));
    constants[node->input(1)] = to_constant(own.weight, DataType::kS8);
    constants[node->input(2)] = to_constant(own.bias, DataType::kS32);
    constants[node->input(3)] = to_constant(own.scale, DataType::kF32);
    if (node->input(4) != nullptr) constants[node->input(4)] = to_constant(own.negative, DataType::kF32);
  }
  return copy_graph(graph_, constants);
}

}  // namespace coco::tune
