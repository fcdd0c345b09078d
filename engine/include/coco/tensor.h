// Purpose: data types, shapes and borrowed views of dense tensors.
// Ownership: a view borrows its memory until the call it is passed to returns.
// Threads: values, no shared state.
// Failure: shape arithmetic is checked; element_count() of a hostile shape is nullopt, never an overflow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coco/export.h"

namespace coco {

enum class DataType : uint8_t { kF32 = 0, kF16 = 1, kU8 = 2, kS8 = 3, kS32 = 4, kS64 = 5, kU16 = 6, kBool = 7 };

/// Bytes of one element.
COCO_API size_t byte_size(DataType type);
/// "f32", "u8", ...
COCO_API std::string_view to_string(DataType type);
COCO_API std::optional<DataType> data_type_from_string(std::string_view name);

/// A dimension that is known only when a session is prepared (a fully convolutional network's height and width).
inline constexpr int64_t kDynamicDim = -1;

/// Dimensions, outermost first (N, C, H, W for images). A scalar has no dimensions.
class COCO_API Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<int64_t> dims) : dims_(std::move(dims)) {}

  size_t rank() const { return dims_.size(); }
  int64_t operator[](size_t i) const { return dims_[i]; }
  int64_t& operator[](size_t i) { return dims_[i]; }
  const std::vector<int64_t>& dims() const { return dims_; }
  bool operator==(const Shape&) const = default;

  /// Every dimension known and >= 0.
  bool is_static() const;
  /// Product of the dimensions; nullopt when one is dynamic or negative, or the product exceeds 2^62.
  std::optional<int64_t> element_count() const;
  /// "[1, 1, ?, ?]"
  std::string to_string() const;

 private:
  std::vector<int64_t> dims_;
};

/// A dense, row-major tensor in memory the caller owns.
struct TensorView {
  DataType type = DataType::kF32;
  Shape shape;
  const void* data = nullptr;

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

struct MutableTensorView {
  DataType type = DataType::kF32;
  Shape shape;
  void* data = nullptr;

  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  operator TensorView() const { return {type, shape, data}; }
};

}  // namespace coco
