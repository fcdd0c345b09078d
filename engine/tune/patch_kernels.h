// Purpose: the inner loops of PatchStep on padded planes. Single-threaded, no allocation; sizes are the caller's
// promise.
#pragma once

#include <cstdint>
#include <vector>

#include "tune/aligned.h"

namespace coco::tune {

/// Square planes of `size` pixels (a multiple of 8) with a zero border; pointers are to pixel (0, 0) of plane 0.
struct PlaneGrid {
  int size = 0;
  int64_t stride = 0, plane = 0;
};

/// Whether the processor runs these kernels.
bool patch_kernels_supported();

/// Weights of a 3x3 convolution in the orders that the kernels read.
struct PackedConv {
  int channels_in = 0, channels_out = 0;
  std::vector<float> vectors;     ///< [out / 4][in][9][4]
  AlignedVector<uint32_t> tiles;  ///< of patch_tiles.h; empty where it does not serve
};

/// `weight` is [out][in][9]; channels_out a multiple of 4.
void pack_conv3x3(int size, const float* weight, int channels_in, int channels_out, PackedConv& packed);

/// Of the convolution that takes the gradient of the outputs of `weight` ([out][in][9]) to that of its inputs: channels
/// exchanged, taps reversed.
void pack_conv3x3_backward(int size, const float* weight, int channels_in, int channels_out, PackedConv& packed);

/// out[o] = bias[o] + sum over i, taps of weight * in[i]; bias may be null. `packed` is for patches of this size.
void conv3x3(const PlaneGrid& grid, const float* in, const PackedConv& packed, const float* bias, float* out);

/// d_weight[o][i][3][3] += sum over pixels of gradient[o] * in[i] shifted; d_bias[o] += sum of gradient[o].
void conv3x3_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in, const float* gradient,
                             int channels_out, float* d_weight, float* d_bias);

/// after = before > 0 ? before : slope * before
void prelu(const PlaneGrid& grid, const float* before, const float* slope, int channels, float* after);

/// In place on `gradient`: times (before > 0 ? 1 : slope); d_slope += sum of gradient * min(before, 0).
void prelu_gradient(const PlaneGrid& grid, const float* before, const float* slope, int channels, float* gradient,
                    float* d_slope);

/// steps = round_half_even(clamp(sums * (sums < 0 ? negative : scale), low, high)); |low|, |high| <= 255
void requantize(const PlaneGrid& grid, const float* sums, const float* scale, const float* negative, int channels,
                float low, float high, float* steps);

/// In place on `gradient`, from that of the unrounded steps to that of the sums: 0 where the clamp holds, else times
/// the scale; d_scale and d_negative += sum of gradient * sums where the sums are not below 0, and where they are.
void requantize_gradient(const PlaneGrid& grid, const float* sums, const float* scale, const float* negative,
                         int channels, float low, float high, float* gradient, float* d_scale, float* d_negative);

}  // namespace coco::tune
