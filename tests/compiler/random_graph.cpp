#include "compiler/random_graph.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/random.h"
#include "compiler/onnx_builder.h"

namespace coco::testing {
namespace {

using Dims = std::vector<int64_t>;

struct Tensor {
  std::string name;
  Dims dims;
  bool exact = false;  ///< every engine has the same bits
};

int64_t count_of(const Dims& dims) {
  return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>());
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : builder_(17), random_(seed) {}

  RandomGraph run();

 private:
  using Rule = bool (Generator::*)();

  // Chance.
  int64_t pick(int64_t low, int64_t high) { return low + random_.below(static_cast<uint32_t>(high - low + 1)); }
  bool chance() { return random_.below(2) == 0; }
  template <typename T>
  const T& one_of(const std::vector<T>& list) {
    return list[random_.below(static_cast<uint32_t>(list.size()))];
  }
  /// A tensor that fits; null when there is none.
  const Tensor* find(const std::function<bool(const Tensor&)>& fits) {
    std::vector<const Tensor*> list;
    for (const Tensor& t : tensors_) {
      if (fits(t)) list.push_back(&t);
    }
    return list.empty() ? nullptr : one_of(list);
  }
  const Tensor* any() {
    return find([](const Tensor&) { return true; });
  }
  const Tensor* image() {
    return find([](const Tensor& t) { return t.dims.size() == 4; });
  }

  // Building.
  std::string name(const char* role) { return std::string(role) + std::to_string(number_++); }
  std::string weights(const Dims& dims) {
    const std::string made = name("w");
    builder_.weights(made, dims);
    return made;
  }
  std::string ints(const Dims& values) {
    const std::string made = name("i");
    builder_.ints(made, values);
    return made;
  }
  std::string floats(const Dims& dims, const std::vector<float>& values) {
    const std::string made = name("f");
    builder_.floats(made, dims, values);
    return made;
  }
  /// A node with one f32 result.
  onnx::NodeProto& add(const char* op, const std::vector<std::string>& inputs, const Dims& dims, bool exact = false) {
    const std::string made = name("t");
    onnx::NodeProto& node = builder_.node(op, inputs, {made});
    tensors_.push_back({made, dims, exact});
    operators_.emplace_back(op);
    return node;
  }
  /// A node whose result is no f32 tensor of the list.
  std::string hidden(const char* op, const std::vector<std::string>& inputs,
                     const std::function<void(onnx::NodeProto&)>& attributes = {}) {
    const std::string made = name("h");
    onnx::NodeProto& node = builder_.node(op, inputs, {made});
    operators_.emplace_back(op);
    if (attributes) attributes(node);
    return made;
  }
  std::string cast(const std::string& from, int64_t type) {
    return hidden("Cast", {from}, [type](onnx::NodeProto& node) { set_attribute(node, "to", type); });
  }
  /// The hidden value as an f32 tensor of the list.
  bool show(const std::string& from, const Dims& dims, bool exact) {
    set_attribute(add("Cast", {from}, dims, exact), "to", int64_t{onnx::TensorProto::FLOAT});
    return true;
  }

  bool unary();
  bool binary();
  bool variadic();
  bool compare();
  bool integers();
  bool round();
  bool conv();
  bool conv_transpose();
  bool pool();
  bool global_pool();
  bool reduce();
  bool arg_reduce();
  bool top_k();
  bool softmax();
  bool norm();
  bool matmul();
  bool gemm();
  bool gather();
  bool scatter();
  bool where();
  bool layout();
  bool pad();
  bool resize();
  bool shuffle();
  bool split();
  bool expand();
  bool grid_sample();
  bool recurrent();
  bool quantize();
  bool matmul_integer();

