// Purpose: one output row of a pruned convolution over planar f32 rows: as conv_row.h, but a tile of output channels
// multiplies only the taps at which one of its channels has a weight (blocks of a tile's channels x 1 input channel).
// The same sums in the same order, so a result differs from conv_row.h's in nothing but the sign of a zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/conv/conv_row.h"

namespace coco::kernels {

/// Where a product reads: `offset` floats right of tap 0, in an input channel.
struct ConvTap {
  int32_t channel = 0, offset = 0;
};

/// Output channels [first, first + channels) and their taps: those of kernel row ky are
/// taps [row_begin[ky], row_begin[ky + 1]), with `channels` weights each.
struct ConvTapsTile {
  int first = 0, channels = 0;
  std::vector<size_t> row_begin;
  size_t weight_begin = 0;  ///< of the first tap of row_begin[0]
};

struct ConvTapsWeights {
  ConvRowWeights shape;  ///< its packed weights are not used
  std::vector<ConvTapsTile> tiles;
  std::vector<ConvTap> taps;
  std::vector<float> weights;
  /// Products left, as a share of a dense convolution's.
  double density() const;
};

struct ConvTapsArgs {
  const ConvTapsWeights* weights = nullptr;
  int row_count = 0;                       ///< as in ConvRowArgs
  int ky[kMaxKernelRows] = {};             ///< as in ConvRowArgs
  const float* rows[kMaxKernelRows] = {};  ///< as in ConvRowArgs
  ptrdiff_t in_channel_stride = 0;
  float* out = nullptr;
  ptrdiff_t out_channel_stride = 0;
  int width = 0;  ///< outputs wanted; up to kRowSlop more may be written
};

using ConvTapsFn = void (*)(const ConvTapsArgs&);

/// Entry lists of OIHW weights for tiles of shape.oc_tile output channels.
ConvTapsWeights make_conv_taps(const float* oihw, const ConvRowWeights& shape);

void conv_taps_ref(const ConvTapsArgs& args);
/// Unit stride.
void conv_taps_hwy(const ConvTapsArgs& args);

}  // namespace coco::kernels
