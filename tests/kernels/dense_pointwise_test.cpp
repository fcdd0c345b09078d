#include <limits>

#include "kernels/dense_support.h"

using namespace coco;
using namespace coco::kernels::testing;
using coco::format::BinaryKind;
using coco::format::BinaryParams;
using coco::format::PreluParams;
using coco::format::UnaryKind;
using coco::format::UnaryParams;

namespace {

// Index into `from` for the linear index of `to`, walking the axes from the last one.
size_t broadcast_index(const Shape& from, const Shape& to, size_t linear) {
  size_t index = 0, stride = 1;
  for (size_t i = 0; i < to.rank(); ++i) {
    const size_t axis = to.rank() - 1 - i;
    const size_t at = linear % static_cast<size_t>(to[axis]);
    linear /= static_cast<size_t>(to[axis]);
    if (i >= from.rank()) continue;
    const size_t length = static_cast<size_t>(from[from.rank() - 1 - i]);
    index += length == 1 ? 0 : at * stride;
    stride *= length;
  }
  return index;
}

}  // namespace

TEST_CASE("unary functions follow their formulas") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x{{7}, {-inf, -3, -0.5f, 0, 0.5f, 3, inf}};
  const auto result = [&](UnaryKind kind, float a = 0, float b = 0) {
    return run(UnaryParams{kind, a, b}, {&x}, x.shape).data;
  };
  REQUIRE(result(UnaryKind::kIdentity) == x.data);
  REQUIRE(result(UnaryKind::kRelu) == std::vector<float>{0, 0, 0, 0, 0.5f, 3, inf});
  REQUIRE(result(UnaryKind::kLeakyRelu, 0.25f) == std::vector<float>{-inf, -0.75f, -0.125f, 0, 0.5f, 3, inf});
  REQUIRE(result(UnaryKind::kClip, -1, 2) == std::vector<float>{-1, -1, -0.5f, 0, 0.5f, 2, 2});
  REQUIRE(result(UnaryKind::kClip, 2, 1) == std::vector<float>(7, 1.0f));
  const std::vector<float> sigmoid = result(UnaryKind::kSigmoid), tanh = result(UnaryKind::kTanh);
  for (size_t i = 0; i < x.data.size(); ++i) {
    REQUIRE(sigmoid[i] == Approx(1 / (1 + std::exp(-static_cast<double>(x.data[i])))).epsilon(1e-6));
    REQUIRE(tanh[i] == Approx(std::tanh(static_cast<double>(x.data[i]))).epsilon(1e-6));
  }
}

TEST_CASE("unary functions let NaN through") {
  for (const auto kind : {UnaryKind::kIdentity, UnaryKind::kRelu, UnaryKind::kLeakyRelu, UnaryKind::kClip,
                          UnaryKind::kSigmoid, UnaryKind::kTanh}) {
    REQUIRE(std::isnan(kernels::apply_unary(kind, 0, 1, std::numeric_limits<float>::quiet_NaN())));
  }
}

TEST_CASE("binary broadcasts as NumPy does") {
  const std::vector<std::array<Shape, 3>> cases = {
      {Shape{}, Shape{}, Shape{}},
      {Shape{5}, Shape{}, Shape{5}},
      {Shape{3, 1}, Shape{1, 4}, Shape{3, 4}},
      {Shape{2, 3, 4, 5}, Shape{3, 1, 1}, Shape{2, 3, 4, 5}},
      {Shape{1, 3, 1, 1}, Shape{2, 1, 4, 5}, Shape{2, 3, 4, 5}},
      {Shape{4, 1}, Shape{2, 3, 4, 7}, Shape{2, 3, 4, 7}},
      {Shape{2, 1, 3, 1, 2, 1}, Shape{5, 1, 4, 1, 3}, Shape{2, 5, 3, 4, 2, 3}},
      {Shape{0, 3}, Shape{1, 3}, Shape{0, 3}},
  };
  for (const auto& [sa, sb, sy] : cases) {
    INFO(sa.to_string() << " with " << sb.to_string());
    const Tensor a = random(sa, 1), b = iota(sb, 3);
    for (const auto kind : {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv}) {
      const Tensor y = run(BinaryParams{kind}, {&a, &b}, sy);
      for (size_t i = 0; i < y.data.size(); ++i) {
        const float p = a.data[broadcast_index(sa, sy, i)], q = b.data[broadcast_index(sb, sy, i)];
        REQUIRE(y.data[i] == (kind == BinaryKind::kAdd   ? p + q
                              : kind == BinaryKind::kSub ? p - q
                              : kind == BinaryKind::kMul ? p * q
                                                         : p / q));
      }
    }
  }
}

