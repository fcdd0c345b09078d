// Operators on tensors of any rank. ONNX's own tests are the judge of their meaning (tests/compiler); here are values
// worked out by hand for what those leave open, and the contract of work units for every operator.
#include <array>
#include <cstring>
#include <limits>

#include "catch.h"
#include "format/program.h"
#include "kernels/registry.h"

namespace coco::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

struct Tensor {
  DataType type;
  Shape shape;
  std::vector<uint8_t> bytes;
};

template <typename T>
Tensor tensor(DataType type, const Shape& shape, const std::vector<T>& values) {
  REQUIRE(static_cast<int64_t>(values.size()) == shape.element_count());
  Tensor result{type, shape, std::vector<uint8_t>(values.size() * sizeof(T))};
  if (!values.empty()) std::memcpy(result.bytes.data(), values.data(), result.bytes.size());
  return result;
}
Tensor floats(const Shape& shape, const std::vector<float>& values) { return tensor(DataType::kF32, shape, values); }
Tensor longs(const Shape& shape, const std::vector<int64_t>& values) { return tensor(DataType::kS64, shape, values); }
Tensor bools(const Shape& shape, const std::vector<uint8_t>& values) { return tensor(DataType::kBool, shape, values); }

/// 0.1, -0.3, 0.5 ...: different everywhere.
Tensor ramp(const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(*shape.element_count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = (i % 2 == 0 ? 0.1f : -0.1f) * static_cast<float>(i % 37 + 1);
  return floats(shape, values);
}

template <typename T>
std::vector<T> values_of(const Tensor& t) {
  std::vector<T> values(t.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), t.bytes.data(), t.bytes.size());
  return values;
}

/// All results, after checking that the units computed one by one, the last one first, give the same.
std::vector<Tensor> run(const format::OpParams& params, const std::vector<Tensor>& inputs) {
  std::vector<std::optional<Shape>> shapes;
  std::vector<std::optional<DataType>> types;
  std::vector<TensorView> in;
  for (const Tensor& t : inputs) {
    const bool absent = t.bytes.empty() && t.shape.rank() == 0;
    shapes.push_back(absent ? std::nullopt : std::optional(t.shape));
    types.push_back(absent ? std::nullopt : std::optional(t.type));
    in.push_back({t.type, t.shape, absent ? nullptr : t.bytes.data()});
  }
  const auto out_shapes = format::infer_shapes(params, shapes);
  INFO((out_shapes.ok() ? "" : out_shapes.error().message));
  REQUIRE(out_shapes.ok());
  const auto out_types = format::infer_types(params, types);
  REQUIRE(out_types.ok());
  const format::OpArity arity = format::op_arity(format::op_kind(params));
  if (!arity.variadic()) in.resize(std::max(in.size(), arity.total));
  const auto compute = [&](bool apart) {
    std::vector<Tensor> results;
    for (size_t i = 0; i < out_shapes->size(); ++i) {
      const auto count = static_cast<size_t>(*(*out_shapes)[i].element_count());
      results.push_back(
          {(*out_types)[i], (*out_shapes)[i], std::vector<uint8_t>(count * byte_size((*out_types)[i]), 0xA5)});
    }
    std::vector<MutableTensorView> out;
    for (Tensor& t : results) out.push_back({t.type, t.shape, t.bytes.data()});
    const DenseKey key{&params, in, out};
    const auto* kernel = select_reference<DenseSlot>(key);
    REQUIRE(kernel != nullptr);
    const int64_t units = dense_units(key);
    if (!apart) kernel->function(params, in, out, 0, units);
    for (int64_t unit = units; apart && unit-- > 0;) kernel->function(params, in, out, unit, unit + 1);
    return results;
  };
  std::vector<Tensor> whole = compute(false);
  const std::vector<Tensor> parts = compute(true);
  for (size_t i = 0; i < whole.size(); ++i) CHECK(parts[i].bytes == whole[i].bytes);
  return whole;
}

std::vector<float> run_floats(const format::OpParams& params, const std::vector<Tensor>& inputs) {
  return values_of<float>(run(params, inputs)[0]);
}

}  // namespace

