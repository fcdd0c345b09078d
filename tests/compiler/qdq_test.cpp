// Integer models as standard ONNX and back: the same bytes.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "catch.h"
#include "coco/compile.h"
#include "coco/session.h"
#include "compiler/compile_program.h"
#include "compiler/onnx_builder.h"
#include "compiler/quantize/reciprocal.h"
#include "format/program.h"

using namespace coco;
using coco::testing::as_bytes;
using coco::testing::OnnxBuilder;
using coco::testing::set_attribute;

namespace {

/// Repeatable numbers from -1 to 1.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  float operator()() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<double>(state_ >> 33) / (1u << 30) - 1.0);
  }
  std::vector<float> list(size_t count, float size = 1) {
    std::vector<float> values(count);
    for (float& v : values) v = size * (*this)();
    return values;
  }
  size_t below(size_t bound) { return static_cast<size_t>(std::abs((*this)()) * 4096) % bound; }

 private:
  uint64_t state_;
};

enum class Pruning { kNone, kPattern, kBlocks };

/// Zeros as training leaves them: 4 of 9 taps of every 3x3 kernel, or whole blocks of 8 outputs x 4 inputs at a tap.
std::vector<float> weights(Random& random, size_t out, size_t in, size_t taps, Pruning pruning) {
  std::vector<float> w = random.list(out * in * taps, 1.2f / std::sqrt(static_cast<float>(in * taps)));
  static constexpr bool kPatterns[3][9] = {{true, true, false, true, true},
                                           {false, true, false, true, true, true},
                                           {false, false, false, false, true, true, false, true, true}};
  for (size_t m = 0; m < out; ++m) {
    for (size_t c = 0; c < in; ++c) {
      for (size_t t = 0; t < taps; ++t) {
        const bool block_gone = (m / 8 * 31 + c / 4 * 17 + t * 7) % 3 != 0;
        const bool kept = pruning == Pruning::kNone ||
                          (pruning == Pruning::kPattern ? kPatterns[(m / 8 + c / 4) % 3][t] : !block_gone);
        if (!kept) w[(m * in + c) * taps + t] = 0;
      }
    }
  }
  return w;
}

struct Net {
  OnnxBuilder b;
  Random random;
  std::string last = "x";
  int64_t channels;
  explicit Net(int64_t inputs, uint64_t seed) : random(seed), channels(inputs) {
    b.input("x", {1, inputs, -1, -1}).output("y");
  }
  onnx::NodeProto& conv(int64_t out, Pruning pruning = Pruning::kNone, int64_t kernel = 3, int64_t group = 1) {
    const std::string name = "c" + std::to_string(b.model().graph().node_size());
    const int64_t in = channels / group;
    b.floats(name + ".w", {out, in, kernel, kernel},
             weights(random, size_t(out), size_t(in), size_t(kernel * kernel), pruning));
    b.floats(name + ".b", {out}, random.list(size_t(out), 0.1f));
    auto& node = b.node("Conv", {last, name + ".w", name + ".b"}, {name});
    set_attribute(node, "pads", std::vector<int64_t>(4, kernel / 2));
    set_attribute(node, "group", group);
    last = name;
    channels = out;
    return node;
  }
  void prelu() {
    const std::string name = "p" + std::to_string(b.model().graph().node_size());
    b.floats(name + ".s", {channels, 1, 1}, random.list(size_t(channels), 0.6f));
    b.node("PRelu", {last, name + ".s"}, {name});
    last = name;
  }
  onnx::NodeProto& op(const std::string& type, std::vector<std::string> more = {}) {
    more.insert(more.begin(), last);
    last = "o" + std::to_string(b.model().graph().node_size());
    return b.node(type, more, {last});
  }
  /// Pixel shuffle and an interpolated base, as super-resolution networks end.
  void upscale() {
    set_attribute(op("DepthToSpace"), "blocksize", int64_t{2});
    b.floats("scales", {4}, {1, 1, 2, 2});
    auto& resize = b.node("Resize", {"x", "", "scales"}, {"base"});
    set_attribute(resize, "mode", std::string("linear"));
    op("Add", {"base"});
  }
  std::string end() {
    b.node("Identity", {last}, {"y"});
    return b.bytes();
  }
};