  OnnxBuilder builder_;
  Random random_;
  std::vector<Tensor> tensors_;
  std::vector<std::string> operators_;
  int number_ = 0;
};

bool Generator::unary() {
  static const std::vector<const char*> kSmooth = {
      "Relu",     "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Elu", "Selu", "Softplus",
      "Softsign", "Erf",       "Exp",     "Neg",         "Abs",       "Sin",  "Cos", "Atan", "ThresholdedRelu"};
  const Tensor x = *any();
  const bool exact = x.exact && chance();
  add(exact ? one_of<const char*>({"Neg", "Abs", "Relu"}) : one_of(kSmooth), {x.name}, x.dims, exact);
  if (operators_.back() == "ThresholdedRelu" && !x.exact) {  // it jumps
    tensors_.pop_back();
  } else if (chance()) {
    const Tensor y = tensors_.back();
    const std::string positive = hidden("Abs", {y.name});
    add(one_of<const char*>({"Sqrt", "Identity"}), {positive}, y.dims, false);
  }
  return true;
}

bool Generator::binary() {
  const Tensor a = *any();
  const char* op = one_of<const char*>({"Add", "Sub", "Mul", "Div", "PRelu", "Pow"});
  Dims dims = a.dims;
  for (int64_t& dim : dims) dim = chance() ? dim : 1;
  while (dims.size() > 1 && chance()) dims.erase(dims.begin());
  if (std::string(op) == "Pow") {
    const std::string base = hidden("Abs", {a.name});
    add("Pow", {base, floats({}, {static_cast<float>(pick(1, 3))})}, a.dims);
  } else if (std::string(op) == "Div") {
    const std::string divisor = hidden("Add", {hidden("Abs", {weights(dims)}), floats({}, {0.5f})});
    add(op, {a.name, divisor}, a.dims);
  } else {
    add(op, {a.name, weights(dims)}, a.dims);
  }
  return true;
}

bool Generator::variadic() {
  const Tensor a = *any();
  const Tensor* b = find([&](const Tensor& t) { return t.dims == a.dims; });
  add(one_of<const char*>({"Min", "Max", "Sum", "Mean"}), {a.name, b->name, weights({a.dims.back()})}, a.dims);
  return true;
}

bool Generator::compare() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  const std::string bound = floats({}, {static_cast<float>(pick(-5, 5)) * 0.1f});
  std::string truth =
      hidden(one_of<const char*>({"Less", "Greater", "Equal", "LessOrEqual", "GreaterOrEqual"}), {a.name, bound});
  if (chance()) truth = hidden("Not", {truth});
  if (chance()) {
    truth = hidden(one_of<const char*>({"And", "Or", "Xor"}), {truth, hidden("Less", {a.name, floats({}, {0})})});
  }
  return show(truth, a.dims, true);
}

bool Generator::integers() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  const int64_t type = one_of<int64_t>({onnx::TensorProto::INT32, onnx::TensorProto::INT64});
  const std::string scaled = hidden("Mul", {a.name, floats({}, {20})});
  const std::string x = cast(scaled, type), y = cast(floats({}, {static_cast<float>(pick(1, 5))}), type);
  return show(hidden(one_of<const char*>({"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max"}), {x, y}), a.dims, true);
}

bool Generator::round() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  add(one_of<const char*>({"Floor", "Ceil", "Round", "Sign"}), {a.name}, a.dims, true);
  return true;
}

bool Generator::conv() {
  const Tensor* found = image();
  if (found == nullptr) return false;
  const Tensor x = *found;
  const int64_t channels = x.dims[1], group = chance() ? channels : 1, out = group * pick(1, 3);
  const int64_t k = pick(1, 3), stride = pick(1, 2), dilation = pick(1, 2), pad = pick(0, k - 1);
  const auto extent = [&](int64_t in) { return (in + 2 * pad - (k - 1) * dilation - 1) / stride + 1; };
  if (x.dims[2] + 2 * pad <= (k - 1) * dilation || x.dims[3] + 2 * pad <= (k - 1) * dilation) return false;
  std::vector<std::string> inputs{x.name, weights({out, channels / group, k, k})};
  if (chance()) inputs.push_back(weights({out}));
  onnx::NodeProto& node = add("Conv", inputs, {x.dims[0], out, extent(x.dims[2]), extent(x.dims[3])});
  set_attribute(node, "group", group);
  set_attribute(node, "strides", Dims{stride, stride});
  set_attribute(node, "dilations", Dims{dilation, dilation});
  set_attribute(node, "pads", Dims{pad, pad, pad, pad});
  return true;
}

