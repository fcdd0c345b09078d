// Operators that pick elements, repeat them or change their type.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// Negative indices count from the end; what is out of range becomes the nearest index.
int64_t checked_index(int64_t index, int64_t dim) noexcept {
  return std::clamp<int64_t>(index < 0 ? index + dim : index, 0, dim - 1);
}

}  // namespace

// y[before, index, behind] = x[before, indices[index], behind]
void gather_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  const auto axis = static_cast<size_t>(std::get<format::GatherParams>(params).axis);
  const int64_t inner = row_major_strides(in[0].shape)[axis], dim = in[0].shape[axis];
  const int64_t count = in[1].shape.element_count().value_or(0);
  const int64_t length = dense_row_length(out[0].shape);
  const auto* indices = in[1].as<int64_t>();
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr auto kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t i = row_begin * length; i < row_end * length; ++i) {
      const int64_t index = checked_index(indices[i / inner % count], dim);
      const int64_t from = (i / inner / count * dim + index) * inner + i % inner;
      std::memcpy(out[0].as<uint8_t>() + i * kBytes, in[0].as<uint8_t>() + from * kBytes, bytes.value);
    }
  });
}

// y[at] = x[at with at[axis] = indices[at]]
void gather_elements_ref(const format::OpParams& params, std::span<const TensorView> in,
                         std::span<const MutableTensorView> out, int64_t row_begin, int64_t row_end) noexcept {
  const auto axis = static_cast<size_t>(std::get<format::GatherElementsParams>(params).axis);
  const size_t rank = out[0].shape.rank();
  const Extents strides = row_major_strides(in[0].shape);
  const int64_t length = dense_row_length(out[0].shape);
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr auto kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      Extents at = row_position(out[0].shape, row);
      for (int64_t i = 0; i < length; ++i) {
        at[rank - 1] = i;
        Extents source = at;
        source[axis] = checked_index(in[1].as<int64_t>()[row * length + i], in[0].shape[axis]);
        std::memcpy(out[0].as<uint8_t>() + (row * length + i) * kBytes,
                    in[0].as<uint8_t>() + dot(source, strides, rank) * kBytes, bytes.value);
      }
    }
  });
}

// y = x, then y[indices[i]] = (or +=, *=) updates[i] for one i after the other
void scatter_nd_ref(const format::OpParams& params, std::span<const TensorView> in,
                    std::span<const MutableTensorView> out, int64_t unit_begin, int64_t unit_end) noexcept {
  if (unit_begin == unit_end) return;
  const auto kind = std::get<format::ScatterNdParams>(params).kind;
  const Shape& shape = out[0].shape;
  const auto bytes = static_cast<int64_t>(byte_size(out[0].type));
  std::memcpy(out[0].data, in[0].data, static_cast<size_t>(shape.element_count().value_or(0) * bytes));
  const auto depth = static_cast<size_t>(in[1].shape[in[1].shape.rank() - 1]);
  const Extents strides = row_major_strides(shape);
  const int64_t slice = strides[depth - 1];
  const int64_t count = in[1].shape.element_count().value_or(0) / static_cast<int64_t>(depth);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    bool inside = true;
    for (size_t axis = 0; axis < depth; ++axis) {
      const int64_t given = in[1].as<int64_t>()[i * static_cast<int64_t>(depth) + static_cast<int64_t>(axis)];
      const int64_t index = given < 0 ? given + shape[axis] : given;
      inside = inside && index >= 0 && index < shape[axis];
      offset += inside ? index * strides[axis] : 0;
    }
    if (!inside) continue;
    const uint8_t* from = in[2].as<uint8_t>() + i * slice * bytes;
    if (kind == format::ScatterKind::kSet) {
      std::memcpy(out[0].as<uint8_t>() + offset * bytes, from, static_cast<size_t>(slice * bytes));
      continue;
    }
    float* y = out[0].as<float>() + offset;
    const auto* update = reinterpret_cast<const float*>(from);
    for (int64_t k = 0; k < slice; ++k) y[k] = kind == format::ScatterKind::kAdd ? y[k] + update[k] : y[k] * update[k];
  }
}

