// Purpose: the checks of integer operators' constants: part of verify(), and the compiler's own before it emits them.
#pragma once

#include <span>
#include <string>

#include "coco/status.h"
#include "format/program.h"

namespace coco::format {

/// Sums of an integer convolution stay below: an f32 holds each such integer exactly.
inline constexpr int64_t kQuantSumLimit = int64_t{1} << 24;

/// Scales stay within: a scaled sum then fits an s32 before it is clamped.
inline constexpr float kQuantScaleLimit = 64;

/// Upper bound of |bias + sum of (x - zero_point) * weight| over all u8 x, for one output channel's weights.
int64_t largest_sum(std::span<const int8_t> weights, int32_t bias, int64_t zero_point);

/// Constants present, sums below kQuantSumLimit, scales finite. Shapes and types have been checked.
Status check_quant_conv(const Program& program, const Operator& op, const std::string& where);

}  // namespace coco::format
