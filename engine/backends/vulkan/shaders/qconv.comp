// An integer convolution on words of four channels (kernels/qconv/qconv_row.h): the entries that pruning left are data,
// everything else about the layer is a constant of the pipeline.
//   acc = bias[m] + sum over m's entries of 4 products      an integer, exact
//   s   = float(acc) * (acc < 0 ? negative[m] : scale[m])   one IEEE multiplication
//   y   = clamp(round_half_even(s) + out_zero_point, low, high), or s
// A workgroup brings its part of the input, halo included, into shared memory once; bytes are flipped to signed ones on
// the way, as devices with a dot product know it for signed bytes first of all. An invocation makes all channels of
// kPixels results, so that a weight that is read serves that many; its sums stay in registers, which is why loops over
// them are unrolled.
//
// COCO_LAST: the convolution that ends an upscaler. Its four channels are the pixels of a square of 2 x 2, the base, a
// picture resampled, is added to them, and samples are stored.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_spirv_intrinsics : enable
#extension GL_EXT_control_flow_attributes : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kPlanes = 1;  // words of the input, in a pixel
layout(constant_id = 1) const int kTiles = 1;
layout(constant_id = 2) const int kTile = 4;  // results of a tile: 4 or 8
layout(constant_id = 3) const int kStrideX = 1;
layout(constant_id = 4) const int kStrideY = 1;
layout(constant_id = 5) const int kReachX = 2;  // columns and rows a result sees beyond its first
layout(constant_id = 6) const int kReachY = 2;
layout(constant_id = 7) const int kLeft = 1;
layout(constant_id = 8) const int kTop = 1;
layout(constant_id = 9) const int kInZero = 0;
layout(constant_id = 10) const int kOutZero = 0;
layout(constant_id = 11) const int kLow = 0;
layout(constant_id = 12) const int kHigh = 255;
layout(constant_id = 13) const bool kDequantize = false;
layout(constant_id = 14) const int kChannels = 4;
// Where parts of the layer's data begin. Tiles (first entry, entries) stand first.
layout(constant_id = 15) const int kBiasAt = 0;
layout(constant_id = 16) const int kScaleAt = 0;
layout(constant_id = 17) const int kNegativeAt = 0;
layout(constant_id = 18) const int kEntriesAt = 0;
layout(constant_id = 19) const int kWeightsAt = 0;
layout(set = 0, binding = 0) writeonly buffer Result { uint result[]; };
layout(set = 0, binding = 1) readonly buffer Input { uint words[]; };
#ifdef COCO_LAST
layout(constant_id = 20) const int kSourceKind = 0;  // of the picture that the base is made of
layout(constant_id = 21) const float kSourceUnit = 1.0;
layout(constant_id = 22) const int kTapsX = 2;
layout(constant_id = 23) const int kTapsY = 2;
layout(constant_id = 24) const int kKind = 1;  // of the result's samples
layout(constant_id = 25) const float kPeak = 255.0;
layout(constant_id = 26) const int kTablesAt = 0;
layout(set = 0, binding = 2) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 3) readonly buffer Layer { uint layer[]; };
layout(push_constant) uniform Sizes { int in_width, in_height, width, height, source_height, source_pitch, pitch; };
#else
layout(set = 0, binding = 2) readonly buffer Layer { uint layer[]; };
layout(push_constant) uniform Sizes { int in_width, in_height, width, height; };
#endif

const int kPixels = 2, kMaxTile = 8, kGroupX = 16, kGroupY = 8;
// An invocation's pixels: neighbours where their samples share a word, else such that a row of invocations reads and
// writes neighbouring words.
#ifdef COCO_LAST
const int kPixelStep = 1, kLocalStep = kPixels;
#else
const int kPixelStep = kGroupX, kLocalStep = 1;
#endif
const int kPartWidth = (kPixels * kGroupX - 1) * kStrideX + kReachX + 1;
const int kPartHeight = (kGroupY - 1) * kStrideY + kReachY + 1;
const int kPart = kPartWidth * kPartHeight;
shared uint part[kPlanes * kPart];

#ifdef COCO_PACKED_DOT
spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int packed_dot(uint a, uint b, spirv_literal int format);
int dot4(uint a, uint b) { return packed_dot(a, b, 0); }
#else
int byte_at(uint word, int i) { return bitfieldExtract(int(word), 8 * i, 8); }
int dot4(uint a, uint b) {
  return byte_at(a, 0) * byte_at(b, 0) + byte_at(a, 1) * byte_at(b, 1) + byte_at(a, 2) * byte_at(b, 2) +
         byte_at(a, 3) * byte_at(b, 3);
}
#endif

