#include "apps/cocopipe/report/advice_rules.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace coco::cli {
namespace {

using format::Conv2dParams;
using format::QuantConv2dParams;
using format::UnaryKind;

constexpr int64_t kBlockRows = 8, kBlockInputs = 4;

/// A convolution's kernel and groups, in f32 or in integers.
struct ConvShape {
  int64_t positions = 0, group = 1;
};
std::optional<ConvShape> conv_shape(const LayerAlone& layer) {
  const format::Value* weight = layer.input(1);
  if (weight == nullptr || !weight->is_constant()) return std::nullopt;
  if (const auto* p = std::get_if<Conv2dParams>(&layer.op().params))
    return ConvShape{p->kernel[0] * p->kernel[1], p->group};
  if (const auto* p = std::get_if<QuantConv2dParams>(&layer.op().params))
    return ConvShape{p->kernel[0] * p->kernel[1], p->group};
  return std::nullopt;
}

/// In every block of 8 output and 4 input channels all positions but the `keep` heaviest become 0.
template <typename T>
void prune_positions(const Shape& shape, int64_t keep, std::vector<T>& weights) {
  const int64_t outputs = shape[0], inputs = shape[1], taps = shape[2] * shape[3];
  for (int64_t m = 0; m < outputs; m += kBlockRows) {
    for (int64_t c = 0; c < inputs; c += kBlockInputs) {
      const auto each = [&](int64_t tap, auto&& fn) {
        for (int64_t i = m; i < std::min(m + kBlockRows, outputs); ++i)
          for (int64_t j = c; j < std::min(c + kBlockInputs, inputs); ++j)
            fn(weights[static_cast<size_t>((i * inputs + j) * taps + tap)]);
      };
      std::vector<std::pair<double, int64_t>> weight_of;
      for (int64_t tap = 0; tap < taps; ++tap) {
        double sum = 0;
        each(tap, [&](T w) { sum += std::abs(static_cast<double>(w)); });
        weight_of.emplace_back(-sum, tap);
      }
      std::sort(weight_of.begin(), weight_of.end());
      for (size_t k = static_cast<size_t>(keep); k < weight_of.size(); ++k)
        each(weight_of[k].second, [](T& w) { w = 0; });
    }
  }
}

/// Every second block of 8 output and 4 input channels becomes 0.
template <typename T>
void prune_blocks(const Shape& shape, std::vector<T>& weights) {
  const int64_t inputs = shape[1], taps = shape[2] * shape[3];
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t block = at / (inputs * taps) / kBlockRows + at / taps % inputs / kBlockInputs;
    if (block % 2 == 1) weights[i] = 0;
  }
}

/// Replaces the weights by what `fn(shape, elements)` makes of them; empty when many of them are 0 already.
template <typename Fn>
std::optional<LayerAlone> with_weights(const LayerAlone& layer, Fn&& fn) {
  LayerAlone changed = layer;
  const int32_t number = layer.op().inputs[1];
  const Shape shape = layer.value(number).shape;
  const auto replace = [&]<typename T>(T) {
    std::vector<T> weights = elements<T>(layer.value(number));
    const auto zeros = static_cast<size_t>(std::count(weights.begin(), weights.end(), T{0}));
    if (zeros * 4 > weights.size()) return false;
    fn(shape, weights);
    changed.op().inputs[1] = changed.add_constant(layer.value(number).type, shape, weights);
    return true;
  };
  const bool integers = layer.value(number).type == DataType::kS8;
  if (!(integers ? replace(int8_t{}) : replace(float{}))) return std::nullopt;
  return changed;
}

std::optional<LayerAlone> fewer_positions(const LayerAlone& layer) {
  const auto conv = conv_shape(layer);
  if (!conv || conv->group != 1 || conv->positions != 9) return std::nullopt;
  return with_weights(layer, [](const Shape& shape, auto& weights) { prune_positions(shape, 4, weights); });
}

std::optional<LayerAlone> fewer_blocks(const LayerAlone& layer) {
  const auto conv = conv_shape(layer);
  if (!conv || conv->group != 1 || conv->positions != 1) return std::nullopt;
  const Shape& shape = layer.input(1)->shape;
  if (shape[0] < 2 * kBlockRows || shape[1] < 2 * kBlockInputs) return std::nullopt;
  return with_weights(layer, [](const Shape& weight, auto& weights) { prune_blocks(weight, weights); });
}

