#include "coco/tensor.h"

#include <array>
#include <utility>

namespace coco {
namespace {

struct TypeRow {
  DataType type;
  size_t bytes;
  std::string_view name;
};

// Indexed by the enumerator's value.
constexpr std::array<TypeRow, 8> kTypes{{
    {DataType::kF32, 4, "f32"},
    {DataType::kF16, 2, "f16"},
    {DataType::kU8, 1, "u8"},
    {DataType::kS8, 1, "s8"},
    {DataType::kS32, 4, "s32"},
    {DataType::kS64, 8, "s64"},
    {DataType::kU16, 2, "u16"},
    {DataType::kBool, 1, "bool"},
}};

constexpr int64_t kMaxCount = int64_t{1} << 62;

}  // namespace

size_t byte_size(DataType type) {
  const auto index = static_cast<size_t>(type);
  return index < kTypes.size() ? kTypes[index].bytes : 0;
}

std::string_view to_string(DataType type) {
  const auto index = static_cast<size_t>(type);
  return index < kTypes.size() ? kTypes[index].name : std::string_view();
}

std::optional<DataType> data_type_from_string(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

bool Shape::is_static() const {
  for (int64_t d : dims_) {
    if (d < 0) return false;
  }
  return true;
}

std::optional<int64_t> Shape::element_count() const {
  if (!is_static()) return std::nullopt;
  for (int64_t d : dims_) {
    if (d == 0) return 0;
  }
  int64_t count = 1;
  for (int64_t d : dims_) {
    if (count > kMaxCount / d) return std::nullopt;
    count *= d;
  }
  return count;
}

std::string Shape::to_string() const {
  std::string text = "[";
  for (size_t i = 0; i < dims_.size(); ++i) {
    if (i > 0) text += ", ";
    text += dims_[i] == kDynamicDim ? "?" : std::to_string(dims_[i]);
  }
  return text + "]";
}

}  // namespace coco
