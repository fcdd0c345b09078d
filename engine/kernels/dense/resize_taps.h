// Purpose: which samples, with which weights, make one result of Resize along one axis. Every Resize kernel uses it.
#pragma once

#include <array>
#include <cstdint>

#include "format/params.h"

namespace coco::kernels {

/// Result = sum of weight[i] * x[index[i]], i < count. Indices lie inside the axis.
struct ResizeTaps {
  int count = 0;
  std::array<int64_t, 4> index{};
  std::array<float, 4> weight{};
};

/// One axis of a Resize. `scale` is the parameters' entry for the axis, or 0 when sizes were given (then it is
/// out_length / in_length).
struct ResizeAxis {
  int64_t in_length = 1;
  int64_t out_length = 1;
  float scale = 0;
  bool is_identity() const { return in_length == out_length && (scale == 0 || scale == 1.0f); }
};

/// The axis-th axis of a Resize with these lengths.
ResizeAxis resize_axis(const format::ResizeParams& params, size_t axis, int64_t in_length, int64_t out_length) noexcept;

/// Where result `out_index` falls on the input, in samples; may lie outside it.
double resize_coordinate(format::CoordinateMode mode, const ResizeAxis& axis, int64_t out_index) noexcept;

/// The taps of result `out_index`: 1 for nearest, 2 for linear, 4 for cubic, fewer where weights are 0 or merged.
ResizeTaps resize_taps(const format::ResizeParams& params, const ResizeAxis& axis, int64_t out_index) noexcept;

/// The same for u8: whole weights that sum to kStepTapsUnit, of nearest and linear interpolation.
inline constexpr int kStepTapsBits = 7, kStepTapsUnit = 1 << kStepTapsBits;
struct StepTaps {
  std::array<int64_t, 2> index{};
  std::array<int32_t, 2> weight{};
};
StepTaps step_taps(const format::ResizeParams& params, const ResizeAxis& axis, int64_t out_index) noexcept;

}  // namespace coco::kernels
