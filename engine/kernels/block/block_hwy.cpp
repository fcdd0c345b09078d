#include <algorithm>
#include <limits>

#include "kernels/block/block.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/block/block_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/block/block_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many pixels as keep the multiply-adds busy.
constexpr int kDepthPixels = kBlockVectors == 1 ? 8 : kBlockVectors <= 4 ? 4 : 1;

// kPixels neighbouring pixels of one block.
template <int kPixels>
HWY_NOINLINE void DepthTile(const BlockConvArgs& args, int block, const float* in, ptrdiff_t out, ptrdiff_t add) {
  const BlockD d;
  const BlockConvWeights& w = *args.weights;
  const ptrdiff_t stride = args.in_pixel;
  const float* bias = w.bias.data() + (args.first_block + block) * kBlock;
  const float* k = w.data() + (args.first_block + block) * w.panel();
  BlockV acc[kPixels][kBlockVectors];
  COCO_UNROLL
  for (int p = 0; p < kPixels; ++p) {
    COCO_UNROLL
    for (int v = 0; v < kBlockVectors; ++v) acc[p][v] = hn::LoadU(d, bias + v * kBlockLanes);
  }
  for (int ky = 0; ky < w.kernel_h; ++ky)
    for (int kx = 0; kx < w.kernel_w; ++kx, k += kBlock) {
      const float* tap = in + ky * args.tap_row + kx * args.tap_column;
      COCO_UNROLL
      for (int v = 0; v < kBlockVectors; ++v) {
        const BlockV weight = hn::LoadU(d, k + v * kBlockLanes);
        COCO_UNROLL
        for (int p = 0; p < kPixels; ++p)
          acc[p][v] = hn::MulAdd(hn::LoadU(d, tap + p * stride + v * kBlockLanes), weight, acc[p][v]);
      }
    }
  StoreBlock<0, kPixels>(args, block, out, add, 0, acc);
}

// A row of a 3x3 kernel, its columns side by side, kStride floats between pixels' inputs: the weights stay in
// registers.
template <int kPixels, int kStride>
HWY_NOINLINE void DepthRow3x3(const BlockConvArgs& args, int block, int y) {
  const BlockD d;
  const BlockConvWeights& w = *args.weights;
  const int channel_block = args.first_block + block;
  const float* slope = SlopesOf(w, channel_block);
  for (int v = 0; v < kBlock; v += kBlockLanes) {
    const float* k = w.data() + channel_block * w.panel() + v;
    BlockV weight[9];
    COCO_UNROLL
    for (int tap = 0; tap < 9; ++tap) weight[tap] = hn::LoadU(d, k + tap * kBlock);
    const BlockV bias = hn::LoadU(d, w.bias.data() + channel_block * kBlock + v);
    const float* row = args.in + block * args.in_block + y * args.in_row + v;
    for (int x = 0; x < args.pixels; x += kPixels) {
      const ptrdiff_t at = std::min(x, args.pixels - kPixels), lane = at * kBlock + v;
      const float* in = row + at * kStride;
      BlockV acc[kPixels];
      COCO_UNROLL
      for (int p = 0; p < kPixels; ++p) acc[p] = bias;
      COCO_UNROLL
      for (int tap = 0; tap < 9; ++tap) {
        COCO_UNROLL
        for (int p = 0; p < kPixels; ++p)
          acc[p] = hn::MulAdd(hn::LoadU(d, in + tap / 3 * args.tap_row + tap % 3 * kBlock + p * kStride), weight[tap],
                              acc[p]);
      }
      float* out = args.out + block * args.out_block + y * args.out_row + lane;
      const float* add = args.add == nullptr ? nullptr : args.add + block * args.add_block + y * args.add_row + lane;
      COCO_UNROLL
      for (int p = 0; p < kPixels; ++p)
        hn::StoreU(EndOfSum(w, slope == nullptr ? nullptr : slope + v, add == nullptr ? nullptr : add + p * kBlock,
                            args.add_first, acc[p]),
                   d, out + p * kBlock);
    }
  }
}

