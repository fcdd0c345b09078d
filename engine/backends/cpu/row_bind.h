// Purpose: what the binders of row operators share: the operator, its shapes and constants, and one binder each.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "backends/cpu/row_op.h"

namespace coco::backends {

/// The function of a slot whose rows serve every key.
template <typename Slot>
typename Slot::Function choose(const kernels::Capabilities& capabilities) {
  return kernels::select<Slot>(typename Slot::Key{}, capabilities)->function;
}

/// One result row reads the same row and columns of each input.
class PointwiseOp : public RowOp {
 public:
  Interval rows_needed(int, int y) const override { return {y, y + 1}; }
  Interval cols_needed(int, Interval x) const override { return x; }
};

using kernels::Capabilities;

struct BindContext {
  const format::Program& program;
  size_t operator_index;
  std::span<const Shape> shapes;
  const Capabilities& capabilities;

  const format::Operator& op() const { return program.operators[operator_index]; }
  const Shape& input_shape(int i) const { return shapes[op().inputs[i]]; }
  const Shape& result_shape() const { return shapes[op().outputs[0]]; }
  bool has_input(size_t i) const { return i < op().inputs.size() && op().inputs[i] != format::kNoValue; }
  bool is_constant(size_t i) const { return has_input(i) && program.values[op().inputs[i]].is_constant(); }

  /// kUnsupported: "operator NAME (KIND) does not run row by row: WHY".
  Error unsupported(const std::string& why) const;
  /// Input i as a row tensor: a computed [1, C, H, W], f32, or u8 where the operator's type rule says so.
  Result<RowTensor> row_tensor(int i) const;
  Result<RowTensor> row_result() const;
  DataType result_type() const { return program.values[op().outputs[0]].type; }
  /// The values of constant input i.
  template <typename T = float>
  Result<std::span<const T>> constant(int i) const {
    COCO_ASSIGN(const auto bytes, constant_bytes(i, type_of<T>()));
    return std::span<const T>(reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T));
  }

 private:
  template <typename T>
  static constexpr DataType type_of() {
    if constexpr (std::is_same_v<T, uint8_t>) return DataType::kU8;
    if constexpr (std::is_same_v<T, int8_t>) return DataType::kS8;
    if constexpr (std::is_same_v<T, int32_t>) return DataType::kS32;
    return DataType::kF32;
  }
  Result<std::span<const uint8_t>> constant_bytes(int i, DataType type) const;
};

/// How the kernels of convolutions end for an activation; nothing where it takes a kernel of its own.
std::optional<kernels::Epilogue> epilogue_of(format::UnaryKind activation);
/// Rows (axis 0) or columns (axis 1) of a picture of `size` that `results` of a pool look at.
Interval pool_reach(const format::Pool2dParams& params, size_t axis, Interval results, int size);

Result<BoundRowOp> bind_conv(const BindContext& context);
Result<BoundRowOp> bind_conv_transpose(const BindContext& context);
Result<BoundRowOp> bind_unary(const BindContext& context);
Result<BoundRowOp> bind_prelu(const BindContext& context);
Result<BoundRowOp> bind_binary(const BindContext& context);
Result<BoundRowOp> bind_concat(const BindContext& context);
Result<BoundRowOp> bind_channel_slice(const BindContext& context, int64_t start, int64_t step);
Result<BoundRowOp> bind_slice(const BindContext& context);
Result<BoundRowOp> bind_pad(const BindContext& context);
Result<BoundRowOp> bind_pool(const BindContext& context);
Result<BoundRowOp> bind_resize(const BindContext& context);
Result<BoundRowOp> bind_depth_to_space(const BindContext& context);
Result<BoundRowOp> bind_space_to_depth(const BindContext& context);
Result<BoundRowOp> bind_quantize(const BindContext& context);
Result<BoundRowOp> bind_quant_conv(const BindContext& context);
/// Operators other than convolutions whose input 0 is u8.
Result<BoundRowOp> bind_steps(const BindContext& context);

std::unique_ptr<RowOp> make_steps_source(int binding, RowTensor tensor, const Capabilities& capabilities);
std::unique_ptr<RowOp> make_steps_sink(int binding, RowTensor tensor, const Capabilities& capabilities);

}  // namespace coco::backends
