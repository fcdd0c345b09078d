#include <cmath>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// y = fn(a, b) with both inputs broadcast to the result.
template <typename Fn>
void map_broadcast(const TensorView& a, const TensorView& b, const MutableTensorView& y, int64_t row_begin,
                   int64_t row_end, Fn fn) noexcept {
  const size_t rank = y.shape.rank();
  const Extents a_strides = broadcast_strides(a.shape, y.shape), b_strides = broadcast_strides(b.shape, y.shape);
  const int64_t a_step = rank > 0 ? a_strides[rank - 1] : 0, b_step = rank > 0 ? b_strides[rank - 1] : 0;
  const int64_t length = dense_row_length(y.shape);
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(y.shape, row);
    const float* pa = a.as<float>() + dot(at, a_strides, rank);
    const float* pb = b.as<float>() + dot(at, b_strides, rank);
    float* py = y.as<float>() + row * length;
    for (int64_t i = 0; i < length; ++i) py[i] = fn(pa[i * a_step], pb[i * b_step]);
  }
}

}  // namespace

// relu: max(x, 0); leaky_relu: x < 0 ? a*x : x; clip: min(max(x, a), b); sigmoid: 1 / (1 + exp(-x)). NaN stays NaN.
float apply_unary(format::UnaryKind kind, float a, float b, float x) noexcept {
  switch (kind) {
    case format::UnaryKind::kIdentity:
      return x;
    case format::UnaryKind::kRelu:
      return x < 0.0f ? 0.0f : x;
    case format::UnaryKind::kLeakyRelu:
      return x < 0.0f ? a * x : x;
    case format::UnaryKind::kClip: {
      const float raised = x < a ? a : x;
      return raised > b ? b : raised;
    }
    case format::UnaryKind::kSigmoid:
      return 1.0f / (1.0f + std::exp(-x));
    case format::UnaryKind::kTanh:
      return std::tanh(x);
  }
  return x;
}

// y = f(x), element by element.
void unary_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::UnaryParams>(params);
  const int64_t length = dense_row_length(out[0].shape);
  const float* x = in[0].as<float>();
  float* y = out[0].as<float>();
  for (int64_t i = row_begin * length; i < row_end * length; ++i) y[i] = apply_unary(p.kind, p.a, p.b, x[i]);
}

// y = x < 0 ? slope * x : x, slope broadcast to x.
void prelu_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  map_broadcast(in[0], in[1], out[0], row_begin, row_end, [](float x, float s) { return x < 0.0f ? s * x : x; });
}

// y = a op b, both broadcast as NumPy does.
void binary_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto map = [&](auto fn) { map_broadcast(in[0], in[1], out[0], row_begin, row_end, fn); };
  switch (std::get<format::BinaryParams>(params).kind) {
    case format::BinaryKind::kAdd:
      return map([](float a, float b) { return a + b; });
    case format::BinaryKind::kSub:
      return map([](float a, float b) { return a - b; });
    case format::BinaryKind::kMul:
      return map([](float a, float b) { return a * b; });
    case format::BinaryKind::kDiv:
      return map([](float a, float b) { return a / b; });
  }
}

}  // namespace coco::kernels
