// Purpose: one output row of a 2-D convolution over planar f32 rows, the inner kernel of the line executor.
//
//   out[m][x] = act(bias[m] + sum over ky, c, kx of w[m][c][ky][kx] * row(ky)[c][x * stride + kx * dilation])
//
// Summation order is ky, then c, then kx, the bias first, for every output and on every path of one target, so that a
// result does not depend on how the row was cut.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace coco::kernels {

/// Kernel rows a row kernel takes at most.
inline constexpr int kMaxKernelRows = 32;
/// Floats a vector kernel may write (and read) past the last requested one.
inline constexpr int kRowSlop = 64;

enum class Epilogue { kNone, kRelu, kLeakyRelu, kPrelu, kClip };

/// Output channels of the next tile when `left` of a group are still to come: `oc_tile`, a power of two, halved until
/// it fits.
constexpr int conv_tile(int oc_tile, int left) {
  while (oc_tile > left) oc_tile /= 2;
  return oc_tile;
}

/// Weights in the order the kernel reads them: tiles of conv_tile() output channels of one group, in each tile
/// [ky][c][kx][channel of the tile].
struct ConvRowWeights {
  int out_channels = 0, in_channels = 0;  ///< of the whole operator
  int groups = 1;
  int kernel_h = 1, kernel_w = 1;
  int dilation_x = 1, stride_x = 1;
  int oc_tile = 1;
  std::vector<float> packed;
  std::vector<float> bias;   ///< out_channels
  std::vector<float> slope;  ///< out_channels for kPrelu
  Epilogue epilogue = Epilogue::kNone;
  float a = 0, b = 0;  ///< kLeakyRelu: slope a; kClip: low a, high b
};

struct ConvRowArgs {
  const ConvRowWeights* weights = nullptr;
  int row_count = 0;                       ///< kernel rows that lie inside the picture
  int ky[kMaxKernelRows] = {};             ///< their indices, rising
  const float* rows[kMaxKernelRows] = {};  ///< channel 0 of each at the tap kx = 0 of the first output
  ptrdiff_t in_channel_stride = 0;         ///< floats
  float* out = nullptr;
  ptrdiff_t out_channel_stride = 0;  ///< floats
  int width = 0;                     ///< outputs wanted; up to kRowSlop more may be written
};

using ConvRowFn = void (*)(const ConvRowArgs&);

/// Packs OIHW weights ([out_channels][in_channels / groups][kh][kw]) for tiles of `oc_tile`.
void pack_conv_weights(const float* oihw, ConvRowWeights& weights);

/// The activation of one output channel. Weights: ConvRowWeights or another with the same activation.
template <typename Weights>
float apply_epilogue(const Weights& w, int channel, float v) {
  switch (w.epilogue) {
    case Epilogue::kNone:
      return v;
    case Epilogue::kRelu:
      return std::max(v, 0.0f);
    case Epilogue::kLeakyRelu:
      return v < 0 ? v * w.a : v;
    case Epilogue::kPrelu:
      return v < 0 ? v * w.slope[static_cast<size_t>(channel)] : v;
    case Epilogue::kClip:
      return std::min(std::max(v, w.a), w.b);
  }
  return v;
}

void conv_row_ref(const ConvRowArgs& args);
/// Unit stride.
void conv_row_hwy(const ConvRowArgs& args);
/// Output channels per tile the Highway kernel of the active target is fastest with.
int conv_row_hwy_tile();

}  // namespace coco::kernels