TEST_CASE("integers wrap around, and nothing is divided by zero") {
  const auto binary = [](format::BinaryKind kind, std::vector<int32_t> a, std::vector<int32_t> b) {
    const auto n = static_cast<int64_t>(a.size());
    return values_of<int32_t>(
        run(format::BinaryParams{kind}, {tensor(DataType::kS32, Shape{n}, a), tensor(DataType::kS32, Shape{n}, b)})[0]);
  };
  constexpr int32_t kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();
  using format::BinaryKind;
  CHECK(binary(BinaryKind::kAdd, {kHigh}, {1}) == std::vector<int32_t>{kLow});
  CHECK(binary(BinaryKind::kMul, {kHigh}, {kHigh}) == std::vector<int32_t>{1});
  CHECK(binary(BinaryKind::kDiv, {7, -7, 5, kLow}, {2, 2, 0, -1}) == std::vector<int32_t>{3, -3, 0, kLow});
  CHECK(binary(BinaryKind::kMod, {7, -7, 7, 5, kLow}, {3, 3, -3, 0, -1}) == std::vector<int32_t>{1, 2, -2, 0, 0});
  CHECK(binary(BinaryKind::kFmod, {7, -7, 7}, {3, 3, -3}) == std::vector<int32_t>{1, -1, 1});
  const auto negated =
      run(format::UnaryParams{format::UnaryKind::kNeg}, {tensor<int32_t>(DataType::kS32, Shape{2}, {kLow, 5})});
  CHECK(values_of<int32_t>(negated[0]) == std::vector<int32_t>{kLow, -5});
}

TEST_CASE("NaN comes through minimum, maximum and their reductions") {
  const Tensor a = floats({3}, {kNan, 1, 2}), b = floats({3}, {0, kNan, 5});
  const auto least = run_floats(format::BinaryParams{format::BinaryKind::kMin}, {a, b});
  CHECK((std::isnan(least[0]) && std::isnan(least[1]) && least[2] == 2));
  CHECK(std::isnan(run_floats(format::ReduceParams{format::ReduceKind::kMax, {0}, false}, {a})[0]));
}

TEST_CASE("casts go towards zero and wrap around") {
  const Tensor x = floats({5}, {-1.9f, 300.7f, kNan, kInf, 1});
  CHECK(values_of<uint8_t>(run(format::CastParams{DataType::kU8}, {x})[0]) == std::vector<uint8_t>{255, 44, 0, 255, 1});
  CHECK(values_of<uint8_t>(run(format::CastParams{DataType::kBool}, {floats({3}, {0, -0.0f, 0.1f})})[0]) ==
        std::vector<uint8_t>{0, 0, 1});
  CHECK(values_of<int64_t>(run(format::CastParams{DataType::kS64}, {floats({2}, {-2.5f, 7e18f})})[0])[0] == -2);
}

TEST_CASE("reductions over nothing") {
  const Tensor nothing = floats({2, 0}, {});
  const auto reduced = [&](format::ReduceKind kind) {
    return run_floats(format::ReduceParams{kind, {1}, false}, {nothing})[0];
  };
  CHECK(reduced(format::ReduceKind::kSum) == 0);
  CHECK(reduced(format::ReduceKind::kProd) == 1);
  CHECK(reduced(format::ReduceKind::kMax) == -kInf);
  CHECK(reduced(format::ReduceKind::kMin) == kInf);
}

TEST_CASE("the log of a sum of exponents does not overflow") {
  const format::ReduceParams params{format::ReduceKind::kLogSumExp, {0}, false};
  CHECK(run_floats(params, {floats({2}, {1000, 1000})})[0] == Approx(1000.693147));
  CHECK(run_floats(params, {floats({2}, {-kInf, -kInf})})[0] == -kInf);
}

TEST_CASE("softmax of large and of hopeless numbers") {
  const auto y = run_floats(format::SoftmaxParams{0, 1, false}, {floats({3}, {1000, 1000, -kInf})});
  CHECK(y == std::vector<float>{0.5f, 0.5f, 0});
  const auto log = run_floats(format::SoftmaxParams{0, 1, true}, {floats({2}, {1000, 0})});
  CHECK(log[1] == Approx(-1000));
}