bool Generator::conv_transpose() {
  const Tensor* found = image();
  if (found == nullptr || found->dims[2] * found->dims[3] > 200) return false;
  const Tensor x = *found;
  const int64_t k = pick(1, 3), stride = pick(1, 2), out = pick(1, 4);
  onnx::NodeProto& node = add("ConvTranspose", {x.name, weights({x.dims[1], out, k, k})},
                              {x.dims[0], out, (x.dims[2] - 1) * stride + k, (x.dims[3] - 1) * stride + k});
  set_attribute(node, "strides", Dims{stride, stride});
  return true;
}

bool Generator::pool() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() == 4 && t.dims[2] > 3 && t.dims[3] > 3; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const char* op = one_of<const char*>({"MaxPool", "AveragePool", "LpPool"});
  const int64_t k = pick(2, 3), stride = pick(1, 2), pad = pick(0, 1);
  const auto extent = [&](int64_t in) { return (in + 2 * pad - k) / stride + 1; };
  onnx::NodeProto& node = add(op, {x.name}, {x.dims[0], x.dims[1], extent(x.dims[2]), extent(x.dims[3])});
  set_attribute(node, "kernel_shape", Dims{k, k});
  set_attribute(node, "strides", Dims{stride, stride});
  set_attribute(node, "pads", Dims{pad, pad, pad, pad});
  if (std::string(op) == "AveragePool") set_attribute(node, "count_include_pad", int64_t{chance()});
  return true;
}

bool Generator::global_pool() {
  const Tensor* found = image();
  if (found == nullptr) return false;
  const Tensor x = *found;
  add(one_of<const char*>({"GlobalAveragePool", "GlobalMaxPool"}), {x.name}, {x.dims[0], x.dims[1], 1, 1});
  return true;
}

bool Generator::reduce() {
  const Tensor x = *any();
  const std::string op = one_of<std::string>({"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1",
                                              "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceProd"});
  const int64_t axis = pick(0, static_cast<int64_t>(x.dims.size()) - 1);
  const bool keep = x.dims.size() == 1 || chance();
  Dims dims = x.dims;
  if (keep) {
    dims[static_cast<size_t>(axis)] = 1;
  } else {
    dims.erase(dims.begin() + axis);
  }
  std::vector<std::string> inputs{x.name};
  if (op == "ReduceSum") inputs.push_back(ints({axis}));
  onnx::NodeProto& node = add(op.c_str(), inputs, dims);
  if (op != "ReduceSum") set_attribute(node, "axes", Dims{axis});
  set_attribute(node, "keepdims", int64_t{keep});
  return true;
}

bool Generator::arg_reduce() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const int64_t axis = pick(0, static_cast<int64_t>(x.dims.size()) - 1), last = pick(0, 1);
  const std::string index = hidden(one_of<const char*>({"ArgMax", "ArgMin"}), {x.name}, [&](onnx::NodeProto& node) {
    set_attribute(node, "axis", axis);
    set_attribute(node, "select_last_index", last);
  });
  Dims dims = x.dims;
  dims[static_cast<size_t>(axis)] = 1;
  return show(index, dims, true);
}

bool Generator::top_k() {
  const Tensor x = *any();
  const auto axis = static_cast<size_t>(pick(0, static_cast<int64_t>(x.dims.size()) - 1));
  Dims dims = x.dims;
  dims[axis] = pick(1, x.dims[axis]);
  const std::string values = name("t"), places = name("h");
  onnx::NodeProto& node = builder_.node("TopK", {x.name, ints({dims[axis]})}, {values, places});
  operators_.emplace_back("TopK");
  set_attribute(node, "axis", static_cast<int64_t>(axis));
  set_attribute(node, "largest", pick(0, 1));
  tensors_.push_back({values, dims, x.exact});
  return true;
}

bool Generator::softmax() {
  const Tensor x = *any();
  set_attribute(add(one_of<const char*>({"Softmax", "LogSoftmax"}), {x.name}, x.dims), "axis",
                pick(0, static_cast<int64_t>(x.dims.size()) - 1));
  return true;
}

bool Generator::norm() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() > 2; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const int64_t channels = x.dims[1], last = x.dims.back();
  const int64_t kind = pick(0, 2);
  if (kind == 0) {
    add("InstanceNormalization", {x.name, weights({channels}), weights({channels})}, x.dims);
  } else if (kind == 1) {
    add("LayerNormalization", {x.name, weights({last}), weights({last})}, x.dims);
  } else {
    const std::vector<float> variances(static_cast<size_t>(channels), 0.5f);
    add("BatchNormalization",
        {x.name, weights({channels}), weights({channels}), weights({channels}), floats({channels}, variances)}, x.dims);
  }
  return true;
}

