#include "backends/cpu/resize_table.h"

#include <algorithm>

#include "kernels/dense/resize_taps.h"

namespace coco::backends {

kernels::FilterTable make_resize_table(const format::ResizeParams& params, size_t axis, int in, int out) {
  const kernels::ResizeAxis geometry = kernels::resize_axis(params, axis, in, out);
  const int window = params.mode == format::ResizeMode::kCubic ? 4 : params.mode == format::ResizeMode::kLinear ? 2 : 1;
  kernels::FilterTable table;
  table.in = in, table.out = out, table.taps = std::min(window, in);
  table.first.resize(out);
  table.weights.resize(size_t(out) * table.taps);
  table.columns.resize(size_t(out) * table.taps);
  // Taps of weight zero are left out of ResizeTaps, so that a window may seem to start late; it never starts after the
  // next output's.
  for (int i = out - 1; i >= 0; --i) {
    const kernels::ResizeTaps taps = kernels::resize_taps(params, geometry, i);
    const int64_t lowest = *std::min_element(taps.index.begin(), taps.index.begin() + taps.count);
    const int following = i + 1 < out ? table.first[i + 1] : in;
    const int first = static_cast<int>(std::clamp<int64_t>(std::min<int64_t>(lowest, following), 0, in - table.taps));
    table.first[i] = first;
    for (int k = 0; k < taps.count; ++k)
      table.weights[size_t(i) * table.taps + (taps.index[k] - first)] += taps.weight[k];
    for (int k = 0; k < table.taps; ++k) table.columns[size_t(k) * out + i] = table.weights[size_t(i) * table.taps + k];
  }
  kernels::find_doubling(table);
  return table;
}

StepsResizeAxis steps_resize_axis(const format::ResizeParams& params, size_t axis, int in, int out) {
  StepsResizeAxis result;
  const kernels::ResizeAxis sizes = kernels::resize_axis(params, axis, in, out);
  for (int i = 0; i < out; ++i) {
    const kernels::StepTaps taps = kernels::step_taps(params, sizes, i);
    result.first.push_back(static_cast<int32_t>(taps.index[0]));
    result.second.push_back(static_cast<int32_t>(taps.index[1]));
    result.weight.push_back(taps.weight[1]);
    result.copies = result.copies && taps.weight[1] == 0;
  }
  return result;
}

}  // namespace coco::backends