TEST_CASE("top k: equals by index, NaN before everything") {
  const Tensor x = floats({6}, {1, 3, kNan, 3, 2, -1});
  const auto most = run(format::TopKParams{0, 4, false}, {x});
  CHECK(values_of<int64_t>(most[1]) == std::vector<int64_t>{2, 1, 3, 4});
  const auto least = run(format::TopKParams{0, 6, true}, {x});
  CHECK(values_of<int64_t>(least[1]) == std::vector<int64_t>{5, 0, 4, 1, 3, 2});
  CHECK(values_of<int64_t>(run(format::TopKParams{0, 0, true}, {x})[1]).empty());
}

TEST_CASE("which of equals an argument is") {
  const Tensor x = floats({2, 3}, {5, 7, 7, 1, 1, 2});
  CHECK(values_of<int64_t>(run(format::ArgReduceParams{1, false, false, false}, {x})[0]) == std::vector<int64_t>{1, 2});
  CHECK(values_of<int64_t>(run(format::ArgReduceParams{1, false, false, true}, {x})[0]) == std::vector<int64_t>{2, 2});
  CHECK(values_of<int64_t>(run(format::ArgReduceParams{1, false, true, true}, {x})[0]) == std::vector<int64_t>{0, 1});
}

TEST_CASE("padding counts in an average only where it shall") {
  format::Pool2dParams p;
  p.kind = format::PoolKind::kAverage;
  p.kernel = {2, 2}, p.stride = {2, 2}, p.pads = {1, 1, 0, 0};
  const Tensor x = floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(run_floats(p, {x}) == std::vector<float>{1, 2.5f, 5.5f, 7});
  p.count_padding = true;
  CHECK(run_floats(p, {x}) == std::vector<float>{0.25f, 1.25f, 2.75f, 7});
}

TEST_CASE("a window rounded up never counts what lies beyond the padding") {
  format::Pool2dParams p;
  p.kernel = {2, 2}, p.stride = {2, 2}, p.ceil_mode = true;
  const Tensor x = floats({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, -9});
  CHECK(run_floats(p, {x}) == std::vector<float>{5, 6, 8, -9});
  p.kind = format::PoolKind::kAverage;
  p.count_padding = true;
  CHECK(run_floats(p, {x}) == std::vector<float>{3, 4.5f, 7.5f, -9});
}

TEST_CASE("indices from the end, and indices nobody can follow") {
  const Tensor x = floats({3, 2}, {1, 2, 3, 4, 5, 6});
  CHECK(run_floats(format::GatherParams{0}, {x, longs({2}, {-1, 0})}) == std::vector<float>{5, 6, 1, 2});
  CHECK(run_floats(format::GatherParams{1}, {x, longs({}, {-2})}) == std::vector<float>{1, 3, 5});
  CHECK(run_floats(format::GatherParams{0}, {x, longs({2}, {99, -99})}) == std::vector<float>{5, 6, 1, 2});
  const auto scattered =
      run_floats(format::ScatterNdParams{}, {x, longs({3, 1}, {-1, 99, -99}), floats({3, 2}, {7, 8, 9, 9, 9, 9})});
  CHECK(scattered == std::vector<float>{1, 2, 3, 4, 7, 8});
  CHECK(run_floats(format::ScatterNdParams{format::ScatterKind::kAdd},
                   {floats({2}, {1, 2}), longs({2, 1}, {0, 0}), floats({2}, {10, 20})}) == std::vector<float>{31, 2});
}

TEST_CASE("boxes without area, hopeless scores and an overlap at the bound") {
  format::NonMaxSuppressionParams p{9, 0.5f, 0.1f, true, false};
  const Tensor boxes = floats({1, 5, 4}, {0, 0, 2, 2, 0, 0, 2, 1, 0, 0, 0, 0, 5, 5, 6, 6, 9, 9, 8, 8});
  const Tensor scores = floats({1, 1, 5}, {0.9f, 0.8f, 0.7f, kNan, 0.1f});
  // Box 1 covers half of box 0: exactly the bound, so it stays. Box 2 is a point; 3 has no score; 4 is at the
  // threshold.
  const std::vector<int64_t> selected{0, 0, 0, 0, 0, 1, 0, 0, 2, -1, -1, -1, -1, -1, -1};
  CHECK(values_of<int64_t>(run(p, {boxes, scores})[0]) == selected);
}