bool Generator::matmul() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() >= 2; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  Dims b{a.dims.back(), pick(1, 5)}, y = a.dims;
  if (chance()) b.insert(b.begin(), a.dims.begin(), a.dims.end() - 2);
  y.back() = b.back();
  add("MatMul", {a.name, weights(b)}, y);
  return true;
}

bool Generator::gemm() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() == 2; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  const bool turn_a = chance(), turn_b = chance();
  const int64_t depth = a.dims[turn_a ? 0 : 1], rows = a.dims[turn_a ? 1 : 0], columns = pick(1, 5);
  std::vector<std::string> inputs{a.name, weights(turn_b ? Dims{columns, depth} : Dims{depth, columns})};
  if (chance()) inputs.push_back(weights(one_of<Dims>({{columns}, {1, columns}, {rows, 1}, {rows, columns}})));
  onnx::NodeProto& node = add("Gemm", inputs, {rows, columns});
  set_attribute(node, "transA", int64_t{turn_a});
  set_attribute(node, "transB", int64_t{turn_b});
  set_attribute(node, "alpha", 0.5f);
  set_attribute(node, "beta", 2.0f);
  return true;
}

bool Generator::gather() {
  const Tensor x = *any();
  const auto axis = static_cast<size_t>(pick(0, static_cast<int64_t>(x.dims.size()) - 1));
  Dims indices(static_cast<size_t>(pick(1, 4)));
  for (int64_t& i : indices) i = pick(-x.dims[axis], x.dims[axis] - 1);
  Dims dims = x.dims;
  dims[axis] = static_cast<int64_t>(indices.size());
  set_attribute(add("Gather", {x.name, ints(indices)}, dims, x.exact), "axis", static_cast<int64_t>(axis));
  return true;
}

bool Generator::scatter() {
  const Tensor x = *any();
  const int64_t row = pick(0, x.dims[0] - 1);
  Dims update = x.dims;
  update[0] = 1;
  const std::string index = hidden("Unsqueeze", {ints({row}), ints({0})});
  add("ScatterND", {x.name, index, weights(update)}, x.dims, x.exact);
  return true;
}

bool Generator::where() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  const std::string truth = hidden("Less", {a.name, floats({}, {0.1f})});
  add("Where", {truth, a.name, weights({a.dims.back()})}, a.dims, true);
  return true;
}

bool Generator::layout() {
  const Tensor x = *any();
  const auto rank = static_cast<int64_t>(x.dims.size());
  switch (pick(0, 4)) {
    case 0: {
      Dims perm(x.dims.size()), dims;
      std::iota(perm.begin(), perm.end(), 0);
      for (size_t i = perm.size(); i-- > 1;) std::swap(perm[i], perm[random_.below(static_cast<uint32_t>(i + 1))]);
      for (const int64_t axis : perm) dims.push_back(x.dims[static_cast<size_t>(axis)]);
      set_attribute(add("Transpose", {x.name}, dims, x.exact), "perm", perm);
      return true;
    }
    case 1:
      add("Reshape", {x.name, ints({-1, x.dims.back()})}, {count_of(x.dims) / x.dims.back(), x.dims.back()}, x.exact);
      return true;
    case 2: {
      const int64_t axis = pick(0, rank);
      const auto middle = x.dims.begin() + axis;
      set_attribute(
          add("Flatten", {x.name}, {count_of({x.dims.begin(), middle}), count_of({middle, x.dims.end()})}, x.exact),
          "axis", axis);
      return true;
    }
    case 3: {
      if (rank > 3) return false;
      Dims dims = x.dims;
      const int64_t axis = pick(0, rank);
      dims.insert(dims.begin() + axis, 1);
      add("Unsqueeze", {x.name, ints({axis})}, dims, x.exact);
      return true;
    }
    default: {
      const auto axis = static_cast<size_t>(pick(0, rank - 1));
      Dims dims = x.dims;
      dims[axis] *= 2;
      set_attribute(add("Concat", {x.name, x.name}, dims, x.exact), "axis", static_cast<int64_t>(axis));
      return true;
    }
  }
}