FloatTensor picture(int64_t channels, int64_t height, int64_t width, uint64_t seed) {
  Random random(seed);
  FloatTensor tensor{Shape{1, channels, height, width}, {}};
  for (int64_t i = 0; i < channels * height * width; ++i) {
    const double wave = std::sin(0.3 * double(i % width) + 0.2 * double(i / width) + double(seed));
    tensor.data.push_back(float(std::clamp(std::nearbyint(120 + 70 * wave + 50 * double(random())), 0.0, 255.0)) *
                          (1.0f / 255.0f));
  }
  return tensor;
}

std::shared_ptr<const Model> loaded(const Result<std::vector<uint8_t>>& bytes) {
  INFO((bytes.ok() ? "" : bytes.error().message));
  REQUIRE(bytes.ok());
  auto model = Model::from_bytes(*bytes);
  REQUIRE(model.ok());
  return *model;
}

std::shared_ptr<const Model> integer_model(const std::string& onnx, int64_t channels) {
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.quantize.min_snr_db = 0;
  options.quantize.refine_ranges = false;
  for (uint64_t i = 0; i < 2; ++i) options.quantize.samples.push_back({{picture(channels, 24, 24, i)}, {}});
  return loaded(compile_onnx_bytes(as_bytes(onnx), options));
}

std::vector<float> run(const std::shared_ptr<const Model>& model, const FloatTensor& x, ExecutorKind executor) {
  SessionOptions options;
  options.executor = executor;
  options.threads = 2;
  auto session = Session::create(model, std::span(&x.shape, 1), options);
  INFO((session.ok() ? "" : session.error().message));
  REQUIRE(session.ok());
  const Shape& shape = (*session)->outputs()[0].shape;
  std::vector<float> y(static_cast<size_t>(*shape.element_count()));
  const TensorView in{DataType::kF32, x.shape, x.data.data()};
  const MutableTensorView out{DataType::kF32, shape, y.data()};
  REQUIRE((*session)->run(std::span(&in, 1), std::span(&out, 1)).ok());
  return y;
}

size_t count(const Model& model, format::OpKind kind) {
  const auto& operators = model.program().operators;
  return static_cast<size_t>(
      std::count_if(operators.begin(), operators.end(), [kind](const auto& op) { return op.kind() == kind; }));
}

std::string exported(const Model& model) {
  auto bytes = export_onnx_qdq(model);
  INFO((bytes.ok() ? "" : bytes.error().message));
  REQUIRE(bytes.ok());
  return {bytes->begin(), bytes->end()};
}

/// Export, import: as many integer operators, and the same bytes from awkward sizes.
void check_round_trip(const std::string& onnx, int64_t channels, size_t convs) {
  const auto model = integer_model(onnx, channels);
  REQUIRE(count(*model, format::OpKind::kQuantConv2d) == convs);
  const std::string qdq = exported(*model);
  const auto back = loaded(compile_onnx_bytes(as_bytes(qdq), {}));
  CHECK(count(*back, format::OpKind::kQuantConv2d) == convs);
  CHECK(count(*back, format::OpKind::kQuantize) == count(*model, format::OpKind::kQuantize));
  CHECK(count(*back, format::OpKind::kDequantize) == 0);
  CHECK(back->program().operators.size() == model->program().operators.size());
  for (auto [height, width] : {std::pair{17, 31}, {1, 1}, {40, 3}}) {
    const FloatTensor x = picture(channels, height, width, 9);
    const auto expected = run(model, x, ExecutorKind::kLayer);
    for (auto executor : {ExecutorKind::kLayer, ExecutorKind::kAuto}) {
      const auto y = run(back, x, executor);
      REQUIRE(y.size() == expected.size());
      CHECK(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)) == 0);
    }
  }
  // Once more round: nothing drifts.
  const auto again = loaded(compile_onnx_bytes(as_bytes(exported(*back)), {}));
  const FloatTensor x = picture(channels, 9, 11, 4);
  CHECK(run(again, x, ExecutorKind::kLayer) == run(model, x, ExecutorKind::kLayer));
}

Error refusal(const Model& model) {
  auto bytes = export_onnx_qdq(model);
  REQUIRE(!bytes.ok());
  return bytes.error();
}

}  // namespace

