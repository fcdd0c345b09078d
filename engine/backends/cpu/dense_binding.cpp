#include "backends/cpu/dense_binding.h"

#include <string>

namespace coco::backends {
namespace {

// Elementary operations that make one element of the result.
int64_t cost_per_element(const kernels::DenseKey& key) {
  switch (format::op_kind(*key.params)) {
    case format::OpKind::kConv2d:
    case format::OpKind::kConvTranspose2d: {
      const Shape& weight = key.inputs[1].shape;
      return 1 + weight[1] * weight[2] * weight[3];
    }
    case format::OpKind::kResize:
      return 16;
    case format::OpKind::kUnary:
      return 4;
    default:
      return 1;
  }
}

std::string describe(const kernels::DenseKey& key) {
  std::string text;
  for (const TensorView& input : key.inputs) {
    text += (text.empty() ? "" : ", ") + std::string(to_string(input.type)) + input.shape.to_string();
  }
  return text;
}

}  // namespace

Result<DenseBinding> bind_dense(const format::Operator& op, const kernels::DenseKey& key, bool reference_only) {
  for (const MutableTensorView& output : key.outputs) {
    if (output.shape.rank() > kernels::kMaxDenseRank) {
      return make_error(ErrorCode::kUnsupported, "operator '" + op.name + "' (" + std::string(to_string(op.kind())) +
                                                     "): rank " + std::to_string(output.shape.rank()) +
                                                     " is more than the " + std::to_string(kernels::kMaxDenseRank) +
                                                     " the kernels take");
    }
  }
  const auto* kernel = reference_only ? kernels::select_reference<kernels::DenseSlot>(key)
                                      : kernels::select<kernels::DenseSlot>(key, kernels::Capabilities{});
  if (kernel == nullptr) {
    return make_error(ErrorCode::kUnsupported, "operator '" + op.name + "' (" + std::string(to_string(op.kind())) +
                                                   "): no CPU kernel takes inputs " + describe(key) +
                                                   "; arithmetic wants f32 and data movement one common type");
  }
  const Shape& result = key.outputs[0].shape;
  const int64_t rows = kernels::dense_rows(result);
  return DenseBinding{kernel, rows, rows * kernels::dense_row_length(result) * cost_per_element(key)};
}

}  // namespace coco::backends
