// Separable resampling by tables, vertically and then horizontally, each in rising order of taps; products are rounded
// before they are added, as kernels/resample/rows_hwy.cpp does it.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kKind = 0;
layout(constant_id = 1) const float kUnit = 1.0;
layout(constant_id = 2) const int kTapsX = 2;
layout(constant_id = 3) const int kTapsY = 2;
layout(set = 0, binding = 0) writeonly buffer Result { float result[]; };
layout(set = 0, binding = 1) readonly buffer Input { uint data[]; };
// Columns' first inputs, their weights (kTapsX each), rows' first inputs, their weights.
layout(set = 0, binding = 2) readonly buffer Tables { uint tables[]; };
layout(push_constant) uniform Sizes { int in_height, pitch, width, height; };

void main() {
  const int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y), channel = int(gl_GlobalInvocationID.z);
  if (x >= width || y >= height) return;
  const int first_x = int(tables[x]), rows_at = width * (1 + kTapsX), first_y = int(tables[rows_at + y]);
  precise float sum = 0.0;
  for (int i = 0; i < kTapsX; ++i) {
    precise float column = 0.0;
    for (int k = 0; k < kTapsY; ++k) {
      const uint stored = data[(channel * in_height + first_y + k) * pitch + word_of(kKind, first_x + i)];
      const float weight = uintBitsToFloat(tables[rows_at + height + y * kTapsY + k]);
      precise float product = weight * sample_of(stored, kKind, first_x + i, kUnit);
      column = k == 0 ? product : column + product;
    }
    precise float product = uintBitsToFloat(tables[width + x * kTapsX + i]) * column;
    sum = i == 0 ? product : sum + product;
  }
  result[(channel * height + y) * width + x] = sum;
}
