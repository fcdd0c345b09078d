// Purpose: two neighbouring output rows of a 3x3 convolution at once, with two thirds of the products. Winograd's
// minimal filtering F(2,3) (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, 2016) along y alone:
//
//   d0..d3: input rows y - 1 .. y + 2; g0..g2: kernel rows; *: convolution along x, summed over input channels
//   m0 = (d0 - d2) * g0    m1 = (d1 + d2) * (g0 + g1 + g2) / 2    m2 = (d2 - d1) * (g0 - g1 + g2) / 2
//   m3 = (d3 - d1) * g2    row y: m0 + m1 + m2    row y + 1: m1 - m2 + m3
//
// A row's bytes depend on whether it is the first or the second of its pair, so pairs start at even rows everywhere.
#pragma once

#include <cstddef>

#include "kernels/conv/conv_row.h"

namespace coco::kernels {

/// Input rows a pair reads, and transformed kernel rows its weights have; the kernel's width.
inline constexpr int kPairRows = 4, kPairWidth = 3;

struct ConvPairArgs {
  const ConvRowWeights* weights = nullptr;  ///< of pack_conv_pair_weights
  /// Input rows y - 1 .. y + 2: channel 0 at the tap kx = 0 of the first output; null: outside the picture, zeros.
  const float* rows[kPairRows] = {};
  ptrdiff_t in_channel_stride = 0;   ///< floats
  float* out[2] = {};                ///< rows y and y + 1
  ptrdiff_t out_channel_stride = 0;  ///< floats
  int width = 0;                     ///< outputs wanted; up to kRowSlop more may be written
  float* scratch = nullptr;          ///< conv_pair_scratch() floats, 64-byte aligned
};

using ConvPairFn = void (*)(const ConvPairArgs&);

/// A row is worked on in spans short enough that their transformed rows stay in the first-level cache.
struct PairSpan {
  int width;  ///< outputs
  int pitch;  ///< floats between planes of transformed rows
};
PairSpan pair_span(const ConvRowWeights& weights);

/// Transforms and packs 3x3 OIHW weights; `weights.kernel_h` becomes kPairRows.
void pack_conv_pair_weights(const float* oihw, ConvRowWeights& weights);
/// Floats of working memory one call needs.
size_t conv_pair_scratch(const ConvRowWeights& weights);

void conv_pair_ref(const ConvPairArgs& args);
/// Unit stride.
void conv_pair_hwy(const ConvPairArgs& args);

}  // namespace coco::kernels
