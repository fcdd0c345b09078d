// Programs the tests of this room share.
#pragma once

#include <vector>

#include "format/program.h"

namespace coco::format::testing {

/// Bytes of `count` floats counting up in small steps.
inline ConstantData ramp(size_t count) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = 0.01f * static_cast<float>(i);
  return ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), count * sizeof(float)});
}

/// Puts programs together; numbers are value numbers.
struct Builder {
  Program program;

  int32_t input(Shape shape) {
    program.inputs.push_back(value("x" + std::to_string(program.inputs.size()), std::move(shape)));
    return program.inputs.back();
  }
  int32_t constant(Shape shape) {
    const auto count = static_cast<size_t>(shape.element_count().value());
    const int32_t number = value("c" + std::to_string(program.values.size()), std::move(shape));
    program.values.back().constant = ramp(count);
    return number;
  }
  /// Small integers counting up from 1 to 7.
  template <typename T>
  int32_t integers(Shape shape, DataType type) {
    std::vector<T> values(static_cast<size_t>(shape.element_count().value()));
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(1 + i % 7);
    const int32_t number = value("c" + std::to_string(program.values.size()), std::move(shape), type);
    program.values.back().constant =
        ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
    return number;
  }
  int32_t add(OpParams params, std::vector<int32_t> inputs) {
    std::vector<std::optional<Shape>> shapes;
    std::vector<std::optional<DataType>> types;
    for (int32_t i : inputs) {
      const Value* input = i == kNoValue ? nullptr : &program.values[static_cast<size_t>(i)];
      shapes.push_back(input == nullptr ? std::nullopt : std::optional(input->shape));
      types.push_back(input == nullptr ? std::nullopt : std::optional(input->type));
    }
    const int32_t number = value("v" + std::to_string(program.values.size()), infer_shapes(params, shapes).value()[0],
                                 infer_type(params, types).value());
    const std::string name = "op" + std::to_string(program.operators.size());
    program.operators.push_back({name, std::move(params), std::move(inputs), {number}});
    return number;
  }
  void output(int32_t number) { program.outputs.push_back(number); }

 private:
  int32_t value(std::string name, Shape shape, DataType type = DataType::kF32) {
    program.values.push_back({std::move(name), type, std::move(shape), {}});
    return static_cast<int32_t>(program.values.size()) - 1;
  }
};

/// x2 super-resolution in small: conv with PReLU, conv, depth to space; any height and width.
inline Program small_network() {
  Builder b;
  const int32_t x = b.input(Shape{1, 1, kDynamicDim, kDynamicDim});
  Conv2dParams conv;
  conv.kernel = {3, 3};
  conv.pads = {1, 1, 1, 1};
  const int32_t first = b.add(conv, {x, b.constant(Shape{2, 1, 3, 3}), b.constant(Shape{2}), b.constant(Shape{2})});
  const int32_t second = b.add(conv, {first, b.constant(Shape{4, 2, 3, 3}), b.constant(Shape{4}), kNoValue});
  b.output(b.add(DepthToSpaceParams{}, {second}));
  b.program.card.name = "small";
  b.program.card.task = "super-resolution";
  b.program.card.scale = 2;
  return std::move(b.program);
}

/// A convolution whose 8 x 4 blocks keep 4 of 9 taps, and one whose weights halves can hold: both are packed in a file.
inline Program packed_network() {
  Builder b;
  const int32_t x = b.input(Shape{1, 8, kDynamicDim, kDynamicDim});
  Conv2dParams conv;
  conv.kernel = {3, 3};
  conv.pads = {1, 1, 1, 1};
  const auto weights = [&b](int32_t number, auto value) {
    std::vector<float> values(16 * 8 * 9);
    for (size_t i = 0; i < values.size(); ++i) values[i] = value(i / 72, i / 9 % 8, i % 9);
    b.program.values[static_cast<size_t>(number)].constant =
        ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
    return number;
  };
  const int32_t pruned = weights(b.constant(Shape{16, 8, 3, 3}), [](size_t o, size_t i, size_t tap) {
    return (tap + o / 8 + i / 4) % 9 < 4 ? 0.1f + 0.001f * static_cast<float>(o + i + tap) : 0.f;
  });
  const int32_t c = b.add(conv, {x, pruned, b.constant(Shape{16}), kNoValue});
  const int32_t s = b.add(SliceParams{{1}, {0}, {8}, {1}}, {c});
  const int32_t halves = weights(b.constant(Shape{16, 8, 3, 3}), [](size_t o, size_t i, size_t tap) {
    return 0.125f * static_cast<float>(1 + o + i + tap);
  });
  b.output(b.add(conv, {s, halves, kNoValue, kNoValue}));
  return std::move(b.program);
}