TEST_CASE("sampling far outside and at no place at all") {
  const Tensor x = floats({1, 1, 2, 2}, {1, 2, 3, 4});
  const Tensor grid = floats({1, 1, 4, 2}, {-1, -1, 1e30f, 0, kNan, 0, 1, 1});
  format::GridSampleParams p;
  p.align_corners = true;
  CHECK(run_floats(p, {x, grid}) == std::vector<float>{1, 0, 0, 4});
  p.padding = format::GridPadding::kBorder;
  const auto border = run_floats(p, {x, grid});
  CHECK((border[0] == 1 && border[3] == 4));
  for (const float v : border) CHECK((v >= 1 && v <= 4));
}

TEST_CASE("sequences that end early leave zeros and their last state") {
  const Tensor x = ramp({3, 2, 2}), w = ramp({1, 9, 2}), r = ramp({1, 9, 3}), none{DataType::kF32, {}, {}};
  const Tensor lengths = tensor<int32_t>(DataType::kS32, Shape{2}, {1, 3});
  const auto results = run(format::GruParams{3}, {x, w, r, none, lengths});
  const auto y = values_of<float>(results[0]), last = values_of<float>(results[1]);
  for (size_t t = 1; t < 3; ++t) {
    for (size_t u = 0; u < 3; ++u) CHECK(y[t * 6 + u] == 0);
  }
  for (size_t u = 0; u < 3; ++u) {
    CHECK(last[u] == y[u]);               // the first sequence ended after one step
    CHECK(last[3 + u] == y[12 + 3 + u]);  // the second took all three
  }
}

TEST_CASE("units of work do not touch each other's results") {
  const Tensor image = ramp({2, 6, 5, 4}), list = ramp({3, 4, 5});
  format::Pool2dParams pool;
  pool.kernel = {3, 2}, pool.pads = {1, 0, 1, 1};
  for (const auto kind : {format::PoolKind::kMax, format::PoolKind::kAverage, format::PoolKind::kLp}) {
    pool.kind = kind;
    run(pool, {image});
  }
  for (int64_t axis = 0; axis < 3; ++axis) {
    run(format::SoftmaxParams{axis, axis + 1, false}, {list});
    run(format::SoftmaxParams{axis, 3, true}, {list});
    run(format::TopKParams{axis, 2, false}, {list});
    run(format::ArgReduceParams{axis}, {list});
    run(format::ReduceParams{format::ReduceKind::kL2, {axis}, false}, {list});
    run(format::LayerNormParams{axis}, {list, floats({1}, {2}), floats({5}, {1, 2, 3, 4, 5})});
  }
  run(format::GroupNormParams{3}, {image, ramp({6}), ramp({6})});
  run(format::MatMulParams{}, {ramp({2, 1, 3, 4}), ramp({3, 4, 2})});
  run(format::MatMulParams{true, true}, {ramp({4, 3}), ramp({2, 4}), ramp({2})});
  run(format::MatMulParams{},
      {tensor<int32_t>(DataType::kS32, {1, 2}, {3, -4}), tensor<int32_t>(DataType::kS32, {2, 1}, {5, 6})});
  run(format::GatherElementsParams{1}, {list, longs({3, 2, 5}, std::vector<int64_t>(30, -2))});
  run(format::ExpandParams{{3, 4, 5}}, {ramp({4, 1})});
  run(format::TileParams{{2, 1, 3}}, {list});
  run(format::WhereParams{}, {bools({4, 1}, {1, 0, 0, 1}), list, ramp({5})});
  run(format::GridSampleParams{format::GridMode::kBicubic, format::GridPadding::kReflection, false},
      {image, ramp({2, 3, 7, 2})});
  const Tensor none{DataType::kF32, {}, {}};
  run(format::LstmParams{2, format::Direction::kBidirectional},
      {ramp({3, 2, 4}), ramp({2, 8, 4}), ramp({2, 8, 2}), ramp({2, 16}), none, none, ramp({2, 2, 2}), ramp({2, 6})});
  run(format::GruParams{2, format::Direction::kReverse, true},
      {ramp({3, 2, 4}), ramp({1, 6, 4}), ramp({1, 6, 2}), ramp({1, 12})});
}

}  // namespace coco::kernels
