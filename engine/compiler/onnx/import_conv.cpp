// Conv, ConvTranspose, BatchNormalization. One-dimensional convolutions become two-dimensional ones of height 1.
#include <cmath>

#include "compiler/onnx/auto_pad.h"
#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// Attributes both convolutions share, two-dimensional.
struct Geometry {
  bool one_dimensional = false;
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};
  int64_t group = 1;
  std::string auto_pad;
};

/// A one- or two-element attribute as height and width.
Result<std::array<int64_t, 2>> spatial_attribute(const NodeContext& node, const char* name, size_t rank,
                                                 int64_t fallback, int64_t lowest) {
  std::vector<int64_t> values = node.get_ints(name);
  std::array<int64_t, 2> result{fallback, fallback};
  if (rank == 1) result[0] = lowest;  // a kernel, stride or dilation of 1, a padding of 0
  if (values.empty()) return result;
  if (values.size() != rank) {
    return node.invalid("attribute '" + std::string(name) + "' has " + std::to_string(values.size()) + " values for " +
                        std::to_string(rank) + " spatial dimensions");
  }
  for (size_t i = 0; i < rank; ++i) {
    if (values[i] < lowest || values[i] > (1 << 20)) {
      return node.invalid("attribute '" + std::string(name) + "' is out of bounds: " + std::to_string(values[i]));
    }
    result[2 - rank + i] = values[i];
  }
  return result;
}

Result<Geometry> read_geometry(const NodeContext& node, const Shape& x, const Shape& weight) {
  if (x.rank() != weight.rank() || x.rank() < 3) {
    return node.invalid("input of shape " + x.to_string() + " does not fit weights of shape " + weight.to_string());
  }
  const size_t rank = x.rank() - 2;
  if (rank > 2) {
    return node.unsupported(std::to_string(rank) + "-dimensional convolution; only 1-D and 2-D ones are supported");
  }
  Geometry geometry;
  geometry.one_dimensional = rank == 1;
  for (size_t i = 0; i < rank; ++i) {
    geometry.kernel[2 - rank + i] = weight[2 + i];
    if (weight[2 + i] < 1) return node.unsupported("weights of unknown shape " + weight.to_string());
  }
  if (node.has("kernel_shape")) {
    COCO_ASSIGN(const auto declared, spatial_attribute(node, "kernel_shape", rank, 1, 1));
    if (declared != geometry.kernel) {
      return node.invalid("attribute 'kernel_shape' does not fit weights of shape " + weight.to_string());
    }
  }
  COCO_ASSIGN(geometry.stride, spatial_attribute(node, "strides", rank, 1, 1));
  COCO_ASSIGN(geometry.dilation, spatial_attribute(node, "dilations", rank, 1, 1));
  geometry.group = node.get_int("group", 1);
  geometry.auto_pad = node.get_string("auto_pad", "NOTSET");
  if (geometry.auto_pad != "NOTSET" && geometry.auto_pad != "VALID" && geometry.auto_pad != "SAME_UPPER" &&
      geometry.auto_pad != "SAME_LOWER") {
    return node.invalid("attribute 'auto_pad' has the unknown value '" + geometry.auto_pad + "'");
  }
  const std::vector<int64_t> pads = node.get_ints("pads");
  if (geometry.auto_pad == "NOTSET" && !pads.empty()) {
    if (pads.size() != 2 * rank) return node.invalid("attribute 'pads' needs " + std::to_string(2 * rank) + " values");
    for (size_t i = 0; i < rank; ++i) {
      geometry.pads[2 - rank + i] = pads[i];
      geometry.pads[4 - rank + i] = pads[rank + i];
    }
  }
  return geometry;
}

/// The padding of SAME_UPPER / SAME_LOWER, which must be the same in every trial.
Status resolve_same(NodeContext& node, Value* x, Geometry& geometry) {
  for (size_t axis = geometry.one_dimensional ? 1 : 0; axis < 2; ++axis) {
    const size_t dim = axis + (geometry.one_dimensional ? 1 : 2);
    std::optional<std::pair<int64_t, int64_t>> padding;
    bool agree = true;
    size_t known = 0;
    for (const auto& shape : node.shapes(x)) {
      if (!shape) continue;
      const auto trial = same_padding((*shape)[dim], geometry.kernel[axis], geometry.stride[axis],
                                      geometry.dilation[axis], geometry.auto_pad == "SAME_UPPER");
      agree = agree && (!padding || *padding == trial);
      padding = trial;
      ++known;
    }
    if (known < kEnoughTrials || !agree) {
      return node.unsupported("attribute 'auto_pad' = " + geometry.auto_pad +
                              " with a stride depends on dynamic dimensions; give the model static input shapes");
    }
    geometry.pads[axis] = padding->first;
    geometry.pads[axis + 2] = padding->second;
  }
  return {};
}

/// [A, B, L] as [A, B, 1, L]; a constant stays one.
Result<Value*> with_height(NodeContext& node, Value* value, const std::string& role) {
  if (value->is_constant()) {
    const Shape& s = value->shape();
    return node.add_constant(role, Shape{s[0], s[1], 1, s[2]}, value->floats());
  }
  format::ReshapeParams reshape;
  reshape.shape = {0, 0, 1, -1};
  return node.add(reshape, {value});
}

Status finish_without_height(NodeContext& node, Value* value) {
  format::ReshapeParams reshape;
  reshape.shape = {0, 0, -1};
  return node.finish(reshape, {value});
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
  if (geometry.auto_pad.starts_with("SAME")) COCO_TRY(resolve_same(node, x, geometry));
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
  COCO_ASSIGN(Value * result, node.add(params, inputs));
  return finish_without_height(node, result);
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
  COCO_ASSIGN(Value * result, node.add(params, inputs));
  return finish_without_height(node, result);
}

// y = (x - mean) / sqrt(var + epsilon) * scale + bias, as one multiplication and one addition per channel.
Status import_batch_normalization(NodeContext& node) {
  if (node.get_int("training_mode", 0) != 0 || (node.opset() < 14 && node.output_count() > 1)) {
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
