// Constant and Shape: where numbers come from.
#include <algorithm>
#include <cmath>
#include <limits>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {

Status import_constant(NodeContext& node) {
  if (const auto* value = node.find("value")) {
    const onnx::TensorProto& tensor = value->t();
    if (!is_float_type(tensor.data_type())) return node.set_integers(0, tensor);
    COCO_ASSIGN(const std::vector<float> data, tensor_floats(tensor));
    COCO_ASSIGN(Shape shape, tensor_shape(tensor));
    node.set_output(0, node.add_constant("value", std::move(shape), data));
    return {};
  }
  if (node.has("value_float")) {
    node.set_output(0, HostTensor::of(DataType::kF32, Shape{}, {node.get_float("value_float", 0)}));
    return {};
  }
  if (node.has("value_int")) {
    node.set_output(0, HostTensor::of(DataType::kS64, Shape{}, {static_cast<double>(node.get_int("value_int", 0))}));
    return {};
  }
  for (const char* name : {"value_floats", "value_ints"}) {
    if (!node.has(name)) continue;
    std::vector<double> numbers;
    for (float v : node.get_floats(name)) numbers.push_back(v);
    for (int64_t v : node.get_ints(name)) numbers.push_back(static_cast<double>(v));
    if (numbers.size() > static_cast<size_t>(kMaxHostElements)) return node.unsupported("constant list is too long");
    const auto count = static_cast<int64_t>(numbers.size());
    node.set_output(0, HostTensor::of(std::string_view(name) == "value_floats" ? DataType::kF32 : DataType::kS64,
                                      Shape{count}, std::move(numbers)));
    return {};
  }
  return node.unsupported("only dense floating-point and integer constants are supported");
}

Status import_shape(NodeContext& node) {
  if (node.view(0) != nullptr) return node.unsupported("reads the shape of a Reshape with several dynamic dimensions");
  size_t rank = 0;
  TrialShapes shapes;
  if (auto known = node.numbers(0)) {
    rank = known->shape.rank();
    shapes.fill(known->shape);
  } else {
    COCO_ASSIGN(const graph::Value* x, node.any(0));
    rank = x->shape().rank();
    shapes = node.shapes(x);
  }
  auto bound = [rank](int64_t v) {
    const auto r = static_cast<int64_t>(rank);
    return static_cast<size_t>(std::clamp<int64_t>(v < 0 ? v + r : v, 0, r));
  };
  const size_t begin = bound(node.get_int("start", 0));
  const size_t end = std::max(begin, bound(node.get_int("end", static_cast<int64_t>(rank))));
  HostTensor result{DataType::kS64, Shape{static_cast<int64_t>(end - begin)}, {}};
  for (size_t k = 0; k < kTrials; ++k) {
    for (size_t i = begin; i < end; ++i) {
      result.values[k].push_back(shapes[k] ? static_cast<double>((*shapes[k])[i])
                                           : std::numeric_limits<double>::quiet_NaN());
    }
  }
  node.set_output(0, std::move(result));
  return {};
}

Status import_size(NodeContext& node) {
  COCO_ASSIGN(const graph::Value* x, node.any(0));
  HostTensor result{DataType::kS64, Shape{}, {}};
  for (size_t k = 0; k < kTrials; ++k) {
    const auto& shape = node.shapes(x)[k];
    const auto count = shape ? shape->element_count() : std::nullopt;
    result.values[k].push_back(count ? static_cast<double>(*count) : std::numeric_limits<double>::quiet_NaN());
  }
  node.set_output(0, std::move(result));
  return {};
}

}  // namespace coco::compiler