/// The f32 convolution in integers, its weights rounded; scales do not matter for its speed.
std::optional<LayerAlone> in_integers(const LayerAlone& layer) {
  const auto* conv = std::get_if<Conv2dParams>(&layer.op().params);
  if (conv == nullptr || !conv_shape(layer) || layer.shapes.size() != 1) return std::nullopt;
  const format::Value& weight = *layer.input(1);
  const std::vector<float> weights = elements<float>(weight);
  const auto channels = static_cast<size_t>(weight.shape[0]);
  const float largest = std::accumulate(weights.begin(), weights.end(), 1e-20f,
                                        [](float most, float w) { return std::max(most, std::abs(w)); });
  std::vector<int8_t> rounded(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) rounded[i] = static_cast<int8_t>(std::lround(63 * weights[i] / largest));
  LayerAlone changed;
  changed.shapes = layer.shapes;
  const int32_t x = changed.add_value(DataType::kF32, layer.shapes[0]);
  changed.program.inputs = {x};
  const int32_t steps = changed.add_value(DataType::kU8, layer.shapes[0]);
  changed.program.operators.push_back({"steps", format::QuantizeParams{}, std::vector<int32_t>{x}, {steps}});
  changed.first = 1;
  const bool below = layer.input(3) != nullptr || conv->activation != UnaryKind::kIdentity;
  const auto list = static_cast<int64_t>(channels);
  const std::vector<int32_t> inputs = {
      steps, changed.add_constant(DataType::kS8, weight.shape, rounded),
      changed.add_constant(DataType::kS32, {list}, std::vector<int32_t>(channels, 0)),
      changed.add_constant(DataType::kF32, {list}, std::vector<float>(channels, 1e-3f)),
      below ? changed.add_constant(DataType::kF32, {list}, std::vector<float>(channels, 1e-4f)) : format::kNoValue};
  QuantConv2dParams params{conv->kernel, conv->stride, conv->dilation, conv->pads, conv->group};
  params.dequantize = true;
  if (!changed.append(params, inputs)) return std::nullopt;
  return changed;
}

std::optional<LayerAlone> free_activation(const LayerAlone& layer) {
  const auto* conv = std::get_if<Conv2dParams>(&layer.op().params);
  if (conv == nullptr || layer.input(3) != nullptr) return std::nullopt;
  switch (conv->activation) {
    case UnaryKind::kIdentity:
    case UnaryKind::kRelu:
    case UnaryKind::kLeakyRelu:
    case UnaryKind::kClip:
      return std::nullopt;
    default:
      break;
  }
  LayerAlone changed = layer;
  std::get<Conv2dParams>(changed.op().params).activation = UnaryKind::kRelu;
  return changed;
}

/// As many channels as fill the kernels' tiles of 8, where at most a fifth more would go.
std::optional<LayerAlone> whole_tiles(const LayerAlone& layer) {
  const auto conv = conv_shape(layer);
  if (!conv || conv->group != 1) return std::nullopt;
  const Shape& shape = layer.input(1)->shape;
  const int64_t channels = shape[0] / kBlockRows * kBlockRows;
  if (channels == shape[0] || channels < kBlockRows || 5 * (shape[0] - channels) > shape[0]) return std::nullopt;
  LayerAlone changed = layer;
  for (size_t slot = 1; slot < layer.op().inputs.size(); ++slot) {
    const format::Value* old = layer.input(slot);
    if (old == nullptr || old->shape.rank() == 0 || old->shape[0] != shape[0]) continue;
    Shape cut = old->shape;
    cut[0] = channels;
    const auto bytes = old->constant.bytes.size() / static_cast<size_t>(shape[0]) * static_cast<size_t>(channels);
    changed.op().inputs[slot] = changed.add_value(old->type, cut);
    changed.value(changed.op().inputs[slot]).constant = format::ConstantData::copy_of(old->constant.bytes.first(bytes));
  }
  changed.value(changed.op().outputs[0]).shape[1] = channels;
  return changed;
}