// The last tile of a row goes back over pixels that are done already rather than being a small one.
template <int kPixels>
HWY_INLINE void DepthRow(const BlockConvArgs& args, int block, int y) {
  const float* in = args.in + block * args.in_block + y * args.in_row;
  for (int x = 0; x < args.pixels; x += kPixels) {
    const ptrdiff_t at = std::min(x, args.pixels - kPixels);
    DepthTile<kPixels>(args, block, in + at * args.in_pixel, y * args.out_row + at * kBlock,
                       y * args.add_row + at * kBlock);
  }
}

void BlockDepthwise(const BlockConvArgs& args) {
  const BlockConvWeights& w = *args.weights;
  const bool three = w.kernel_h == 3 && w.kernel_w == 3 && args.tap_column == kBlock && args.pixels >= kDepthPixels &&
                     (args.in_pixel == kBlock || args.in_pixel == 2 * kBlock);
  for (int block = 0; block < args.blocks; ++block)
    for (int y = 0; y < args.rows; ++y) {
      if (three) {
        (args.in_pixel == kBlock ? DepthRow3x3<kDepthPixels, kBlock> : DepthRow3x3<kDepthPixels, 2 * kBlock>)(args,
                                                                                                              block, y);
      } else if (args.pixels >= kDepthPixels) {
        DepthRow<kDepthPixels>(args, block, y);
      } else if (kDepthPixels > 4 && args.pixels >= 4) {
        DepthRow<4>(args, block, y);
      } else {
        DepthRow<1>(args, block, y);
      }
    }
}

// The window of pixel x between the picture's edges.
void BlockPool(const BlockPoolArgs& args) {
  const BlockD d;
  for (int x = 0; x < args.pixels; ++x) {
    const int first = args.first + x * args.stride;
    int begin = 0, end = args.kernel;
    while (begin < end && first + begin * args.dilation < 0) ++begin;
    while (end > begin && first + (end - 1) * args.dilation >= args.width) --end;
    const float* in = args.in + ptrdiff_t(first + begin * args.dilation) * kBlock;
    float* out = args.out + ptrdiff_t(x) * kBlock;
    const ptrdiff_t step = ptrdiff_t(args.dilation) * kBlock;
    const BlockV count = hn::Set(d, static_cast<float>(args.rows * (end - begin)));
    for (int v = 0; v < kBlock; v += kBlockLanes) {
      BlockV sum = hn::Set(d, args.most ? -std::numeric_limits<float>::infinity() : 0.0f);
      for (int ky = 0; ky < args.rows; ++ky) {
        const float* tap = in + ky * args.in_row + v;
        for (int kx = begin; kx < end; ++kx, tap += step) {
          const BlockV value = hn::LoadU(d, tap);
          // What is no number stays.
          const BlockV larger = hn::IfThenElse(hn::Gt(value, sum), value, sum);
          sum = args.most ? hn::IfThenElse(hn::Eq(value, value), larger, value) : hn::Add(sum, value);
        }
      }
      hn::StoreU(args.most ? sum : hn::Div(sum, count), d, out + v);
    }
  }
}

void BlockResize(const BlockResizeArgs& args) {
  const BlockD d;
  const FilterTable& columns = *args.columns;
  const float* weights = columns.weights.data();
  for (int x = 0; x < columns.out; ++x, weights += columns.taps)
    for (int lane = 0; lane < kBlock; lane += kBlockLanes) {
      const float* in = args.in + ptrdiff_t(columns.first[static_cast<size_t>(x)]) * kBlock + lane;
      BlockV sum = hn::Zero(d);
      for (int k = 0; k < columns.taps; ++k, in += kBlock) {
        BlockV column = hn::Zero(d);
        for (int r = 0; r < args.rows; ++r)
          column = hn::MulAdd(hn::LoadU(d, in + r * args.in_row), hn::Set(d, args.row_weights[r]), column);
        sum = hn::MulAdd(column, hn::Set(d, weights[k]), sum);
      }
      hn::StoreU(sum, d, args.out + x * ptrdiff_t(kBlock) + lane);
    }
}

#if HWY_TARGET != HWY_SCALAR
using D4 = hn::FixedTag<float, 4>;

