// Purpose: index arithmetic shared by the dense kernels. Nothing here allocates.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "kernels/dense/dense.h"

namespace coco::kernels {

using Extents = std::array<int64_t, kMaxDenseRank>;

/// Distance in elements between neighbours along each axis.
inline Extents row_major_strides(const Shape& shape) noexcept {
  Extents strides{};
  int64_t stride = 1;
  for (size_t i = shape.rank(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

/// Index along every axis but the last of the row-th row; the last entry is 0.
inline Extents row_position(const Shape& shape, int64_t row) noexcept {
  Extents at{};
  for (size_t i = shape.rank(); i-- > 1;) {
    at[i - 1] = row % shape[i - 1];
    row /= shape[i - 1];
  }
  return at;
}

/// Strides that read `from` as if it had shape `to`, as NumPy broadcasts: missing leading axes and axes of length 1
/// stand still.
inline Extents broadcast_strides(const Shape& from, const Shape& to) noexcept {
  const Extents own = row_major_strides(from);
  Extents strides{};
  const size_t lead = to.rank() - from.rank();
  for (size_t i = 0; i < from.rank(); ++i) strides[lead + i] = from[i] == 1 ? 0 : own[i];
  return strides;
}

inline int64_t dot(const Extents& at, const Extents& strides, size_t rank) noexcept {
  int64_t sum = 0;
  for (size_t i = 0; i < rank; ++i) sum += at[i] * strides[i];
  return sum;
}

/// Calls fn(std::integral_constant<size_t, element bytes>).
template <typename Fn>
void with_element_size(DataType type, Fn&& fn) noexcept {
  switch (byte_size(type)) {
    case 1:
      return fn(std::integral_constant<size_t, 1>{});
    case 2:
      return fn(std::integral_constant<size_t, 2>{});
    case 4:
      return fn(std::integral_constant<size_t, 4>{});
    default:
      return fn(std::integral_constant<size_t, 8>{});
  }
}

/// dst[i] = src[i * stride] for elements of kBytes; src points at element 0, stride counts elements.
template <size_t kBytes>
void copy_elements(uint8_t* dst, const uint8_t* src, int64_t count, int64_t stride) noexcept {
  if (stride == 1) {
    std::memcpy(dst, src, static_cast<size_t>(count) * kBytes);
    return;
  }
  const int64_t step = stride * static_cast<int64_t>(kBytes);
  for (int64_t i = 0; i < count; ++i) std::memcpy(dst + i * static_cast<int64_t>(kBytes), src + i * step, kBytes);
}

/// Result[i0, i1, ...] = input[base + i0 * strides[0] + i1 * strides[1] + ...], all offsets in elements.
inline void copy_affine(const TensorView& in, const MutableTensorView& out, int64_t base, const Extents& strides,
                        int64_t row_begin, int64_t row_end) noexcept {
  const size_t rank = out.shape.rank();
  const int64_t length = dense_row_length(out.shape);
  const int64_t last = rank > 0 ? strides[rank - 1] : 1;
  with_element_size(out.type, [&](auto bytes) {
    constexpr int64_t kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      const int64_t offset = base + dot(row_position(out.shape, row), strides, rank);
      copy_elements<bytes.value>(out.as<uint8_t>() + row * length * kBytes, in.as<uint8_t>() + offset * kBytes, length,
                                 last);
    }
  });
}

}  // namespace coco::kernels
