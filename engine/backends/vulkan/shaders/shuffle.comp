// Depth to space: result (c, y, x) is input (y / block, x / block) of the channel that stands for (y, x) % block.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 16, local_size_y = 8) in;
layout(constant_id = 0) const int kBlock = 2;
layout(constant_id = 1) const bool kColumnsFirst = false;  // CRD
layout(constant_id = 2) const int kChannels = 1;           // of the result
layout(set = 0, binding = 0) writeonly buffer Result { uint result[]; };
layout(set = 0, binding = 1) readonly buffer Input { uint data[]; };
layout(push_constant) uniform Sizes { int width, height; };

void main() {
  const int x = int(gl_GlobalInvocationID.x), y = int(gl_GlobalInvocationID.y), c = int(gl_GlobalInvocationID.z);
  if (x >= width || y >= height) return;
  const int phase = y % kBlock * kBlock + x % kBlock;
  const int channel = kColumnsFirst ? c * kBlock * kBlock + phase : phase * kChannels + c;
  result[(c * height + y) * width + x] =
      data[(channel * (height / kBlock) + y / kBlock) * (width / kBlock) + x / kBlock];
}