// Four channels of four pixels, to or from pixels.
HWY_INLINE void Transpose4(const float* in, ptrdiff_t in_stride, float* out, ptrdiff_t out_stride) {
  const D4 d;
  const auto a = hn::LoadU(d, in), b = hn::LoadU(d, in + in_stride);
  const auto c = hn::LoadU(d, in + 2 * in_stride), e = hn::LoadU(d, in + 3 * in_stride);
  const auto ac = hn::InterleaveLower(d, a, c), be = hn::InterleaveLower(d, b, e);  // a0 c0 a1 c1, b0 e0 b1 e1
  const auto ac2 = hn::InterleaveUpper(d, a, c), be2 = hn::InterleaveUpper(d, b, e);
  hn::StoreU(hn::InterleaveLower(d, ac, be), d, out);
  hn::StoreU(hn::InterleaveUpper(d, ac, be), d, out + out_stride);
  hn::StoreU(hn::InterleaveLower(d, ac2, be2), d, out + 2 * out_stride);
  hn::StoreU(hn::InterleaveUpper(d, ac2, be2), d, out + 3 * out_stride);
}
#endif

// Fours of channels and pixels; the rest one by one.
void BlockLoad(const BlockRowArgs& args, const float* planes, float* block) {
  int x = 0;
#if HWY_TARGET != HWY_SCALAR
  const int done = args.channels / 4 * 4;
  for (; args.pixel == kBlock && x + 4 <= args.width; x += 4)
    for (int c = 0; c < done; c += 4)
      Transpose4(planes + c * args.plane + x, args.plane, block + ptrdiff_t(x) * kBlock + c, kBlock);
  for (int p = 0; p < x && done < kBlock; ++p)
    for (int c = done; c < kBlock; ++c)
      block[ptrdiff_t(p) * kBlock + c] = c < args.channels ? planes[c * args.plane + p] : 0.0f;
#endif
  if (args.pixel == 3 && args.channels == 3) {
    const float *a = planes, *b = a + args.plane, *c = b + args.plane;
    for (; x < args.width; ++x) {
      float* to = block + ptrdiff_t(x) * 3;
      to[0] = a[x], to[1] = b[x], to[2] = c[x];
    }
  }
  BlockRowArgs rest = args;
  rest.width = args.width - x;
  block_load_ref(rest, planes + x, block + ptrdiff_t(x) * args.pixel);
}

void BlockStore(const BlockRowArgs& args, const float* block, float* planes) {
  int done = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; done + 4 <= args.channels; done += 4)
    for (int x = 0; x + 4 <= args.width; x += 4)
      Transpose4(block + ptrdiff_t(x) * kBlock + done, kBlock, planes + done * args.plane + x, args.plane);
  for (int c = 0; c < done; ++c)
    for (int rest = args.width & ~3; rest < args.width; ++rest)
      planes[c * args.plane + rest] = block[ptrdiff_t(rest) * kBlock + c];
#endif
  BlockRowArgs rest = args;
  rest.channels = args.channels - done;
  block_store_ref(rest, block + done, planes + done * args.plane);
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(BlockDepthwise);
HWY_EXPORT(BlockPool);
HWY_EXPORT(BlockResize);
HWY_EXPORT(BlockLoad);
HWY_EXPORT(BlockStore);
void block_depthwise_hwy(const BlockConvArgs& args) { HWY_DYNAMIC_DISPATCH(BlockDepthwise)(args); }
void block_pool_hwy(const BlockPoolArgs& args) { HWY_DYNAMIC_DISPATCH(BlockPool)(args); }
void block_load_hwy(const BlockRowArgs& args, const float* planes, float* block) {
  HWY_DYNAMIC_DISPATCH(BlockLoad)(args, planes, block);
}
void block_store_hwy(const BlockRowArgs& args, const float* block, float* planes) {
  HWY_DYNAMIC_DISPATCH(BlockStore)(args, block, planes);
}
void block_resize_hwy(const BlockResizeArgs& args) { HWY_DYNAMIC_DISPATCH(BlockResize)(args); }
}  // namespace coco::kernels
#endif
