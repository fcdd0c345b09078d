// Purpose: rows of u8 activations outside convolutions, in words of four channels (kernels/qconv/qconv_row.h): from and
// to plain bytes, maxima, tables, sums and products of two, interpolation.
// Rows of words may be read and written up to kStepsRowSlop words past the last one; plain bytes never.
#pragma once

#include <cstdint>

#include "format/params.h"
#include "kernels/dense/resize_taps.h"

namespace coco::kernels {

inline constexpr int kStepsRowSlop = 64;
/// Bits that the weights of a row and of a column add, and half of a step in them.
inline constexpr int kBothTaps = 2 * kStepTapsBits, kBothTapsHalf = 1 << (kBothTaps - 1);

/// Two rows of words, their bytes weighted (weights sum to kStepTapsUnit) and brought together, then words the same
/// way: word x of the result is made of words first[x] and second[x].
///   t = top_weight * top + bottom_weight * bottom
///   out[x] = round_half_even((first_weight[x] * t[first[x]] + second_weight[x] * t[second[x]]) / 2^kBothTaps)
struct StepsBlendArgs {
  const uint32_t *top = nullptr, *bottom = nullptr;
  int columns = 0;  ///< words of the two rows
  int32_t top_weight = kStepTapsUnit, bottom_weight = 0;
  const int32_t *first = nullptr, *second = nullptr, *second_weight = nullptr;  ///< for each result
  int width = 0;
  uint16_t* scratch = nullptr;  ///< 4 * (columns + kStepsRowSlop)
  uint32_t* out = nullptr;
};

struct StepsRowKernel {
  /// Words from up to four rows of bytes, null where there is no channel.
  void (*join)(const uint8_t* const (&planes)[4], int width, uint32_t* out);
  /// The other way.
  void (*split)(const uint32_t* in, int width, uint8_t* const (&planes)[4]);
  void (*max)(const uint32_t* a, const uint32_t* b, int width, uint32_t* out);
  void (*lookup)(const uint8_t* table, const uint32_t* in, int width, uint32_t* out);
  /// QuantBinary of words; where `one_b`, b is a single word for all.
  void (*binary)(const format::QuantBinaryParams& params, const uint32_t* a, const uint32_t* b, bool one_b, int width,
                 uint32_t* out);
  void (*blend)(const StepsBlendArgs& args);
};

extern const StepsRowKernel kStepsRowRef, kStepsRowHwy;

}  // namespace coco::kernels