TEST_CASE("an upscaler leaves as QDQ and comes back byte for byte: dense, patterns, blocks") {
  for (auto pruning : {Pruning::kNone, Pruning::kPattern, Pruning::kBlocks}) {
    Net net(1, 10 + static_cast<uint64_t>(pruning));
    net.conv(8), net.prelu();
    net.conv(16, pruning), net.prelu();
    net.conv(8, pruning), net.prelu();
    net.conv(4);
    net.upscale();
    check_round_trip(net.end(), 1, 4);
  }
}

TEST_CASE("other activations, groups, strides and three channels come back, too") {
  Net net(3, 20);
  net.conv(12, Pruning::kNone, 5), net.op("Relu");
  set_attribute(net.conv(12, Pruning::kNone, 3, 3), "dilations", std::vector<int64_t>{1, 1});
  set_attribute(net.op("LeakyRelu"), "alpha", 0.2f);
  net.b.floats("low", {}, {-0.25f}).floats("high", {}, {0.5f});
  net.conv(6, Pruning::kBlocks, 1), net.op("Clip", {"low", "high"});
  net.conv(6), net.op("Sigmoid");
  check_round_trip(net.end(), 3, 4);
  Net strided(2, 21);
  set_attribute(strided.conv(8), "strides", std::vector<int64_t>{2, 2});
  strided.prelu();
  strided.conv(3);
  check_round_trip(strided.end(), 2, 2);
}

TEST_CASE("operators between convolutions come back byte for byte") {
  Net net(1, 31);
  net.conv(8), net.prelu();
  const std::string skip = net.last;
  net.conv(8), net.op("HardSwish"), net.op("Sub", {skip}), net.op("Relu");
  const std::string past = net.last;
  set_attribute(net.op("MaxPool"), "kernel_shape", std::vector<int64_t>{3, 3});
  set_attribute(*net.b.model().mutable_graph()->mutable_node()->rbegin(), "pads", std::vector<int64_t>{1, 1, 1, 1});
  net.conv(8), net.op("Sigmoid"), net.op("Mul", {past});
  set_attribute(net.op("Concat", {skip}), "axis", int64_t{1}), net.channels = 16;
  net.conv(4);
  const auto model = integer_model(net.end(), 1);
  CHECK(count(*model, format::OpKind::kQuantConv2d) == 4);
  CHECK(count(*model, format::OpKind::kQuantBinary) == 2);
  CHECK(count(*model, format::OpKind::kLookup) == 2);
  const auto back = loaded(compile_onnx_bytes(as_bytes(exported(*model)), {}));
  CHECK(count(*back, format::OpKind::kQuantConv2d) == 4);
  CHECK(count(*back, format::OpKind::kQuantBinary) == 2);
  CHECK(count(*back, format::OpKind::kLookup) == 2);
  const FloatTensor x = picture(1, 21, 18, 9);
  CHECK(run(back, x, ExecutorKind::kLayer) == run(model, x, ExecutorKind::kLine));
}

TEST_CASE("a step down, up again by repeated samples, and joined: both joins of integers come back") {
  Net net(1, 32);
  net.conv(8), net.prelu();
  const std::string skip = net.last;
  set_attribute(net.conv(8), "strides", std::vector<int64_t>{2, 2});
  net.prelu();
  net.b.floats("twice", {4}, {1, 1, 2, 2});
  set_attribute(net.op("Resize", {"", "twice"}), "mode", std::string("nearest"));
  set_attribute(net.op("Concat", {skip}), "axis", int64_t{1}), net.channels = 16;
  net.conv(4);
  const auto model = integer_model(net.end(), 1);
  CHECK(count(*model, format::OpKind::kQuantConv2d) == 3);
  const auto back = loaded(compile_onnx_bytes(as_bytes(exported(*model)), {}));
  CHECK(count(*back, format::OpKind::kQuantConv2d) == 3);
  CHECK(count(*back, format::OpKind::kDequantize) == 0);
  const FloatTensor x = picture(1, 22, 18, 9);
  CHECK(run(back, x, ExecutorKind::kLayer) == run(model, x, ExecutorKind::kLayer));
}

