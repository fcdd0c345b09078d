// What all shaders share. Words of 32 bits everywhere, so that no storage feature of a device is needed.
//
// COCO_FLOAT_CONTROLS: the device rounds to nearest even and keeps NaN because it is told to; without it the device has
// shown that it does (engine/backends/vulkan/self_test.cpp).
#ifdef COCO_FLOAT_CONTROLS
#extension GL_EXT_spirv_intrinsics : require
spirv_execution_mode(extensions = ["SPV_KHR_float_controls"], capabilities = [4467], 4462, 32);  // RoundingModeRTE
spirv_execution_mode(extensions = ["SPV_KHR_float_controls"], capabilities = [4466], 4461, 32);  // SignedZeroInfNan
#endif

// How a picture lies in memory: f32, or samples of 8 bits, of 10 bits in the low and in the high part of 16.
const int kF32 = 0, kU8 = 1, kLow10 = 2, kHigh10 = 3;

// The sample in a word that holds the one at column x.
float sample_of(uint word, int kind, int x, float unit) {
  if (kind == kF32) return uintBitsToFloat(word);
  if (kind == kU8) {
    precise float v = float(word >> (8 * (x & 3)) & 255u) * unit;
    return v;
  }
  const uint half_word = word >> (16 * (x & 1)) & 65535u;
  precise float v = float(kind == kLow10 ? half_word & 1023u : half_word >> 6) * unit;
  return v;
}
// Columns to words.
int word_of(int kind, int x) { return kind == kF32 ? x : kind == kU8 ? x >> 2 : x >> 1; }

// clamp(round_half_even(v * peak), 0, peak), NaN gives 0, at its place in the word.
uint code_of(float v, int kind, int x, float peak) {
  if (kind == kF32) return floatBitsToUint(v);
  precise float scaled = v * peak;
  const uint code = uint(roundEven(scaled > 0.0 ? min(scaled, peak) : 0.0));
  if (kind == kU8) return code << (8 * (x & 3));
  return (kind == kHigh10 ? code << 6 : code) << (16 * (x & 1));
}
