// Purpose: small programs for the executors' tests, built in memory with pseudo-random weights.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "format/program.h"

namespace coco::testing {

/// Deterministic values in [-1, 1).
class Noise {
 public:
  explicit Noise(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  float next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int32_t>(state_ >> 32)) / 2147483648.0f;
  }
  std::vector<float> many(size_t count, float scale = 1.0f) {
    std::vector<float> values(count);
    for (float& v : values) v = next() * scale;
    return values;
  }

 private:
  uint64_t state_;
};

/// Builds a program operator by operator; each call returns the value number of its result.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed = 1) : noise_(seed) {}

  int input(Shape shape) {
    const int value = add_value("input" + std::to_string(program_.inputs.size()), std::move(shape));
    program_.inputs.push_back(value);
    return value;
  }
  int constant(Shape shape, const std::vector<float>& values) {
    const int value = add_value("constant" + std::to_string(program_.values.size()), std::move(shape));
    program_.values[value].constant =
        format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    return value;
  }
  int random_constant(Shape shape, float scale) {
    const auto count = static_cast<size_t>(*shape.element_count());
    return constant(std::move(shape), noise_.many(count, scale));
  }
  template <typename T>
  int integers(Shape shape, DataType type, int low, int high) {
    std::vector<T> values(static_cast<size_t>(*shape.element_count()));
    for (T& v : values) v = static_cast<T>(low + static_cast<int>((noise_.next() * 0.5f + 0.5f) * float(high - low)));
    const int value = add_value("constant" + std::to_string(program_.values.size()), std::move(shape), type);
    program_.values[value].constant =
        format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
    return value;
  }
  int op(format::OpParams params, std::vector<int32_t> inputs) {
    format::Operator op;
    op.name = "op" + std::to_string(program_.operators.size());
    op.params = std::move(params);
    op.inputs = std::move(inputs);
    std::vector<std::optional<Shape>> shapes;
    std::vector<std::optional<DataType>> types;
    for (int32_t i : op.inputs) {
      shapes.push_back(i < 0 ? std::nullopt : std::optional<Shape>(program_.values[i].shape));
      types.push_back(i < 0 ? std::nullopt : std::optional<DataType>(program_.values[i].type));
    }
    auto inferred = format::infer_shapes(op.params, shapes);
    const int value = add_value("value" + std::to_string(program_.values.size()), inferred.value()[0],
                                format::infer_types(op.params, types).value()[0]);
    op.outputs = {value};
    program_.operators.push_back(std::move(op));
    return value;
  }
  /// 2-D convolution with random weights and bias, PReLU when `prelu`.
  int conv(int x, int in, int out, format::Conv2dParams params, bool prelu = false) {
    const float scale = 1.5f / static_cast<float>(in / params.group * params.kernel[0] * params.kernel[1]);
    const int weight = random_constant({out, in / params.group, params.kernel[0], params.kernel[1]}, scale);
    const int bias = random_constant({out}, 0.1f);
    const int slope = prelu ? random_constant({out}, 0.5f) : format::kNoValue;
    return op(params, {x, weight, bias, slope});
  }
  /// Which weights (m, c, tap) are not 0.
  using Keeps = std::function<bool(int64_t, int64_t, int64_t)>;
  /// Integer convolution with random weights of full range, PReLU. f32 results reach a few hundred times `gain`.
  int quant_conv(int x, int in, int out, format::QuantConv2dParams params, const Keeps& keeps = {}, float gain = 1) {
    const int64_t window = params.kernel[0] * params.kernel[1], inputs = in / params.group, taps = inputs * window;
    const int weight = integers<int8_t>({out, inputs, params.kernel[0], params.kernel[1]}, DataType::kS8, -127, 128);
    if (keeps) {
      format::ConstantData& constant = program_.values[weight].constant;
      std::vector<uint8_t> bytes(constant.bytes.begin(), constant.bytes.end());
      for (size_t i = 0; i < bytes.size(); ++i) {
        const auto at = static_cast<int64_t>(i);
        if (!keeps(at / taps, at / window % inputs, at % window)) bytes[i] = 0;
      }
      constant = format::ConstantData::copy_of(bytes);
    }
    const int bias = integers<int32_t>({out}, DataType::kS32, -20000, 20000);
    const float scale = 0.01f * gain / static_cast<float>(taps);
    const int positive = random_constant({out}, scale), negative = random_constant({out}, scale);
    return op(params, {x, weight, bias, positive, negative});
  }
  int conv3x3(int x, int in, int out, bool prelu = true) {
    format::Conv2dParams params;
    params.kernel = {3, 3};
    params.pads = {1, 1, 1, 1};
    return conv(x, in, out, params, prelu);
  }
  format::Program finish(std::vector<int32_t> outputs) {
    program_.outputs = std::move(outputs);
    return program_;
  }

 private:
  int add_value(std::string name, Shape shape, DataType type = DataType::kF32) {
    format::Value value;
    value.type = type;
    value.name = std::move(name);
    value.shape = std::move(shape);
    program_.values.push_back(std::move(value));
    return static_cast<int>(program_.values.size()) - 1;
  }
  format::Program program_;
  Noise noise_;
};

