// Shape rules of convolutions and of rearrangements between channels and pixels.
#include "format/shape_rules.h"

namespace coco::format {
Status check_per_channel(const char* what, const std::optional<Shape>& v, int64_t channels) {
  if (!v) return {};
  if (v->rank() == 1 && may_equal((*v)[0], channels)) return {};
  return shape_error(std::string(what) + " " + v->to_string() + " is not [" + std::to_string(channels) + "]");
}

namespace {

constexpr int64_t kMaxBlock = 1024;

Status check_image(const Shape& x) {
  if (x.rank() == 4) return {};
  return shape_error("input " + x.to_string() + " is not [N, C, H, W]");
}

template <typename Params>
Status check_window_size(const Params& p) {
  for (size_t i = 0; i < 2; ++i) {
    COCO_TRY(check_range("kernel", p.kernel[i], 1, Limits::kMaxDim));
    COCO_TRY(check_range("stride", p.stride[i], 1, Limits::kMaxDim));
    COCO_TRY(check_range("dilation", p.dilation[i], 1, Limits::kMaxDim));
  }
  for (int64_t pad : p.pads) COCO_TRY(check_range("pads", pad, 0, Limits::kMaxDim));
  return {};
}

template <typename Params>
Status check_window(const Params& p) {
  COCO_TRY(check_window_size(p));
  return check_range("group", p.group, 1, Limits::kMaxDim);
}

template <typename Params>
Status check_weight(const Params& p, const Shape& w) {
  if (w.rank() != 4) return shape_error("weight " + w.to_string() + " has not 4 dimensions");
  if (!may_equal(w[2], p.kernel[0]) || !may_equal(w[3], p.kernel[1])) {
    return shape_error("weight " + w.to_string() + " does not fit kernel " + std::to_string(p.kernel[0]) + "x" +
                       std::to_string(p.kernel[1]));
  }
  return {};
}

// Positions of the dilated window in the padded input.
template <typename Params>
Result<int64_t> conv_extent(const Params& p, size_t axis, int64_t in) {
  if (is_dynamic(in)) return kDynamicDim;
  const int64_t window = (p.kernel[axis] - 1) * p.dilation[axis] + 1;
  const int64_t padded = in + p.pads[axis] + p.pads[axis + 2];
  if (padded < window) {
    return shape_error("the window covers " + std::to_string(window) + " samples, the padded input has " +
                       std::to_string(padded));
  }
  return (padded - window) / p.stride[axis] + 1;
}

// As conv_extent; where ceil_mode, a last window that starts on the input or its leading padding may reach too far.
Result<int64_t> pool_extent(const Pool2dParams& p, size_t axis, int64_t in) {
  if (!p.ceil_mode || is_dynamic(in)) return conv_extent(p, axis, in);
  const int64_t window = (p.kernel[axis] - 1) * p.dilation[axis] + 1;
  const int64_t padded = in + p.pads[axis] + p.pads[axis + 2];
  if (in < 1 || padded < 1) return shape_error("the input has no samples");
  const int64_t beyond = padded > window ? (padded - window + p.stride[axis] - 1) / p.stride[axis] : 0;
  return beyond + (beyond * p.stride[axis] < in + p.pads[axis] ? 1 : 0);
}

Result<int64_t> conv_transpose_extent(const ConvTranspose2dParams& p, size_t axis, int64_t in) {
  if (is_dynamic(in)) return kDynamicDim;
  if (in == 0) return shape_error("the input has no samples");
  const int64_t window = (p.kernel[axis] - 1) * p.dilation[axis] + 1;
  const int64_t out = p.stride[axis] * (in - 1) + p.output_padding[axis] + window - p.pads[axis] - p.pads[axis + 2];
  if (out < 1) return shape_error("pads take off the whole result");
  return out;
}

// What convolutions of every number type share: [N,M,oh,ow] from x and weight.
template <typename Params>
Result<Shape> conv_shape(const Params& p, const Shape& x, const Shape& w) {
  COCO_TRY(check_image(x));
  COCO_TRY(check_window(p));
  COCO_TRY(check_weight(p, w));
  const int64_t m = w[0], per_group = w[1];
  if (!is_dynamic(m) && (m < 1 || m % p.group != 0)) {
    return shape_error("weight " + w.to_string() + " does not split into " + std::to_string(p.group) + " groups");
  }
  if (!is_dynamic(x[1]) && !is_dynamic(per_group) && (x[1] < 1 || x[1] != per_group * p.group)) {
    return shape_error("input " + x.to_string() + " and weight " + w.to_string() + " with " + std::to_string(p.group) +
                       " groups do not fit");
  }
  COCO_ASSIGN(const int64_t height, conv_extent(p, 0, x[2]));
  COCO_ASSIGN(const int64_t width, conv_extent(p, 1, x[3]));
  return Shape{x[0], m, height, width};
}

}  // namespace

Result<Shape> shape_rule(const Conv2dParams& p, InputShapes in) {
  COCO_ASSIGN(Shape result, conv_shape(p, *in[0], *in[1]));
  COCO_TRY(check_per_channel("bias", in[2], (*in[1])[0]));
  COCO_TRY(check_per_channel("slope", in[3], (*in[1])[0]));
  return result;
}

Result<Shape> shape_rule(const QuantConv2dParams& p, InputShapes in) {
  COCO_ASSIGN(Shape result, conv_shape(p, *in[0], *in[1]));
  COCO_TRY(check_per_channel("bias", in[2], (*in[1])[0]));
  COCO_TRY(check_per_channel("scale", in[3], (*in[1])[0]));
  COCO_TRY(check_per_channel("negative", in[4], (*in[1])[0]));
  COCO_TRY(check_range("in_zero_point", p.in_zero_point, 0, 255));
  COCO_TRY(check_range("out_zero_point", p.out_zero_point, 0, 255));
  COCO_TRY(check_range("high", p.high, 0, 255));
  COCO_TRY(check_range("low", p.low, 0, p.high));
  return result;
}

Result<Shape> shape_rule(const ConvTranspose2dParams& p, InputShapes in) {
  const Shape &x = *in[0], &w = *in[1];
  COCO_TRY(check_image(x));
  COCO_TRY(check_window(p));
  for (int64_t pad : p.output_padding) COCO_TRY(check_range("output_padding", pad, 0, Limits::kMaxDim));
  COCO_TRY(check_weight(p, w));
  if (!may_equal(x[1], w[0]) || w[0] == 0 || w[1] == 0 || (!is_dynamic(w[0]) && w[0] % p.group != 0)) {
    return shape_error("input " + x.to_string() + " and weight " + w.to_string() + " with " + std::to_string(p.group) +
                       " groups do not fit");
  }
  const int64_t m = is_dynamic(w[1]) ? kDynamicDim : w[1] * p.group;
  COCO_TRY(check_per_channel("bias", in[2], m));
  COCO_ASSIGN(const int64_t height, conv_transpose_extent(p, 0, x[2]));
  COCO_ASSIGN(const int64_t width, conv_transpose_extent(p, 1, x[3]));
  return Shape{x[0], m, height, width};
}

Result<Shape> shape_rule(const DepthToSpaceParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_TRY(check_image(x));
  COCO_TRY(check_range("block", p.block, 1, kMaxBlock));
  const auto grown = [&](int64_t d) { return is_dynamic(d) ? d : d * p.block; };
  const int64_t squared = p.block * p.block;
  if (!is_dynamic(x[1]) && x[1] % squared != 0) {
    return shape_error("channels of " + x.to_string() + " are no multiple of " + std::to_string(squared));
  }
  return Shape{x[0], is_dynamic(x[1]) ? x[1] : x[1] / squared, grown(x[2]), grown(x[3])};
}

Result<Shape> shape_rule(const SpaceToDepthParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_TRY(check_image(x));
  COCO_TRY(check_range("block", p.block, 1, kMaxBlock));
  for (size_t i = 2; i < 4; ++i) {
    if (!is_dynamic(x[i]) && x[i] % p.block != 0) {
      return shape_error("size of " + x.to_string() + " is no multiple of " + std::to_string(p.block));
    }
  }
  const auto shrunk = [&](int64_t d) { return is_dynamic(d) ? d : d / p.block; };
  return Shape{x[0], is_dynamic(x[1]) ? x[1] : x[1] * p.block * p.block, shrunk(x[2]), shrunk(x[3])};
}

Result<Shape> shape_rule(const Pool2dParams& p, InputShapes in) {
  const Shape& x = *in[0];
  COCO_TRY(check_image(x));
  COCO_TRY(check_window_size(p));
  COCO_TRY(check_range("p", p.p, 1, 64));
  for (size_t i = 0; i < 4; ++i) {
    const int64_t reach = (p.kernel[i % 2] - 1) * p.dilation[i % 2];
    // A window of padding alone has no maximum.
    if (p.pads[i] > reach) return shape_error("pads are larger than the window");
  }
  COCO_ASSIGN(const int64_t height, pool_extent(p, 0, x[2]));
  COCO_ASSIGN(const int64_t width, pool_extent(p, 1, x[3]));
  return Shape{x[0], x[1], height, width};
}

}  // namespace coco::format