/// The same reach by neighbouring taps: the result keeps its size.
std::optional<LayerAlone> undilated(const LayerAlone& layer) {
  LayerAlone changed = layer;
  bool dilated = false;
  const auto tighten = [&](auto& p) {
    for (size_t axis = 0; axis < 2; ++axis) {
      const int64_t less = (p.kernel[axis] - 1) * (p.dilation[axis] - 1);
      dilated = dilated || less > 0;
      p.dilation[axis] = 1;
      p.pads[axis] -= less / 2;
      p.pads[axis + 2] -= less - less / 2;
      if (p.pads[axis] < 0 || p.pads[axis + 2] < 0) return false;
    }
    return true;
  };
  if (auto* conv = std::get_if<Conv2dParams>(&changed.op().params)) {
    if (!tighten(*conv)) return std::nullopt;
  } else if (auto* quant = std::get_if<QuantConv2dParams>(&changed.op().params)) {
    if (!tighten(*quant)) return std::nullopt;
  }
  return dilated ? std::optional<LayerAlone>(std::move(changed)) : std::nullopt;
}

/// Where tap k of a stride of 2 falls among 2 x 2 samples that became channels: how many of them further, and which.
struct Fold {
  int64_t place, phase;
};
Fold fold(int64_t tap, int64_t pad) {
  const auto half = [](int64_t v) { return v >= 0 ? v / 2 : -((1 - v) / 2); };
  return {half(tap - pad) - half(-pad), (tap - pad) - 2 * half(tap - pad)};
}

/// The weights of a stride of 2, for the samples that SpaceToDepth made channels.
std::vector<float> folded_weights(const std::vector<float>& weights, const Shape& from, const Shape& to,
                                  const Conv2dParams& conv) {
  std::vector<float> folded(static_cast<size_t>(to.element_count().value_or(0)));
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    const int64_t c = at / (from[2] * from[3]) % from[1], m = at / (from[1] * from[2] * from[3]);
    const Fold y = fold(at / from[3] % from[2], conv.pads[0]), x = fold(at % from[3], conv.pads[1]);
    const int64_t channel = (2 * y.phase + x.phase) * from[1] + c;
    folded[static_cast<size_t>(((m * to[1] + channel) * to[2] + y.place) * to[3] + x.place)] = weights[i];
  }
  return folded;
}

/// A convolution of stride 2 as SpaceToDepth and one of stride 1, which gives the same sums.
std::optional<LayerAlone> unstrided(const LayerAlone& layer) {
  const auto* p = std::get_if<Conv2dParams>(&layer.op().params);
  if (p == nullptr || !conv_shape(layer) || p->group != 1 || layer.shapes.size() != 1) return std::nullopt;
  const Shape &in = layer.shapes[0], &out = layer.value(layer.op().outputs[0]).shape;
  Conv2dParams conv = *p;
  for (size_t axis = 0; axis < 2; ++axis) {
    if (p->stride[axis] != 2 || p->dilation[axis] != 1 || in[axis + 2] % 2 != 0) return std::nullopt;
    conv.stride[axis] = 1;
    conv.kernel[axis] = fold(p->kernel[axis] - 1, p->pads[axis]).place + 1;
    conv.pads[axis] = (p->pads[axis] + 1) / 2;
    conv.pads[axis + 2] = out[axis + 2] - in[axis + 2] / 2 - conv.pads[axis] + conv.kernel[axis] - 1;
    if (conv.pads[axis + 2] < 0) return std::nullopt;
  }
  const Shape& shape = layer.input(1)->shape;
  const Shape weight{shape[0], 4 * shape[1], conv.kernel[0], conv.kernel[1]};
  const std::vector<float> folded = folded_weights(elements<float>(*layer.input(1)), shape, weight, *p);
  LayerAlone changed = layer;
  std::vector<int32_t> inputs = layer.op().inputs;
  changed.program.operators.clear();
  if (!changed.append(format::SpaceToDepthParams{2}, {inputs[0]})) return std::nullopt;
  inputs[0] = changed.program.outputs[0];
  inputs[1] = changed.add_constant(DataType::kF32, weight, folded);
  changed.program.operators.push_back({"conv", conv, inputs, layer.op().outputs});
  changed.program.outputs = layer.op().outputs;
  return changed;
}

