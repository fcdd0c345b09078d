#include <algorithm>

#include "kernels/block/quant_block.h"
#include "kernels/qconv/targets.h"
#include "kernels/steps/steps_row.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block/quant_block_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/block/quant_block_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void QuantBlockDepthwise(const QuantBlockArgs& args) { quant_block_depthwise_ref(args); }
void QuantBlockMax(const QuantBlockMaxArgs& args) { quant_block_max_ref(args); }
void QuantBlockBlend(const QuantBlockBlendArgs& args) { quant_block_blend_ref(args); }
void QuantizeBlock(const QuantizeBlockArgs& args) { quantize_block_ref(args); }

#else

using quant_block::DI;
using quant_block::kLanes;
using quant_block::kVectors;
using quant_block::VI;
// Sums of a depthwise product's rows of a kernel are dot products of words of four rows; no weights are narrow then.
using DepthDot = quant_block::Exact;
// As many pixels as keep the products busy.
constexpr int kDepthPixels = kVectors == 1 ? 8 : kVectors == 2 ? 4 : 2;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
// Where the bytes of words of four rows stand in the rows one after another.
struct ColumnOrder {
  alignas(64) uint8_t from[4 * kBlock] = {};
  constexpr ColumnOrder() {
    for (int i = 0; i < 4 * kBlock; ++i) from[i] = static_cast<uint8_t>(i % 4 * kBlock + i / 4);
  }
};
#endif

// Channels of a pixel in words, kRows rows of bytes `row` apart in each, the first in the lowest byte. Bytes of rows
// from kRows on may be any.
template <int kRows>
HWY_INLINE VI ColumnWords(const uint8_t* at, ptrdiff_t row) {
  const DI di;
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  // Rows side by side in 128 bits each, then one shuffle of bytes.
  static constexpr ColumnOrder kOrder;
  const auto load = [&](int i) HWY_ATTR { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i * row)); };
  __m512i rows = _mm512_castsi128_si512(load(0));
  if constexpr (kRows > 1) rows = _mm512_mask_broadcast_i32x4(rows, 0x00f0, load(1));
  if constexpr (kRows > 2) rows = _mm512_mask_broadcast_i32x4(rows, 0x0f00, load(2));
  if constexpr (kRows > 3) rows = _mm512_mask_broadcast_i32x4(rows, 0xf000, load(3));
  return VI{_mm512_permutexvar_epi8(_mm512_load_si512(kOrder.from), rows)};
#else
  const hn::Rebind<uint8_t, DI> d8;
  const auto part = [&](int i) HWY_ATTR { return hn::PromoteTo(di, hn::LoadU(d8, at + i * row)); };
  VI words = part(0);
  if constexpr (kRows > 1) words = hn::Or(words, hn::ShiftLeft<8>(part(1)));
  if constexpr (kRows > 2) words = hn::Or(words, hn::ShiftLeft<16>(part(2)));
  if constexpr (kRows > 3) words = hn::Or(words, hn::ShiftLeft<24>(part(3)));
  return words;
#endif
}

// kPixels pixels of one block, kRows rows of the kernel from `in` on, any number of columns.
template <int kPixels, int kRows>
HWY_INLINE void AddDepthRows(const QuantBlockArgs& args, const uint8_t* in, const uint32_t* words, ptrdiff_t step,
                             VI (&acc)[kPixels][kVectors]) {
  for (int kx = 0; kx < args.weights->kernel_w; ++kx, in += args.tap_column, words += step) {
    COCO_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const DepthDot weight(quant_block::Load(words + v * kLanes));
      COCO_UNROLL
      for (int p = 0; p < kPixels; ++p)
        acc[p][v] = weight.Add(acc[p][v], ColumnWords<kRows>(in + p * args.in_pixel + v * kLanes, args.tap_row));
    }
  }
}

template <int kPixels>
HWY_INLINE void StartSums(const QuantBlockWeights& w, int block, VI (&acc)[kPixels][kVectors]) {
  COCO_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const VI start = quant_block::Load(w.bias.data() + block * kBlock + v * kLanes);
    COCO_UNROLL
    for (int p = 0; p < kPixels; ++p) acc[p][v] = start;
  }
}

