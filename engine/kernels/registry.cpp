#include "kernels/registry.h"

#include <algorithm>

#include "kernels/qconv/arm.h"

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
bool matches_steps(const DenseKey& key, const Capabilities&) noexcept {
  return format::op_kind(*key.params) == kKind && types_are(key, DataType::kU8);
}

template <OpKind kKind>
bool matches_any_type(const DenseKey& key, const Capabilities&) noexcept {
  return format::op_kind(*key.params) == kKind && !key.outputs.empty() && types_are(key, key.outputs[0].type);
}

// Operators whose types are fixed by their rule.
template <OpKind kKind>
bool matches_kind(const DenseKey& key, const Capabilities&) noexcept {
  return format::op_kind(*key.params) == kKind;
}

// Half floats are only moved.
bool has_halves(const DenseKey& key) noexcept {
  return std::any_of(key.inputs.begin(), key.inputs.end(),
                     [](const TensorView& v) { return v.type == DataType::kF16; });
}
bool matches_unary(const DenseKey& key, const Capabilities& capabilities) noexcept {
  return matches_kind<OpKind::kUnary>(key, capabilities) && !has_halves(key);
}
bool matches_binary(const DenseKey& key, const Capabilities& capabilities) noexcept {
  return matches_kind<OpKind::kBinary>(key, capabilities) && !has_halves(key);
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

bool matches_resize_steps(const DenseKey& key, const Capabilities& capabilities) noexcept {
  return matches_steps<OpKind::kResize>(key, capabilities) &&
         std::get<format::ResizeParams>(*key.params).mode != format::ResizeMode::kCubic &&
         (dense_rows(key.inputs[0].shape) > 0 || dense_rows(key.outputs[0].shape) == 0);
}

bool unit_stride(const ConvRowWeights& key, const Capabilities& capabilities) noexcept {
  return key.stride_x == 1 && !capabilities.target.empty();
}
bool any_conv(const ConvRowWeights&, const Capabilities&) noexcept { return true; }
bool three_by_three(const ConvRowWeights& key, const Capabilities&) noexcept {
  return key.kernel_h == 3 && key.kernel_w == 3 && key.stride_x == 1;
}
bool three_by_three_vectors(const ConvRowWeights& key, const Capabilities& capabilities) noexcept {
  return three_by_three(key, capabilities) && !capabilities.target.empty();
}
int one_channel() { return 1; }
template <typename Weights>
bool dense_block(const Weights& key, const Capabilities&) noexcept {
  return !key.depthwise;
}
template <typename Weights>
bool depthwise_block(const Weights& key, const Capabilities&) noexcept {
  return key.depthwise;
}
template <typename Weights>
bool dense_block_vectors(const Weights& key, const Capabilities& capabilities) noexcept {
  return !key.depthwise && !capabilities.target.empty();
}
template <typename Weights>
bool depthwise_block_vectors(const Weights& key, const Capabilities& capabilities) noexcept {
  return key.depthwise && !capabilities.target.empty();
}
bool unit_stride_quant(const QuantConvRowWeights& key, const Capabilities& capabilities) noexcept {
  return key.stride_x == 1 && !capabilities.target.empty();
}
#if COCO_NEON_I8MM
bool dense_block_i8mm(const QuantBlockWeights& key, const Capabilities& capabilities) noexcept {
  return !key.depthwise && capabilities.target == kNeonI8mm;
}
bool unit_stride_i8mm(const QuantConvRowWeights& key, const Capabilities& capabilities) noexcept {
  return key.stride_x == 1 && capabilities.target == kNeonI8mm;
}
#endif
#if COCO_NEON_DOTPROD
bool dense_block_dotprod(const QuantBlockWeights& key, const Capabilities& capabilities) noexcept {
  return !key.depthwise && (capabilities.target == kNeonI8mm || capabilities.target == kNeonDotprod);
}
bool unit_stride_dotprod(const QuantConvRowWeights& key, const Capabilities& capabilities) noexcept {
  return key.stride_x == 1 && (capabilities.target == kNeonI8mm || capabilities.target == kNeonDotprod);
}
#endif
int one_word() { return 4; }

template <typename Key>
bool has_vectors(const Key&, const Capabilities& capabilities) noexcept {
  return !capabilities.target.empty();
}
template <typename Key>
bool always(const Key&, const Capabilities&) noexcept {
  return true;
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

#define COCO_ROW(name, function, predicate, tolerance) {#name, function, predicate, tolerance},

template <>
std::span<const KernelRow<ConvRowSlot>> kernel_rows<ConvRowSlot>() {
  static constexpr KernelRow<ConvRowSlot> kRows[] = {
#define COCO_CONV_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<ConvPairSlot>> kernel_rows<ConvPairSlot>() {
  static constexpr KernelRow<ConvPairSlot> kRows[] = {
#define COCO_CONV_PAIR_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<ConvTapsSlot>> kernel_rows<ConvTapsSlot>() {
  static constexpr KernelRow<ConvTapsSlot> kRows[] = {
#define COCO_CONV_TAPS_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantConvRowSlot>> kernel_rows<QuantConvRowSlot>() {
  static constexpr KernelRow<QuantConvRowSlot> kRows[] = {
#define COCO_QUANT_CONV_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantizeRowSlot>> kernel_rows<QuantizeRowSlot>() {
  static constexpr KernelRow<QuantizeRowSlot> kRows[] = {
#define COCO_QUANTIZE_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<GatherRowSlot>> kernel_rows<GatherRowSlot>() {
  static constexpr KernelRow<GatherRowSlot> kRows[] = {
#define COCO_GATHER_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockConvSlot>> kernel_rows<BlockConvSlot>() {
  static constexpr KernelRow<BlockConvSlot> kRows[] = {
#define COCO_BLOCK_CONV_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<WinogradSlot>> kernel_rows<WinogradSlot>() {
  static constexpr KernelRow<WinogradSlot> kRows[] = {
#define COCO_WINOGRAD_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockLoadSlot>> kernel_rows<BlockLoadSlot>() {
  static constexpr KernelRow<BlockLoadSlot> kRows[] = {
#define COCO_BLOCK_LOAD_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockStoreSlot>> kernel_rows<BlockStoreSlot>() {
  static constexpr KernelRow<BlockStoreSlot> kRows[] = {
#define COCO_BLOCK_STORE_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockPoolSlot>> kernel_rows<BlockPoolSlot>() {
  static constexpr KernelRow<BlockPoolSlot> kRows[] = {
#define COCO_BLOCK_POOL_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockNormSlot>> kernel_rows<BlockNormSlot>() {
  static constexpr KernelRow<BlockNormSlot> kRows[] = {
#define COCO_BLOCK_NORM_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BlockResizeSlot>> kernel_rows<BlockResizeSlot>() {
  static constexpr KernelRow<BlockResizeSlot> kRows[] = {
#define COCO_BLOCK_RESIZE_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantBlockSlot>> kernel_rows<QuantBlockSlot>() {
  static constexpr KernelRow<QuantBlockSlot> kRows[] = {
#define COCO_QUANT_BLOCK_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantBlockMaxSlot>> kernel_rows<QuantBlockMaxSlot>() {
  static constexpr KernelRow<QuantBlockMaxSlot> kRows[] = {
#define COCO_QUANT_BLOCK_MAX_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantBlockBlendSlot>> kernel_rows<QuantBlockBlendSlot>() {
  static constexpr KernelRow<QuantBlockBlendSlot> kRows[] = {
#define COCO_QUANT_BLOCK_BLEND_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<QuantizeBlockSlot>> kernel_rows<QuantizeBlockSlot>() {
  static constexpr KernelRow<QuantizeBlockSlot> kRows[] = {
#define COCO_QUANTIZE_BLOCK_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<LoadRowSlot>> kernel_rows<LoadRowSlot>() {
  static constexpr KernelRow<LoadRowSlot> kRows[] = {
#define COCO_LOAD_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<StoreRowSlot>> kernel_rows<StoreRowSlot>() {
  static constexpr KernelRow<StoreRowSlot> kRows[] = {
#define COCO_STORE_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<UnaryRowSlot>> kernel_rows<UnaryRowSlot>() {
  static constexpr KernelRow<UnaryRowSlot> kRows[] = {
#define COCO_UNARY_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BinaryRowSlot>> kernel_rows<BinaryRowSlot>() {
  static constexpr KernelRow<BinaryRowSlot> kRows[] = {
#define COCO_BINARY_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<BinaryConstRowSlot>> kernel_rows<BinaryConstRowSlot>() {
  static constexpr KernelRow<BinaryConstRowSlot> kRows[] = {
#define COCO_BINARY_CONST_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<InterleaveRowSlot>> kernel_rows<InterleaveRowSlot>() {
  static constexpr KernelRow<InterleaveRowSlot> kRows[] = {
#define COCO_INTERLEAVE_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<ShuffleStoreRowSlot>> kernel_rows<ShuffleStoreRowSlot>() {
  static constexpr KernelRow<ShuffleStoreRowSlot> kRows[] = {
#define COCO_SHUFFLE_STORE_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<ResampleRowVSlot>> kernel_rows<ResampleRowVSlot>() {
  static constexpr KernelRow<ResampleRowVSlot> kRows[] = {
#define COCO_RESAMPLE_ROW_V_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<ResampleRowHSlot>> kernel_rows<ResampleRowHSlot>() {
  static constexpr KernelRow<ResampleRowHSlot> kRows[] = {
#define COCO_RESAMPLE_ROW_H_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

template <>
std::span<const KernelRow<StepsRowSlot>> kernel_rows<StepsRowSlot>() {
  static constexpr KernelRow<StepsRowSlot> kRows[] = {
#define COCO_STEPS_ROW_KERNEL COCO_ROW
#include "kernels/kernels.def"
  };
  return kRows;
}

#undef COCO_ROW

}  // namespace coco::kernels
