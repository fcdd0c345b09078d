// Purpose: rows of integer convolutions (QuantConv2d): u8 activations, s8 weights in an entry list, exact s32 sums.
// A row of activations is stored in words of four channels: word plane g holds channels 4g..4g+3, channel 4g in the
// lowest byte of each word, one word a pixel; the channels that fill up the last plane hold any byte (no weight reads
// them). Rows of results in f32 (dequantize) hold one plane a channel.
// An entry is what one 4-way dot product of a tile consumes: a kernel tap and a word plane, with 4 weights for every
// output channel of the tile. Entries without a weight are left out, so that dense, block-punched, pattern,
// connectivity-pruned and grouped convolutions are all the same loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "coco/buffer.h"
#include "format/params.h"

namespace coco::kernels {

/// Kernel rows at most, and words a kernel may write (and read) past the last requested one.
inline constexpr int kMaxQuantKernelRows = 32;
inline constexpr int kQuantRowSlop = 64;

/// Where an entry reads: word `offset` of plane `plane` of kernel row `row`, counted from tap 0 of an output.
struct QuantEntry {
  int32_t row = 0, plane = 0, offset = 0;
};

/// One tile: output channels [first, first + channels) and their entries. Where bytes are multiplied into 16 bits, two
/// products may not fit, so the entries stand in three parts, each sorted by row, plane, offset of its first:
///   2 x pair_count        neighbours whose products, four at a time, add up in 16 bits
///   narrow ones           those whose products add up two at a time (bytes 0 and 1, bytes 2 and 3)
///   the last wide_count   any others; `wide` has their weights in 16 bits as well
/// The order means nothing to kernels that multiply exactly.
struct QuantTile {
  int first = 0;
  int channels = 0;  ///< oc_tile, or fewer for the last ones
  size_t entry_begin = 0, entry_count = 0;
  size_t weight_begin = 0;  ///< in `weights`: entry_count x oc_tile words, those of absent channels 0
  size_t pair_count = 0, wide_count = 0;
  size_t wide_begin = 0;  ///< in `wide`: wide_count x oc_tile x 2 words
  uint32_t concave = 0;   ///< bit o: negative > scale in channel o of the tile
};

struct QuantConvRowWeights {
  int out_channels = 0, in_channels = 0;
  int kernel_h = 1, kernel_w = 1;
  int stride_x = 1;
  int oc_tile = 8;
  std::vector<QuantTile> tiles;
  std::vector<QuantEntry> entries;
  std::vector<uint32_t> weights;  ///< 4 s8 a word, the lowest byte for channel 4 plane
  std::vector<uint32_t> wide;     ///< 2 s16 a word: bytes 0 and 2 of the weight, then bytes 1 and 3
  std::vector<int32_t> bias;      ///< sum starts here: bias[m] - in_zero_point * (sum of m's weights); padded to tiles
  std::vector<int32_t> flipped_bias;   ///< the same for kernels that read x - 128: more by 128 * (sum of m's weights)
  std::vector<float> scale, negative;  ///< padded to whole tiles
  bool has_lowest = false;             ///< a weight is -128
  bool linear = false;                 ///< negative is scale
  int32_t in_zero_point = 0, out_zero_point = 0;
  int32_t low = 0, high = 255;
  bool dequantize = false;
};

/// Where the four channels that end a super-resolution network go instead of f32 rows: as ShuffleStoreRowFn does it,
/// channels 0 and 1 to the upper and 2 and 3 to the lower of two rows of samples.
struct QuantShuffledRows {
  SampleType type = SampleType::kU8;
  const float* base[2] = {};  ///< of each row, at its first sample
  void* samples[2] = {};      ///< just 2 * width are written
};

struct QuantConvRowArgs {
  const QuantConvRowWeights* weights = nullptr;
  /// Word plane 0 of every kernel row at tap 0 of the first output. Rows outside the picture, like columns outside,
  /// are given as rows whose bytes are all in_zero_point.
  const uint32_t* rows[kMaxQuantKernelRows] = {};
  ptrdiff_t in_plane_stride = 0;   ///< words
  void* out = nullptr;             ///< words of 4 channels, or floats; unused with `shuffled`
  ptrdiff_t out_plane_stride = 0;  ///< words or floats (4 bytes either way)
  int width = 0;                   ///< outputs wanted; up to kQuantRowSlop more may be written
  /// For `dequantize` and four output channels.
  const QuantShuffledRows* shuffled = nullptr;
};

using QuantConvRowFn = void (*)(const QuantConvRowArgs&);

/// A kernel, and the output channels of its tiles. It also takes weights in tiles of `fine_tile`, which costs a little
/// more for each multiplication: it pays where fewer of them are left (pack_quant_conv_finest).
struct QuantConvRowKernel {
  QuantConvRowFn run;
  int (*oc_tile)();
  int (*fine_tile)();  ///< the same as oc_tile where there is no other
};

/// Packs the constants of a QuantConv2d (weight [M][C/group][kh][kw]; negative may be null) into tiles of `oc_tile`.
/// Entries without a weight are left out unless `skip_zeros` is off.
QuantConvRowWeights pack_quant_conv(const format::QuantConv2dParams& params, int out_channels, int in_channels,
                                    const int8_t* weight, const int32_t* bias, const float* scale,
                                    const float* negative, int oc_tile, bool skip_zeros = true);

/// In tiles of the kernel's oc_tile, or of its fine_tile where that leaves at most 9 of 10 multiplications.
QuantConvRowWeights pack_quant_conv_finest(const format::QuantConv2dParams& params, int out_channels, int in_channels,
                                           const int8_t* weight, const int32_t* bias, const float* scale,
                                           const float* negative, const QuantConvRowKernel& kernel,
                                           bool skip_zeros = true);

void qconv_row_ref(const QuantConvRowArgs& args);
/// Unit stride.
void qconv_row_hwy(const QuantConvRowArgs& args);
/// Unit stride, for processors with Arm's dot products of s8, and of u8 by s8 (kernels/qconv/arm.h: where there are
/// any).
void qconv_row_dotprod(const QuantConvRowArgs& args);
void qconv_row_i8mm(const QuantConvRowArgs& args);
/// Output channels per tile the Highway kernel of the active target is fastest with (4 or 8).
int qconv_row_hwy_tile();
int qconv_row_hwy_fine_tile();

/// f32 samples to the words of quantized rows: word x of plane g gets channels 4g..4g+3 of column x, each
/// clamp(round_half_even(v * multiplier) + zero_point, 0, 255). Absent channels of the last plane become 0.
struct QuantizeRowArgs {
  const float* in = nullptr;
  ptrdiff_t in_channel_stride = 0;  ///< floats
  uint32_t* out = nullptr;
  ptrdiff_t out_plane_stride = 0;  ///< words
  int channels = 0;
  int width = 0;  ///< columns wanted; up to kQuantRowSlop more may be written
  float multiplier = 255;
  int32_t zero_point = 0;
};
using QuantizeRowFn = void (*)(const QuantizeRowArgs&);
void quantize_row_ref(const QuantizeRowArgs& args);
void quantize_row_hwy(const QuantizeRowArgs& args);

/// Neighbouring samples of an 8-bit picture as words: word j gets those of columns begin + j - 1 .. begin + j + 2, the
/// first in the lowest byte, 0 outside the picture.
struct GatherRowArgs {
  const uint8_t* in = nullptr;  ///< column 0 of the picture; nothing outside its columns is read
  int columns = 0;              ///< of the picture
  int begin = 0, width = 0;     ///< words wanted, all at columns of the picture; just these are written
  uint32_t* out = nullptr;
};
using GatherRowFn = void (*)(const GatherRowArgs&);
void gather_row_ref(const GatherRowArgs& args);
void gather_row_hwy(const GatherRowArgs& args);

}  // namespace coco::kernels
