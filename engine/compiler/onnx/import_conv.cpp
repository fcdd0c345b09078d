// Conv, ConvTranspose, BatchNormalization. One-dimensional convolutions become two-dimensional ones of height 1.
#include <cmath>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/window.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// A convolution's window and groups, from its attributes and weights.
struct Geometry : Window {
  int64_t group = 1;
};

Result<Geometry> read_geometry(const NodeContext& node, const Shape& x, const Shape& weight) {
  if (x.rank() != weight.rank() || x.rank() < 3) {
    return node.invalid("input of shape " + x.to_string() + " does not fit weights of shape " + weight.to_string());
  }
  const size_t rank = x.rank() - 2;
  Geometry geometry;
  COCO_ASSIGN(static_cast<Window&>(geometry), read_window(node, rank));
  std::array<int64_t, 2> kernel{1, 1};
  for (size_t i = 0; i < rank; ++i) {
    kernel[2 - rank + i] = weight[2 + i];
    if (weight[2 + i] < 1) return node.unsupported("weights of unknown shape " + weight.to_string());
  }
  if (node.has("kernel_shape") && kernel != geometry.kernel) {
    return node.invalid("attribute 'kernel_shape' does not fit weights of shape " + weight.to_string());
  }
  geometry.kernel = kernel;
  geometry.group = node.get_int("group", 1);
  return geometry;
}

/// Sets pads and output padding from output_shape or auto_pad; both need the input's size.
Status resolve_transposed_padding(NodeContext& node, const Value* x, Geometry& geometry,
                                  std::array<int64_t, 2>& output_padding) {
  const size_t rank = geometry.one_dimensional ? 1 : 2;
  const std::vector<int64_t> output_shape = node.get_ints("output_shape");
  const bool same = geometry.auto_pad == "SAME_UPPER" || geometry.auto_pad == "SAME_LOWER";
  if (output_shape.empty() && !same) return {};
  if (!output_shape.empty() && output_shape.size() != rank) {
    return node.invalid("attribute 'output_shape' needs " + std::to_string(rank) + " values");
  }
  for (size_t i = 0; i < rank; ++i) {
    const size_t axis = 2 - rank + i;
    const int64_t in = x->shape()[2 + i];
    // With SAME the result is in * stride, so the padding does not depend on the input's size.
    int64_t total = (geometry.kernel[axis] - 1) * geometry.dilation[axis] + 1 + output_padding[axis];
    if (!output_shape.empty()) {
      if (in == kDynamicDim) {
        return node.unsupported("attribute 'output_shape' on dynamic dimensions; give the model static input shapes");
      }
      total += geometry.stride[axis] * (in - 1) - output_shape[i];
    } else {
      total -= geometry.stride[axis];
    }
    if (total < 0) {  // the result is larger than all contributions: zeros at the end
      output_padding[axis] -= total;
      total = 0;
    }
    const int64_t half = total / 2;
    geometry.pads[axis] = geometry.auto_pad == "SAME_UPPER" ? half : total - half;
    geometry.pads[axis + 2] = total - geometry.pads[axis];
  }
  return {};
}

}  // namespace

Status import_conv(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * weight, node.tensor(1));
  Value* bias = nullptr;
  if (node.has_input(2)) {
    COCO_ASSIGN(bias, node.tensor(2));
  }
  COCO_ASSIGN(Geometry geometry, read_geometry(node, x->shape(), weight->shape()));
  COCO_TRY(resolve_same(node, x, geometry));
  format::Conv2dParams params;
  params.kernel = geometry.kernel;
  params.stride = geometry.stride;
  params.dilation = geometry.dilation;
  params.pads = geometry.pads;
  params.group = geometry.group;
  std::vector<Value*> inputs{x, weight};
  if (bias != nullptr) inputs.push_back(bias);
  if (!geometry.one_dimensional) return node.finish(params, inputs);
  COCO_ASSIGN(inputs[0], with_height(node, x, "x"));
  COCO_ASSIGN(inputs[1], with_height(node, weight, "weight"));
  return finish_without_height(node, params, std::move(inputs));
}

Status import_conv_transpose(NodeContext& node) {
  COCO_ASSIGN(Value * x, node.tensor(0));
  COCO_ASSIGN(Value * weight, node.tensor(1));
  Value* bias = nullptr;
  if (node.has_input(2)) {
    COCO_ASSIGN(bias, node.tensor(2));
  }
  COCO_ASSIGN(Geometry geometry, read_geometry(node, x->shape(), weight->shape()));
  format::ConvTranspose2dParams params;
  COCO_ASSIGN(params.output_padding, spatial_attribute(node, "output_padding", geometry.one_dimensional ? 1 : 2, 0, 0));
  COCO_TRY(resolve_transposed_padding(node, x, geometry, params.output_padding));
  params.kernel = geometry.kernel;
  params.stride = geometry.stride;
  params.dilation = geometry.dilation;
  params.pads = geometry.pads;
  params.group = geometry.group;
  std::vector<Value*> inputs{x, weight};
  if (bias != nullptr) inputs.push_back(bias);
  if (!geometry.one_dimensional) return node.finish(params, inputs);
  COCO_ASSIGN(inputs[0], with_height(node, x, "x"));
  COCO_ASSIGN(inputs[1], with_height(node, weight, "weight"));
  return finish_without_height(node, params, std::move(inputs));
}

// y = (x - mean) / sqrt(var + epsilon) * scale + bias, as one multiplication and one addition per channel.
Status import_batch_normalization(NodeContext& node) {
  if (node.get_int("training_mode", 0) != 0 || (node.opset() < 14 && node.output_count() > 1) ||
      (node.opset() < 7 && node.get_int("is_test", 0) == 0)) {
    return node.unsupported("attribute 'training_mode' = 1; export the model in evaluation mode");
  }
  if (node.get_int("spatial", 1) != 1) return node.unsupported("attribute 'spatial' = 0");
  COCO_ASSIGN(Value * x, node.tensor(0));
  if (x->shape().rank() < 2) return node.invalid("input needs a channel dimension");
  static constexpr const char* kRoles[] = {"scale", "B", "mean", "var"};
  std::array<std::span<const float>, 4> data;
  for (size_t i = 0; i < data.size(); ++i) {
    COCO_ASSIGN(data[i], node.constant_data(i + 1, kRoles[i]));
    if (data[i].size() != data[0].size()) return node.invalid("scale, bias, mean and variance differ in length");
  }
  const double epsilon = node.get_float("epsilon", 1e-5f);
  std::vector<float> multiplier(data[0].size()), addend(data[0].size());
  for (size_t c = 0; c < multiplier.size(); ++c) {
    const double factor = data[0][c] / std::sqrt(static_cast<double>(data[3][c]) + epsilon);
    multiplier[c] = static_cast<float>(factor);
    addend[c] = static_cast<float>(data[1][c] - data[2][c] * factor);
  }
  Shape shape(std::vector<int64_t>(x->shape().rank() - 1, 1));
  shape[0] = static_cast<int64_t>(multiplier.size());
  if (x->shape()[1] != kDynamicDim && x->shape()[1] != shape[0]) {
    return node.invalid("has " + std::to_string(shape[0]) + " scales for " + std::to_string(x->shape()[1]) +
                        " channels");
  }
  Value* factor = node.add_constant("factor", shape, multiplier);
  Value* offset = node.add_constant("offset", shape, addend);
  COCO_ASSIGN(Value * product, node.add(format::BinaryParams{format::BinaryKind::kMul}, {x, factor}));
  return node.finish(format::BinaryParams{format::BinaryKind::kAdd}, {product, offset});
}

}  // namespace coco::compiler
