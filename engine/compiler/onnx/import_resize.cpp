// Resize (10, 11, 13) and its predecessor Upsample (7, 9).
#include <cmath>

#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using graph::Value;

Status read_mode(const NodeContext& node, format::ResizeParams& params) {
  const std::string mode = node.get_string("mode", "nearest");
  if (mode == "nearest") {
    params.mode = format::ResizeMode::kNearest;
  } else if (mode == "linear" || mode == "bilinear") {
    params.mode = format::ResizeMode::kLinear;
  } else if (mode == "cubic") {
    params.mode = format::ResizeMode::kCubic;
  } else {
    return node.unsupported("attribute 'mode' = '" + mode + "'; nearest, linear and cubic are supported");
  }
  return {};
}

Status read_transform(const NodeContext& node, format::ResizeParams& params) {
  const std::string transform = node.get_string("coordinate_transformation_mode", "half_pixel");
  if (!format::from_string(transform, params.coordinates)) {
    return node.unsupported("attribute 'coordinate_transformation_mode' = '" + transform +
                            "'; half_pixel, pytorch_half_pixel, align_corners and asymmetric are supported");
  }
  const std::string nearest = node.get_string("nearest_mode", "round_prefer_floor");
  if (!format::from_string(nearest, params.nearest)) {
    return node.unsupported("attribute 'nearest_mode' = '" + nearest + "'");
  }
  params.cubic_a = node.get_float("cubic_coeff_a", -0.75f);
  params.exclude_outside = node.get_int("exclude_outside", 0) != 0;
  return {};
}

Status check_scales(const NodeContext& node, const std::vector<float>& scales, size_t rank) {
  if (scales.size() != rank) {
    return node.invalid("has " + std::to_string(scales.size()) + " scales for " + std::to_string(rank) + " dimensions");
  }
  for (float scale : scales) {
    if (!(scale > 0) || !std::isfinite(scale)) return node.invalid("scales must be positive");
  }
  return {};
}

/// A scale whose product with `in`, rounded down, is `out`.
std::optional<float> scale_between(int64_t in, int64_t out) {
  auto scale = static_cast<float>(static_cast<double>(out) / static_cast<double>(in));
  auto fits = [&](float s) { return static_cast<int64_t>(std::floor(static_cast<float>(in) * s)) == out; };
  if (!fits(scale)) scale = std::nextafter(scale, HUGE_VALF);
  return fits(scale) ? std::optional<float>(scale) : std::nullopt;
}

/// The scale of one axis that turns the input's size into the asked one in every trial.
std::optional<float> pure_scale(const TrialShapes& shapes, const HostTensor& sizes, size_t axis) {
  std::optional<std::pair<int64_t, int64_t>> ratio;  // in, out
  size_t known = 0;
  for (size_t k = 0; k < kTrials; ++k) {
    if (!shapes[k] || std::isnan(sizes.values[k][axis])) continue;
    const int64_t in = (*shapes[k])[axis];
    const int64_t out = to_int(sizes.values[k][axis]);
    if (in < 1 || out < 1) return std::nullopt;
    if (ratio && ratio->first * out != ratio->second * in) return std::nullopt;
    ratio = {in, out};
    ++known;
  }
  if (known < kEnoughTrials) return std::nullopt;
  return scale_between(ratio->first, ratio->second);
}

Status use_sizes(NodeContext& node, const Value* x, format::ResizeParams& params, size_t input) {
  COCO_ASSIGN(const auto sizes, node.required_numbers(input, "sizes"));
  const size_t rank = x->shape().rank();
  if (sizes->size() != rank) {
    return node.invalid("has " + std::to_string(sizes->size()) + " sizes for " + std::to_string(rank) + " dimensions");
  }
  if (sizes->is_constant()) {
    for (size_t i = 0; i < rank; ++i) params.sizes.push_back(to_int(*sizes->constant(i)));
    return {};
  }
  for (size_t i = 0; i < rank; ++i) {
    const auto scale = pure_scale(node.shapes(x), *sizes, i);
    if (!scale) {
      return node.unsupported(
          "input 'sizes' depends on dynamic dimensions in another way than a fixed scale of the "
          "input; use scales, or give the model static input shapes");
    }
    params.scales.push_back(*scale);
  }
  return {};
}

/// True when the optional input is there and is not an empty list.
bool is_given(NodeContext& node, size_t i) {
  if (!node.has_input(i)) return false;
  const auto known = node.numbers(i);
  return !known || known->size() > 0;
}

Status finish_resize(NodeContext& node, Value* x, const format::ResizeParams& params) {
  if (!params.scales.empty()) COCO_TRY(check_scales(node, params.scales, x->shape().rank()));
  return node.finish(params, {x});
}

}  // namespace

Status import_resize(NodeContext& node) {
  format::ResizeParams params;
  COCO_TRY(read_mode(node, params));
  // The nearest sample is taken of any type; others are means.
  COCO_ASSIGN(Value * x, params.mode == format::ResizeMode::kNearest ? node.any(0) : node.tensor(0));
  if (node.opset() < 11) {  // no coordinate modes yet: as Upsample
    params.coordinates = format::CoordinateMode::kAsymmetric;
    params.nearest = format::NearestMode::kFloor;
    COCO_ASSIGN(params.scales, node.constant_floats(1, "scales"));
    return finish_resize(node, x, params);
  }
  COCO_TRY(read_transform(node, params));
  const bool by_sizes = is_given(node, 3);
  if (by_sizes == is_given(node, 2)) return node.invalid("needs either 'scales' or 'sizes'");
  if (by_sizes) {
    COCO_TRY(use_sizes(node, x, params, 3));
  } else {
    COCO_ASSIGN(params.scales, node.constant_floats(2, "scales"));
  }
  return finish_resize(node, x, params);
}

Status import_upsample(NodeContext& node) {
  format::ResizeParams params;
  COCO_TRY(read_mode(node, params));
  params.coordinates = format::CoordinateMode::kAsymmetric;
  params.nearest = format::NearestMode::kFloor;
  COCO_ASSIGN(Value * x, node.tensor(0));
  if (node.opset() < 9) {
    params.scales = node.get_floats("scales");
  } else {
    COCO_ASSIGN(params.scales, node.constant_floats(1, "scales"));
  }
  return finish_resize(node, x, params);
}

}  // namespace coco::compiler