TEST_CASE("a residual network, with values that are read in f32 and as integers") {
  Net net(1, 30);
  net.conv(8), net.prelu();
  const std::string skip = net.last;
  net.conv(8), net.prelu();
  net.conv(8), net.op("Add", {skip});
  net.conv(4);
  net.upscale();
  check_round_trip(net.end(), 1, 4);
}

TEST_CASE("an exported model is integer already: it is not quantized again") {
  Net net(1, 35);
  net.conv(4);
  const std::string qdq = exported(*integer_model(net.end(), 1));
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.quantize.samples.push_back({{picture(1, 24, 24, 1)}, {}});
  const auto again = compile_onnx_bytes(as_bytes(qdq), options);
  REQUIRE(!again.ok());
  CHECK(again.error().message.find("integer convolutions already") != std::string::npos);
}

TEST_CASE("the export is what other engines expect: scales per channel, zeros kept, a card") {
  Net net(1, 40);
  net.conv(8), net.prelu();
  net.conv(4, Pruning::kPattern);
  const auto model = integer_model(net.end(), 1);
  onnx::ModelProto proto;
  REQUIRE(proto.ParseFromString(exported(*model)));
  CHECK(proto.opset_import(0).version() == 13);
  std::string operators;
  std::vector<std::string> names;
  for (const auto& node : proto.graph().node()) {
    operators += node.op_type() + " ";
    names.push_back(node.name());
  }
  CHECK(operators ==
        "QuantizeLinear DequantizeLinear DequantizeLinear DequantizeLinear Conv PRelu QuantizeLinear "
        "DequantizeLinear DequantizeLinear DequantizeLinear Conv ");
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
  size_t zeros = 0, elements = 0, per_channel = 0;
  for (const auto& tensor : proto.graph().initializer()) {
    if (tensor.data_type() == onnx::TensorProto::INT8 && tensor.dims_size() == 4 && tensor.dims(0) == 4) {
      elements = tensor.raw_data().size();
      zeros = static_cast<size_t>(std::count(tensor.raw_data().begin(), tensor.raw_data().end(), 0));
    }
    per_channel += tensor.name().find("weight_step") != std::string::npos && tensor.dims_size() == 1;
  }
  CHECK(elements == 4 * 8 * 9);
  CHECK(zeros >= 4 * 8 * 5);
  CHECK(per_channel == 2);
}

TEST_CASE("what cannot be exported is refused by name") {
  Net plain(1, 50);
  plain.conv(4);
  const std::string onnx = plain.end();
  const Error f32 = refusal(*loaded(compile_onnx_bytes(as_bytes(onnx), {})));
  CHECK(f32.code == ErrorCode::kUnsupported);
  CHECK(f32.message.find("--precision int8") != std::string::npos);

  const auto model = integer_model(onnx, 1);
  const auto changed = [&](auto change) {
    format::Program program = model->program();
    for (format::Operator& op : program.operators) {
      if (op.kind() == format::OpKind::kQuantConv2d || op.kind() == format::OpKind::kQuantize) change(program, op);
    }
    auto result = Model::from_program(std::move(program));
    REQUIRE(result.ok());
    return refusal(**result).message;
  };
  const std::string step = changed([](format::Program&, format::Operator& op) {
    if (auto* p = std::get_if<format::QuantizeParams>(&op.params)) p->multiplier = std::nextafter(255.0f, 0.0f);
  });
  CHECK(step.find("multiplier") != std::string::npos);
  const std::string scale = changed([](format::Program& program, format::Operator& op) {
    if (op.kind() != format::OpKind::kQuantConv2d) return;
    const std::vector<float> minus(4, -0.5f);
    program.values[size_t(op.inputs[3])].constant =
        format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(minus.data()), 16});
  });
  CHECK(scale.find("(QuantConv2d)") != std::string::npos);
  CHECK(scale.find("scale of channel 0") != std::string::npos);
}