/// A transposed convolution as a convolution to stride^2 times the channels, 3 x 3, and a pixel shuffle.
std::optional<LayerAlone> shuffled(const LayerAlone& layer) {
  const auto* p = std::get_if<format::ConvTranspose2dParams>(&layer.op().params);
  if (p == nullptr || p->group != 1 || p->stride[0] != p->stride[1] || p->stride[0] < 2 || layer.shapes.size() != 1)
    return std::nullopt;
  const Shape &in = layer.shapes[0], out = layer.value(layer.op().outputs[0]).shape;
  const int64_t block = p->stride[0], channels = out[1] * block * block;
  if (out[2] != in[2] * block || out[3] != in[3] * block) return std::nullopt;
  LayerAlone changed;
  changed.shapes = layer.shapes;
  const int32_t x = changed.add_value(DataType::kF32, in);
  changed.program.inputs = {x};
  const Shape weight{channels, in[1], 3, 3};
  std::vector<float> weights(static_cast<size_t>(weight.element_count().value_or(0)));
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.01f * static_cast<float>(i % 7 + 1);
  Conv2dParams conv;
  conv.kernel = {3, 3}, conv.pads = {1, 1, 1, 1};
  if (!changed.append(conv,
                      {x, changed.add_constant(DataType::kF32, weight, weights), format::kNoValue, format::kNoValue}))
    return std::nullopt;
  if (!changed.append(format::DepthToSpaceParams{block}, {changed.program.outputs[0]})) return std::nullopt;
  return changed;
}

std::optional<LayerAlone> nearest(const LayerAlone& layer) {
  const auto* p = std::get_if<format::ResizeParams>(&layer.op().params);
  if (p == nullptr || p->mode == format::ResizeMode::kNearest) return std::nullopt;
  LayerAlone changed = layer;
  auto& params = std::get<format::ResizeParams>(changed.op().params);
  params.mode = format::ResizeMode::kNearest;
  params.coordinates = format::CoordinateMode::kAsymmetric;
  params.nearest = format::NearestMode::kFloor;
  return changed;
}

/// A maximum over windows that overlap, over windows side by side.
std::optional<LayerAlone> smaller_pool(const LayerAlone& layer) {
  const auto* p = std::get_if<format::Pool2dParams>(&layer.op().params);
  if (p == nullptr || p->dilation[0] != 1 || p->dilation[1] != 1) return std::nullopt;
  if (p->kernel[0] <= p->stride[0] || p->kernel[1] <= p->stride[1] || p->stride[0] < 2) return std::nullopt;
  LayerAlone changed = layer;
  auto& params = std::get<format::Pool2dParams>(changed.op().params);
  params.kernel = params.stride;
  params.pads = {0, 0, 0, 0};
  params.ceil_mode = true;
  const Shape& in = layer.shapes[0];
  Shape& out = changed.value(changed.op().outputs[0]).shape;
  for (size_t axis = 0; axis < 2; ++axis)
    out[axis + 2] = (in[axis + 2] + params.stride[axis] - 1) / params.stride[axis];
  return changed;
}

/// Nothing is left of it.
std::optional<LayerAlone> without(const LayerAlone& layer) {
  if (!std::holds_alternative<format::TransposeParams>(layer.op().params)) return std::nullopt;
  LayerAlone changed = layer;
  changed.program.operators.clear();
  return changed;
}

constexpr AdviceRule kRules[] = {
    {"integers", "compute in integers (--precision int8 or auto)", "it is computed in f32", in_integers},
    {"positions", "prune to 4 of 9 positions in blocks of 8 x 4 channels (cocopipe-tune prune), and train on",
     "every weight of its 3 x 3 kernels is multiplied", fewer_positions},
    {"blocks", "prune half of the blocks of 8 x 4 channels (cocopipe-tune prune), and train on",
     "every weight of its 1 x 1 kernels is multiplied", fewer_blocks},
    {"activation", "give Relu, LeakyRelu, PRelu or Clip for its activation, and train on",
     "its activation is computed apart from the convolution", free_activation},
    {"channels", "give channels that are a multiple of 8, the next one below, and train on",
     "its last tile of channels is mostly empty", whole_tiles},
    {"dilation", "give taps side by side (dilation 1), and train on", "its taps lie apart", undilated},
    {"stride", "write it as SpaceToDepth and a convolution of stride 1, which gives the same results",
     "samples a stride apart have to be brought together first", unstrided},
    {"shuffle", "make the picture larger by a 3 x 3 Conv and DepthToSpace instead of ConvTranspose, and train on",
     "it is a transposed convolution", shuffled},
    {"nearest", "resize to the nearest sample instead", "it weighs several samples for each result", nearest},
    {"windows", "pool over windows side by side (kernel = stride), and train on", "its windows overlap", smaller_pool},
    {"order", "export with the axes in the order the next layers read them, without Transpose",
     "it only moves samples to other places", without},
};

}  // namespace

std::span<const AdviceRule> advice_rules() { return kRules; }

}  // namespace coco::cli
