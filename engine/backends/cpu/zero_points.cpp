// What stands for 0 in u8 values.
#include <algorithm>

#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

/// Results keep their inputs' bytes, or lie between them.
bool keeps_steps(format::OpKind kind) {
  switch (kind) {
    case format::OpKind::kPool2d:
    case format::OpKind::kConcat:
    case format::OpKind::kResize:
    case format::OpKind::kSlice:
    case format::OpKind::kPad:
    case format::OpKind::kReshape:
    case format::OpKind::kTranspose:
    case format::OpKind::kDepthToSpace:
    case format::OpKind::kSpaceToDepth:
      return true;
    default:
      return false;
  }
}

std::optional<int> made_with(const format::Operator& op) {
  if (const auto* p = std::get_if<format::QuantizeParams>(&op.params)) return static_cast<int>(p->zero_point);
  if (const auto* p = std::get_if<format::QuantConv2dParams>(&op.params)) return static_cast<int>(p->out_zero_point);
  if (const auto* p = std::get_if<format::QuantBinaryParams>(&op.params)) return static_cast<int>(p->out_zero_point);
  if (const auto* p = std::get_if<format::LookupParams>(&op.params)) return static_cast<int>(p->zero_point);
  return std::nullopt;
}

std::optional<int> read_with(const format::Operator& op, int32_t value) {
  if (const auto* p = std::get_if<format::QuantConv2dParams>(&op.params)) return static_cast<int>(p->in_zero_point);
  if (const auto* p = std::get_if<format::QuantBinaryParams>(&op.params))
    return static_cast<int>(op.inputs[0] == value ? p->a_zero_point : p->b_zero_point);
  return std::nullopt;
}

bool has(const std::vector<int32_t>& values, int32_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

int zero_point_of(const format::Program& program, int32_t value) {
  int32_t source = value;
  for (size_t i = program.operators.size(); i-- > 0;) {
    const format::Operator& op = program.operators[i];
    if (!has(op.outputs, source)) continue;
    if (const auto zero_point = made_with(op)) return *zero_point;
    if (!keeps_steps(op.kind())) break;
    source = op.inputs[0];
  }
  std::vector<int32_t> same{value};
  for (const format::Operator& op : program.operators) {
    for (size_t k = 0; k < same.size(); ++k) {
      if (!has(op.inputs, same[k])) continue;
      if (const auto zero_point = read_with(op, same[k])) return *zero_point;
      if (keeps_steps(op.kind())) same.push_back(op.outputs[0]);
      break;
    }
  }
  return 0;
}

}  // namespace coco::backends
