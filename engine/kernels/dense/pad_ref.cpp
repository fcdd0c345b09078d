#include <algorithm>

#include "kernels/dense/layout.h"

namespace coco::kernels {
namespace {

// The sample that stands at position i of an axis of `length` samples, -1 for the padding value.
// reflect mirrors without repeating the edge, again and again for pads longer than the axis.
int64_t padded_source(format::PadMode mode, int64_t i, int64_t length) noexcept {
  if (i >= 0 && i < length) return i;
  if (length == 0) return -1;
  switch (mode) {
    case format::PadMode::kConstant:
      return -1;
    case format::PadMode::kEdge:
      return std::clamp<int64_t>(i, 0, length - 1);
    case format::PadMode::kReflect: {
      if (length == 1) return 0;
      const int64_t period = 2 * (length - 1);
      const int64_t m = (i % period + period) % period;
      return m < length ? m : period - m;
    }
  }
  return -1;
}

// The bytes of one element holding `value` in the tensor's type.
void store_value(DataType type, float value, uint8_t* bytes) noexcept {
  const auto put = [bytes](auto v) { std::memcpy(bytes, &v, sizeof v); };
  switch (type) {
    case DataType::kF32:
      return put(value);
    case DataType::kF16:
      return put(uint16_t{0});  // selection admits only zero
    case DataType::kU8:
      return put(static_cast<uint8_t>(value));
    case DataType::kS8:
      return put(static_cast<int8_t>(value));
    case DataType::kS32:
      return put(static_cast<int32_t>(value));
    case DataType::kS64:
      return put(static_cast<int64_t>(value));
    case DataType::kU16:
      return put(static_cast<uint16_t>(value));
    case DataType::kBool:
      return put(static_cast<uint8_t>(value != 0.0f));
  }
}

}  // namespace

// y[i] = x[source(i - begin)] along every axis; negative pads crop.
void pad_ref(const format::OpParams& params, std::span<const TensorView> in, std::span<const MutableTensorView> out,
             int64_t row_begin, int64_t row_end) noexcept {
  const auto& p = std::get<format::PadParams>(params);
  const Shape& xs = in[0].shape;
  const Shape& ys = out[0].shape;
  const size_t rank = ys.rank();
  const Extents strides = row_major_strides(xs);
  const int64_t length = dense_row_length(ys);
  const int64_t x_length = dense_row_length(xs), first = rank > 0 ? p.pads[rank - 1] : 0;
  uint8_t value[8] = {};
  store_value(out[0].type, p.value, value);
  with_element_size(out[0].type, [&](auto bytes) {
    constexpr int64_t kBytes = static_cast<int64_t>(bytes.value);
    for (int64_t row = row_begin; row < row_end; ++row) {
      const Extents at = row_position(ys, row);
      bool inside = true;
      int64_t offset = 0;
      for (size_t i = 0; i + 1 < rank; ++i) {
        const int64_t source = padded_source(p.mode, at[i] - p.pads[i], xs[i]);
        inside = inside && source >= 0;
        offset += source * strides[i];
      }
      uint8_t* y = out[0].as<uint8_t>() + row * length * kBytes;
      for (int64_t i = 0; i < length; ++i) {
        const int64_t source = inside ? padded_source(p.mode, i - first, x_length) : -1;
        const uint8_t* from = source < 0 ? value : in[0].as<uint8_t>() + (offset + source) * kBytes;
        std::memcpy(y + i * kBytes, from, bytes.value);
      }
    }
  });
}

}  // namespace coco::kernels
