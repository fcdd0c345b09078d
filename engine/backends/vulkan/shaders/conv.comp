// A convolution in f32, an invocation for four results of a pixel (or fewer, the last ones of a group). What stands
// outside the picture adds 0.
//   y = activation(bias[m] + sum over rows, channels, columns of x * weight), in that order
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kKind = 0;
layout(constant_id = 1) const float kUnit = 1.0;
layout(constant_id = 2) const int kGroupInputs = 1;   // channels a group reads
layout(constant_id = 3) const int kGroupResults = 1;  // channels a group makes
layout(constant_id = 4) const int kKernelX = 3;
layout(constant_id = 5) const int kKernelY = 3;
layout(constant_id = 6) const int kStrideX = 1;
layout(constant_id = 7) const int kStrideY = 1;
layout(constant_id = 8) const int kDilationX = 1;
layout(constant_id = 9) const int kDilationY = 1;
layout(constant_id = 10) const int kLeft = 1;
layout(constant_id = 11) const int kTop = 1;
layout(constant_id = 12) const int kActivation = 0;  // 0 none, 1 slope for negative sums, 2 bounds
layout(constant_id = 13) const float kBoundLow = 0.0;
layout(constant_id = 14) const float kBoundHigh = 0.0;
layout(set = 0, binding = 0) writeonly buffer Result { float result[]; };
layout(set = 0, binding = 1) readonly buffer Input { uint data[]; };
// Tiles of four results, those of a group one after the other: biases, slopes, then weights [ky][c][kx] of four.
layout(set = 0, binding = 2) readonly buffer Layer { vec4 layer[]; };
layout(push_constant) uniform Sizes { int in_width, in_height, pitch, width, height; };

const int kTileWords = 2 + kKernelY * kGroupInputs * kKernelX;
const int kGroupTiles = (kGroupResults + 3) / 4;

void main() {
  const int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y), tile = int(gl_GlobalInvocationID.z);
  if (x >= width || y >= height) return;
  const int group = tile / kGroupTiles, at = tile * kTileWords;
  vec4 sum = layer[at];
  for (int ky = 0; ky < kKernelY; ++ky) {
    const int row = y * kStrideY + ky * kDilationY - kTop;
    if (row < 0 || row >= in_height) continue;
    for (int c = 0; c < kGroupInputs; ++c)
      for (int kx = 0; kx < kKernelX; ++kx) {
        const int column = x * kStrideX + kx * kDilationX - kLeft;
        if (column < 0 || column >= in_width) continue;
        const uint stored = data[((group * kGroupInputs + c) * in_height + row) * pitch + word_of(kKind, column)];
        sum += sample_of(stored, kKind, column, kUnit) * layer[at + 2 + (ky * kGroupInputs + c) * kKernelX + kx];
      }
  }
  if (kActivation == 1) sum = mix(sum, sum * layer[at + 1], lessThan(sum, vec4(0.0)));
  if (kActivation == 2) sum = min(max(sum, kBoundLow), kBoundHigh);
  const int first = tile % kGroupTiles * 4;
  for (int o = 0; o < 4 && first + o < kGroupResults; ++o)
    result[((group * kGroupResults + first + o) * height + y) * width + x] = sum[o];
}