void load_part(ivec2 origin) {
  const uint outside = uint(kInZero) * 0x01010101u;
  for (int i = int(gl_LocalInvocationIndex); i < kPlanes * kPart; i += kGroupX * kGroupY) {
    const int plane = i / kPart, y = origin.y + i % kPart / kPartWidth, x = origin.x + i % kPartWidth;
    const bool inside = x >= 0 && x < in_width && y >= 0 && y < in_height;
    part[i] = (inside ? words[(plane * in_height + y) * in_width + x] : outside) ^ 0x80808080u;
  }
}

float scaled(int acc, int m) {
  precise float s = float(acc) * uintBitsToFloat(layer[(acc < 0 ? kNegativeAt : kScaleAt) + m]);
  return s;
}

#ifdef COCO_LAST
uint source_word(int i) { return source[i]; }
uint table_word(int i) { return layer[kTablesAt + i]; }
#include "resample.glsl"

// The squares of pixels (x, y) and (x + 1, y), a word of samples at a time.
void store(int sums[kPixels * kMaxTile], int first, int x, int y) {
  if (x >= width || y >= height) return;
  const Resampling base = Resampling(kSourceKind, kSourceUnit, kTapsX, kTapsY, source_height, source_pitch, 2 * width,
                                     2 * height);
  // Left and right square; which sum is one of few choices, so that the loops below need not be unrolled.
  const ivec4 left = ivec4(sums[0], sums[1], sums[2], sums[3]);
  const ivec4 right = ivec4(sums[kMaxTile], sums[kMaxTile + 1], sums[kMaxTile + 2], sums[kMaxTile + 3]);
  for (int row = 0; row < 2; ++row) {
    uint word = 0;
    for (int i = 0; i < 2 * kPixels && 2 * x + i < 2 * width; ++i) {
      const int column = 2 * x + i, channel = 2 * row + i % 2, next = column + 1;
      const int acc = i < 2 ? left[channel] : right[channel];
      precise float v = scaled(acc, channel) + resampled(base, 0, column, 2 * y + row);
      word |= code_of(v, kKind, column, kPeak);
      if (word_of(kKind, next) == word_of(kKind, column) && next < 2 * width) continue;
      result[(2 * y + row) * pitch + word_of(kKind, column)] = word;
      word = 0;
    }
  }
}
#else
uint step_of(int acc, int m) {
  const float zero = float(kOutZero);
  return uint(int(roundEven(clamp(scaled(acc, m), float(kLow) - zero, float(kHigh) - zero))) + kOutZero);
}

void store_pixel(int sums[kPixels * kMaxTile], int pixel, int first, int x, int y) {
  if (x >= width || y >= height) return;
  if (kDequantize) {
    [[unroll]] for (int o = 0; o < kTile && first + o < kChannels; ++o)
      result[((first + o) * height + y) * width + x] =
          floatBitsToUint(scaled(sums[pixel * kMaxTile + o], first + o));
    return;
  }
  [[unroll]] for (int o = 0; o < kTile && first + o < kChannels; o += 4) {
    uint word = 0;
    [[unroll]] for (int i = 0; i < 4; ++i) word |= step_of(sums[pixel * kMaxTile + o + i], first + o + i) << (8 * i);
    result[((first + o) / 4 * height + y) * width + x] = word;
  }
}
void store(int sums[kPixels * kMaxTile], int first, int x, int y) {
  [[unroll]] for (int p = 0; p < kPixels; ++p) store_pixel(sums, p, first, x + p * kPixelStep, y);
}
#endif

void main() {
  const ivec2 first = ivec2(gl_WorkGroupID.xy) * ivec2(kPixels * kGroupX, kGroupY);
  load_part(first * ivec2(kStrideX, kStrideY) - ivec2(kLeft, kTop));
  barrier();
  const ivec2 local = ivec2(gl_LocalInvocationID.xy) * ivec2(kLocalStep, 1);
  const int here = local.y * kStrideY * kPartWidth + local.x * kStrideX;
  for (int tile = 0; tile < kTiles; ++tile) {
    int sums[kPixels * kMaxTile];
    [[unroll]] for (int o = 0; o < kTile; ++o)
      [[unroll]] for (int p = 0; p < kPixels; ++p) sums[p * kMaxTile + o] = int(layer[kBiasAt + tile * kTile + o]);
    const int begin = int(layer[2 * tile]), end = begin + int(layer[2 * tile + 1]);
    for (int e = begin; e < end; ++e) {
      const int at = here + int(layer[kEntriesAt + e]);
      uint in_words[kPixels];
      [[unroll]] for (int p = 0; p < kPixels; ++p) in_words[p] = part[at + p * kPixelStep * kStrideX];
      [[unroll]] for (int o = 0; o < kTile; ++o) {
        const uint weight = layer[kWeightsAt + e * kTile + o];
        [[unroll]] for (int p = 0; p < kPixels; ++p) sums[p * kMaxTile + o] += dot4(in_words[p], weight);
      }
    }
    store(sums, tile * kTile, first.x + local.x, first.y + local.y);
  }
}
