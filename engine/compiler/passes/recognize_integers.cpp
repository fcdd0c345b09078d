// DequantizeLinear, Conv, an activation, QuantizeLinear, as quantized ONNX models have them, become Quantize and
// QuantConv2d. Convolutions whose sums or scales are too large for exact integers stay as they are, in f32.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "compiler/passes/passes.h"
#include "compiler/quantize/reciprocal.h"
#include "format/verify_quant.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

/// How far a bias' scale may lie from the product it should be, as a part of it.
constexpr double kSameScale = 1e-6;

template <typename T>
std::span<const T> elements(const Value* value) {
  const auto bytes = value->constant().bytes;
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <typename T>
format::ConstantData data_of(const std::vector<T>& values) {
  return format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
}

Node* producer_of_kind(const Value* value, format::OpKind kind) {
  Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->kind() == kind ? node : nullptr;
}

/// The only reader of the node's result, when it reads it as its first input.
Node* sole_reader(const graph::Graph& graph, const Node* node) {
  const Value* value = node->output();
  if (graph.use_count(value) != 1 || value->uses().size() != 1 || value->uses()[0].slot != 0) return nullptr;
  return value->uses()[0].node;
}

bool is_unary(const Node* node, std::initializer_list<format::UnaryKind> kinds) {
  const auto* p = node != nullptr ? node->as<format::UnaryParams>() : nullptr;
  return p != nullptr && std::find(kinds.begin(), kinds.end(), p->kind) != kinds.end();
}

/// The divisor of a Binary that divides by one constant above 0.
std::optional<float> constant_divisor(const Node* node) {
  const auto* p = node != nullptr ? node->as<format::BinaryParams>() : nullptr;
  if (p == nullptr || p->kind != format::BinaryKind::kDiv) return std::nullopt;
  const Value* divisor = node->input(1);
  if (!divisor->is_constant() || divisor->type() != DataType::kF32 || divisor->floats().size() != 1 ||
      divisor->shape().rank() > node->input(0)->shape().rank() || !std::isnormal(divisor->floats()[0]) ||
      divisor->floats()[0] < 0)
    return std::nullopt;
  return divisor->floats()[0];
}

/// A Dequantize with constant scales and zero points, of x of that type.
struct Steps {
  Value* x = nullptr;
  std::span<const float> scale;
  int64_t axis = 0;
  int32_t zero = 0;
};

std::optional<Steps> steps_of(const Value* value, DataType type) {
  const Node* node = producer_of_kind(value, format::OpKind::kDequantize);
  if (node == nullptr || node->input(0)->type() != type || !node->input(1)->is_constant()) return std::nullopt;
  Steps steps{node->input(0), node->input(1)->floats(), node->as<format::DequantizeParams>()->axis, 0};
  if (const Value* zeros = node->input(2); zeros != nullptr) {
    if (!zeros->is_constant()) return std::nullopt;
    const auto list = elements<int32_t>(zeros);
    if (list.empty() || !std::equal(list.begin() + 1, list.end(), list.begin())) return std::nullopt;
    steps.zero = list[0];
  }
  const auto good = [](float s) { return std::isnormal(s) && s > 0; };
  if (steps.scale.empty() || !std::all_of(steps.scale.begin(), steps.scale.end(), good)) return std::nullopt;
  return steps;
}

/// What follows a convolution up to its Quantize; absent parts are null.
struct Tail {
  Node *activation = nullptr, *clip = nullptr, *divide = nullptr, *quantize = nullptr;
};

Tail tail_of(const graph::Graph& graph, const Node* conv, int64_t channels) {
  Tail tail;
  Node* next = sole_reader(graph, conv);
  if (is_unary(next, {format::UnaryKind::kRelu, format::UnaryKind::kLeakyRelu})) {
    tail.activation = next;
  } else if (next != nullptr && next->kind() == format::OpKind::kPrelu) {
    const Value* slope = next->input(1);
    const Shape& s = slope->shape();
    const bool per_channel = s == Shape{channels, 1, 1} || s == Shape{1, channels, 1, 1};
    if (slope->is_constant() && s.rank() <= 4 && (per_channel || slope->floats().size() == 1)) tail.activation = next;
  }
  if (tail.activation != nullptr) next = sole_reader(graph, next);
  if (is_unary(next, {format::UnaryKind::kClip})) {
    tail.clip = next;
    next = sole_reader(graph, next);
  }
  if (constant_divisor(next)) tail.divide = next;
  Node* quantize = tail.divide != nullptr ? sole_reader(graph, tail.divide) : nullptr;
  const auto* p = quantize != nullptr ? quantize->as<format::QuantizeParams>() : nullptr;
  if (p != nullptr && p->multiplier == 1) {
    tail.quantize = quantize;
  } else {
    tail.clip = tail.divide = nullptr;  // f32 work
  }
  return tail;
}

/// The slope of sums below 0; 1 without an activation.
float slope_of(const Node* activation, size_t m) {
  if (activation == nullptr) return 1;
  if (const auto* unary = activation->as<format::UnaryParams>()) {
    return unary->kind == format::UnaryKind::kRelu ? 0 : unary->a;
  }
  const auto slopes = activation->input(1)->floats();
  return slopes[slopes.size() == 1 ? 0 : m];
}

class Converter {
 public:
  Converter(graph::Graph& graph, Node* conv) : graph_(graph), conv_(conv) {}

  /// False: the convolution is no integer one, or does not fit.
  bool read() {
    const auto& p = *conv_->as<format::Conv2dParams>();
    const auto x = steps_of(conv_->input(0), DataType::kU8);
    const auto weight = steps_of(conv_->input(1), DataType::kS8);
    if (p.activation != format::UnaryKind::kIdentity || conv_->input(3) != nullptr || !x || !weight) return false;
    if (x->scale.size() != 1 || x->zero < 0 || x->zero > 255) return false;
    if (!weight->x->is_constant() || weight->zero != 0 || (weight->scale.size() > 1 && weight->axis != 0)) return false;
    x_ = x->x;
    weight_ = weight->x;
    channels_ = static_cast<size_t>(weight_->shape()[0]);
    if (channels_ == 0) return false;
    tail_ = tail_of(graph_, conv_, weight_->shape()[0]);
    params_ = {p.kernel, p.stride, p.dilation, p.pads, p.group, x->zero};
    params_.dequantize = tail_.quantize == nullptr;
    for (size_t m = 0; m < channels_; ++m) {
      const float w = weight->scale[weight->scale.size() == 1 ? 0 : m];
      unit_.push_back(static_cast<float>(static_cast<double>(x->scale[0]) * static_cast<double>(w)));
    }
    return read_bias() && read_result() && set_scales() && sums_fit();
  }

  Status write() {
    const Shape shape{static_cast<int64_t>(channels_)};
    const std::string& name = conv_->name();
    std::vector<Value*> inputs{x_, weight_, graph_.add_constant(name + ".b32", DataType::kS32, shape, data_of(bias_)),
                               graph_.add_constant(name + ".scale", shape, scale_)};
    if (tail_.activation != nullptr) inputs.push_back(graph_.add_constant(name + ".negative", shape, negative_));
    Node* last = tail_.quantize != nullptr ? tail_.quantize : tail_.activation;
    COCO_TRY(graph_.rewrite(conv_, params_, std::move(inputs)));
    if (last != nullptr) graph_.replace_all_uses(last->output(), conv_->output());
    for (Node* node : {tail_.quantize, tail_.divide, tail_.clip, tail_.activation}) {
      if (node != nullptr) graph_.erase(node);
    }
    return {};
  }

 private:
  /// Into whole units; where the bias has steps of its own that are the units, they say what a unit is.
  bool read_bias() {
    const Value* value = conv_->input(2);
    std::vector<double> bias(channels_, 0);
    if (const auto steps = steps_of(value, DataType::kS32); steps && steps->x->is_constant() && steps->axis == 0) {
      const auto integers = elements<int32_t>(steps->x);
      for (size_t m = 0; m < channels_; ++m) {
        const float step = steps->scale[steps->scale.size() == 1 ? 0 : m];
        const double distance = std::abs(static_cast<double>(step) - static_cast<double>(unit_[m]));
        if (distance <= kSameScale * static_cast<double>(step)) unit_[m] = step;
        bias[m] = (static_cast<double>(integers[m]) - steps->zero) * static_cast<double>(step);
      }
    } else if (value != nullptr) {
      if (!value->is_constant() || value->type() != DataType::kF32) return false;
      for (size_t m = 0; m < channels_; ++m) bias[m] = static_cast<double>(value->floats()[m]);
    }
    for (size_t m = 0; m < channels_; ++m) {
      const double sum = std::nearbyint(bias[m] / static_cast<double>(unit_[m]));
      if (!(std::abs(sum) < static_cast<double>(format::kQuantSumLimit))) return false;
      bias_.push_back(static_cast<int32_t>(sum));
    }
    return true;
  }

  bool read_result() {
    if (tail_.quantize == nullptr) return true;
    step_ = static_cast<double>(*constant_divisor(tail_.divide));
    const int64_t zero = tail_.quantize->as<format::QuantizeParams>()->zero_point;
    params_.out_zero_point = zero;
    if (tail_.clip == nullptr) return true;
    const auto bound = [&](float v) {
      return static_cast<int64_t>(
          std::clamp(std::nearbyint(static_cast<double>(v) / step_) + static_cast<double>(zero), 0.0, 255.0));
    };
    const auto& clip = *tail_.clip->as<format::UnaryParams>();
    if (!(clip.a <= clip.b)) return false;
    params_.low = bound(clip.a);
    params_.high = bound(clip.b);
    return true;
  }

  bool set_scales() {
    for (size_t m = 0; m < channels_; ++m) {
      scale_.push_back(static_cast<float>(static_cast<double>(unit_[m]) / step_));
      negative_.push_back(
          static_cast<float>(static_cast<double>(scale_[m]) * static_cast<double>(slope_of(tail_.activation, m))));
      for (float s : {scale_[m], negative_[m]}) {
        if (!(std::abs(s) <= format::kQuantScaleLimit)) return false;
      }
    }
    return true;
  }

  bool sums_fit() const {
    const auto weights = elements<int8_t>(weight_);
    const size_t count = weights.size() / channels_;
    for (size_t m = 0; m < channels_; ++m) {
      const int64_t largest = format::largest_sum(weights.subspan(m * count, count), bias_[m], params_.in_zero_point);
      if (largest >= format::kQuantSumLimit) return false;
    }
    return true;
  }

  graph::Graph& graph_;
  Node* conv_;
  Value *x_ = nullptr, *weight_ = nullptr;
  size_t channels_ = 0;
  Tail tail_;
  format::QuantConv2dParams params_;
  double step_ = 1;  ///< of the result
  std::vector<float> unit_, scale_, negative_;
  std::vector<int32_t> bias_;
};

/// Takes the division before a Quantize that integer convolutions read into its multiplier.
Status take_divisor(graph::Graph& graph, Node* quantize) {
  const auto& p = *quantize->as<format::QuantizeParams>();
  const auto& uses = quantize->output()->uses();
  const bool wanted = std::any_of(uses.begin(), uses.end(),
                                  [](const auto& use) { return use.node->kind() == format::OpKind::kQuantConv2d; });
  Node* divide = quantize->input(0)->producer();
  const auto divisor = constant_divisor(divide);
  if (!wanted || p.multiplier != 1 || !divisor) return {};
  COCO_TRY(
      graph.rewrite(quantize, format::QuantizeParams{multiplier_of_step(*divisor), p.zero_point}, {divide->input(0)}));
  if (graph.use_count(divide->output()) == 0) graph.erase(divide);
  return {};
}

}  // namespace

Status recognize_integers(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    if (node->kind() != format::OpKind::kConv2d) continue;
    Converter converter(graph, node);
    if (converter.read()) COCO_TRY(converter.write());
  }
  for (Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    if (node->kind() == format::OpKind::kQuantize) COCO_TRY(take_divisor(graph, node));
  }
  return {};
}

}  // namespace coco::compiler
