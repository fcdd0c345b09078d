// Resampling to f32 planes.
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
layout(set = 0, binding = 2) readonly buffer Tables { uint tables[]; };
layout(push_constant) uniform Sizes { int in_height, pitch, width, height; };

uint source_word(int i) { return data[i]; }
uint table_word(int i) { return tables[i]; }
#include "resample.glsl"

void main() {
  const int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y), channel = int(gl_GlobalInvocationID.z);
  if (x >= width || y >= height) return;
  const Resampling how = Resampling(kKind, kUnit, kTapsX, kTapsY, in_height, pitch, width, height);
  result[(channel * height + y) * width + x] = resampled(how, channel, x, y);
}
