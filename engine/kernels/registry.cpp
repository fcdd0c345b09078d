#include "kernels/registry.h"

#include <algorithm>

namespace coco::kernels {
namespace {

using format::OpKind;

// Data movement works on bytes of equal element size; arithmetic is f32.
bool types_are(const DenseKey& key, DataType type) noexcept {
  return std::all_of(key.inputs.begin(), key.inputs.end(), [&](const TensorView& v) { return v.type == type; }) &&
         std::all_of(key.outputs.begin(), key.outputs.end(),
                     [&](const MutableTensorView& v) { return v.type == type; });
}

template <OpKind kKind>
bool matches_f32(const DenseKey& key, const Capabilities&) noexcept {
  return format::op_kind(*key.params) == kKind && types_are(key, DataType::kF32);
}

template <OpKind kKind>
bool matches_any_type(const DenseKey& key, const Capabilities&) noexcept {
  return format::op_kind(*key.params) == kKind && !key.outputs.empty() && types_are(key, key.outputs[0].type);
}

// The padding value is converted to the element type; a half-float conversion exists for zero only.
bool matches_pad(const DenseKey& key, const Capabilities& capabilities) noexcept {
  if (!matches_any_type<OpKind::kPad>(key, capabilities)) return false;
  const auto& pad = std::get<format::PadParams>(*key.params);
  return key.outputs[0].type != DataType::kF16 || pad.mode != format::PadMode::kConstant || pad.value == 0.0f;
}

// There is nothing to sample in an empty input.
bool matches_resize(const DenseKey& key, const Capabilities& capabilities) noexcept {
  return matches_f32<OpKind::kResize>(key, capabilities) &&
         (dense_rows(key.inputs[0].shape) > 0 || dense_rows(key.outputs[0].shape) == 0);
}

}  // namespace

template <>
std::span<const KernelRow<DenseSlot>> kernel_rows<DenseSlot>() {
  static constexpr KernelRow<DenseSlot> kRows[] = {
#define COCO_DENSE_KERNEL(name, function, predicate, tolerance) {#name, function, predicate, tolerance},
#include "kernels/kernels.def"
  };
  return kRows;
}

}  // namespace coco::kernels