inline format::QuantConv2dParams same3x3(int64_t in_zero, int64_t out_zero) {
  format::QuantConv2dParams p;
  p.kernel = {3, 3}, p.pads = {1, 1, 1, 1};
  p.in_zero_point = in_zero, p.out_zero_point = out_zero;
  return p;
}

/// Whose result for golden_input() is known to the byte, on every machine and device: kGoldenStack, its SHA-256. A
/// change of these bytes is a change of what integer networks compute (docs/numerics.md).
inline format::Program golden_stack() {
  NetworkBuilder net(21);
  int x = net.op(format::QuantizeParams{255, 0}, {net.input({1, 1, kDynamicDim, kDynamicDim})});
  x = net.quant_conv(x, 1, 8, same3x3(0, 37));
  x = net.quant_conv(x, 8, 8, same3x3(37, 120));
  auto last = same3x3(120, 0);
  last.dequantize = true;
  return net.finish({net.quant_conv(x, 8, 4, last)});
}
inline constexpr const char* kGoldenStack = "50c0b25fd291285522d0143055dcbba9f1470a4d7874e790efac48b96a4737e8";
inline Shape golden_shape() { return {1, 1, 41, 67}; }
inline std::vector<float> golden_input() {
  std::vector<float> input(41 * 67);
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(i * i % 256) / 255.0f;
  return input;
}

/// Integer convolutions with wide, dilated, grouped, strided and 1x1 windows, clipped results, channels that fill no
/// words.
inline format::Program integer_geometries() {
  NetworkBuilder net(12);
  int x = net.op(format::QuantizeParams{200, 9}, {net.input({1, 5, kDynamicDim, kDynamicDim})});
  format::QuantConv2dParams wide;
  wide.kernel = {5, 7}, wide.pads = {2, 3, 2, 3}, wide.in_zero_point = 9, wide.out_zero_point = 100;
  x = net.quant_conv(x, 5, 6, wide);
  auto dilated = same3x3(100, 50);
  dilated.dilation = {2, 3}, dilated.pads = {2, 3, 2, 3}, dilated.low = 20, dilated.high = 180;
  x = net.quant_conv(x, 6, 6, dilated);
  auto grouped = same3x3(50, 3);
  grouped.group = 3;
  x = net.quant_conv(x, 6, 9, grouped);
  auto strided = same3x3(3, 77);
  strided.stride = {2, 2};
  x = net.quant_conv(x, 9, 7, strided);
  format::QuantConv2dParams point;
  point.in_zero_point = 77, point.dequantize = true;
  return net.finish({net.quant_conv(x, 7, 3, point)});
}

/// The shape of the shipped super-resolution networks: plain 3x3 stack, pixel shuffle, interpolated base.
inline format::Program super_resolution(int width, int layers, uint64_t seed = 1) {
  NetworkBuilder net(seed);
  const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
  int x = net.conv3x3(in, 1, width);
  for (int i = 0; i < layers; ++i) x = net.conv3x3(x, width, width);
  x = net.conv3x3(x, width, 4, false);
  x = net.op(format::DepthToSpaceParams{}, {x});
  format::ResizeParams resize;
  resize.mode = format::ResizeMode::kLinear;
  resize.scales = {1, 1, 2, 2};
  const int base = net.op(resize, {in});
  return net.finish({net.op(format::BinaryParams{}, {x, base})});
}

/// The same in integers: the stack's last convolution gives f32, the base stays f32.
/// `keeps` prunes the layers between the first and the last.
inline format::Program integer_super_resolution(int width, int layers, uint64_t seed = 1,
                                                const NetworkBuilder::Keeps& keeps = {}) {
  NetworkBuilder net(seed);
  const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
  format::QuantConv2dParams same;
  same.kernel = {3, 3}, same.pads = {1, 1, 1, 1};
  // Sums of random weights grow with the root of their number: gains that keep steps between a few and 255.
  const float gain = 4 * std::sqrt(static_cast<float>(width));
  int x = net.quant_conv(net.op(format::QuantizeParams{255, 0}, {in}), 1, width, same, {}, 2);
  for (int i = 0; i < layers; ++i) x = net.quant_conv(x, width, width, same, keeps, gain);
  same.dequantize = true;
  x = net.op(format::DepthToSpaceParams{}, {net.quant_conv(x, width, 4, same, {}, 0.002f * gain)});
  format::ResizeParams resize;
  resize.mode = format::ResizeMode::kLinear;
  resize.scales = {1, 1, 2, 2};
  return net.finish({net.op(format::BinaryParams{}, {x, net.op(resize, {in})})});
}

}  // namespace coco::testing
