// Integer operators on words of four channels.
#include <cfloat>
#include <cmath>
#include <cstring>

#include "backends/vulkan/bind.h"
#include "kernels/qconv/qconv_row.h"

namespace coco::backends {
namespace {

// As in shaders/qconv.comp.
constexpr int64_t kPixels = 2, kGroupX = 16, kGroupY = 8;
constexpr int kTile = 8, kFineTile = 4;

/// The part of the input that a workgroup holds in shared memory.
struct Part {
  int64_t width, height;
  int64_t words() const { return width * height; }
};

Part part_of(const format::QuantConv2dParams& p) {
  const int64_t reach_y = (p.kernel[0] - 1) * p.dilation[0], reach_x = (p.kernel[1] - 1) * p.dilation[1];
  return {(kPixels * kGroupX - 1) * p.stride[1] + reach_x + 1, (kGroupY - 1) * p.stride[0] + reach_y + 1};
}

uint32_t word_of(int64_t value) { return static_cast<uint32_t>(static_cast<int32_t>(value)); }

/// Devices may take numbers too small for f32's normal form as 0. Rounded to a step, the product with a sum below 2^24
/// is 0 either way.
float normal(float scale) { return std::abs(scale) < FLT_MIN ? 0.0f : scale; }

struct Layer {
  std::vector<uint32_t> words;  ///< as shaders/qconv.comp reads them
  uint32_t bias_at = 0, scale_at = 0, negative_at = 0, entries_at = 0, weights_at = 0;
};

Layer lay_out(const kernels::QuantConvRowWeights& w, const format::QuantConv2dParams& params) {
  const Part part = part_of(params);
  Layer layer;
  const auto at = [&] { return static_cast<uint32_t>(layer.words.size()); };
  for (const kernels::QuantTile& tile : w.tiles) {
    layer.words.push_back(static_cast<uint32_t>(tile.entry_begin));
    layer.words.push_back(static_cast<uint32_t>(tile.entry_count));
  }
  layer.bias_at = at();
  for (const int32_t bias : w.flipped_bias) layer.words.push_back(word_of(bias));
  layer.scale_at = at();
  for (const float scale : w.scale) layer.words.push_back(gpu_bits(normal(scale)));
  layer.negative_at = at();
  for (const float scale : w.negative) layer.words.push_back(gpu_bits(normal(scale)));
  layer.entries_at = at();
  for (const kernels::QuantEntry& entry : w.entries)
    layer.words.push_back(
        word_of(entry.plane * part.words() + entry.row * params.dilation[0] * part.width + entry.offset));
  layer.weights_at = at();
  layer.words.insert(layer.words.end(), w.weights.begin(), w.weights.end());
  return layer;
}

std::vector<uint32_t> constants_of(const format::QuantConv2dParams& p, const kernels::QuantConvRowWeights& w,
                                   const Layer& layer, int planes) {
  return {word_of(planes),
          word_of(static_cast<int64_t>(w.tiles.size())),
          word_of(w.oc_tile),
          word_of(p.stride[1]),
          word_of(p.stride[0]),
          word_of((p.kernel[1] - 1) * p.dilation[1]),
          word_of((p.kernel[0] - 1) * p.dilation[0]),
          word_of(p.pads[1]),
          word_of(p.pads[0]),
          word_of(p.in_zero_point),
          word_of(p.out_zero_point),
          word_of(p.low),
          word_of(p.high),
          p.dequantize ? 1U : 0U,
          word_of(w.out_channels),
          layer.bias_at,
          layer.scale_at,
          layer.negative_at,
          layer.entries_at,
          layer.weights_at};
}

/// The numbers of constant input i.
template <typename T>
Result<std::vector<T>> numbers(const GpuBindContext& context, size_t i, DataType type) {
  COCO_ASSIGN(const auto bytes, context.constant(i, type));
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

struct Constants {
  std::vector<int8_t> weight;
  std::vector<int32_t> bias;
  std::vector<float> scale, negative;
};

Result<Constants> read_constants(const GpuBindContext& context) {
  Constants c;
  COCO_ASSIGN(c.weight, numbers<int8_t>(context, 1, DataType::kS8));
  COCO_ASSIGN(c.bias, numbers<int32_t>(context, 2, DataType::kS32));
  COCO_ASSIGN(c.scale, numbers<float>(context, 3, DataType::kF32));
  c.negative = c.scale;
  if (context.has_input(4)) {
    COCO_ASSIGN(c.negative, numbers<float>(context, 4, DataType::kF32));
  }
  if (!std::get<format::QuantConv2dParams>(context.op().params).dequantize) return c;
  for (const std::vector<float>* scales : {&c.scale, &c.negative})
    for (const float scale : *scales)
      if (normal(scale) != scale)
        return context.unsupported("a scale of " + std::to_string(scale) + " is too small for every device to keep");
  return c;
}

}  // namespace

Result<GpuOp> bind_gpu_quantize(const GpuBindContext& context) {
  const GpuTensor& input = context.inputs[0];
  const auto& params = std::get<format::QuantizeParams>(context.op().params);
  GpuOp bound;
  COCO_ASSIGN(bound.result, context.result());
  bound.inputs = {input};
  bound.dispatch.shader = GpuShader::kQuantize;
  bound.dispatch.constants = {gpu_kind(input), gpu_unit(input), word_of(input.channels), gpu_bits(params.multiplier),
                              word_of(params.zero_point)};
  bound.dispatch.sizes = {word_of(input.width), word_of(input.height), word_of(input.pitch())};
  bound.dispatch.groups = gpu_groups(bound.result.width, bound.result.height, bound.result.planes());
  return bound;
}

Result<GpuOp> bind_gpu_quant_conv(const GpuBindContext& context) {
  const GpuTensor& input = context.inputs[0];
  const auto& params = std::get<format::QuantConv2dParams>(context.op().params);
  GpuOp bound;
  COCO_ASSIGN(bound.result, context.result());
  COCO_ASSIGN(const Constants constants, read_constants(context));
  const kernels::QuantConvRowKernel tiles{nullptr, [] { return kTile; }, [] { return kFineTile; }};
  const kernels::QuantConvRowWeights weights =
      kernels::pack_quant_conv_finest(params, bound.result.channels, input.channels, constants.weight.data(),
                                      constants.bias.data(), constants.scale.data(), constants.negative.data(), tiles);
  Layer layer = lay_out(weights, params);
  bound.inputs = {input};
  bound.dispatch.shader = GpuShader::kQuantConv;
  bound.dispatch.constants = constants_of(params, weights, layer, input.planes());
  bound.dispatch.sizes = {word_of(input.width), word_of(input.height), word_of(bound.result.width),
                          word_of(bound.result.height)};
  bound.dispatch.groups = gpu_groups((bound.result.width + 1) / static_cast<int>(kPixels), bound.result.height, 1);
  bound.dispatch.shared_bytes = static_cast<size_t>(4 * input.planes() * part_of(params).words());
  bound.constants = std::move(layer.words);
  return bound;
}

bool is_gpu_last(const GpuOp& op) {
  return op.dispatch.shader == GpuShader::kQuantConv && op.result.layout == GpuLayout::kPlanes &&
         op.result.channels == 4;
}

GpuOp make_gpu_last(const GpuOp& conv, const GpuOp& base, SampleType type) {
  GpuOp bound = conv;
  const GpuTensor& source = base.inputs[0];
  bound.inputs.push_back(source);
  bound.result = {GpuLayout::kSamples, 1, base.result.height, base.result.width, type};
  bound.dispatch.shader = GpuShader::kQuantConvLast;
  bound.dispatch.constants.insert(bound.dispatch.constants.end(), base.dispatch.constants.begin(),
                                  base.dispatch.constants.end());  // kind, unit, taps
  bound.dispatch.constants.push_back(gpu_kind(bound.result));
  bound.dispatch.constants.push_back(gpu_bits(static_cast<float>(max_value(type))));
  bound.dispatch.constants.push_back(static_cast<uint32_t>(conv.constants.size()));
  for (const int size : {source.height, source.pitch(), bound.result.pitch()})
    bound.dispatch.sizes.push_back(word_of(size));
  bound.constants.insert(bound.constants.end(), base.constants.begin(), base.constants.end());
  return bound;
}

}  // namespace coco::backends
