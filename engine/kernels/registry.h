// Purpose: the rows of kernels.def as typed tables, and the choice among them. A slot is a family of interchangeable
// functions: it names the function type and the key that decides which of them may serve. Rows of a slot stand best
// first, its references last. To add a slot: a traits struct with Key and Function, a macro in kernels.def, and a
// kernel_rows specialisation in registry.cpp.
#pragma once

#include <span>
#include <string_view>

#include "kernels/block/block.h"
#include "kernels/block/quant_block.h"
#include "kernels/block/winograd.h"
#include "kernels/conv/conv_pair.h"
#include "kernels/conv/conv_row.h"
#include "kernels/conv/conv_taps.h"
#include "kernels/dense/dense.h"
#include "kernels/qconv/qconv_row.h"
#include "kernels/resample/rows.h"
#include "kernels/row/row.h"
#include "kernels/steps/steps_row.h"

namespace coco::kernels {

/// What selection may use besides the key. Two equal values select the same rows on every machine.
struct Capabilities {
  /// The Highway target in use, best known to kernels/targets_hwy.cpp; empty: plain scalar code only.
  std::string_view target;
  bool row_pairs = true;   ///< as coco::Techniques
  bool skip_zeros = true;  ///< as coco::Techniques
};

/// One row of kernels.def.
template <typename Slot>
struct KernelRow {
  std::string_view name;
  typename Slot::Function function;
  /// A pure function of its arguments. A reference row matches every key of its operator.
  bool (*matches)(const typename Slot::Key& key, const Capabilities& capabilities) noexcept;
  /// Largest |result - reference| / max(1, |reference|) allowed by the tests; 0: the same bytes.
  double tolerance;
};

/// The rows of a slot, best first, references last.
template <typename Slot>
std::span<const KernelRow<Slot>> kernel_rows();

/// The best row for the key; null when no kernel of the slot serves it at all.
template <typename Slot>
const KernelRow<Slot>* select(const typename Slot::Key& key, const Capabilities& capabilities) {
  for (const auto& row : kernel_rows<Slot>()) {
    if (row.matches(key, capabilities)) return &row;
  }
  return nullptr;
}

/// The reference row for the key: the last one that matches.
template <typename Slot>
const KernelRow<Slot>* select_reference(const typename Slot::Key& key) {
  const auto rows = kernel_rows<Slot>();
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->matches(key, Capabilities{})) return &*row;
  }
  return nullptr;
}

/// A convolution row kernel and the number of output channels its weights are packed by.
struct ConvRowKernel {
  ConvRowFn run;
  int (*oc_tile)();
};
struct ConvRowSlot {
  using Key = ConvRowWeights;
  using Function = ConvRowKernel;
};
template <>
std::span<const KernelRow<ConvRowSlot>> kernel_rows<ConvRowSlot>();

/// A kernel of two output rows, its weights packed by this many channels.
struct ConvPairKernel {
  ConvPairFn run;
  int (*oc_tile)();
};
struct ConvPairSlot {
  using Key = ConvRowWeights;  ///< kernel_h as the operator has it: 3
  using Function = ConvPairKernel;
};
template <>
std::span<const KernelRow<ConvPairSlot>> kernel_rows<ConvPairSlot>();

/// A kernel of pruned convolutions, its entry lists for tiles of this many channels.
struct ConvTapsKernel {
  ConvTapsFn run;
  int (*oc_tile)();
};
struct ConvTapsSlot {
  using Key = ConvRowWeights;
  using Function = ConvTapsKernel;
};
template <>
std::span<const KernelRow<ConvTapsSlot>> kernel_rows<ConvTapsSlot>();

/// Convolutions in blocks of channels (kernels/block); weights.packed need not be there yet.
struct BlockConvSlot {
  using Key = BlockConvWeights;
  using Function = BlockConvFn;
};
template <>
std::span<const KernelRow<BlockConvSlot>> kernel_rows<BlockConvSlot>();

/// Integer convolutions in blocks of channels; the weights need not be packed yet.
struct QuantBlockSlot {
  using Key = QuantBlockWeights;
  using Function = QuantBlockFn;
};
template <>
std::span<const KernelRow<QuantBlockSlot>> kernel_rows<QuantBlockSlot>();

struct QuantConvRowSlot {
  using Key = QuantConvRowWeights;
  using Function = QuantConvRowKernel;
};
template <>
std::span<const KernelRow<QuantConvRowSlot>> kernel_rows<QuantConvRowSlot>();

/// Slots whose kernels take every argument alike: nothing but the machine decides.
template <typename Fn>
struct PlainSlot {
  struct Key {};
  using Function = Fn;
};
#define COCO_PLAIN_SLOT(slot, fn) \
  struct slot : PlainSlot<fn> {}; \
  template <>                     \
  std::span<const KernelRow<slot>> kernel_rows<slot>();
COCO_PLAIN_SLOT(LoadRowSlot, LoadRowFn)
COCO_PLAIN_SLOT(StoreRowSlot, StoreRowFn)
COCO_PLAIN_SLOT(UnaryRowSlot, UnaryRowFn)
COCO_PLAIN_SLOT(BinaryRowSlot, BinaryRowFn)
COCO_PLAIN_SLOT(BinaryConstRowSlot, BinaryConstRowFn)
COCO_PLAIN_SLOT(InterleaveRowSlot, InterleaveRowFn)
COCO_PLAIN_SLOT(ShuffleStoreRowSlot, ShuffleStoreRowFn)
COCO_PLAIN_SLOT(QuantizeRowSlot, QuantizeRowFn)
COCO_PLAIN_SLOT(GatherRowSlot, GatherRowFn)
COCO_PLAIN_SLOT(WinogradSlot, WinogradFn)
COCO_PLAIN_SLOT(BlockPoolSlot, BlockPoolFn)
COCO_PLAIN_SLOT(BlockNormSlot, BlockNormFn)
COCO_PLAIN_SLOT(BlockLoadSlot, BlockLoadFn)
COCO_PLAIN_SLOT(BlockStoreSlot, BlockStoreFn)
COCO_PLAIN_SLOT(BlockResizeSlot, BlockResizeFn)
COCO_PLAIN_SLOT(QuantBlockMaxSlot, QuantBlockMaxFn)
COCO_PLAIN_SLOT(QuantBlockBlendSlot, QuantBlockBlendFn)
COCO_PLAIN_SLOT(QuantizeBlockSlot, QuantizeBlockFn)
COCO_PLAIN_SLOT(StepsRowSlot, const StepsRowKernel*)
COCO_PLAIN_SLOT(ResampleRowVSlot, ResampleRowVFn)
COCO_PLAIN_SLOT(ResampleRowHSlot, ResampleRowHFn)
#undef COCO_PLAIN_SLOT

/// Whole-tensor operators (kernels/dense).
struct DenseSlot {
  using Key = DenseKey;
  using Function = DenseKernel;
};
template <>
std::span<const KernelRow<DenseSlot>> kernel_rows<DenseSlot>();

}  // namespace coco::kernels
