// Operators on constants alone become constants: Binary, Unary, Reshape, Transpose, Slice, Concat, Dequantize (what
// exporters emit around weights).
#include <algorithm>
#include <cmath>

#include "compiler/passes/passes.h"
#include "format/shape_rules.h"
#include "kernels/dense/dense.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;
using Data = std::vector<float>;

/// Elements one run of the pass may make; beyond it, nodes stay.
constexpr int64_t kMaxFoldedElements = int64_t{1} << 27;

std::vector<int64_t> row_major_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.rank(), 1);
  for (size_t i = shape.rank(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

/// Calls visit(element, source index) for every element of `out` in order, where the source index is
/// offset + sum(position[i] * strides[i]).
template <typename Visit>
void walk(const Shape& out, const std::vector<int64_t>& strides, int64_t offset, Visit visit) {
  const auto count = static_cast<size_t>(out.element_count().value_or(0));
  std::vector<int64_t> position(out.rank(), 0);
  int64_t source = offset;
  for (size_t element = 0; element < count; ++element) {
    visit(element, static_cast<size_t>(source));
    for (size_t i = out.rank(); i-- > 0;) {
      source += strides[i];
      if (++position[i] < out[i]) break;
      source -= strides[i] * out[i];
      position[i] = 0;
    }
  }
}

/// Strides of `shape` seen through broadcasting to `out`.
std::vector<int64_t> broadcast_strides(const Shape& shape, const Shape& out) {
  std::vector<int64_t> strides(out.rank(), 0);
  const std::vector<int64_t> own = row_major_strides(shape);
  for (size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] != 1) strides[out.rank() - shape.rank() + i] = own[i];
  }
  return strides;
}

float apply(const format::UnaryParams& p, float x) {
  switch (p.kind) {
    case format::UnaryKind::kIdentity:
      return x;
    case format::UnaryKind::kRelu:
      return x > 0 ? x : 0;
    case format::UnaryKind::kLeakyRelu:
      return x < 0 ? p.a * x : x;
    case format::UnaryKind::kClip:
      return std::min(std::max(x, p.a), p.b);
    case format::UnaryKind::kSigmoid:
      return 1.0f / (1.0f + std::exp(-x));
    case format::UnaryKind::kTanh:
      return std::tanh(x);
  }
  return x;
}

float apply(format::BinaryKind kind, float a, float b) {
  switch (kind) {
    case format::BinaryKind::kAdd:
      return a + b;
    case format::BinaryKind::kSub:
      return a - b;
    case format::BinaryKind::kMul:
      return a * b;
    case format::BinaryKind::kDiv:
      return a / b;
  }
  return a;
}

Data fold_binary(const Node& node, format::BinaryKind kind, const Shape& out) {
  Data result(static_cast<size_t>(*out.element_count()));
  std::span<const float> a = node.input(0)->floats(), b = node.input(1)->floats();
  walk(out, broadcast_strides(node.input(0)->shape(), out), 0, [&](size_t i, size_t at) { result[i] = a[at]; });
  walk(out, broadcast_strides(node.input(1)->shape(), out), 0,
       [&](size_t i, size_t at) { result[i] = apply(kind, result[i], b[at]); });
  return result;
}

Data fold_slice(const Node& node, const format::SliceParams& p, const Shape& out) {
  const Shape& in = node.input(0)->shape();
  std::vector<int64_t> strides = row_major_strides(in);
  const std::vector<int64_t> own = strides;
  int64_t offset = 0;
  for (size_t i = 0; i < p.axes.size(); ++i) {
    const auto axis = static_cast<size_t>(p.axes[i]);
    const format::SliceRange range = format::slice_range(p.starts[i], p.ends[i], p.steps[i], in[axis]);
    offset += own[axis] * range.start;
    strides[axis] = range.count > 1 ? own[axis] * range.step : 0;
  }
  Data result(static_cast<size_t>(*out.element_count()));
  std::span<const float> data = node.input(0)->floats();
  walk(out, strides, offset, [&](size_t i, size_t at) { result[i] = data[at]; });
  return result;
}

Data fold_transpose(const Node& node, const format::TransposeParams& p, const Shape& out) {
  const std::vector<int64_t> own = row_major_strides(node.input(0)->shape());
  std::vector<int64_t> strides;
  for (int64_t axis : p.perm) strides.push_back(own[static_cast<size_t>(axis)]);
  Data result(static_cast<size_t>(*out.element_count()));
  std::span<const float> data = node.input(0)->floats();
  walk(out, strides, 0, [&](size_t i, size_t at) { result[i] = data[at]; });
  return result;
}

Data fold_concat(const Node& node, const format::ConcatParams& p, const Shape& out) {
  Data result;
  result.reserve(static_cast<size_t>(*out.element_count()));
  const auto axis = static_cast<size_t>(p.axis);
  int64_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= out[i];
  for (int64_t row = 0; row < outer; ++row) {
    for (const Value* input : node.inputs()) {
      std::span<const float> data = input->floats();
      const size_t chunk = data.size() / static_cast<size_t>(outer);
      const auto* begin = data.data() + static_cast<size_t>(row) * chunk;
      result.insert(result.end(), begin, begin + chunk);
    }
  }
  return result;
}

Data fold_dequantize(const Node& node, const Shape& out) {
  Data result(static_cast<size_t>(*out.element_count()));
  std::vector<TensorView> in;
  for (const Value* value : node.inputs())
    in.push_back({value->type(), value->shape(), value->constant().bytes.data()});
  const MutableTensorView view{DataType::kF32, out, result.data()};
  kernels::dequantize_ref(node.params(), in, std::span(&view, 1), 0, kernels::dense_rows(out));
  return result;
}

std::optional<Data> evaluate(const Node& node) {
  const Shape& out = node.output()->shape();
  if (node.kind() == format::OpKind::kDequantize) return fold_dequantize(node, out);
  if (const auto* p = node.as<format::BinaryParams>()) return fold_binary(node, p->kind, out);
  if (const auto* p = node.as<format::SliceParams>()) return fold_slice(node, *p, out);
  if (const auto* p = node.as<format::TransposeParams>()) return fold_transpose(node, *p, out);
  if (const auto* p = node.as<format::ConcatParams>()) return fold_concat(node, *p, out);
  std::span<const float> x = node.input(0)->floats();
  if (node.kind() == format::OpKind::kReshape) return Data(x.begin(), x.end());
  if (const auto* p = node.as<format::UnaryParams>()) {
    Data result(x.size());
    std::transform(x.begin(), x.end(), result.begin(), [p](float v) { return apply(*p, v); });
    return result;
  }
  return std::nullopt;
}

bool is_foldable(const Node& node, int64_t budget) {
  const auto count = node.output()->shape().element_count();
  if (!count || *count < 1 || *count > budget) return false;
  const bool integers = node.kind() == format::OpKind::kDequantize;
  return std::all_of(node.inputs().begin(), node.inputs().end(), [integers](const Value* input) {
    return input != nullptr && input->is_constant() && (integers || input->type() == DataType::kF32);
  });
}

}  // namespace

Status fold_constants(graph::Graph& graph) {
  int64_t budget = kMaxFoldedElements;
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    if (is_foldable(*node, budget)) {
      if (const auto data = evaluate(*node)) {
        budget -= static_cast<int64_t>(data->size());
        Value* constant = graph.add_constant(node->name() + ".folded", node->output()->shape(), *data);
        graph.replace_all_uses(node->output(), constant);
        graph.erase(node);
      }
    }
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
