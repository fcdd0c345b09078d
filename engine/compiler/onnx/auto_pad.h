// Purpose: ONNX auto_pad arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace coco::compiler {

/// Padding before and after one axis, so that the result has ceil(in / stride) elements; the odd one goes to the end
/// (upper) or to the beginning (lower).
inline std::pair<int64_t, int64_t> same_padding(int64_t in, int64_t kernel, int64_t stride, int64_t dilation,
                                                bool upper) {
  const int64_t out = (in + stride - 1) / stride;
  const int64_t total = std::max<int64_t>(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in);
  const int64_t half = total / 2;
  return upper ? std::pair{half, total - half} : std::pair{total - half, half};
}

}  // namespace coco::compiler
