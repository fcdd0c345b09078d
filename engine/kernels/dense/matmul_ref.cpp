#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// Sum: what sums are made in; for integers without sign, so that they wrap around.
template <typename T, typename Sum>
void multiply(const format::MatMulParams& p, std::span<const TensorView> in, const MutableTensorView& out,
              int64_t row_begin, int64_t row_end) noexcept {
  const Shape &as = in[0].shape, &bs = in[1].shape, &ys = out.shape;
  const size_t rank = ys.rank();
  const int64_t n = ys[rank - 1];
  const int64_t depth = as[as.rank() - (p.transpose_a ? 2 : 1)];
  Extents a_strides = broadcast_strides(as, ys), b_strides = broadcast_strides(bs, ys);
  const int64_t a_row = p.transpose_a ? 1 : depth, a_step = p.transpose_a ? ys[rank - 2] : 1;
  const int64_t b_row = p.transpose_b ? 1 : n, b_step = p.transpose_b ? depth : 1;
  a_strides[rank - 2] = a_row;
  b_strides[rank - 2] = 0;
  const T* bias = in.size() > 2 ? in[2].as<T>() : nullptr;
  for (int64_t row = row_begin; row < row_end; ++row) {
    const Extents at = row_position(ys, row);
    const T* a = in[0].as<T>() + dot(at, a_strides, rank - 1);
    const T* b = in[1].as<T>() + dot(at, b_strides, rank - 1);
    T* y = out.as<T>() + row * n;
    for (int64_t j = 0; j < n; ++j) {
      Sum sum = bias != nullptr ? static_cast<Sum>(bias[j]) : Sum{0};
      for (int64_t k = 0; k < depth; ++k) {
        sum += static_cast<Sum>(a[k * a_step]) * static_cast<Sum>(b[k * b_row + j * b_step]);
      }
      y[j] = static_cast<T>(sum);
    }
  }
}

}  // namespace

// y[..., m, n] = bias[n] + sum over k of a[..., m, k] * b[..., k, n], k rising
void matmul_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::MatMulParams>(params);
  if (in[0].type == DataType::kS32) return multiply<int32_t, uint32_t>(p, in, out[0], row_begin, row_end);
  multiply<float, float>(p, in, out[0], row_begin, row_end);
}

}  // namespace coco::kernels
