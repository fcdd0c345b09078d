#include "tune/graph_operators.h"

#include <algorithm>
#include <stdexcept>

#include "format/shape_rules.h"
#include "kernels/dense/resize_taps.h"

namespace coco::tune {
namespace {

using torch::Tensor;
using Tensors = std::vector<Tensor>;

Error unsupported(const graph::Node& node, const std::string& why) {
  return make_error(ErrorCode::kUnsupported, "node '" + node.name() + "' (" + std::string(to_string(node.kind())) +
                                                 ") cannot be trained: " + why);
}

/// Taken along one axis by position.
Tensor gather(const Tensor& x, int64_t axis, const std::vector<int64_t>& positions) {
  return x.index_select(axis, torch::tensor(positions, torch::kInt64).to(x.device()));
}

Tensor activated(format::UnaryKind kind, float a, float b, const Tensor& x) {
  switch (kind) {
    case format::UnaryKind::kIdentity:
      return x;
    case format::UnaryKind::kRelu:
      return torch::relu(x);
    case format::UnaryKind::kLeakyRelu:
      return torch::leaky_relu(x, a);
    case format::UnaryKind::kClip:
      return torch::clamp(x, a, b);
    case format::UnaryKind::kSigmoid:
      return torch::sigmoid(x);
    case format::UnaryKind::kTanh:
      return torch::tanh(x);
    case format::UnaryKind::kHardSigmoid:
      return torch::clamp(a * x + b, 0, 1);
    case format::UnaryKind::kHardSwish:
      return torch::hardswish(x);
    case format::UnaryKind::kElu:
      return torch::elu(x, a);
    case format::UnaryKind::kSwish:
      return torch::silu(x);
    case format::UnaryKind::kGelu:
      return torch::gelu(x);
    case format::UnaryKind::kSoftplus:
      return torch::softplus(x);
    case format::UnaryKind::kExp:
      return torch::exp(x);
    case format::UnaryKind::kLog:
      return torch::log(x);
    case format::UnaryKind::kSqrt:
      return torch::sqrt(x);
    case format::UnaryKind::kReciprocal:
      return torch::reciprocal(x);
    case format::UnaryKind::kNeg:
      return -x;
    case format::UnaryKind::kAbs:
      return torch::abs(x);
    default:
      return {};  // check_operator refuses it
  }
}

Tensor slot(const Tensors& in, size_t i) { return i < in.size() ? in[i] : Tensor(); }

/// pads: top, left, bottom, right; negative ones crop.
Tensor padded(const Tensor& x, const std::array<int64_t, 4>& pads) {
  return torch::constant_pad_nd(x, {pads[1], pads[3], pads[0], pads[2]});
}

Tensor run(const format::Conv2dParams& p, const Tensors& in, const Shape&) {
  const Tensor y = convolve(p, in[0], in[1], slot(in, 2));
  if (const Tensor slope = slot(in, 3); slope.defined()) return torch::prelu(y, slope);
  return activated(p.activation, p.act_a, p.act_b, y);
}

Tensor run(const format::ConvTranspose2dParams& p, const Tensors& in, const Shape&) {
  const std::array<int64_t, 2> none{};
  const Tensor y =
      torch::conv_transpose2d(in[0], in[1], slot(in, 2), p.stride, none, p.output_padding, p.group, p.dilation);
  return padded(y, {-p.pads[0], -p.pads[1], -p.pads[2], -p.pads[3]});
}

Tensor run(const format::UnaryParams& p, const Tensors& in, const Shape&) { return activated(p.kind, p.a, p.b, in[0]); }

Tensor run(const format::PreluParams&, const Tensors& in, const Shape&) {
  return torch::where(in[0] < 0, in[0] * in[1], in[0]);
}

Tensor run(const format::BinaryParams& p, const Tensors& in, const Shape&) {
  switch (p.kind) {
    case format::BinaryKind::kAdd:
      return in[0] + in[1];
    case format::BinaryKind::kSub:
      return in[0] - in[1];
    case format::BinaryKind::kMul:
      return in[0] * in[1];
    case format::BinaryKind::kDiv:
      return in[0] / in[1];
    case format::BinaryKind::kPow:
      return torch::pow(in[0], in[1]);
    case format::BinaryKind::kMin:
      return torch::minimum(in[0], in[1]);
    case format::BinaryKind::kMax:
      return torch::maximum(in[0], in[1]);
    default:
      return {};  // check_operator refuses it
  }
}

Tensor run(const format::ConcatParams& p, const Tensors& in, const Shape&) { return torch::cat(in, p.axis); }

Tensor run(const format::SliceParams& p, const Tensors& in, const Shape&) {
  Tensor x = in[0];
  for (size_t i = 0; i < p.axes.size(); ++i) {
    const auto range = format::slice_range(p.starts[i], p.ends[i], p.steps[i], x.size(p.axes[i]));
    std::vector<int64_t> positions;
    for (int64_t k = 0; k < range.count; ++k) positions.push_back(range.start + k * range.step);
    x = range.step == 1 ? x.narrow(p.axes[i], range.start, range.count) : gather(x, p.axes[i], positions);
  }
  return x;
}

/// The sample that stands at position i of an axis of `length` samples.
int64_t padding_source(format::PadMode mode, int64_t i, int64_t length) {
  if (mode == format::PadMode::kEdge || length == 1) return std::clamp<int64_t>(i, 0, length - 1);
  const int64_t period = 2 * (length - 1), m = (i % period + period) % period;
  return m < length ? m : period - m;
}

Tensor run(const format::PadParams& p, const Tensors& in, const Shape& out) {
  Tensor x = in[0];
  const auto rank = static_cast<size_t>(x.dim());
  if (p.mode == format::PadMode::kConstant) {
    std::vector<int64_t> pads;
    for (size_t i = rank; i-- > 0;) pads.insert(pads.end(), {p.pads[i], p.pads[rank + i]});
    return torch::constant_pad_nd(x, pads, p.value);
  }
  for (size_t i = 0; i < rank; ++i) {
    if (p.pads[i] == 0 && p.pads[rank + i] == 0) continue;
    std::vector<int64_t> positions;
    for (int64_t k = 0; k < out[i]; ++k)
      positions.push_back(padding_source(p.mode, k - p.pads[i], x.size(static_cast<int64_t>(i))));
    x = gather(x, static_cast<int64_t>(i), positions);
  }
  return x;
}

/// sum over taps of weight * x[index], in the order of the taps
Tensor resize_along(const format::ResizeParams& p, const kernels::ResizeAxis& axis, const Tensor& x,
                    int64_t dimension) {
  std::array<std::vector<int64_t>, 4> index;
  std::array<std::vector<float>, 4> weight;
  int count = 0;
  for (int64_t i = 0; i < axis.out_length; ++i) {
    const kernels::ResizeTaps taps = kernels::resize_taps(p, axis, i);
    count = std::max(count, taps.count);
    for (size_t k = 0; k < index.size(); ++k) {
      const bool used = k < static_cast<size_t>(taps.count);
      index[k].push_back(used ? taps.index[k] : 0);
      weight[k].push_back(used ? taps.weight[k] : 0.0f);
    }
  }
  if (p.mode == format::ResizeMode::kNearest) return gather(x, dimension, index[0]);
  std::vector<int64_t> along(static_cast<size_t>(x.dim()), 1);
  along[static_cast<size_t>(dimension)] = axis.out_length;
  Tensor sum;
  for (size_t k = 0; k < static_cast<size_t>(count); ++k) {
    const Tensor term = gather(x, dimension, index[k]) * torch::tensor(weight[k]).view(along).to(x.device());
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

Tensor run(const format::ResizeParams& p, const Tensors& in, const Shape& out) {
  Tensor x = in[0];
  // The inner axis first, as the reference nests its sums.
  for (auto i = static_cast<size_t>(x.dim()); i-- > 1;) {
    const auto dimension = static_cast<int64_t>(i);
    const kernels::ResizeAxis axis = kernels::resize_axis(p, i, x.size(dimension), out[i]);
    if (!axis.is_identity()) x = resize_along(p, axis, x, dimension);
  }
  return x;
}

Tensor run(const format::DepthToSpaceParams& p, const Tensors& in, const Shape& out) {
  const Tensor& x = in[0];
  const int64_t n = x.size(0), b = p.block, c = out[1], h = x.size(2), w = x.size(3);
  if (p.mode == format::DepthToSpaceMode::kCrd || c == 1) return torch::pixel_shuffle(x, b);
  return x.reshape({n, b, b, c, h, w}).permute({0, 3, 4, 1, 5, 2}).reshape(out.dims());
}

Tensor run(const format::SpaceToDepthParams& p, const Tensors& in, const Shape& out) {
  const int64_t b = p.block;
  return in[0].reshape({out[0], in[0].size(1), out[2], b, out[3], b}).permute({0, 3, 5, 1, 2, 4}).reshape(out.dims());
}

Tensor run(const format::TransposeParams& p, const Tensors& in, const Shape&) { return in[0].permute(p.perm); }

Tensor run(const format::ReshapeParams&, const Tensors& in, const Shape& out) { return in[0].reshape(out.dims()); }

// check_operator refuses the rest.
template <typename P>
Tensor run(const P&, const Tensors&, const Shape&) {
  return {};
}

/// The result's shape: the graph's rule for one picture, then for as many as there are.
Shape result_shape(const graph::Node& node, const Tensors& in) {
  std::vector<std::optional<Shape>> shapes;
  for (size_t i = 0; i < in.size(); ++i) {
    shapes.push_back(in[i].defined() ? std::optional<Shape>(std::vector<int64_t>(in[i].sizes().vec())) : std::nullopt);
    const graph::Value* value = node.input(i);
    if (shapes[i] && !value->is_constant() && shapes[i]->rank() > 0) (*shapes[i])[0] = 1;
  }
  auto result = format::infer_shapes(node.params(), shapes);
  if (!result.ok()) throw std::invalid_argument("node '" + node.name() + "': " + result.error().message);
  Shape shape = std::move((*result)[0]);
  if (shape.rank() > 0 && shape[0] == 1) shape[0] = in[0].size(0);
  return shape;
}

/// Whether `activated` has the function.
bool has_gradient(format::UnaryKind kind) {
  switch (kind) {
    case format::UnaryKind::kSelu:
    case format::UnaryKind::kSoftsign:
    case format::UnaryKind::kThresholdedRelu:
    case format::UnaryKind::kErf:
      return false;
    default:
      return kind < format::UnaryKind::kSign;
  }
}

/// What the node does to the first axis; empty: it leaves it alone.
std::string batch_obstacle(const graph::Node& node) {
  const std::string across = "it works across the axis of pictures";
  const Shape& x = node.input(0)->shape();
  if (x.rank() == 0 || (x[0] != 1 && x[0] != kDynamicDim)) return "it reads a batch, not one picture";
  if (const auto* p = node.as<format::ConcatParams>(); p != nullptr && p->axis == 0) return across;
  if (const auto* p = node.as<format::TransposeParams>(); p != nullptr && p->perm[0] != 0) return across;
  if (const auto* p = node.as<format::PadParams>(); p != nullptr && (p->pads[0] != 0 || p->pads[x.rank()] != 0))
    return across;
  if (const auto* p = node.as<format::SliceParams>();
      p != nullptr && std::find(p->axes.begin(), p->axes.end(), 0) != p->axes.end())
    return across;
  const Shape& y = node.output()->shape();
  if (y.rank() == 0 || (y[0] != 1 && y[0] != kDynamicDim)) return across;
  return {};
}

}  // namespace

Status check_operator(const graph::Node& node) {
  for (const graph::Value* value : node.inputs()) {
    if (value != nullptr && value->type() != DataType::kF32)
      return unsupported(node, "it reads " + std::string(to_string(value->type())));
  }
  switch (node.kind()) {
    case format::OpKind::kQuantize:
    case format::OpKind::kQuantConv2d:
    case format::OpKind::kDequantize:
    case format::OpKind::kLookup:
    case format::OpKind::kQuantBinary:
      return unsupported(node, "it works on integers");
    case format::OpKind::kConv2d:
    case format::OpKind::kConvTranspose2d:
    case format::OpKind::kUnary:
    case format::OpKind::kPrelu:
    case format::OpKind::kBinary:
    case format::OpKind::kConcat:
    case format::OpKind::kSlice:
    case format::OpKind::kPad:
    case format::OpKind::kResize:
    case format::OpKind::kDepthToSpace:
    case format::OpKind::kSpaceToDepth:
    case format::OpKind::kTranspose:
    case format::OpKind::kReshape:
      break;
    default:
      return unsupported(node, "the trainer does not know it");
  }
  if (const auto* p = node.as<format::UnaryParams>(); p != nullptr && !has_gradient(p->kind))
    return unsupported(node, "the trainer does not know '" + std::string(to_string(p->kind)) + "'");
  if (const auto* p = node.as<format::Conv2dParams>(); p != nullptr && !has_gradient(p->activation))
    return unsupported(node, "the trainer does not know '" + std::string(to_string(p->activation)) + "'");
  if (const auto* p = node.as<format::BinaryParams>(); p != nullptr && p->kind > format::BinaryKind::kMax)
    return unsupported(node, "the trainer does not know '" + std::string(to_string(p->kind)) + "'");
  if (const auto* p = node.as<format::ConvTranspose2dParams>()) {
    for (size_t i = 0; i < 2; ++i) {
      if (p->output_padding[i] >= std::max(p->stride[i], p->dilation[i]))
        return unsupported(node, "its output padding is not below its stride");
    }
  }
  const bool constant = std::all_of(node.inputs().begin(), node.inputs().end(),
                                    [](const graph::Value* v) { return v == nullptr || v->is_constant(); });
  if (constant) return unsupported(node, "it reads constants alone; fold them first (the optimising passes do)");
  if (node.input(0)->is_constant() && node.kind() != format::OpKind::kBinary)
    return unsupported(node, "its first input is a constant");
  if (node.kind() == format::OpKind::kBinary) return {};
  const std::string obstacle = batch_obstacle(node);
  return obstacle.empty() ? Status() : Status(unsupported(node, obstacle));
}

Tensor convolve(const format::Conv2dParams& p, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const bool even = p.pads[0] == p.pads[2] && p.pads[1] == p.pads[3] && p.pads[0] >= 0 && p.pads[1] >= 0;
  const std::array<int64_t, 2> around = even ? std::array<int64_t, 2>{p.pads[0], p.pads[1]} : std::array<int64_t, 2>{};
  return torch::conv2d(even ? x : padded(x, p.pads), weight, bias, p.stride, around, p.dilation, p.group);
}

std::string trained_number(const graph::Node& node, size_t slot) {
  static constexpr const char* kConv[] = {"", "weight", "bias", "slope"};
  const graph::Value* value = node.input(slot);
  if (value == nullptr || !value->is_constant() || value->shape().rank() == 0) return {};
  if (node.kind() == format::OpKind::kPrelu) return slot == 1 ? "slope" : "";
  const bool conv = node.kind() == format::OpKind::kConv2d || node.kind() == format::OpKind::kConvTranspose2d;
  return conv ? kConv[slot] : "";
}

Tensor run_operator(const graph::Node& node, const Tensors& in) {
  const bool needs_shape = node.kind() == format::OpKind::kPad || node.kind() == format::OpKind::kResize ||
                           node.kind() == format::OpKind::kDepthToSpace ||
                           node.kind() == format::OpKind::kSpaceToDepth || node.kind() == format::OpKind::kReshape;
  const Shape shape = needs_shape ? result_shape(node, in) : Shape();
  return std::visit([&](const auto& params) { return run(params, in, shape); }, node.params());
}

}  // namespace coco::tune
