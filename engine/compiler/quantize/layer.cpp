#include "compiler/quantize/layer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/check_weights.h"
#include "format/verify_quant.h"

namespace coco::compiler {
namespace {

using format::UnaryKind;

int rounded(double weight, double scale) { return static_cast<int>(std::nearbyint(weight / scale)); }

/// fn(index of the even channel's weight or -1, of the odd one's or -1) for every pair at one tap.
template <typename Fn>
void each_pair(size_t count, size_t taps, size_t first_channel, Fn fn) {
  const size_t channels = count / taps;
  for (size_t c = 0; c < channels; c += (first_channel + c) % 2 == 0 ? 2 : 1) {
    const bool paired = (first_channel + c) % 2 == 0 && c + 1 < channels;
    for (size_t t = 0; t < taps; ++t)
      fn(c * taps + t, paired ? (c + 1) * taps + t : std::numeric_limits<size_t>::max());
  }
}

bool fits(std::span<const double> weights, size_t taps, size_t first_channel, double scale) {
  bool good = true;
  each_pair(weights.size(), taps, first_channel, [&](size_t a, size_t b) {
    const int wa = std::abs(rounded(weights[a], scale));
    const int wb = b < weights.size() ? std::abs(rounded(weights[b], scale)) : 0;
    good = good && wa <= 127 && wb <= 127 && wa + wb <= kPairLimit;
  });
  return good;
}

bool is_f32_constant(const graph::Value* value) { return value->is_constant() && value->type() == DataType::kF32; }

/// Scale of sums below 0 over the scale of the others; nullopt where the activation is not of that kind.
std::optional<double> negative_ratio(const graph::Node& node, size_t m) {
  if (node.input(3) != nullptr) return node.input(3)->floats()[m];
  const auto& p = *node.as<format::Conv2dParams>();
  if (p.activation == UnaryKind::kRelu) return 0.0;
  if (p.activation == UnaryKind::kLeakyRelu) return p.act_a;
  return std::nullopt;
}

Error stays_f32(std::string reason, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kUnsupported, std::move(reason), file, line);
}

constexpr double kWeightsShare = 0.95;

class Builder {
 public:
  Builder(const graph::Node& node, const ActivationScale& in, const ActivationScale* out, const LayerChoice& choice)
      : node_(node), conv_(*node.as<format::Conv2dParams>()), in_(in), out_(out), choice_(choice) {}

  Result<IntegerLayer> build() {
    const Shape& shape = node_.input(1)->shape();
    channels_ = static_cast<size_t>(shape[0]);
    group_inputs_ = static_cast<size_t>(shape[1]);
    taps_ = static_cast<size_t>(shape[2] * shape[3]);
    layer_.params = {conv_.kernel, conv_.stride, conv_.dilation, conv_.pads, conv_.group, in_.zero_point};
    layer_.params.dequantize = out_ == nullptr;
    if (out_ != nullptr) layer_.params.out_zero_point = out_->zero_point;
    layer_.weight.resize(channels_ * group_inputs_ * taps_);
    for (size_t m = 0; m < channels_; ++m) COCO_TRY(add_channel(m));
    COCO_TRY(set_activation());
    return std::move(layer_);
  }

 private:
  double out_factor(size_t m) const { return out_ != nullptr ? out_->factor(m) : 1.0; }

  Status add_channel(size_t m) {
    const size_t count = group_inputs_ * taps_;
    const std::vector<double> weights = scaled_weights(node_, m, in_, out_);
    double bias = node_.input(2) != nullptr ? static_cast<double>(node_.input(2)->floats()[m]) : 0.0;
    bias = (bias + (choice_.shift.empty() ? 0.0 : choice_.shift[m])) * out_factor(m);

    const bool fitted = !choice_.weight.empty();
    double scale = fitted ? choice_.scale[m] : weight_scale(weights, taps_, first_input_channel(node_, m));
    if (!fitted) scale = std::max(scale, exact_scale(weights));
    const double unit = scale > 0 ? scale * in_.step : empty_channel_unit(bias);
    const double sum = std::nearbyint(bias / unit);
    if (!(std::abs(sum) < static_cast<double>(format::kQuantSumLimit))) {
      return stays_f32("the bias of channel " + std::to_string(m) + " is too large for its weights");
    }
    layer_.bias.push_back(static_cast<int32_t>(sum));
    std::span<int8_t> out(layer_.weight.data() + m * count, count);
    for (size_t i = 0; scale > 0 && i < count; ++i)
      out[i] = fitted ? choice_.weight[m * count + i] : static_cast<int8_t>(rounded(weights[i], scale));
    const int64_t largest = format::largest_sum(out, layer_.bias.back(), in_.zero_point);
    if (largest >= format::kQuantSumLimit) {
      return stays_f32("the sums of channel " + std::to_string(m) + " can reach " + std::to_string(largest) +
                       ", too many for exact results");
    }
    layer_.sum_unit.push_back(unit / out_factor(m));
    return add_scales(m, unit / (out_ != nullptr ? out_->step : 1.0));
  }

  /// The scale at which sums stay exact whatever the input: coarser weights where there are very many. A bias' share of
  /// them is left aside, and 1/2 a weight for rounding.
  double exact_scale(const std::vector<double>& weights) const {
    const auto reach = static_cast<double>(std::max(in_.zero_point, 255 - in_.zero_point));
    const double room = kWeightsShare * static_cast<double>(format::kQuantSumLimit) / reach;
    double sum = 0, least = 0;
    for (const double w : weights) sum += std::abs(w), least = std::max(least, std::abs(w));
    double scale = sum / room;
    const auto total = [&] {
      double all = 0;
      for (const double w : weights) all += std::abs(rounded(w, scale));
      return all;
    };
    while (scale > 0 && scale < least && total() > room) scale *= 1.02;
    return scale;
  }

