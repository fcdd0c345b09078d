// What ends a network: f32 to samples, a word of them at a time.
//   kShuffled   v = sums[(y % 2, x % 2)][y / 2][x / 2] + base[y][x]   pixel shuffle and residual, as ShuffleStoreRowFn
//   else        v = sums[y][x]
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kKind = 1;
layout(constant_id = 1) const float kPeak = 255.0;
layout(constant_id = 2) const bool kShuffled = false;
layout(set = 0, binding = 0) writeonly buffer Result { uint result[]; };
layout(set = 0, binding = 1) readonly buffer Sums { float sums[]; };
layout(set = 0, binding = 2) readonly buffer Base { float base[]; };
layout(push_constant) uniform Sizes { int width, height, pitch; };  // pitch: words in a row of the result

float value_at(int x, int y) {
  if (!kShuffled) return sums[y * width + x];
  const int plane = y % 2 * 2 + x % 2;
  precise float v = sums[(plane * (height / 2) + y / 2) * (width / 2) + x / 2] + base[y * width + x];
  return v;
}

void main() {
  const int word_x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y);
  if (word_x >= pitch || y >= height) return;
  const int samples = kKind == kF32 ? 1 : kKind == kU8 ? 4 : 2;
  uint word = 0;
  for (int i = 0; i < samples; ++i) {
    const int x = word_x * samples + i;
    if (x < width) word |= code_of(value_at(x, y), kKind, x, kPeak);
  }
  result[y * pitch + word_x] = word;
}