bool Generator::pad() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() == 4 && t.dims[2] > 2 && t.dims[3] > 2; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const Dims pads{0, 0, pick(0, 2), pick(0, 2), 0, 0, pick(0, 2), pick(0, 2)};
  onnx::NodeProto& node =
      add("Pad", {x.name, ints(pads)},
          {x.dims[0], x.dims[1], x.dims[2] + pads[2] + pads[6], x.dims[3] + pads[3] + pads[7]}, x.exact);
  set_attribute(node, "mode", one_of<std::string>({"constant", "reflect", "edge"}));
  return true;
}

bool Generator::resize() {
  const Tensor* found = image();
  if (found == nullptr || count_of(found->dims) > 1000) return false;
  const Tensor x = *found;
  const std::string scales = floats({4}, {1, 1, 2, 2});
  const bool linear = chance();
  onnx::NodeProto& node =
      add("Resize", {x.name, "", scales}, {x.dims[0], x.dims[1], 2 * x.dims[2], 2 * x.dims[3]}, x.exact && !linear);
  set_attribute(node, "mode", std::string(linear ? "linear" : "nearest"));
  if (linear) {
    set_attribute(node, "coordinate_transformation_mode",
                  one_of<std::string>({"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}));
  } else {
    set_attribute(node, "coordinate_transformation_mode", std::string("asymmetric"));
    set_attribute(node, "nearest_mode", std::string("floor"));
  }
  return true;
}

bool Generator::shuffle() {
  const Tensor* deep = find([](const Tensor& t) { return t.dims.size() == 4 && t.dims[1] % 4 == 0; });
  if (deep == nullptr) return false;
  const Tensor x = *deep;
  onnx::NodeProto& node =
      add("DepthToSpace", {x.name}, {x.dims[0], x.dims[1] / 4, 2 * x.dims[2], 2 * x.dims[3]}, x.exact);
  set_attribute(node, "blocksize", int64_t{2});
  set_attribute(node, "mode", one_of<std::string>({"DCR", "CRD"}));
  const Tensor y = tensors_.back();
  if (chance()) set_attribute(add("SpaceToDepth", {y.name}, x.dims, x.exact), "blocksize", int64_t{2});
  return true;
}

bool Generator::split() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.back() > 2; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const auto axis = static_cast<int64_t>(x.dims.size()) - 1;
  const int64_t begin = pick(0, 1), step = pick(1, 2), count = (x.dims.back() - begin + step - 1) / step;
  Dims dims = x.dims;
  dims.back() = count;
  add("Slice", {x.name, ints({begin}), ints({1000}), ints({axis}), ints({step})}, dims, x.exact);
  return true;
}

bool Generator::expand() {
  const Tensor x = *any();
  if (count_of(x.dims) > 500) return false;
  Dims repeats(x.dims.size(), 1), dims = x.dims;
  const auto axis = static_cast<size_t>(pick(0, static_cast<int64_t>(x.dims.size()) - 1));
  repeats[axis] = dims[axis] == 1 ? 3 : 2;
  dims[axis] *= repeats[axis];
  if (x.dims[axis] == 1 && chance()) {
    add("Expand", {x.name, ints(dims)}, dims, x.exact);
  } else {
    add("Tile", {x.name, ints(repeats)}, dims, x.exact);
  }
  return true;
}

bool Generator::grid_sample() {
  const Tensor* found = image();
  if (found == nullptr) return false;
  const Tensor x = *found;
  const int64_t height = pick(1, 4), width = pick(1, 4);
  onnx::NodeProto& node =
      add("GridSample", {x.name, weights({x.dims[0], height, width, 2})}, {x.dims[0], x.dims[1], height, width});
  set_attribute(node, "mode", one_of<std::string>({"bilinear", "bicubic"}));
  set_attribute(node, "padding_mode", one_of<std::string>({"zeros", "border", "reflection"}));
  set_attribute(node, "align_corners", int64_t{chance()});
  return true;
}

bool Generator::recurrent() {
  const Tensor* found = find([](const Tensor& t) { return t.dims.size() == 3; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const bool lstm = chance();
  const int64_t gates = lstm ? 4 : 3, hidden_size = pick(1, 4);
  const std::string direction = one_of<std::string>({"forward", "reverse", "bidirectional"});
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  onnx::NodeProto& node =
      add(lstm ? "LSTM" : "GRU",
          {x.name, weights({directions, gates * hidden_size, x.dims[2]}),
           weights({directions, gates * hidden_size, hidden_size}), weights({directions, 2 * gates * hidden_size})},
          {x.dims[0], directions, x.dims[1], hidden_size});
  set_attribute(node, "hidden_size", hidden_size);
  set_attribute(node, "direction", direction);
  if (!lstm) set_attribute(node, "linear_before_reset", pick(0, 1));
  return true;
}

bool Generator::quantize() {
  const Tensor* found = find([](const Tensor& t) { return t.exact; });
  if (found == nullptr) return false;
  const Tensor x = *found;
  const std::string scale = floats({}, {0.0625f});
  const std::string zero = cast(floats({}, {static_cast<float>(pick(0, 20))}), onnx::TensorProto::UINT8);
  const std::string steps = hidden("QuantizeLinear", {x.name, scale, zero});
  add("DequantizeLinear", {steps, scale, zero}, x.dims, true);
  return true;
}

bool Generator::matmul_integer() {
  const Tensor* found = find([](const Tensor& t) { return t.exact && t.dims.size() == 2; });
  if (found == nullptr) return false;
  const Tensor a = *found;
  const std::string scale = floats({}, {0.0625f});
  const std::string x = hidden("QuantizeLinear", {a.name, scale});
  const Dims dims{a.dims[1], pick(1, 4)};
  const std::string w =
      hidden("QuantizeLinear", {weights(dims), scale, cast(floats({}, {0}), onnx::TensorProto::INT8)});
  return show(hidden("MatMulInteger", {x, w}), {a.dims[0], dims[1]}, true);
}

RandomGraph Generator::run() {
  static const Rule kRules[] = {
      &Generator::unary,       &Generator::unary,          &Generator::binary,   &Generator::variadic,
      &Generator::compare,     &Generator::integers,       &Generator::round,    &Generator::conv,
      &Generator::conv,        &Generator::conv_transpose, &Generator::pool,     &Generator::pool,
      &Generator::global_pool, &Generator::reduce,         &Generator::reduce,   &Generator::arg_reduce,
      &Generator::top_k,       &Generator::softmax,        &Generator::norm,     &Generator::norm,
      &Generator::matmul,      &Generator::gemm,           &Generator::gather,   &Generator::scatter,
      &Generator::where,       &Generator::layout,         &Generator::layout,   &Generator::pad,
      &Generator::resize,      &Generator::shuffle,        &Generator::split,    &Generator::expand,
      &Generator::grid_sample, &Generator::recurrent,      &Generator::quantize, &Generator::matmul_integer};
  RandomGraph graph;
  const std::vector<Dims> shapes{
      {1, pick(1, 8), pick(3, 12), pick(3, 12)}, {pick(1, 5), pick(1, 4), pick(1, 9)}, {pick(1, 6), pick(1, 9)}};
  for (const Dims& dims : shapes) {
    RandomInput input{name("x"), dims, {}};
    for (int64_t i = 0; i < count_of(dims); ++i) {
      // Hundredths, but never where a comparison or a rounding turns.
      input.data.push_back(static_cast<float>(pick(-150, 150)) / 100.0f + 0.003f);
    }
    builder_.input(input.name, dims);
    tensors_.push_back({input.name, dims, true});
    graph.inputs.push_back(std::move(input));
  }
  const size_t wanted = shapes.size() + static_cast<size_t>(pick(2, 8));
  for (int tries = 0; tries < 200 && tensors_.size() < wanted; ++tries) {
    if (count_of(tensors_.back().dims) > 20000) break;
    (this->*kRules[random_.below(std::size(kRules))])();
  }
  for (size_t i = shapes.size(); i < tensors_.size(); ++i) {
    builder_.output(tensors_[i].name);
    auto& info = *builder_.model().mutable_graph()->mutable_output()->rbegin();
    auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (const int64_t dim : tensors_[i].dims) shape.add_dim()->set_dim_value(dim);
  }
  graph.onnx = builder_.bytes();
  graph.operators = operators_;
  return graph;
}

}  // namespace

RandomGraph make_random_graph(uint64_t seed) { return Generator(seed).run(); }

}  // namespace coco::testing