TEST_CASE("prelu scales negative values by the broadcast slope") {
  const Tensor x = random({2, 3, 4, 5}, 2);
  for (const Shape& shape : {Shape{1}, Shape{3, 1, 1}, Shape{5}, Shape{2, 3, 4, 5}}) {
    const Tensor slope = random(shape, 3);
    const Tensor y = run(PreluParams{}, {&x, &slope}, x.shape);
    for (size_t i = 0; i < y.data.size(); ++i) {
      const float s = slope.data[broadcast_index(shape, x.shape, i)];
      REQUIRE(y.data[i] == (x.data[i] < 0 ? x.data[i] * s : x.data[i]));
    }
  }
}

TEST_CASE("half floats are only moved") {
  const format::OpParams params = BinaryParams{};
  const std::vector<TensorView> in(2, TensorView{DataType::kF16, Shape{4}, nullptr});
  const MutableTensorView out{DataType::kF16, Shape{4}, nullptr};
  REQUIRE(kernels::select<kernels::DenseSlot>({&params, in, {&out, 1}}, {}) == nullptr);
}

TEST_CASE("every operator has a reference row") {
  const Tensor x = random({1, 4, 2, 2}, 1);
  const std::vector<TensorView> in(2, view(x));
  const MutableTensorView out{DataType::kF32, x.shape, nullptr};
#define COCO_OP(op, parameters)                                                           \
  {                                                                                       \
    const format::OpParams p = format::parameters{};                                      \
    const auto* row = kernels::select_reference<kernels::DenseSlot>({&p, in, {&out, 1}}); \
    INFO(#op);                                                                            \
    REQUIRE(row != nullptr);                                                              \
    REQUIRE(row->name.substr(row->name.size() - 4) == "_ref");                            \
    REQUIRE(row->tolerance == 0);                                                         \
  }
#include "format/ops.def"
#undef COCO_OP
}

TEST_CASE("dequantize: one scale, one per channel, zero points") {
  const std::vector<uint8_t> x{0, 1, 128, 255, 7, 9, 10, 11};
  const std::vector<float> one{0.5f}, two{0.5f, 3.0f};
  const std::vector<int32_t> zeros{128, 9};
  const Shape shape{1, 2, 2, 2};
  const TensorView image{DataType::kU8, shape, x.data()};
  const auto floats = [&](std::vector<TensorView> in) {
    in.resize(3);
    const std::vector<uint8_t> bytes = run_bytes(format::DequantizeParams{}, in, DataType::kF32, shape);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  };
  const TensorView scale{DataType::kF32, {}, one.data()}, scales{DataType::kF32, {2}, two.data()};
  CHECK(floats({image, scale}) == std::vector<float>{0, 0.5f, 64, 127.5f, 3.5f, 4.5f, 5, 5.5f});
  CHECK(floats({image, scales, {DataType::kS32, {2}, zeros.data()}}) ==
        std::vector<float>{-64, -63.5f, 0, 63.5f, -6, 0, 3, 6});
  const std::vector<int8_t> s8{-128, -1, 0, 127, 1, 2, 3, 4};
  CHECK(floats({{DataType::kS8, shape, s8.data()}, scale}) ==
        std::vector<float>{-64, -0.5f, 0, 63.5f, 0.5f, 1, 1.5f, 2});
  const std::vector<int32_t> s32{INT32_MIN, INT32_MAX, 0, 1, 2, 3, 4, 5};
  CHECK(floats({{DataType::kS32, shape, s32.data()}, scale, {DataType::kS32, {1}, zeros.data()}})[0] == -1073741888.0f);
}
