// Shape arithmetic on numbers: what exporters emit to compute sizes. Every input present is known.
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "compiler/onnx/import_ops.h"
#include "compiler/onnx/tensor_proto.h"
#include "format/shape_rules.h"

namespace coco::compiler {
namespace {

using Numbers = std::shared_ptr<const HostTensor>;

double rounded(bool is_float, double value) {
  return is_float ? static_cast<double>(static_cast<float>(value)) : value;
}

double divide(bool is_float, double a, double b) {
  if (is_float) return a / b;
  return b == 0 ? std::nan("") : std::trunc(a / b);
}

double modulo(const NodeContext& node, double a, double b) {
  if (b == 0) return std::nan("");
  const double remainder = std::fmod(a, b);
  const bool to_divisor_sign = node.get_int("fmod", 0) == 0;
  return to_divisor_sign && remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}

/// Index into `shape` of element `flat` of the broadcast shape `out`.
size_t broadcast_index(const Shape& shape, const Shape& out, size_t flat) {
  size_t index = 0, stride = 1;
  for (size_t i = 0; i < out.rank(); ++i) {
    const size_t axis = out.rank() - 1 - i;
    const size_t position = flat % static_cast<size_t>(out[axis]);
    flat /= static_cast<size_t>(out[axis]);
    if (i >= shape.rank()) continue;
    const auto dim = static_cast<size_t>(shape[shape.rank() - 1 - i]);
    if (dim != 1) index += position * stride;
    stride *= dim;
  }
  return index;
}

std::vector<int64_t> evaluated_axes(NodeContext& node, bool& known) {
  known = true;
  if (node.opset() < 13) return node.get_ints("axes");
  if (!node.has_input(1)) return {};
  auto axes = node.constant_ints(1, "axes");
  known = axes.ok();
  return axes.ok() ? *axes : std::vector<int64_t>{};
}

Status set_reshaped(NodeContext& node, const HostTensor& x, Shape shape) {
  if (shape.element_count() != static_cast<int64_t>(x.size())) {
    return node.invalid("cannot give " + std::to_string(x.size()) + " elements the shape " + shape.to_string());
  }
  HostTensor result = x;
  result.shape = std::move(shape);
  node.set_output(0, std::move(result));
  return {};
}

}  // namespace

Status evaluate_binary(NodeContext& node) {
  const Numbers a = node.numbers(0), b = node.numbers(1);
  if (!a || !b) return node.invalid("lacks an input");
  const std::string& op = node.proto().op_type();
  const auto shape = format::broadcast_shapes(a->shape, b->shape);
  if (!shape.ok()) return node.invalid("cannot combine " + a->shape.to_string() + " and " + b->shape.to_string());
  const int64_t count = shape->element_count().value_or(kMaxHostElements + 1);
  if (count > kMaxHostElements) return import_binary(node);
  HostTensor result{a->type, *shape, {}};
  for (size_t k = 0; k < kTrials; ++k) {
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      const double x = a->values[k][broadcast_index(a->shape, *shape, i)];
      const double y = b->values[k][broadcast_index(b->shape, *shape, i)];
      const double value = op == "Add"   ? x + y
                           : op == "Sub" ? x - y
                           : op == "Mul" ? x * y
                           : op == "Div" ? divide(a->is_float(), x, y)
                                         : modulo(node, x, y);
      result.values[k].push_back(rounded(a->is_float(), value));
    }
  }
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_unary(NodeContext& node) {
  const Numbers x = node.numbers(0);
  if (!x) return node.invalid("lacks an input");
  const std::string& op = node.proto().op_type();
  HostTensor result = *x;
  for (std::vector<double>& trial : result.values) {
    for (double& value : trial) value = op == "Floor" ? std::floor(value) : op == "Ceil" ? std::ceil(value) : -value;
  }
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_cast(NodeContext& node) {
  const Numbers x = node.numbers(0);
  if (!x) return node.invalid("lacks an input");
  const auto to = static_cast<int>(node.get_int("to", onnx::TensorProto::FLOAT));
  if (!is_float_type(to) && !is_integer_type(to)) return node.unsupported("attribute 'to' = " + type_name(to));
  HostTensor result = *x;
  result.type = engine_type(to);
  for (std::vector<double>& trial : result.values) {
    for (double& value : trial) {
      if (to == onnx::TensorProto::BOOL) {
        value = std::isnan(value) ? value : static_cast<double>(value != 0);
      } else {
        value = result.is_float() ? rounded(true, value) : std::trunc(value);
      }
    }
  }
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_concat(NodeContext& node) {
  std::vector<Numbers> parts;
  int64_t count = 0;
  for (size_t i = 0; i < node.input_count(); ++i) {
    parts.push_back(node.numbers(i));
    // Longer tensors are never shape arithmetic: as graph nodes.
    if (!parts.back() || parts.back()->shape.rank() != 1) return import_concat(node);
    count += parts.back()->shape[0];
  }
  if (parts.empty()) return node.invalid("has no inputs");
  if (count > kMaxHostElements) return import_concat(node);
  HostTensor result{parts[0]->type, Shape{count}, {}};
  for (size_t k = 0; k < kTrials; ++k) {
    for (const Numbers& part : parts) {
      result.values[k].insert(result.values[k].end(), part->values[k].begin(), part->values[k].end());
    }
  }
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_constant_of_shape(NodeContext& node) {
  COCO_ASSIGN(const std::vector<int64_t> dims, node.constant_ints(0, "input"));
  for (int64_t dim : dims) {
    if (dim < 0) return node.invalid("has a negative dimension");
  }
  const Shape shape(dims);
  const int64_t count = shape.element_count().value_or(kMaxHostElements + 1);
  if (count > kMaxHostElements) return import_constant_of_shape(node);
  double value = 0;
  DataType type = DataType::kF32;
  if (const auto* attribute = node.find("value")) {
    COCO_ASSIGN(const HostTensor number, tensor_numbers(attribute->t()));
    if (number.size() != 1) return node.invalid("attribute 'value' must hold one element");
    value = number.values[0][0];
    type = number.type;
  }
  node.set_output(0, HostTensor::of(type, shape, std::vector<double>(static_cast<size_t>(count), value)));
  return {};
}

Status evaluate_gather(NodeContext& node) {
  const Numbers data = node.numbers(0);
  if (!data || data->shape.rank() != 1 || node.get_int("axis", 0) > 0) return import_gather(node);
  COCO_ASSIGN(const std::vector<int64_t> indices, node.constant_ints(1, "indices"));
  HostTensor result{data->type, node.numbers(1)->shape, {}};
  const int64_t count = data->shape[0];
  for (int64_t index : indices) {
    if (index < -count || index >= count) return node.invalid("index " + std::to_string(index) + " is out of range");
    const auto at = static_cast<size_t>(index < 0 ? index + count : index);
    for (size_t k = 0; k < kTrials; ++k) result.values[k].push_back(data->values[k][at]);
  }
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_identity(NodeContext& node) {
  const Numbers x = node.numbers(0);
  if (!x) return node.invalid("lacks an input");
  node.set_output(0, *x);
  return {};
}

Status evaluate_reshape(NodeContext& node) {
  const Numbers x = node.numbers(0);
  COCO_ASSIGN(std::vector<int64_t> dims, node.constant_ints(1, "shape"));
  if (!x) return node.invalid("lacks an input");
  int64_t known = 1;
  std::optional<size_t> open;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && node.get_int("allowzero", 0) == 0 && i < x->shape.rank()) dims[i] = x->shape[i];
    if (dims[i] == -1 && !open) {
      open = i;
    } else if (dims[i] < 0 || __builtin_mul_overflow(known, dims[i], &known)) {
      return node.invalid("has a bad target shape");
    }
  }
  if (open) dims[*open] = known != 0 ? static_cast<int64_t>(x->size()) / known : 0;
  return set_reshaped(node, *x, Shape(std::move(dims)));
}

Status evaluate_slice(NodeContext& node) {
  const Numbers x = node.numbers(0);
  if (!x || x->shape.rank() != 1) return import_slice(node);
  auto list = [&](size_t input, const char* name) -> Result<std::vector<int64_t>> {
    if (node.opset() < 10) return node.get_ints(name);
    return node.constant_ints(input, name);
  };
  COCO_ASSIGN(const std::vector<int64_t> starts, list(1, "starts"));
  COCO_ASSIGN(const std::vector<int64_t> ends, list(2, "ends"));
  std::vector<int64_t> steps{1};
  if (node.opset() >= 10 && node.has_input(4)) {
    COCO_ASSIGN(steps, node.constant_ints(4, "steps"));
  }
  if (starts.size() != 1 || ends.size() != 1 || steps.size() != 1 || steps[0] < 1) {
    return node.unsupported("slices a list of sizes in another way than forwards along its one axis");
  }
  const int64_t count = x->shape[0];
  auto clamped = [count](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + count : v, 0, count); };
  HostTensor result{x->type, Shape{0}, {}};
  const int64_t end = clamped(ends[0]);
  for (int64_t i = clamped(starts[0]); i < end; i += std::min(steps[0], count)) {
    for (size_t k = 0; k < kTrials; ++k) result.values[k].push_back(x->values[k][static_cast<size_t>(i)]);
  }
  result.shape[0] = static_cast<int64_t>(result.size());
  node.set_output(0, std::move(result));
  return {};
}

Status evaluate_squeeze(NodeContext& node) {
  const Numbers x = node.numbers(0);
  bool known = false;
  const std::vector<int64_t> axes = evaluated_axes(node, known);
  if (!x || !known) return node.invalid("lacks an input");
  const auto rank = static_cast<int64_t>(x->shape.rank());
  std::vector<int64_t> dims;
  for (int64_t i = 0; i < rank; ++i) {
    const bool named = std::find(axes.begin(), axes.end(), i) != axes.end() ||
                       std::find(axes.begin(), axes.end(), i - rank) != axes.end();
    const bool drop = axes.empty() ? x->shape[static_cast<size_t>(i)] == 1 : named;
    if (!drop) dims.push_back(x->shape[static_cast<size_t>(i)]);
  }
  return set_reshaped(node, *x, Shape(std::move(dims)));
}

Status evaluate_unsqueeze(NodeContext& node) {
  const Numbers x = node.numbers(0);
  bool known = false;
  std::vector<int64_t> axes = evaluated_axes(node, known);
  if (!x || !known) return node.invalid("lacks an input");
  std::vector<int64_t> dims = x->shape.dims();
  const auto rank = static_cast<int64_t>(dims.size() + axes.size());
  for (int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  std::sort(axes.begin(), axes.end());
  for (int64_t axis : axes) {
    if (axis < 0 || axis > static_cast<int64_t>(dims.size())) return node.invalid("has an axis out of bounds");
    dims.insert(dims.begin() + axis, 1);
  }
  return set_reshaped(node, *x, Shape(std::move(dims)));
}

}  // namespace coco::compiler
