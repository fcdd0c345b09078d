#include <algorithm>

#include "format/shape_rules.h"
#include "kernels/dense/layout.h"

namespace coco::kernels {

// y = inputs one after the other along the axis.
void concat_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const size_t axis = static_cast<size_t>(std::get<format::ConcatParams>(params).axis);
  const Shape& ys = out[0].shape;
  const bool along_rows = axis + 1 < ys.rank();
  const int64_t bytes = static_cast<int64_t>(byte_size(out[0].type));
  const int64_t y_row_bytes = dense_row_length(ys) * bytes;
  for (int64_t row = row_begin; row < row_end; ++row) {
    uint8_t* y = out[0].as<uint8_t>() + row * y_row_bytes;
    Extents at = row_position(ys, row);
    for (const TensorView& x : in) {
      if (along_rows && at[axis] >= x.shape[axis]) {
        at[axis] -= x.shape[axis];
        continue;
      }
      const int64_t x_row_bytes = dense_row_length(x.shape) * bytes;
      const int64_t x_row = dot(at, row_major_strides(x.shape), ys.rank()) * bytes;
      if (x_row_bytes > 0) std::memcpy(y, x.as<uint8_t>() + x_row, static_cast<size_t>(x_row_bytes));
      y += x_row_bytes;
      if (along_rows) break;
    }
  }
}

// y[i] = x[start + i * step] along the named axes.
void slice_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::SliceParams>(params);
  const Shape& xs = in[0].shape;
  Extents strides = row_major_strides(xs);
  int64_t base = 0;
  for (size_t i = 0; i < p.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(p.axes[i]);
    const format::SliceRange range = format::slice_range(p.starts[i], p.ends[i], p.steps[i], xs[axis]);
    base += range.start * strides[axis];
    strides[axis] = range.count > 1 ? range.step * strides[axis] : 0;  // a lone sample's step may be huge
  }
  copy_affine(in[0], out[0], base, strides, row_begin, row_end);
}

// y[i0, i1, ...] = x[j] with j[perm[k]] = i[k].
void transpose_ref(const format::OpParams& params, std::span<const TensorView> in,
                   std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& perm = std::get<format::TransposeParams>(params).perm;
  const Extents x_strides = row_major_strides(in[0].shape);
  Extents strides{};
  for (size_t i = 0; i < perm.size(); ++i) strides[i] = x_strides[static_cast<size_t>(perm[i])];
  copy_affine(in[0], out[0], 0, strides, row_begin, row_end);
}

// y = x, the same elements in the same order.
void reshape_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                 int64_t row_begin, int64_t row_end) noexcept {
  const int64_t row_bytes = dense_row_length(out[0].shape) * static_cast<int64_t>(byte_size(out[0].type));
  if (row_end <= row_begin) return;
  std::memcpy(out[0].as<uint8_t>() + row_begin * row_bytes, in[0].as<uint8_t>() + row_begin * row_bytes,
              static_cast<size_t>((row_end - row_begin) * row_bytes));
}

// y[n, c, h*b + by, w*b + bx] = x[n, k, h, w]; k = (by*b + bx)*C + c for DCR, c*b*b + by*b + bx for CRD.
void depth_to_space_ref(const format::OpParams& params, std::span<const TensorView> in,
                        std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::DepthToSpaceParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const int64_t b = p.block, plane = xs[2] * xs[3];
  const bool dcr = p.mode == format::DepthToSpaceMode::kDcr;
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr int64_t kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      const int64_t oy = row % ys[2], c = row / ys[2] % ys[1], n = row / ys[2] / ys[1];
      uint8_t* y = out[0].as<uint8_t>() + row * ys[3] * kBytes;
      for (int64_t ox = 0; ox < ys[3]; ++ox) {
        const int64_t position = oy % b * b + ox % b;
        const int64_t k = dcr ? position * ys[1] + c : c * b * b + position;
        const int64_t x = (n * xs[1] + k) * plane + oy / b * xs[3] + ox / b;
        std::memcpy(y + ox * kBytes, in[0].as<uint8_t>() + x * kBytes, bytes.value);
      }
    }
  });
}

// y[n, (by*b + bx)*C + c, h, w] = x[n, c, h*b + by, w*b + bx].
void space_to_depth_ref(const format::OpParams& params, std::span<const TensorView> in,
                        std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const int64_t b = std::get<format::SpaceToDepthParams>(params).block;
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr int64_t kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      const int64_t h = row % ys[2], k = row / ys[2] % ys[1], n = row / ys[2] / ys[1];
      const int64_t c = k % xs[1], by = k / xs[1] / b, bx = k / xs[1] % b;
      const int64_t x = ((n * xs[1] + c) * xs[2] + h * b + by) * xs[3] + bx;
      copy_elements<bytes.value>(out[0].as<uint8_t>() + row * ys[3] * kBytes, in[0].as<uint8_t>() + x * kBytes, ys[3],
                                 b);
    }
  });
}

}  // namespace coco::kernels