// y = x broadcast to y's shape
void expand_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
                int64_t row_begin, int64_t row_end) noexcept {
  copy_affine(in[0], out[0], 0, broadcast_strides(in[0].shape, out[0].shape), row_begin, row_end);
}

// y[at] = x[at modulo x's shape]
void tile_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
              int64_t row_begin, int64_t row_end) noexcept {
  const size_t rank = out[0].shape.rank();
  const Extents strides = row_major_strides(in[0].shape);
  const int64_t length = dense_row_length(out[0].shape), own = dense_row_length(in[0].shape);
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr auto kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      Extents at = row_position(out[0].shape, row);
      for (size_t i = 0; i < rank; ++i) at[i] %= in[0].shape[i];
      const uint8_t* x = in[0].as<uint8_t>() + dot(at, strides, rank) * kBytes;
      uint8_t* y = out[0].as<uint8_t>() + row * length * kBytes;
      for (int64_t i = 0; i < length; i += own) {
        std::memcpy(y + i * kBytes, x, static_cast<size_t>(std::min(own, length - i) * kBytes));
      }
    }
  });
}

// y = condition ? a : b, all three broadcast
void where_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
               int64_t row_begin, int64_t row_end) noexcept {
  const Shape& shape = out[0].shape;
  const size_t rank = shape.rank();
  Extents strides[3];
  for (size_t i = 0; i < 3; ++i) strides[i] = broadcast_strides(in[i].shape, shape);
  const int64_t length = dense_row_length(shape);
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr auto kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      Extents at = row_position(shape, row);
      for (int64_t i = 0; i < length; ++i) {
        if (rank > 0) at[rank - 1] = i;
        const size_t slot = in[0].as<uint8_t>()[dot(at, strides[0], rank)] != 0 ? 1 : 2;
        std::memcpy(out[0].as<uint8_t>() + (row * length + i) * kBytes,
                    in[slot].as<uint8_t>() + dot(at, strides[slot], rank) * kBytes, bytes.value);
      }
    }
  });
}

namespace {

template <typename To, typename From>
To converted(From x) noexcept {
  if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
    // Numbers no int64 holds have no meaning as integers either; they saturate, and NaN gives 0.
    if (!(x > -9.2e18f)) return static_cast<To>(std::isnan(x) ? 0 : std::numeric_limits<int64_t>::min());
    return static_cast<To>(x < 9.2e18f ? static_cast<int64_t>(x) : std::numeric_limits<int64_t>::max());
  } else {
    return static_cast<To>(x);
  }
}

template <typename Fn>
void with_type(DataType type, Fn&& fn) noexcept {
  switch (type) {
    case DataType::kS8:
      return fn(int8_t{});
    case DataType::kU8:
    case DataType::kBool:
      return fn(uint8_t{});
    case DataType::kS32:
      return fn(int32_t{});
    case DataType::kS64:
      return fn(int64_t{});
    default:
      return fn(0.0f);
  }
}

}  // namespace

// y = x as another type: towards zero, wrapped around; bool is x != 0
void cast_ref(const format::OpParams&, std::span<const TensorView> in, std::span<const MutableTensorView> out,
              int64_t row_begin, int64_t row_end) noexcept {
  const int64_t length = dense_row_length(out[0].shape);
  const bool to_bool = out[0].type == DataType::kBool;
  with_type(in[0].type, [&](auto from) {
    with_type(out[0].type, [&](auto to) {
      const auto* x = in[0].as<decltype(from)>();
      auto* y = out[0].as<decltype(to)>();
      for (int64_t i = row_begin * length; i < row_end * length; ++i) {
        y[i] = to_bool ? static_cast<decltype(to)>(x[i] != 0) : converted<decltype(to)>(x[i]);
      }
    });
  });
}

}  // namespace coco::kernels