TEST_CASE("steps and multipliers, slopes: found again exactly") {
  CHECK(compiler::multiplier_of_step(1.0f / 255) == 255.0f);
  CHECK(compiler::multiplier_of_step(0.125f) == 8.0f);
  Random random(60);
  for (int i = 0; i < 2000; ++i) {
    const float step = std::exp2(8 * random()) * 0.01f, slope = random();
    const float multiplier = compiler::multiplier_of_step(step);
    CHECK(std::abs(multiplier * step - 1) < 3e-7f);
    const auto back = compiler::step_of_multiplier(multiplier);
    REQUIRE(back.has_value());
    CHECK(compiler::multiplier_of_step(*back) == multiplier);
    const auto negative = static_cast<float>(double(step) * double(slope));
    const auto found = compiler::slope_between(step, negative);
    REQUIRE(found.has_value());
    CHECK(static_cast<float>(double(step) * double(*found)) == negative);
  }
}

TEST_CASE("a quantized model made elsewhere: u8 or s8 steps, f32 bias, weights quantized when it starts") {
  Random random(70);
  for (bool is_signed : {false, true}) {
    for (bool folded : {false, true}) {
      OnnxBuilder b(13);
      b.input("x", {1, 2, 9, 10}).output("y");
      const auto zero = [&](const std::string& name, int type, int value, int64_t count) {
        auto* tensor = b.model().mutable_graph()->add_initializer();
        tensor->set_name(name);
        tensor->set_data_type(type);
        if (count > 1) tensor->add_dims(count);
        for (int64_t i = 0; i < count; ++i) tensor->add_int32_data(value);
      };
      const int step_type = is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8;
      zero("zx", step_type, is_signed ? -128 : 0, 1);
      zero("zy", step_type, is_signed ? -20 : 100, 1);
      zero("zw", onnx::TensorProto::INT8, 0, 4);
      b.floats("sx", {}, {1.0f / 255}).floats("sy", {}, {0.013f}).floats("sw", {4}, {0.005f, 0.004f, 0.006f, 0.007f});
      b.floats("bias", {4}, random.list(4, 0.2f)).floats("slope", {4, 1, 1}, random.list(4));
      std::vector<float> w = random.list(4 * 2 * 9, 0.5f);
      b.node("QuantizeLinear", {"x", "sx", "zx"}, {"xq"});
      b.node("DequantizeLinear", {"xq", "sx", "zx"}, {"xd"});
      if (folded) {
        auto* tensor = b.model().mutable_graph()->add_initializer();
        tensor->set_name("wq");
        tensor->set_data_type(onnx::TensorProto::INT8);
        for (int64_t d : {4, 2, 3, 3}) tensor->add_dims(d);
        for (float v : w) tensor->add_int32_data(static_cast<int>(std::nearbyint(v * 100)));
      } else {
        b.floats("w", {4, 2, 3, 3}, w);
        set_attribute(b.node("QuantizeLinear", {"w", "sw", "zw"}, {"wq"}), "axis", int64_t{0});
      }
      set_attribute(b.node("DequantizeLinear", {"wq", "sw", "zw"}, {"wd"}), "axis", int64_t{0});
      set_attribute(b.node("Conv", {"xd", "wd", "bias"}, {"c"}), "pads", std::vector<int64_t>(4, 1));
      b.node("PRelu", {"c", "slope"}, {"a"});
      b.node("QuantizeLinear", {"a", "sy", "zy"}, {"yq"});
      b.node("DequantizeLinear", {"yq", "sy", "zy"}, {"y"});
      CompileOptions as_it_is;
      as_it_is.optimize = false;
      const auto reference = loaded(compile_onnx_bytes(as_bytes(b.bytes()), as_it_is));
      const auto model = loaded(compile_onnx_bytes(as_bytes(b.bytes()), {}));
      CHECK(count(*reference, format::OpKind::kQuantConv2d) == 0);
      CHECK(count(*model, format::OpKind::kQuantConv2d) == 1);
      CHECK(count(*model, format::OpKind::kDequantize) == 1);
      const FloatTensor x = picture(2, 9, 10, 3);
      const auto expected = run(reference, x, ExecutorKind::kAuto), y = run(model, x, ExecutorKind::kAuto);
      size_t different = 0;
      for (size_t i = 0; i < y.size(); ++i) {
        CHECK(std::abs(y[i] - expected[i]) < 1.01f * 0.013f);
        different += y[i] != expected[i];
      }
      CHECK(different * 50 < y.size());
    }
  }
}
