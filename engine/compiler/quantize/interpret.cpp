#include "compiler/quantize/interpret.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "kernels/conv/ordered_sums.h"
#include "kernels/registry.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

struct Tensor {
  DataType type = DataType::kF32;
  Shape shape;
  std::vector<uint8_t> bytes;
  size_t uses_left = 0;

  TensorView view() const { return {type, shape, bytes.data()}; }
  MutableTensorView writable() { return {type, shape, bytes.data()}; }
};

Tensor make_tensor(DataType type, const Shape& shape) {
  return {type, shape, std::vector<uint8_t>(static_cast<size_t>(shape.element_count().value_or(0)) * byte_size(type)),
          0};
}

/// The rows of an input apart by columns modulo the stride, so that what neighbouring results read lies side by side.
class StridedRows {
 public:
  StridedRows(const TensorView& x, int64_t stride)
      : from_(x.as<float>()), stride_(stride), width_(x.shape[3]), part_((width_ + stride - 1) / stride) {
    if (stride == 1) return;
    const int64_t rows = x.shape[0] * x.shape[1] * x.shape[2];
    parts_.resize(static_cast<size_t>(rows * stride * part_));
    for (int64_t i = 0; i < rows * width_; ++i) {
      const int64_t row = i / width_, column = i % width_;
      parts_[static_cast<size_t>((row * stride + column % stride) * part_ + column / stride)] = from_[i];
    }
  }
  /// What result `ox` of `columns` reads at column ox * stride + shift of row 0.
  kernels::OrderedTap tap(int64_t shift, int64_t columns, float weight) const {
    const int64_t phase = ((shift % stride_) + stride_) % stride_, offset = (shift - phase) / stride_;
    const int64_t begin = std::clamp<int64_t>(-offset, 0, columns);
    const int64_t end = std::clamp<int64_t>((width_ - phase + stride_ - 1) / stride_ - offset, begin, columns);
    return {samples() + phase * part_ + offset, weight, static_cast<int>(begin), static_cast<int>(end)};
  }
  /// Floats from a row to the next.
  int64_t row() const { return stride_ == 1 ? width_ : stride_ * part_; }

 private:
  const float* samples() const { return stride_ == 1 ? from_ : parts_.data(); }

  const float* from_;
  int64_t stride_, width_, part_;
  std::vector<float> parts_;
};

/// The sums of a convolution with bias: conv2d_ref's, in its order.
class ConvSums {
 public:
  ConvSums(const format::Conv2dParams& p, std::span<const TensorView> in, const MutableTensorView& y)
      : p_(p), in_{in[0], in[1], in[2]}, y_(y) {
    const auto all = [](const auto& numbers, int64_t value) {
      return std::all_of(numbers.begin(), numbers.end(), [value](int64_t n) { return n == value; });
    };
    if (all(p.kernel, 1) && all(p.stride, 1) && all(p.pads, 0)) {
      // Only the sample itself is read: one long row is faster than many short ones.
      const auto flat = [](const Shape& s) { return Shape{s[0], s[1], 1, s[2] * s[3]}; };
      in_[0].shape = flat(in_[0].shape);
      y_.shape = flat(y_.shape);
    }
    samples_.emplace(in_[0], p.stride[1]);
  }

  void run() {
    const int64_t results = y_.shape[1], rows = y_.shape[2], columns = y_.shape[3];
    const int64_t inputs = in_[0].shape[1] / p_.group, height = in_[0].shape[2];
    const float* bias = in_[2].as<float>();
    for (int64_t plane = 0; plane < y_.shape[0] * results; ++plane) {
      const int64_t m = plane % results, group = m / (results / p_.group);
      collect(m, plane / results * in_[0].shape[1] + group * inputs);
      float* out = y_.as<float>() + plane * rows * columns;
      for (int64_t oy = 0; oy < rows; ++oy) {
        row_.clear();
        const int64_t first = oy * p_.stride[0] - p_.pads[0];
        for (const Tap& tap : taps_) {
          const int64_t iy = first + tap.down;
          if (iy < 0 || iy >= height) continue;
          row_.push_back(tap.tap);
          row_.back().x += iy * samples_->row();
        }
        kernels::ordered_sums_hwy(row_, bias != nullptr ? bias[m] : 0.0f, out + oy * columns,
                                  static_cast<int>(columns));
      }
    }
  }

 private:
  struct Tap {
    kernels::OrderedTap tap;  ///< at row 0 of its plane
    int64_t down;             ///< rows below the first that a result reads
  };

