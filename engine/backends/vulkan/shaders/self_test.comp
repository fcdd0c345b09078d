// How the device computes what integer networks stand on: a product of two numbers of f32, and rounding to an integer.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) writeonly buffer Result { uint result[]; };  // product's bits, its nearest integer
layout(set = 0, binding = 1) readonly buffer Input { uint data[]; };      // an integer, the bits of a factor
layout(push_constant) uniform Sizes { int count; };

void main() {
  const int i = int(gl_GlobalInvocationID.x);
  if (i >= count) return;
  precise float product = float(int(data[2 * i])) * uintBitsToFloat(data[2 * i + 1]);
  result[2 * i] = floatBitsToUint(product);
  result[2 * i + 1] = uint(int(roundEven(clamp(product, -65536.0, 65536.0))));
}
