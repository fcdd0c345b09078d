// Purpose: one axis of an ONNX Resize as a filter table of the row resampler.
#pragma once

#include "format/params.h"
#include "kernels/resample/filter.h"

namespace coco::backends {

/// Weights are those of kernels::resize_taps, folded into a window that never leaves the input.
kernels::FilterTable make_resize_table(const format::ResizeParams& params, size_t axis, int in, int out);

}  // namespace coco::backends