  /// All taps of result `m`, whose first input is plane `first`.
  void collect(int64_t m, int64_t first) {
    const int64_t inputs = in_[0].shape[1] / p_.group, height = in_[0].shape[2];
    const float* w = in_[1].as<float>() + m * inputs * p_.kernel[0] * p_.kernel[1];
    taps_.clear();
    for (int64_t c = 0; c < inputs; ++c) {
      for (int64_t ky = 0; ky < p_.kernel[0]; ++ky) {
        for (int64_t kx = 0; kx < p_.kernel[1]; ++kx, ++w) {
          if (*w == 0.0f) continue;
          kernels::OrderedTap tap = samples_->tap(kx * p_.dilation[1] - p_.pads[1], y_.shape[3], *w);
          tap.x += (first + c) * height * samples_->row();
          taps_.push_back({tap, ky * p_.dilation[0]});
        }
      }
    }
  }

  const format::Conv2dParams& p_;
  std::array<TensorView, 3> in_;  ///< input, weights, bias
  MutableTensorView y_;
  std::optional<StridedRows> samples_;
  std::vector<Tap> taps_;
  std::vector<kernels::OrderedTap> row_;
};

/// What a convolution does to its sums.
void apply_activation(const format::Conv2dParams& p, const float* slope, const MutableTensorView& y) {
  if (slope == nullptr && p.activation == format::UnaryKind::kIdentity) return;
  const int64_t channels = y.shape[1];
  const int64_t area = y.shape[2] * y.shape[3];
  auto* values = y.as<float>();
  for (int64_t plane = 0; plane < y.shape[0] * channels; ++plane) {
    float* v = values + plane * area;
    if (slope != nullptr) {
      const float s = slope[plane % channels];
      for (int64_t i = 0; i < area; ++i) v[i] = v[i] < 0.0f ? v[i] * s : v[i];
    } else if (p.activation == format::UnaryKind::kRelu) {  // without a call for each value
      for (int64_t i = 0; i < area; ++i) v[i] = v[i] < 0.0f ? 0.0f : v[i];
    } else {
      for (int64_t i = 0; i < area; ++i) v[i] = kernels::apply_unary(p.activation, p.act_a, p.act_b, v[i]);
    }
  }
}

/// The result of the sums of a QuantConv2d, as quant_conv2d_ref has it.
void requantize(const format::QuantConv2dParams& p, const TensorView& sums, const float* scale, const float* negative,
                const MutableTensorView& y) {
  const int64_t channels = y.shape[1], area = y.shape[2] * y.shape[3];
  const auto zero = static_cast<float>(p.out_zero_point);
  const float low = static_cast<float>(p.low) - zero, high = static_cast<float>(p.high) - zero;
  for (int64_t plane = 0; plane < y.shape[0] * channels; ++plane) {
    const float above = scale[plane % channels], below = negative[plane % channels];
    const float* acc = sums.as<float>() + plane * area;
    for (int64_t i = 0; i < area; ++i) {
      const float s = acc[i] * (acc[i] < 0 ? below : above);
      if (p.dequantize) {
        y.as<float>()[plane * area + i] = s;
      } else {
        const auto rounded = static_cast<int>(std::nearbyint(std::clamp(s, low, high)));
        y.as<uint8_t>()[plane * area + i] = static_cast<uint8_t>(rounded + static_cast<int>(p.out_zero_point));
      }
    }
  }
}

template <typename T>
std::vector<float> to_floats(const TensorView& view, int64_t subtract = 0) {
  std::vector<float> result(static_cast<size_t>(*view.shape.element_count()));
  const T* from = view.as<T>();
  for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<float>(static_cast<int64_t>(from[i]) - subtract);
  return result;
}

class Run {
 public:
  Run(const graph::Graph& graph, const Observer& observer) : graph_(graph), observer_(observer) {}

  Result<std::vector<FloatTensor>> run(std::span<const FloatTensor> inputs) {
    COCO_TRY(take_inputs(inputs));
    for (const Node& node : graph_.nodes()) COCO_TRY(execute(node));
    std::vector<FloatTensor> results;
    for (const graph::Output& output : graph_.outputs()) {
      const TensorView view = view_of(output.value);
      FloatTensor result{view.shape, {}};
      const auto* data = view.as<float>();
      result.data.assign(data, data + static_cast<size_t>(view.shape.element_count().value_or(0)));
      results.push_back(std::move(result));
    }
    return results;
  }

 private:
  Status take_inputs(std::span<const FloatTensor> inputs) {
    if (inputs.size() != graph_.inputs().size()) {
      return make_error(ErrorCode::kInvalidArgument, "the model has " + std::to_string(graph_.inputs().size()) +
                                                         " inputs, a calibration sample has " +
                                                         std::to_string(inputs.size()));
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value* value = graph_.inputs()[i];
      const Shape& shape = inputs[i].shape;
      bool fits = value->type() == DataType::kF32 && shape.rank() == value->shape().rank() &&
                  shape.element_count() == static_cast<int64_t>(inputs[i].data.size());
      for (size_t d = 0; fits && d < shape.rank(); ++d) {
        fits = value->shape()[d] == kDynamicDim || value->shape()[d] == shape[d];
      }
      if (!fits) {
        return make_error(ErrorCode::kInvalidArgument,
                          "input '" + value->name() + "' takes " + std::string(to_string(value->type())) + " " +
                              value->shape().to_string() + ", a calibration sample is f32 " + shape.to_string());
      }
      Tensor tensor = make_tensor(DataType::kF32, shape);
      std::memcpy(tensor.bytes.data(), inputs[i].data.data(), tensor.bytes.size());
      keep(*value, std::move(tensor));
    }
    return {};
  }

