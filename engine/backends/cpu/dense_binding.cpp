#include "backends/cpu/dense_binding.h"

#include <algorithm>
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
    case format::OpKind::kMatMul: {
      const Shape& a = key.inputs[0].shape;
      return 1 + a[a.rank() - (std::get<format::MatMulParams>(*key.params).transpose_a ? 2 : 1)];
    }
    case format::OpKind::kReduce:
    case format::OpKind::kArgReduce: {
      const int64_t results = std::max<int64_t>(1, key.outputs[0].shape.element_count().value_or(0));
      return 1 + key.inputs[0].shape.element_count().value_or(0) / results;
    }
    case format::OpKind::kPool2d: {
      const auto& p = std::get<format::Pool2dParams>(*key.params);
      return 1 + p.kernel[0] * p.kernel[1];
    }
    case format::OpKind::kSoftmax:
    case format::OpKind::kGridSample:
      return 16;
    case format::OpKind::kLstm:
    case format::OpKind::kGru:
      return 8 * (key.inputs[1].shape[2] + key.inputs[2].shape[2]);
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
  const int64_t elements = key.outputs[0].shape.element_count().value_or(0);
  return DenseBinding{kernel, kernels::dense_units(key), elements * cost_per_element(key)};
}

}  // namespace coco::backends