  /// A channel without weights gives its bias alone: in steps fine enough for it.
  double empty_channel_unit(double bias) const {
    return bias != 0 ? std::abs(bias) / 32768 : out_ != nullptr ? out_->step : 1.0;
  }

  Status add_scales(size_t m, double scale) {
    const auto ratio = negative_ratio(node_, m);
    // A channel turned over has its sums turned over: what was positive comes as negative.
    const bool turned = out_factor(m) < 0;
    const auto positive = static_cast<float>(turned ? scale * ratio.value_or(1) : scale);
    layer_.scale.push_back(positive);
    if (ratio && positive == 0) {
      layer_.negative.push_back(static_cast<float>(scale));
    } else if (ratio) {
      // A product of two f32, so that it can be written as the slope of a PReLU.
      const auto slope = static_cast<float>(turned ? 1 / *ratio : *ratio);
      layer_.negative.push_back(static_cast<float>(static_cast<double>(positive) * static_cast<double>(slope)));
    }
    const double largest = std::abs(scale) * std::max(1.0, std::abs(ratio.value_or(0)));
    if (!(largest <= format::kQuantScaleLimit)) {
      return stays_f32("the scale of channel " + std::to_string(m) + " would be " + std::to_string(largest));
    }
    return {};
  }

  Status set_activation() {
    const format::UnaryParams unary{conv_.activation, conv_.act_a, conv_.act_b};
    const bool open = node_.input(3) != nullptr || unary.kind == UnaryKind::kIdentity;
    if (open || negative_ratio(node_, 0)) return {};
    if (unary.kind == UnaryKind::kClip && out_ != nullptr) {
      const auto bound = [&](float v) {
        const double q = std::nearbyint(static_cast<double>(v) / out_->step) + static_cast<double>(out_->zero_point);
        return static_cast<int64_t>(std::clamp(q, 0.0, 255.0));
      };
      layer_.params.high = bound(unary.b);
      layer_.params.low = std::min(bound(unary.a), layer_.params.high);
    } else {
      layer_.activation = unary;
    }
    return {};
  }

  const graph::Node& node_;
  const format::Conv2dParams& conv_;
  const ActivationScale& in_;
  const ActivationScale* out_;
  const LayerChoice& choice_;
  size_t channels_ = 0, group_inputs_ = 0, taps_ = 0;
  IntegerLayer layer_;
};

}  // namespace

size_t first_input_channel(const graph::Node& node, size_t m) {
  const Shape& shape = node.input(1)->shape();
  const auto group = static_cast<size_t>(node.as<format::Conv2dParams>()->group);
  return m / (static_cast<size_t>(shape[0]) / group) * static_cast<size_t>(shape[1]);
}

std::vector<double> scaled_weights(const graph::Node& node, size_t m, const ActivationScale& in,
                                   const ActivationScale* out) {
  const Shape& shape = node.input(1)->shape();
  const auto taps = static_cast<size_t>(shape[2] * shape[3]), count = static_cast<size_t>(shape[1]) * taps;
  const size_t first = first_input_channel(node, m);
  const auto floats = node.input(1)->floats().subspan(m * count, count);
  std::vector<double> weights(count);
  for (size_t i = 0; i < count; ++i)
    weights[i] = floats[i] * (out != nullptr ? out->factor(m) : 1.0) / in.factor(first + i / taps);
  return weights;
}

double weight_scale(std::span<const double> weights, size_t taps, size_t first_channel) {
  double largest = 0, largest_pair = 0;
  each_pair(weights.size(), taps, first_channel, [&](size_t a, size_t b) {
    const double wa = std::abs(weights[a]), wb = b < weights.size() ? std::abs(weights[b]) : 0.0;
    largest = std::max({largest, wa, wb});
    largest_pair = std::max(largest_pair, wa + wb);
  });
  if (largest == 0) return 0;
  // Rounding adds at most 1/2 to each: the upper end always fits. |round(w / s)| never grows with s.
  double low = std::max(largest / 127.5, largest_pair / (kPairLimit + 1));
  double high = std::max(largest, largest_pair) / (kPairLimit - 1);
  if (fits(weights, taps, first_channel, low)) return low;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (fits(weights, taps, first_channel, middle) ? high : low) = middle;
  }
  return high;
}

Result<std::string> integer_obstacle(const graph::Node& node) {
  const auto* conv = node.as<format::Conv2dParams>();
  if (conv == nullptr) return std::string("is no convolution");
  for (size_t slot = 1; slot < 4; ++slot) {
    const graph::Value* value = node.input(slot);
    if (value == nullptr) continue;
    if (!is_f32_constant(value)) return std::string("its weights are computed while it runs");
    if (!all_finite(value)) {
      return make_error(ErrorCode::kInvalidData, "convolution '" + node.name() +
                                                     "': its weights hold NaN or infinity; they cannot be quantized");
    }
  }
  return std::string();
}

Result<IntegerLayer> integer_layer(const graph::Node& node, const ActivationScale& in, const ActivationScale* out,
                                   const LayerChoice& choice) {
  return Builder(node, in, out, choice).build();
}

}  // namespace coco::compiler