  void keep(const Value& value, Tensor tensor) {
    tensor.uses_left = graph_.use_count(&value);
    if (observer_.value) observer_.value(value, tensor.view());
    tensors_[&value] = std::move(tensor);
  }

  TensorView view_of(const Value* value) const {
    if (value == nullptr) return {};
    if (value->is_constant()) return {value->type(), value->shape(), value->constant().bytes.data()};
    return tensors_.at(value).view();
  }

  Status execute(const Node& node) {
    std::vector<TensorView> in;
    std::vector<std::optional<Shape>> shapes;
    for (const Value* input : node.inputs()) {
      in.push_back(view_of(input));
      shapes.push_back(input != nullptr ? std::optional<Shape>(in.back().shape) : std::nullopt);
    }
    in.resize(std::max(in.size(), format::op_arity(node.kind()).variadic() ? 0 : format::op_arity(node.kind()).total));
    auto results = format::infer_shapes(node.params(), shapes);
    if (!results.ok()) {
      return make_error(results.error().code,
                        "operator '" + node.name() + "' on a calibration sample: " + results.error().message);
    }
    std::vector<Tensor> out;
    for (size_t i = 0; i < results->size(); ++i) out.push_back(make_tensor(node.outputs()[i]->type(), (*results)[i]));
    COCO_TRY(compute(node, in, out));
    for (size_t i = 0; i < out.size(); ++i) keep(*node.outputs()[i], std::move(out[i]));
    for (const Value* input : node.inputs()) release(input);
    return {};
  }

  void release(const Value* value) {
    if (value == nullptr || value->is_constant()) return;
    const auto it = tensors_.find(value);
    if (--it->second.uses_left == 0) tensors_.erase(it);
  }

  Status compute(const Node& node, std::span<const TensorView> in, std::vector<Tensor>& out) {
    if (node.as<format::QuantConv2dParams>() != nullptr) return quant_conv(node, in, out[0]), Status();
    const auto* conv = node.as<format::Conv2dParams>();
    if (conv != nullptr) {
      format::Conv2dParams plain = *conv;
      plain.activation = format::UnaryKind::kIdentity;
      const MutableTensorView y = out[0].writable();
      const TensorView plain_in[] = {in[0], in[1], in[2], TensorView{}};
      ConvSums(plain, plain_in, y).run();
      if (observer_.sums) observer_.sums(node, y);
      apply_activation(*conv, in[3].as<float>(), y);
      return {};
    }
    std::vector<MutableTensorView> views;
    for (Tensor& tensor : out) views.push_back(tensor.writable());
    const auto* row = kernels::select_reference<kernels::DenseSlot>({&node.params(), in, views});
    if (row == nullptr) {
      return make_error(ErrorCode::kUnsupported, "operator '" + node.name() + "' cannot be calibrated: no kernel");
    }
    row->function(node.params(), in, views, 0, kernels::dense_units({&node.params(), in, views}));
    return {};
  }

  void quant_conv(const Node& node, std::span<const TensorView> in, Tensor& out) {
    const auto& p = *node.as<format::QuantConv2dParams>();
    const std::vector<float> x = to_floats<uint8_t>(in[0], p.in_zero_point), w = to_floats<int8_t>(in[1]);
    const std::vector<float> bias = to_floats<int32_t>(in[2]);
    const format::Conv2dParams plain{p.kernel, p.stride, p.dilation, p.pads, p.group};
    Tensor sums = make_tensor(DataType::kF32, out.shape);
    const TensorView views[] = {{DataType::kF32, in[0].shape, x.data()},
                                {DataType::kF32, in[1].shape, w.data()},
                                {DataType::kF32, in[2].shape, bias.data()},
                                {}};
    const MutableTensorView y = sums.writable();
    ConvSums(plain, views, y).run();
    if (observer_.sums) observer_.sums(node, y);
    const float* scale = in[3].as<float>();
    requantize(p, y, scale, in[4].data != nullptr ? in[4].as<float>() : scale, out.writable());
  }

  const graph::Graph& graph_;
  const Observer& observer_;
  std::unordered_map<const Value*, Tensor> tensors_;
};

}  // namespace

Result<std::vector<FloatTensor>> interpret(const graph::Graph& graph, std::span<const FloatTensor> inputs,
                                           const Observer& observer) {
  return Run(graph, observer).run(inputs);
}

}  // namespace coco::compiler
