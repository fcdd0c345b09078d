// Purpose: f32 row resampling, the operators the line executor runs after the network.
#pragma once

#include <cstdint>

#include "kernels/resample/filter.h"

namespace coco::kernels {

/// Vertical: output row y of `width` samples from table.taps rows; rows[k] is input row table.first[y] + k.
///
///     out[x] = sum over k of table.weights[y * taps + k] * rows[k][x], in rising k, fused where the target fuses
///
/// Nothing is read or written beyond `width`. Any split of the width gives the same bits on one target.
void resample_row_v(const FilterTable& table, int y, const float* const* rows, int width, float* out) noexcept;

/// Horizontal: outputs [x0, x1) to out[0 .. x1 - x0). in[0] is input column `in_x0` and `in_count` columns are
/// readable; they must cover first[x0] .. first[x1 - 1] + taps - 1. More readable columns make the last outputs faster.
///
///     out[x - x0] = sum over k of table.weights[x * taps + k] * in[first[x] + k - in_x0], in rising k, as above
///
/// Any split of the outputs gives the same bits on one target. `in` and `out` do not overlap.
void resample_row_h(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1,
                    float* out) noexcept;

using ResampleRowVFn = void (*)(const FilterTable& table, int y, const float* const* rows, int width,
                                float* out) noexcept;
using ResampleRowHFn = void (*)(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1,
                                float* out) noexcept;

/// Scalar references; they multiply and add without fusing.
void resample_row_v_ref(const FilterTable& table, int y, const float* const* rows, int width, float* out) noexcept;
void resample_row_h_ref(const FilterTable& table, const float* in, int in_x0, int in_count, int x0, int x1,
                        float* out) noexcept;

}  // namespace coco::kernels
