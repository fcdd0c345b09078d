// Purpose: one axis of an ONNX Resize as a table: of the row resampler, or of u8.
#pragma once

#include <vector>

#include "format/params.h"
#include "kernels/resample/filter.h"

namespace coco::backends {

/// Weights are those of kernels::resize_taps, folded into a window that never leaves the input.
kernels::FilterTable make_resize_table(const format::ResizeParams& params, size_t axis, int in, int out);

/// One axis of a Resize of u8 (kernels::step_taps): which two samples make each result.
struct StepsResizeAxis {
  std::vector<int32_t> first, second, weight;  ///< weight: of the second
  bool copies = true;                          ///< no result is made of two
};
StepsResizeAxis steps_resize_axis(const format::ResizeParams& params, size_t axis, int in, int out);

}  // namespace coco::backends