// kPixels neighbouring pixels of a kernel of any size.
template <int kPixels>
HWY_NOINLINE void DepthTile(const QuantBlockArgs& args, int block, const uint8_t* in, ptrdiff_t out) {
  const QuantBlockWeights& w = *args.weights;
  const int channel_block = args.first_block + block, groups = (w.kernel_h + 3) / 4;
  const ptrdiff_t step = ptrdiff_t(groups) * kBlock;
  const uint32_t* words = w.words + channel_block * w.kernel_w * step;
  VI acc[kPixels][kVectors];
  StartSums(w, channel_block, acc);
  for (int left = w.kernel_h; left > 0; left -= 4, in += 4 * args.tap_row, words += kBlock) {
    if (left >= 4) AddDepthRows<kPixels, 4>(args, in, words, step, acc);
    if (left == 3) AddDepthRows<kPixels, 3>(args, in, words, step, acc);
    if (left == 2) AddDepthRows<kPixels, 2>(args, in, words, step, acc);
    if (left == 1) AddDepthRows<kPixels, 1>(args, in, words, step, acc);
  }
  quant_block::Store<0, kPixels, 0>(w, channel_block, args.out, block * args.out_block + out, acc);
}

// A row of a kernel of kRows x kColumns taps side by side, results kStep pixels apart: a column's words serve every
// result that reads it. The last tile goes back over pixels that are done already rather than being a small one.
template <int kRows, int kColumns, int kStep>
HWY_NOINLINE void DepthRow(const QuantBlockArgs& args, int block, int y) {
  const QuantBlockWeights& w = *args.weights;
  const int channel_block = args.first_block + block;
  const uint32_t* words = w.words + ptrdiff_t(channel_block) * kColumns * kBlock;
  DepthDot weight[kColumns][kVectors];
  COCO_UNROLL
  for (int kx = 0; kx < kColumns; ++kx) {
    COCO_UNROLL
    for (int v = 0; v < kVectors; ++v) weight[kx][v] = DepthDot(quant_block::Load(words + kx * kBlock + v * kLanes));
  }
  const uint8_t* row = args.in + block * args.in_block + y * args.in_row;
  for (int x = 0; x < args.pixels; x += kDepthPixels) {
    const ptrdiff_t at = std::min(x, args.pixels - kDepthPixels);
    VI acc[kDepthPixels][kVectors];
    StartSums(w, channel_block, acc);
    COCO_UNROLL
    for (int j = 0; j < (kDepthPixels - 1) * kStep + kColumns; ++j) {
      COCO_UNROLL
      for (int v = 0; v < kVectors; ++v) {
        const VI column = ColumnWords<kRows>(row + (at * kStep + j) * kBlock + v * kLanes, args.tap_row);
        COCO_UNROLL
        for (int kx = 0; kx < kColumns; ++kx) {
          const int p = (j - kx) / kStep;
          if (j >= kx && (j - kx) % kStep == 0 && p < kDepthPixels) acc[p][v] = weight[kx][v].Add(acc[p][v], column);
        }
      }
    }
    quant_block::Store<0, kDepthPixels, 0>(w, channel_block, args.out,
                                           block * args.out_block + y * args.out_row + at * kBlock, acc);
  }
}

using DepthRowFn = void (*)(const QuantBlockArgs&, int block, int y);

// Null where no row kernel serves.
DepthRowFn DepthRowFor(const QuantBlockArgs& args) {
  const QuantBlockWeights& w = *args.weights;
  if (args.tap_column != kBlock || args.pixels < kDepthPixels || w.kernel_h != w.kernel_w) return nullptr;
  const bool one = args.in_pixel == kBlock, two = args.in_pixel == 2 * kBlock;
  if (w.kernel_h == 3 && one) return DepthRow<3, 3, 1>;
  if (w.kernel_h == 3 && two) return DepthRow<3, 3, 2>;
  if (w.kernel_h == 4 && two) return DepthRow<4, 4, 2>;
  return nullptr;
}

void QuantBlockDepthwise(const QuantBlockArgs& args) {
  const DepthRowFn run = DepthRowFor(args);
  for (int block = 0; block < args.blocks; ++block)
    for (int y = 0; y < args.rows; ++y) {
      if (run != nullptr) {
        run(args, block, y);
        continue;
      }
      const uint8_t* in = args.in + block * args.in_block + y * args.in_row;
      int x = 0;
      const auto tile = [&](auto* fn, int pixels) HWY_ATTR {
        for (; x + pixels <= args.pixels; x += pixels)
          fn(args, block, in + x * args.in_pixel, y * args.out_row + ptrdiff_t(x) * kBlock);
      };
      tile(DepthTile<kDepthPixels>, kDepthPixels);
      tile(DepthTile<1>, 1);
    }
}

using BlockBytes = hn::FixedTag<uint8_t, kBlock>;

