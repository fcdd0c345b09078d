// y = a + b, a - b, a * b of two f32 tensors of one size.
#version 450
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"
layout(local_size_x = 128) in;
layout(constant_id = 0) const int kOperation = 0;
layout(set = 0, binding = 0) writeonly buffer Result { float result[]; };
layout(set = 0, binding = 1) readonly buffer A { float a[]; };
layout(set = 0, binding = 2) readonly buffer B { float b[]; };
layout(push_constant) uniform Sizes { int width, count; };  // width: of a row of invocations

void main() {
  const int i = int(gl_GlobalInvocationID.y) * width + int(gl_GlobalInvocationID.x);
  if (i >= count) return;
  precise float y = kOperation == 0 ? a[i] + b[i] : kOperation == 1 ? a[i] - b[i] : a[i] * b[i];
  result[i] = y;
}
