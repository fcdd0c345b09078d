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
  /// The first result; others have the numbers behind it.
  int32_t add(OpParams params, std::vector<int32_t> inputs) {
    const OpArity arity = op_arity(op_kind(params));
    if (!arity.variadic()) inputs.resize(arity.total, kNoValue);
    std::vector<std::optional<Shape>> shapes;
    std::vector<std::optional<DataType>> types;
    for (int32_t i : inputs) {
      const Value* input = i == kNoValue ? nullptr : &program.values[static_cast<size_t>(i)];
      shapes.push_back(input == nullptr ? std::nullopt : std::optional(input->shape));
      types.push_back(input == nullptr ? std::nullopt : std::optional(input->type));
    }
    const std::vector<Shape> results = infer_shapes(params, shapes).value();
    std::vector<int32_t> numbers;
    for (size_t i = 0; i < results.size(); ++i) {
      numbers.push_back(
          value("v" + std::to_string(program.values.size()), results[i], infer_types(params, types).value()[i]));
    }
    const std::string name = "op" + std::to_string(program.operators.size());
    program.operators.push_back({name, std::move(params), std::move(inputs), numbers});
    return numbers[0];
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

/// The operators of params_tensor.h, no parameter at its default.
inline void add_tensor_operators(Builder& b) {
  const int32_t x = b.input(Shape{2, 3, 4, 8}), list = b.input(Shape{5, 2, 3});
  const auto indices = [&](Shape shape) { return b.integers<int64_t>(std::move(shape), DataType::kS64); };
  const int32_t product = b.add(MatMulParams{true, true}, {list, b.constant(Shape{5, 4, 2}), b.constant(Shape{4})});
  b.output(b.add(CastParams{DataType::kS32}, {b.add(ReduceParams{ReduceKind::kL2, {1}, false}, {product})}));
  b.output(b.add(ArgReduceParams{2, false, true, true}, {list}));
  const int32_t best = b.add(TopKParams{2, 2, true}, {list});
  b.output(b.add(SoftmaxParams{1, 3, true}, {best}));
  b.output(b.add(GatherParams{1}, {list, best + 1}));
  b.output(b.add(Pool2dParams{PoolKind::kLp, {3, 2}, {2, 1}, {1, 2}, {1, 2, 1, 0}, true, true, 3}, {x}));
  b.output(b.add(LayerNormParams{2, 0.25f}, {list, b.constant(Shape{3}), b.constant(Shape{2, 3})}));
  b.output(b.add(GroupNormParams{3, 0.5f}, {x, b.constant(Shape{3}), b.constant(Shape{3})}));
  b.output(b.add(GatherElementsParams{2}, {list, indices(Shape{5, 2, 7})}));
  const int32_t places = indices(Shape{2, 1}), updates = b.constant(Shape{2, 2, 3});
  b.output(b.add(ScatterNdParams{ScatterKind::kAdd}, {list, places, updates}));
  b.output(b.add(TileParams{{1, 2, 3}}, {b.add(ExpandParams{{5, 2, 3}}, {b.constant(Shape{2, 1})})}));
  const int32_t larger = b.add(BinaryParams{BinaryKind::kGreater}, {list, list});
  b.output(b.add(WhereParams{}, {larger, list, b.constant(Shape{1})}));
  const NonMaxSuppressionParams boxes{2, 0.5f, 0.125f, true, true};
  b.output(b.add(boxes, {b.constant(Shape{1, 3, 4}), b.constant(Shape{1, 2, 3})}));
  const GridSampleParams grid{GridMode::kBicubic, GridPadding::kReflection, true};
  b.output(b.add(grid, {x, b.constant(Shape{2, 5, 6, 2})}));
  const LstmParams lstm{2, Direction::kReverse, true};
  b.output(b.add(lstm, {list, b.constant(Shape{1, 8, 3}), b.constant(Shape{1, 8, 2})}));
  const GruParams gru{2, Direction::kBidirectional, true};
  b.output(b.add(gru, {list, b.constant(Shape{2, 6, 3}), b.constant(Shape{2, 6, 2})}));
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
  const int32_t looked = b.add(LookupParams{3}, {q, b.integers<uint8_t>(Shape{256}, DataType::kU8)});
  b.output(b.add(QuantBinaryParams{BinaryKind::kMul, 1, 2, 3, 4, 5, 0.25f, 6, 77}, {looked, q}));
  b.output(b.add(ReshapeParams{{6, 9, 12}, true}, {t}));
  add_tensor_operators(b);
  b.program.card = {"all",  "test", "every \"operator\"\n", "Apache-2.0", "none", "make",
                    "0..1", 3,      {{"a", "1"}, {"b", ""}}};
  return std::move(b.program);
}

}  // namespace coco::format::testing
