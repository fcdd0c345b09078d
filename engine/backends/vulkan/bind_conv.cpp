// Convolutions in f32.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/vulkan/bind.h"

namespace coco::backends {
namespace {

constexpr int64_t kTile = 4;  // as in shaders/conv.comp

uint32_t word_of(int64_t value) { return static_cast<uint32_t>(static_cast<int32_t>(value)); }

/// How shaders/conv.comp ends: its activation, and the slope of negative sums or the bounds.
struct Ending {
  uint32_t activation = 0;
  float low = 0, high = 0;
  std::vector<float> slopes;
};

/// The numbers of an f32 input that may be absent.
Result<std::vector<float>> numbers(const GpuBindContext& context, size_t i) {
  if (!context.has_input(i)) return std::vector<float>();
  COCO_ASSIGN(const auto bytes, context.constant(i, DataType::kF32));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

Result<Ending> ending_of(const GpuBindContext& context, const format::Conv2dParams& p, size_t channels) {
  Ending ending;
  COCO_ASSIGN(ending.slopes, numbers(context, 3));
  if (!ending.slopes.empty()) {
    ending.activation = 1;
    return ending;
  }
  switch (p.activation) {
    case format::UnaryKind::kIdentity:
      return ending;
    case format::UnaryKind::kRelu:
      ending.activation = 2, ending.high = INFINITY;
      return ending;
    case format::UnaryKind::kLeakyRelu:
      ending.activation = 1;
      ending.slopes.assign(channels, p.act_a);
      return ending;
    case format::UnaryKind::kClip:
      ending.activation = 2, ending.low = p.act_a, ending.high = p.act_b;
      return ending;
    default:
      return context.unsupported("its activation is '" + std::string(format::to_string(p.activation)) + "'");
  }
}

/// Tiles of four results: biases, slopes, weights [ky][c][kx]; channels that fill up a group's last tile are 0.
std::vector<uint32_t> lay_out(const format::Conv2dParams& p, const std::vector<float>& weight,
                              const std::vector<float>& bias, const std::vector<float>& slopes, int64_t channels) {
  const int64_t results = channels / p.group, kh = p.kernel[0], kw = p.kernel[1];
  const int64_t inputs = static_cast<int64_t>(weight.size()) / (channels * kh * kw);
  std::vector<uint32_t> words;
  for (int64_t group = 0; group < p.group; ++group)
    for (int64_t first = 0; first < results; first += kTile) {
      const auto four = [&](const auto& value_of) {
        for (int64_t o = first; o < first + kTile; ++o)
          words.push_back(gpu_bits(o < results ? value_of(static_cast<size_t>(group * results + o)) : 0.0f));
      };
      four([&](size_t m) { return bias.empty() ? 0.0f : bias[m]; });
      four([&](size_t m) { return slopes.empty() ? 0.0f : slopes[m]; });
      for (int64_t ky = 0; ky < kh; ++ky)
        for (int64_t c = 0; c < inputs; ++c)
          for (int64_t kx = 0; kx < kw; ++kx)
            four([&](size_t m) {
              return weight[((m * static_cast<size_t>(inputs) + static_cast<size_t>(c)) * static_cast<size_t>(kh) +
                             static_cast<size_t>(ky)) *
                                static_cast<size_t>(kw) +
                            static_cast<size_t>(kx)];
            });
    }
  return words;
}

}  // namespace

Result<GpuOp> bind_gpu_conv(const GpuBindContext& context) {
  const GpuTensor& input = context.inputs[0];
  const auto& p = std::get<format::Conv2dParams>(context.op().params);
  if (input.layout == GpuLayout::kWords) return context.unsupported("it reads integers");
  GpuOp bound;
  COCO_ASSIGN(bound.result, context.result());
  const int64_t channels = bound.result.channels;
  COCO_ASSIGN(const std::vector<float> weight, numbers(context, 1));
  COCO_ASSIGN(const std::vector<float> bias, numbers(context, 2));
  COCO_ASSIGN(const Ending ending, ending_of(context, p, static_cast<size_t>(channels)));
  bound.inputs = {input};
  bound.constants = lay_out(p, weight, bias, ending.slopes, channels);
  bound.dispatch.shader = GpuShader::kConv;
  bound.dispatch.constants = {gpu_kind(input),
                              gpu_unit(input),
                              word_of(input.channels / p.group),
                              word_of(channels / p.group),
                              word_of(p.kernel[1]),
                              word_of(p.kernel[0]),
                              word_of(p.stride[1]),
                              word_of(p.stride[0]),
                              word_of(p.dilation[1]),
                              word_of(p.dilation[0]),
                              word_of(p.pads[1]),
                              word_of(p.pads[0]),
                              ending.activation,
                              gpu_bits(ending.low),
                              gpu_bits(ending.high)};
  bound.dispatch.sizes = {word_of(input.width), word_of(input.height), word_of(input.pitch()),
                          word_of(bound.result.width), word_of(bound.result.height)};
  const int64_t tiles = p.group * ((channels / p.group + kTile - 1) / kTile);
  bound.dispatch.groups = gpu_groups(bound.result.width, bound.result.height, static_cast<int>(tiles));
  return bound;
}

}  // namespace coco::backends