/// Every operator, no parameter at its default.
inline Program every_operator() {
  Builder b;
  const int32_t x = b.input(Shape{1, 4, 8, 6});
  Conv2dParams conv{{3, 1}, {2, 1}, {1, 2}, {1, 2, 3, 4}, 2, UnaryKind::kClip, -0.5f, 1.0f / 3};
  const int32_t c = b.add(conv, {x, b.constant(Shape{6, 2, 3, 1}), b.constant(Shape{6}), kNoValue});
  ConvTranspose2dParams deconv{{2, 3}, {2, 3}, {3, 2}, {1, 0, 2, 1}, {1, 2}, 3};
  const int32_t q = b.add(QuantizeParams{100, 5}, {c});
  QuantConv2dParams quant{{3, 1}, {1, 2}, {2, 1}, {2, 1, 2, 1}, 2, 5, 7, 1, 250, true};
  const int32_t i = b.add(quant, {q, b.integers<int8_t>(Shape{6, 3, 3, 1}, DataType::kS8),
                                  b.integers<int32_t>(Shape{6}, DataType::kS32), b.constant(Shape{6}), kNoValue});
  const int32_t d = b.add(deconv, {i, b.constant(Shape{6, 4, 2, 3}), kNoValue});
  const int32_t u = b.add(UnaryParams{UnaryKind::kLeakyRelu, 0.1f, 7.0f}, {d});
  const int32_t r = b.add(PreluParams{}, {u, b.constant(Shape{12, 1, 1})});
  const int32_t m = b.add(BinaryParams{BinaryKind::kDiv}, {r, b.constant(Shape{1})});
  const int32_t k = b.add(ConcatParams{2}, {m, r});
  const int32_t s = b.add(SliceParams{{3, 1}, {-5, 11}, {INT64_MAX, INT64_MIN}, {2, -1}}, {k});
  const int32_t p = b.add(PadParams{PadMode::kEdge, {0, 0, 1, 2, 0, 0, 3, -1}, 2.5f}, {s});
  ResizeParams by_scale{
      ResizeMode::kCubic, CoordinateMode::kAsymmetric, NearestMode::kCeil, -0.5f, true, {1, 1, 1.5f, 2}, {}};
  const int32_t e = b.add(by_scale, {p});
  ResizeParams by_size = by_scale;
  by_size.scales.clear();
  by_size.sizes = {1, 12, 6, 9};
  const int32_t f = b.add(by_size, {e});
  const int32_t g = b.add(SpaceToDepthParams{3}, {f});
  const int32_t h = b.add(DepthToSpaceParams{3, DepthToSpaceMode::kCrd}, {g});
  const int32_t t = b.add(TransposeParams{{0, 2, 3, 1}}, {h});
  b.output(b.add(DequantizeParams{3}, {q, b.constant(Shape{1}), b.integers<int32_t>(Shape{1}, DataType::kS32)}));
  b.output(b.add(ReshapeParams{{6, 9, 12}, true}, {t}));
  b.program.card = {"all",  "test", "every \"operator\"\n", "Apache-2.0", "none", "make",
                    "0..1", 3,      {{"a", "1"}, {"b", ""}}};
  return std::move(b.program);
}

}  // namespace coco::format::testing
