// f32 or samples to words of four channels of bytes:
//   q = clamp(round_half_even(v * multiplier) + zero_point, 0, 255); channels there are not give 0
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kKind = 0;
layout(constant_id = 1) const float kUnit = 1.0;
layout(constant_id = 2) const int kChannels = 1;
layout(constant_id = 3) const float kMultiplier = 255.0;
layout(constant_id = 4) const int kZeroPoint = 0;
layout(set = 0, binding = 0) writeonly buffer Result { uint result[]; };
layout(set = 0, binding = 1) readonly buffer Input { uint data[]; };
layout(push_constant) uniform Sizes { int width, height, pitch; };  // pitch: words in a row of the input

void main() {
  const int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y), plane = int(gl_GlobalInvocationID.z);
  if (x >= width || y >= height) return;
  const float zero = float(kZeroPoint);
  uint word = 0;
  for (int i = 0; i < 4 && 4 * plane + i < kChannels; ++i) {
    const uint stored = data[((4 * plane + i) * height + y) * pitch + word_of(kKind, x)];
    precise float v = sample_of(stored, kKind, x, kUnit) * kMultiplier;
    const float bounded = v > -zero ? min(v, 255.0 - zero) : -zero;
    word |= uint(int(roundEven(bounded)) + kZeroPoint) << (8 * i);
  }
  result[(plane * height + y) * width + x] = word;
}
