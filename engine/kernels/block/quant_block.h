// Purpose: integer convolutions, pools and resizing over u8 pictures in blocks of 16 channels, a byte a channel, laid
// out as in block.h; what the numbers mean stands in docs/numerics.md. A pixel of a block is four words of four
// channels: one word, in every lane, times a vector of 16 output channels x 4 input channels is a step of 16 sums.
// Pictures of at most four channels may take a single word a pixel. Around a picture may stand a border of zero points.
// Weights are lists of such steps (entries); those whose 16 x 4 weights are all zero are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "coco/buffer.h"
#include "format/params.h"
#include "kernels/block/block.h"

namespace coco::kernels {

inline constexpr int kWordChannels = 4;

/// What a step reads: input channels 4 word .. 4 word + 3 at kernel tap (row, column).
struct QuantBlockEntry {
  int32_t word = 0, row = 0, column = 0;
};

/// The entries of two blocks of the result, 2 k and 2 k + 1: first those with weights in both blocks (32 words each,
/// the first block's 16 in front), then those of the first alone, then of the second alone (16 words each).
struct QuantBlockPair {
  size_t entry = 0;  ///< the first, in `entries`
  size_t both = 0, first = 0, second = 0;
  size_t word = 0;  ///< of the first entry's weights, in `words`
};

/// Weights as the kernels read them. Dense: as the pairs say, a word an output, the lowest byte for the lowest channel.
/// Depthwise: [block][column][row / 4][16], a word for four rows of the kernel, the lowest byte for the first.
struct QuantBlockWeights {
  int out_channels = 0, in_channels = 0;
  int kernel_h = 1, kernel_w = 1;
  bool depthwise = false;  ///< a channel of the result reads its own channel alone
  std::vector<QuantBlockPair> pairs;
  std::vector<QuantBlockEntry> entries;
  Buffer packed;
  const uint32_t* words = nullptr;  ///< of packed
  bool narrow = true;               ///< products of each half of a word, of u8 and its weights, add up in 16 bits
  /// A value for every channel of every block. Sums begin at bias: bias[m] - in_zero_point * (sum of m's weights).
  std::vector<int32_t> bias;
  std::vector<int32_t> flipped_bias;  ///< for kernels that read x - 128: more by 128 * (sum of m's weights)
  std::vector<float> scale, negative;
  bool linear = true;  ///< negative may be taken for scale
  int32_t out_zero_point = 0, low = 0, high = 255;
  bool dequantize = false;  ///< results are f32
};

/// Rows of some blocks of a convolution's result. Strides of the input in bytes, of the result in elements.
struct QuantBlockArgs {
  const QuantBlockWeights* weights = nullptr;
  const ptrdiff_t* offsets = nullptr;  ///< dense: bytes from `in` to what each entry reads (quant_block_offsets)
  int first_block = 0, blocks = 1;     ///< of the result; first_block even, blocks too unless they are the last
  int rows = 1, pixels = 0;
  const uint8_t* in = nullptr;    ///< the first tap of the first pixel, in channel 0 (depthwise: of first_block)
  ptrdiff_t in_block = 0;         ///< depthwise: between blocks of channels
  ptrdiff_t in_row = 0;           ///< between rows of the result
  ptrdiff_t in_pixel = kBlock;    ///< between pixels of the result
  ptrdiff_t tap_row = 0;          ///< depthwise: between kernel rows
  ptrdiff_t tap_column = kBlock;  ///< depthwise: between kernel columns
  void* out = nullptr;            ///< the first pixel of first_block; bytes, or floats with `dequantize`
  ptrdiff_t out_block = 0, out_row = 0;
};
using QuantBlockFn = void (*)(const QuantBlockArgs&);

/// Packs the constants of a QuantConv2d: dense, or with one channel a group (params.group). `weight` is
/// [out][in / group][kh][kw]; `negative` may be null. False when there is no memory.
bool pack_quant_block(const format::QuantConv2dParams& params, int out_channels, int in_channels, const int8_t* weight,
                      const int32_t* bias, const float* scale, const float* negative, bool skip_zeros,
                      QuantBlockWeights& weights);
/// Where entries read, with these strides in bytes between blocks of channels, kernel rows and kernel columns.
std::vector<ptrdiff_t> quant_block_offsets(const QuantBlockWeights& weights, ptrdiff_t in_block, ptrdiff_t tap_row,
                                           ptrdiff_t tap_column);

/// One row of a maximum over windows, one block of channels: out[x] is the largest of the `taps` samples whose offsets
/// in bytes from in + x * in_pixel are given.
struct QuantBlockMaxArgs {
  const uint8_t* in = nullptr;
  const ptrdiff_t* offsets = nullptr;
  int taps = 1, pixels = 0;
  ptrdiff_t in_pixel = kBlock;
  uint8_t* out = nullptr;
};
using QuantBlockMaxFn = void (*)(const QuantBlockMaxArgs&);

/// One row of a linear interpolation, one block of channels, weights as in StepsBlendArgs (kernels/steps/steps_row.h):
///   t = top_weight * top + bottom_weight * bottom
///   out[x] = round_half_even((first_weight[x] * t[first[x]] + second_weight[x] * t[second[x]]) / 2^kBothTaps)
struct QuantBlockBlendArgs {
  const uint8_t *top = nullptr, *bottom = nullptr;  ///< pixel 0 of the two rows
  int columns = 0;                                  ///< pixels of the two rows
  int32_t bottom_weight = 0;
  const int32_t *first = nullptr, *second = nullptr, *second_weight = nullptr;  ///< for each result
  int pixels = 0;
  uint16_t* scratch = nullptr;  ///< kBlock * columns
  uint8_t* out = nullptr;
};
using QuantBlockBlendFn = void (*)(const QuantBlockBlendArgs&);

/// `pixels` pixels of 16 channels: f32 to u8, each clamp(round_half_even(v * multiplier) + zero_point, 0, 255).
struct QuantizeBlockArgs {
  const float* in = nullptr;
  uint8_t* out = nullptr;
  int pixels = 0;
  float multiplier = 255;
  int32_t zero_point = 0;
};
using QuantizeBlockFn = void (*)(const QuantizeBlockArgs&);

void quant_block_conv_ref(const QuantBlockArgs& args);
void quant_block_conv_hwy(const QuantBlockArgs& args);
/// For processors with Arm's dot products of s8, and of u8 by s8 (kernels/qconv/arm.h: where there are any).
void quant_block_conv_dotprod(const QuantBlockArgs& args);
void quant_block_conv_i8mm(const QuantBlockArgs& args);
void quant_block_depthwise_ref(const QuantBlockArgs& args);
void quant_block_depthwise_hwy(const QuantBlockArgs& args);
void quant_block_max_ref(const QuantBlockMaxArgs& args);
void quant_block_max_hwy(const QuantBlockMaxArgs& args);
void quant_block_blend_ref(const QuantBlockBlendArgs& args);
void quant_block_blend_hwy(const QuantBlockBlendArgs& args);
void quantize_block_ref(const QuantizeBlockArgs& args);
void quantize_block_hwy(const QuantizeBlockArgs& args);

}  // namespace coco::kernels
