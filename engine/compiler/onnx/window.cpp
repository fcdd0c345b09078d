#include "compiler/onnx/window.h"

#include "compiler/onnx/auto_pad.h"

namespace coco::compiler {

using graph::Value;

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

Result<Window> read_window(const NodeContext& node, size_t rank) {
  if (rank != 1 && rank != 2) {
    return node.unsupported(std::to_string(rank) + "-dimensional window; only 1-D and 2-D ones are supported");
  }
  Window window;
  window.one_dimensional = rank == 1;
  COCO_ASSIGN(window.kernel, spatial_attribute(node, "kernel_shape", rank, 1, 1));
  COCO_ASSIGN(window.stride, spatial_attribute(node, "strides", rank, 1, 1));
  COCO_ASSIGN(window.dilation, spatial_attribute(node, "dilations", rank, 1, 1));
  window.auto_pad = node.get_string("auto_pad", "NOTSET");
  if (window.auto_pad != "NOTSET" && window.auto_pad != "VALID" && window.auto_pad != "SAME_UPPER" &&
      window.auto_pad != "SAME_LOWER") {
    return node.invalid("attribute 'auto_pad' has the unknown value '" + window.auto_pad + "'");
  }
  const std::vector<int64_t> pads = node.get_ints("pads");
  if (window.auto_pad == "NOTSET" && !pads.empty()) {
    if (pads.size() != 2 * rank) return node.invalid("attribute 'pads' needs " + std::to_string(2 * rank) + " values");
    for (size_t i = 0; i < rank; ++i) {
      window.pads[2 - rank + i] = pads[i];
      window.pads[4 - rank + i] = pads[rank + i];
    }
  }
  return window;
}

Status resolve_same(NodeContext& node, const Value* x, Window& window) {
  if (!window.auto_pad.starts_with("SAME")) return {};
  for (size_t axis = window.one_dimensional ? 1 : 0; axis < 2; ++axis) {
    const size_t dim = axis + (window.one_dimensional ? 1 : 2);
    std::optional<std::pair<int64_t, int64_t>> padding;
    bool agree = true;
    size_t known = 0;
    for (const auto& shape : node.shapes(x)) {
      if (!shape) continue;
      const auto trial = same_padding((*shape)[dim], window.kernel[axis], window.stride[axis], window.dilation[axis],
                                      window.auto_pad == "SAME_UPPER");
      agree = agree && (!padding || *padding == trial);
      padding = trial;
      ++known;
    }
    if (known < kEnoughTrials || !agree) {
      return node.unsupported("attribute 'auto_pad' = " + window.auto_pad +
                              " with a stride depends on dynamic dimensions; give the model static input shapes");
    }
    window.pads[axis] = padding->first;
    window.pads[axis + 2] = padding->second;
  }
  return {};
}

Result<Value*> with_height(NodeContext& node, Value* value, const std::string& role) {
  if (value->is_constant()) {
    const Shape& s = value->shape();
    return node.add_constant(role, Shape{s[0], s[1], 1, s[2]}, value->floats());
  }
  format::ReshapeParams reshape;
  reshape.shape = {0, 0, 1, -1};
  return node.add(reshape, {value});
}

Status finish_without_height(NodeContext& node, format::OpParams params, std::vector<Value*> inputs) {
  COCO_ASSIGN(Value * result, node.add(std::move(params), std::move(inputs)));
  format::ReshapeParams reshape;
  reshape.shape = {0, 0, -1};
  return node.finish(reshape, {result});
}

}  // namespace coco::compiler
