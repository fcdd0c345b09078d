// Purpose: what the binders of row operators share: the operator, its shapes and constants, and one binder each.
#pragma once

#include <span>
#include <string>

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
  /// Input i as a row tensor: a computed f32 [1, C, H, W].
  Result<RowTensor> row_tensor(int i) const;
  Result<RowTensor> row_result() const;
  /// The values of constant f32 input i.
  Result<std::span<const float>> constant(int i) const;
};

Result<BoundRowOp> bind_conv(const BindContext& context);
Result<BoundRowOp> bind_conv_transpose(const BindContext& context);
Result<BoundRowOp> bind_unary(const BindContext& context);
Result<BoundRowOp> bind_prelu(const BindContext& context);
Result<BoundRowOp> bind_binary(const BindContext& context);
Result<BoundRowOp> bind_concat(const BindContext& context);
Result<BoundRowOp> bind_channel_slice(const BindContext& context, int64_t start, int64_t step);
Result<BoundRowOp> bind_slice(const BindContext& context);
Result<BoundRowOp> bind_pad(const BindContext& context);
Result<BoundRowOp> bind_resize(const BindContext& context);
Result<BoundRowOp> bind_depth_to_space(const BindContext& context);
Result<BoundRowOp> bind_space_to_depth(const BindContext& context);

}  // namespace coco::backends