void QuantBlockMax(const QuantBlockMaxArgs& args) {
  const BlockBytes d;
  for (int x = 0; x < args.pixels; ++x) {
    const uint8_t* in = args.in + x * args.in_pixel;
    auto most = hn::LoadU(d, in + args.offsets[0]);
    for (int t = 1; t < args.taps; ++t) most = hn::Max(most, hn::LoadU(d, in + args.offsets[t]));
    hn::StoreU(most, d, args.out + ptrdiff_t(x) * kBlock);
  }
}

void QuantBlockBlend(const QuantBlockBlendArgs& args) {
  using D16 = hn::CappedTag<uint16_t, kBlock>;
  const D16 d16;
  const hn::Rebind<uint8_t, D16> half8;
  const int lanes = static_cast<int>(hn::Lanes(d16));
  const auto top_weight = hn::Set(d16, static_cast<uint16_t>(kStepTapsUnit - args.bottom_weight));
  const auto bottom_weight = hn::Set(d16, static_cast<uint16_t>(args.bottom_weight));
  for (int i = 0; i < kBlock * args.columns; i += lanes) {
    const auto a = hn::Mul(hn::PromoteTo(d16, hn::LoadU(half8, args.top + i)), top_weight);
    const auto b = hn::Mul(hn::PromoteTo(d16, hn::LoadU(half8, args.bottom + i)), bottom_weight);
    hn::StoreU(hn::Add(a, b), d16, args.scratch + i);
  }
  const DI di;
  const hn::Rebind<uint16_t, DI> h16;
  const hn::Rebind<uint8_t, DI> h8;
  for (int x = 0; x < args.pixels; ++x) {
    const auto second_weight = hn::Set(di, args.second_weight[x]);
    const auto first_weight = hn::Set(di, kStepTapsUnit - args.second_weight[x]);
    COCO_UNROLL
    for (int lane = 0; lane < kBlock; lane += kLanes) {
      const auto first = hn::PromoteTo(di, hn::LoadU(h16, args.scratch + kBlock * args.first[x] + lane));
      const auto second = hn::PromoteTo(di, hn::LoadU(h16, args.scratch + kBlock * args.second[x] + lane));
      const auto sum = hn::Add(hn::Mul(first, first_weight), hn::Mul(second, second_weight));
      const auto odd = hn::And(hn::ShiftRight<kBothTaps>(sum), hn::Set(di, 1));
      const auto rounded = hn::ShiftRight<kBothTaps>(hn::Add(sum, hn::Add(odd, hn::Set(di, kBothTapsHalf - 1))));
      hn::StoreU(hn::DemoteTo(h8, rounded), h8, args.out + kBlock * x + lane);
    }
  }
}

void QuantizeBlock(const QuantizeBlockArgs& args) {
  const quant_block::DF df;
  const auto zero = static_cast<float>(args.zero_point);
  const auto multiplier = hn::Set(df, args.multiplier), low = hn::Set(df, -zero), high = hn::Set(df, 255.0f - zero);
  const requantize::Bounds bounds{args.zero_point, 0, 255};
  for (int x = 0; x < args.pixels; x += quant_block::kGroup) {
    const int pixels = std::min(quant_block::kGroup, args.pixels - x);
    VI values[4];
    COCO_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int pixel = x + std::min(i / kVectors, pixels - 1);
      const auto v = hn::Mul(hn::LoadU(df, args.in + ptrdiff_t(pixel) * kBlock + i % kVectors * kLanes), multiplier);
      values[i] = requantize::Rounded(hn::Min(hn::IfThenElse(hn::Gt(v, low), v, low), high));
    }
    quant_block::StoreGroup(values, bounds, pixels, args.out + ptrdiff_t(x) * kBlock);
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(QuantBlockDepthwise);
HWY_EXPORT(QuantBlockMax);
HWY_EXPORT(QuantBlockBlend);
HWY_EXPORT(QuantizeBlock);
void quant_block_depthwise_hwy(const QuantBlockArgs& args) { HWY_DYNAMIC_DISPATCH(QuantBlockDepthwise)(args); }
void quant_block_max_hwy(const QuantBlockMaxArgs& args) { HWY_DYNAMIC_DISPATCH(QuantBlockMax)(args); }
void quant_block_blend_hwy(const QuantBlockBlendArgs& args) { HWY_DYNAMIC_DISPATCH(QuantBlockBlend)(args); }
void quantize_block_hwy(const QuantizeBlockArgs& args) { HWY_DYNAMIC_DISPATCH(QuantizeBlock)(args); }
}  // namespace coco::kernels
#endif
