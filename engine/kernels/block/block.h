// Purpose: convolutions and pools over f32 pictures in blocks of 16 channels, the inner kernels of the layer executor's
// block segments. A picture lies as [channel / 16][y][x][channel % 16], so that a vector holds channels of one pixel:
// strides, small planes and edges cost nothing extra. Around a picture may stand a border of zeros, so that taps need
// no test. What stands in the unused channels of the last block is never read as another channel's input.
#pragma once

#include <cstddef>
#include <vector>

#include "coco/buffer.h"
#include "kernels/conv/conv_row.h"
#include "kernels/resample/filter.h"

namespace coco::kernels {

inline constexpr int kBlock = 16;
constexpr int channel_blocks(int channels) { return (channels + kBlock - 1) / kBlock; }

/// Weights as the kernels read them. Dense: [out block][in block][ky][kx][channel of the in block][16]; depthwise:
/// [block][ky][kx][16]. Unused output channels have zeros.
struct BlockConvWeights {
  int out_channels = 0, in_channels = 0;
  int kernel_h = 1, kernel_w = 1;
  bool depthwise = false;    ///< a channel of the result reads its own channel alone; in_channels = out_channels
  Buffer packed;             ///< floats
  std::vector<float> bias;   ///< a float for every channel of every out block
  std::vector<float> slope;  ///< likewise, for kPrelu
  Epilogue epilogue = Epilogue::kNone;
  float a = 0, b = 0;             ///< as in ConvRowWeights
  const float* values = nullptr;  ///< of packed
  const float* data() const { return values; }
  /// Floats of one out block.
  ptrdiff_t panel() const { return ptrdiff_t(depthwise ? 1 : in_channels) * kernel_h * kernel_w * kBlock; }
};

/// Rows of some blocks of a convolution's result. Strides in floats.
///
///     v = bias[m] + sum over in block, ky, kx, c of w[m][c][ky][kx] * in[block][ky][kx + pixel][c], in this order
///     out = act(v), act(v) + add or, with `add_first`, act(v + add)
struct BlockConvArgs {
  const BlockConvWeights* weights = nullptr;
  int first_block = 0, blocks = 1;  ///< of the result
  int rows = 1, pixels = 0;         ///< of the result; a row's pixels lie side by side
  const float* in = nullptr;        ///< the first tap of the first pixel, in channel 0 (depthwise: of first_block)
  ptrdiff_t in_block = 0;           ///< between blocks of channels
  ptrdiff_t in_row = 0;             ///< between rows of the result
  ptrdiff_t in_pixel = kBlock;      ///< between pixels of the result
  ptrdiff_t tap_row = 0;            ///< between kernel rows
  ptrdiff_t tap_column = kBlock;    ///< between kernel columns
  float* out = nullptr;             ///< the first pixel of first_block
  ptrdiff_t out_block = 0, out_row = 0;
  const float* add = nullptr;  ///< like out; null: nothing is added
  ptrdiff_t add_block = 0, add_row = 0;
  bool add_first = false;
};
using BlockConvFn = void (*)(const BlockConvArgs&);

/// One row of a pool, one block of channels. Taps outside the picture take no part.
struct BlockPoolArgs {
  bool most = true;           ///< maximum; otherwise mean
  const float* in = nullptr;  ///< column 0 of the first row of the window that lies inside the picture
  ptrdiff_t in_row = 0;       ///< floats between the window's rows
  int rows = 1;               ///< of the window, inside the picture
  int width = 0;              ///< of the picture
  int first = 0;              ///< column of the first tap of the first pixel; may be negative
  int stride = 1, dilation = 1, kernel = 1;
  int pixels = 0;
  float* out = nullptr;
};
using BlockPoolFn = void (*)(const BlockPoolArgs&);

/// One row of a resized picture, one block of channels, by tables of both axes (kernels/resample/filter.h).
///
///     out[x] = sum over k of columns.weights[x][k] * (sum over r of row_weights[r] * in[r][columns.first[x] + k])
struct BlockResizeArgs {
  const float* in = nullptr;  ///< column 0 of the first row
  ptrdiff_t in_row = 0;       ///< floats between rows
  int rows = 1;
  const float* row_weights = nullptr;
  const FilterTable* columns = nullptr;
  float* out = nullptr;
};
using BlockResizeFn = void (*)(const BlockResizeArgs&);

/// A block of channels, each normalised over its picture (GroupNorm with a group a channel):
///
///     out = (in - mean) / sqrt(variance + epsilon) * scale[c] + bias[c]
struct BlockNormArgs {
  const float* in = nullptr;  ///< pixel (0, 0)
  ptrdiff_t in_row = 0;       ///< floats between rows
  int rows = 1, pixels = 0;
  float epsilon = 0;
  const float *scale = nullptr, *bias = nullptr;  ///< kBlock each
  float* out = nullptr;
  ptrdiff_t out_row = 0;
};
using BlockNormFn = void (*)(const BlockNormArgs&);

/// One row of one block from and to planes of single channels. `pixel`: floats of a pixel, at least `channels`; what a
/// load leaves of them is zero. A store reads `pixel` = kBlock.
struct BlockRowArgs {
  int channels = kBlock, width = 0;
  ptrdiff_t plane = 0;  ///< floats between channels
  int pixel = kBlock;
};
using BlockLoadFn = void (*)(const BlockRowArgs& args, const float* planes, float* block);
using BlockStoreFn = void (*)(const BlockRowArgs& args, const float* block, float* planes);

/// Room for `floats` packed weights; pads bias and slope. Null when there is no memory.
float* allocate_block_weights(BlockConvWeights& weights, size_t floats);
/// Packs OIHW weights ([out][in][kh][kw], depthwise [out][1][kh][kw]) into weights.packed; pads bias and slope, which
/// have out_channels values (slope may be empty). False when there is no memory.
bool pack_block_weights(const float* oihw, BlockConvWeights& weights);

void block_conv_ref(const BlockConvArgs& args);
void block_conv_hwy(const BlockConvArgs& args);
void block_depthwise_ref(const BlockConvArgs& args);
void block_depthwise_hwy(const BlockConvArgs& args);
void block_pool_ref(const BlockPoolArgs& args);
void block_pool_hwy(const BlockPoolArgs& args);
void block_resize_ref(const BlockResizeArgs& args);
void block_resize_hwy(const BlockResizeArgs& args);
/// The sums of doubles and the order of group_norm_ref, so that the bytes are its own everywhere.
void block_norm_ref(const BlockNormArgs& args);
void block_load_ref(const BlockRowArgs& args, const float* planes, float* block);
void block_load_hwy(const BlockRowArgs& args, const float* planes, float* block);
void block_store_ref(const BlockRowArgs& args, const float* block, float* planes);
void block_store_hwy(const BlockRowArgs& args, const float* block, float* planes);

}  // namespace coco::kernels
