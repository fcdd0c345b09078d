// Purpose: the convolutions of patch_kernels.h on matrix tiles (AMX of x86-64 servers), three to seven times as fast as
// vectors. Values and weights are split into two bfloat16, x = high + low, and of the four products the three that
// count are taken (high x high, high x low, low x high), summed in f32: relative errors of about 2^-16, none at all
// for whole numbers up to 256. Single-threaded; memory of the calling thread is kept from call to call.
#pragma once

#include <cstdint>
#include <vector>

#include "tune/aligned.h"

namespace coco::tune {

struct PlaneGrid;

/// Whether processor and kernel offer tiles (asks the kernel for them once) and these sizes are served: patches of a
/// multiple of 16 pixels; channels, multiples of 4, up to 16 or multiples of 16.
bool tiles_serve(int size, int channels_in, int channels_out);

/// The weights [out][in][9] as tiles of 16 rows (outputs) by 16 pairs of inputs, high parts then low ones.
void tile_weights(const float* weight, int channels_in, int channels_out, AlignedVector<uint32_t>& tiles);

/// As conv3x3().
void tile_conv3x3(const PlaneGrid& grid, const float* in, int channels_in, const uint32_t* tiles, const float* bias,
                  float* out, int channels_out);

/// The part of conv3x3_weight_gradient() that is d_weight.
void tile_weight_gradient(const PlaneGrid& grid, const float* in, int channels_in, const float* gradient,
                          int channels_out, float* d_weight);

}  // namespace coco::tune
