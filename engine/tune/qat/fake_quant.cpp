#include "tune/qat/fake_quant.h"

#include <torch/csrc/autograd/custom_function.h>

#include "compiler/quantize/layer.h"

namespace coco::tune {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// An argument that may be undefined.
using MaybeTensor = c10::optional<Tensor>;

constexpr double kWeightLimit = 127;

MaybeTensor optional(const Tensor& t) { return t.defined() ? MaybeTensor(t) : MaybeTensor(); }

Tensor per_channel(const Tensor& values) { return values.view({1, -1, 1, 1}); }

struct RoundWeights : Function<RoundWeights> {
  static Tensor forward(AutogradContext* context, const Tensor& weight, const WeightPairs& pairs) {
    Tensor rounded = weight.round().clamp_(-kWeightLimit, kWeightLimit);
    if (pairs.partner.defined()) {
      const Tensor size = rounded.abs().view({pairs.partner.size(0), -1});
      const Tensor both = size + size.index_select(0, pairs.partner);
      const Tensor excess = (both - compiler::kPairLimit).clamp_min_(0) * pairs.paired;
      // Halves of what is too much; an odd one is the first's. Neither turns negative: the other is 127 at most.
      const Tensor cut = ((excess + pairs.first) / 2).floor_();
      rounded = ((size - cut) * rounded.view_as(size).sign()).view_as(rounded);
    }
    context->save_for_backward({weight, rounded});
    return rounded;
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &weight = saved[0], &gradient = gradients[0];
    const Tensor held = (weight - saved[1]).abs() > 0.5, outward = gradient * weight < 0;
    return {gradient.masked_fill(held & outward, 0), Tensor()};
  }
};

struct RoundThrough : Function<RoundThrough> {
  static Tensor forward(AutogradContext*, const Tensor& x) { return x.round(); }
  static variable_list backward(AutogradContext*, const variable_list& gradients) { return gradients; }
};

/// The gradients of acc, scale and negative from that of acc * (acc < 0 ? negative : scale).
variable_list scale_gradients(const Tensor& acc, const Tensor& scale, const Tensor& negative, const Tensor& gradient) {
  const Tensor product = gradient * acc;
  if (!negative.defined()) return {gradient * per_channel(scale), product.sum({0, 2, 3}), Tensor()};
  const Tensor below = acc < 0;
  const Tensor below_sum = product.masked_fill(~below, 0).sum({0, 2, 3});
  return {gradient * torch::where(below, per_channel(negative), per_channel(scale)), product.sum({0, 2, 3}) - below_sum,
          below_sum};
}

Tensor scaled(const Tensor& acc, const Tensor& scale, const Tensor& negative) {
  if (!negative.defined()) return acc * per_channel(scale);
  return acc * torch::where(acc < 0, per_channel(negative), per_channel(scale));
}

struct ScaleSums : Function<ScaleSums> {
  static Tensor forward(AutogradContext* context, const Tensor& acc, const Tensor& scale, const MaybeTensor& negative) {
    context->save_for_backward({acc, scale, negative.value_or(Tensor())});
    return scaled(acc, scale, negative.value_or(Tensor()));
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return scale_gradients(saved[0], saved[1], saved[2], gradients[0]);
  }
};

struct Requantize : Function<Requantize> {
  static Tensor forward(AutogradContext* context, const Tensor& acc, const Tensor& scale, const MaybeTensor& negative,
                        double low, double high) {
    Tensor s = scaled(acc, scale, negative.value_or(Tensor()));
    context->save_for_backward({acc, scale, negative.value_or(Tensor()), (s >= low) & (s <= high)});
    return s.clamp_(low, high).round_();
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    variable_list result = scale_gradients(saved[0], saved[1], saved[2], gradients[0] * saved[3]);
    result.resize(5);
    return result;
  }
};

struct Quantize : Function<Quantize> {
  static Tensor forward(AutogradContext* context, const Tensor& x, double multiplier, double low, double high) {
    Tensor s = x * multiplier;
    context->save_for_backward({(s >= low) & (s <= high)});
    context->saved_data["multiplier"] = multiplier;
    return s.clamp_(low, high).round_();
  }
  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor inside = context->get_saved_variables()[0];
    return {gradients[0] * inside * context->saved_data["multiplier"].toDouble(), Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

WeightPairs find_pairs(int64_t outputs, int64_t inputs, int64_t groups) {
  std::vector<int64_t> partner;
  std::vector<float> paired, first;
  bool any = false;
  for (int64_t m = 0; m < outputs; ++m) {
    const int64_t begin = m / (outputs / groups) * inputs;
    for (int64_t c = 0; c < inputs; ++c) {
      const bool even = (begin + c) % 2 == 0;
      const int64_t other = even ? c + 1 : c - 1;
      const bool both = other >= 0 && other < inputs;
      partner.push_back(m * inputs + (both ? other : c));
      paired.push_back(both ? 1.0f : 0.0f);
      first.push_back(both && even ? 1.0f : 0.0f);
      any = any || both;
    }
  }
  if (!any) return {};
  return {torch::tensor(partner), torch::tensor(paired).view({-1, 1}), torch::tensor(first).view({-1, 1})};
}

Tensor round_weights(const Tensor& weight, const WeightPairs& pairs) { return RoundWeights::apply(weight, pairs); }

Tensor round_through(const Tensor& x) { return RoundThrough::apply(x); }

Tensor scale_sums(const Tensor& acc, const Tensor& scale, const Tensor& negative) {
  return ScaleSums::apply(acc, scale, optional(negative));
}

Tensor requantize(const Tensor& acc, const Tensor& scale, const Tensor& negative, double low, double high) {
  return Requantize::apply(acc, scale, optional(negative), low, high);
}

Tensor quantize(const Tensor& x, double multiplier, double low, double high) {
  return Quantize::apply(x, multiplier, low, high);
}

}  // namespace coco::tune
