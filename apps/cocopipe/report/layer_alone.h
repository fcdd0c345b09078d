// Purpose: one operator of a program on its own, so that a change to it can be timed without the network.
// Ownership: the program shares the constants of the one it was taken from.
// Threads: the main thread.
// Failure: an operator that cannot stand alone, or a change that does not apply, is an empty optional.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "format/program.h"

namespace coco::cli {

/// Inputs of the network that the operator reads are inputs of the program, f32; integers are made from them first.
struct LayerAlone {
  format::Program program;
  std::vector<Shape> shapes;  ///< of the inputs
  size_t first = 0;           ///< operators from here on count; those before make integers

  format::Operator& op() { return program.operators[first]; }
  const format::Operator& op() const { return program.operators[first]; }
  format::Value& value(int32_t number) { return program.values[static_cast<size_t>(number)]; }
  const format::Value& value(int32_t number) const { return program.values[static_cast<size_t>(number)]; }
  /// The operator's input `slot`; null when it is absent.
  const format::Value* input(size_t slot) const;

  int32_t add_value(DataType type, const Shape& shape);
  template <typename T>
  int32_t add_constant(DataType type, const Shape& shape, const std::vector<T>& data) {
    const int32_t number = add_value(type, shape);
    value(number).constant =
        format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(data.data()), data.size() * sizeof(T)});
    return number;
  }
  /// Appends an operator whose single result is f32, of the inferred shape; false when it cannot be.
  bool append(format::OpParams params, std::vector<int32_t> inputs);
};

/// Operator `index`, at the resolved shapes of all values.
std::optional<LayerAlone> layer_alone(const format::Program& program, size_t index, std::span<const Shape> shapes);

/// The elements of a constant.
template <typename T>
std::vector<T> elements(const format::Value& value) {
  std::vector<T> list(value.constant.bytes.size() / sizeof(T));
  if (!list.empty()) std::memcpy(list.data(), value.constant.bytes.data(), list.size() * sizeof(T));
  return list;
}

}  // namespace coco::cli
