#include "compiler/onnx/import.h"

#include "catch.h"
#include "compiler/compile_program.h"
#include "compiler/onnx/auto_pad.h"
#include "compiler/onnx/import_table.h"
#include "compiler/onnx/tensor_proto.h"
#include "compiler/onnx_builder.h"
#include "graph/text.h"

using namespace coco;
using coco::testing::OnnxBuilder;
using coco::testing::set_attribute;
using Ints = std::vector<int64_t>;

namespace {

Result<graph::Graph> import_model(const OnnxBuilder& builder, const compiler::ImportOptions& options = {}) {
  const std::string bytes = builder.bytes();
  return compiler::import_onnx(coco::testing::as_bytes(bytes), options);
}

graph::Graph imported(const OnnxBuilder& builder) {
  auto result = import_model(builder);
  if (!result.ok()) FAIL(result.error().message);
  const Status sound = graph::verify(*result);
  if (!sound.ok()) FAIL(sound.error().message);
  return std::move(result).value();
}

/// The import must fail with this code, and the message must hold every word.
void refuses(const OnnxBuilder& builder, ErrorCode code, const std::vector<std::string>& words) {
  auto result = import_model(builder);
  REQUIRE_FALSE(result.ok());
  INFO(result.error().message);
  CHECK(result.error().code == code);
  for (const std::string& word : words) CHECK(result.error().message.find(word) != std::string::npos);
}

/// One node of one input and one output.
OnnxBuilder single(const std::string& op, const Ints& dims, int opset = 17) {
  OnnxBuilder b(opset);
  b.input("x", dims).output("y");
  b.node(op, {"x"}, {"y"});
  return b;
}

const format::ResizeParams& only_resize(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    if (const auto* p = node.as<format::ResizeParams>()) return *p;
  }
  FAIL("no Resize");
  static const format::ResizeParams none;
  return none;
}

}  // namespace

TEST_CASE("a small super-resolution network imports with dynamic height and width") {
  const OnnxBuilder builder = coco::testing::small_upscaler();
  const graph::Graph graph = imported(builder);
  REQUIRE(graph.nodes().size() == 6);
  REQUIRE(graph.outputs()[0].value->shape() == Shape{1, 1, kDynamicDim, kDynamicDim});
  const std::string bytes = builder.bytes();
  auto program = compiler::compile_program(coco::testing::as_bytes(bytes), {});
  INFO(program.error().message);
  REQUIRE(program.ok());
  REQUIRE(program->operators.size() == 5);  // the PReLU is in its convolution
  REQUIRE(program->card.scale == 2);
}

TEST_CASE("dynamic dimensions can be pinned, and only to what the model allows") {
  const OnnxBuilder builder = coco::testing::small_upscaler();
  auto pinned = import_model(builder, {{{"x", Shape{1, 1, 20, kDynamicDim}}}, ""});
  REQUIRE(pinned.ok());
  REQUIRE(pinned->outputs()[0].value->shape() == Shape{1, 1, 40, kDynamicDim});
  for (const Shape& bad : {Shape{2, 1, 20, 20}, Shape{1, 20, 20}}) {
    auto refused = import_model(builder, {{{"x", bad}}, ""});
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.error().code == ErrorCode::kInvalidArgument);
  }
  auto unknown = import_model(builder, {{{"z", Shape{1}}}, ""});
  REQUIRE(unknown.error().message.find("no input 'z'") != std::string::npos);
}

TEST_CASE("bytes that are no model are refused in one line") {
  auto refuse = [](const std::string& text) {
    auto result = compiler::import_onnx(coco::testing::as_bytes(text), {});
    REQUIRE_FALSE(result.ok());
    REQUIRE(result.error().code == ErrorCode::kInvalidData);
    REQUIRE(result.error().message.find('\n') == std::string::npos);
  };
  refuse("");
  refuse("This is a text file, not a model.\n");
  const std::string bytes = coco::testing::small_upscaler().bytes();
  for (size_t cut = 1; cut < bytes.size(); cut += 7) refuse(bytes.substr(0, cut));
  refuse(std::string(1000, '\x0b'));  // groups inside groups
}

TEST_CASE("unsupported operators, domains and opsets are named") {
  refuses(single("Hardmax", {1, 4}), ErrorCode::kUnsupported, {"Hardmax_1", "operator Hardmax is not supported"});
  OnnxBuilder custom = single("Relu", {1, 4});
  custom.model().mutable_graph()->mutable_node(0)->set_domain("com.example");
  refuses(custom, ErrorCode::kUnsupported, {"com.example.Relu", "Relu_1"});
  refuses(single("Relu", {1, 4}, 5), ErrorCode::kUnsupported, {"opset 5", "6 to 17"});
  refuses(single("Relu", {1, 4}, 18), ErrorCode::kUnsupported, {"opset 18"});
  refuses(single("Upsample", {1, 1, 4, 4}, 11), ErrorCode::kUnsupported, {"Upsample", "7 to 9", "opset 11"});
}

TEST_CASE("unsupported attributes are named") {
  OnnxBuilder crop;
  crop.input("x", {1, 1, 4, 4})
      .output("y")
      .floats("scales", {4}, {1, 1, 2, 2})
      .floats("roi", {8}, std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1});
  auto& resize = crop.node("Resize", {"x", "roi", "scales"}, {"y"});
  set_attribute(resize, "coordinate_transformation_mode", std::string("tf_crop_and_resize"));
  refuses(crop, ErrorCode::kUnsupported, {"Resize_1", "coordinate_transformation_mode", "tf_crop_and_resize"});

  OnnxBuilder cast = single("Cast", {1, 4});
  set_attribute(*cast.model().mutable_graph()->mutable_node(0), "to", int64_t{onnx::TensorProto::STRING});
  refuses(cast, ErrorCode::kUnsupported, {"Cast_1", "'to' = STRING"});

  OnnxBuilder conv3d;
  conv3d.input("x", {1, 1, 4, 4, 4}).output("y").weights("w", {1, 1, 3, 3, 3});
  conv3d.node("Conv", {"x", "w"}, {"y"});
  refuses(conv3d, ErrorCode::kUnsupported, {"Conv_1", "3-dimensional"});
}

TEST_CASE("inputs that must be known when compiling are named") {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4}).input("sizes_in", {4}).output("y");
  b.node("Resize", {"x", "", "sizes_in"}, {"y"});
  refuses(b, ErrorCode::kUnsupported, {"Resize_1", "scales", "sizes_in", "computed at run time"});

  OnnxBuilder integers;
  integers.input("x", {4}, onnx::TensorProto::INT64).output("y");
  integers.node("Sigmoid", {"x"}, {"y"});
  refuses(integers, ErrorCode::kUnsupported, {"Sigmoid_1", "s64"});
  OnnxBuilder texts;
  texts.input("x", {4}, onnx::TensorProto::STRING).output("y");
  texts.node("Identity", {"x"}, {"y"});
  refuses(texts, ErrorCode::kUnsupported, {"input 'x'", "STRING"});
}

TEST_CASE("data that does not fit its shape is refused") {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4}).output("y").floats("w", {1, 1, 3, 3}, {1, 2, 3});
  b.node("Conv", {"x", "w"}, {"y"});
  refuses(b, ErrorCode::kInvalidData, {"'w'", "should hold 9 elements but holds 3"});

  OnnxBuilder external;
  external.input("x", {1, 1, 4, 4}).output("y").floats("w", {1, 1, 1, 1}, {});
  external.node("Conv", {"x", "w"}, {"y"});
  auto* tensor = external.model().mutable_graph()->mutable_initializer(0);
  tensor->set_data_location(onnx::TensorProto::EXTERNAL);
  refuses(external, ErrorCode::kUnsupported, {"'w'", "another file"});

  OnnxBuilder channels;
  channels.input("x", {1, 2, 4, 4}).output("y").weights("w", {1, 3, 1, 1});
  channels.node("Conv", {"x", "w"}, {"y"});
  refuses(channels, ErrorCode::kInvalidData, {"Conv_1", "[1, 2, 4, 4]"});

  OnnxBuilder cyclic;
  cyclic.input("x", {4}).output("y");
  cyclic.node("Add", {"x", "y"}, {"z"});
  cyclic.node("Relu", {"z"}, {"y"});
  refuses(cyclic, ErrorCode::kInvalidData, {"topological"});
}

TEST_CASE("16-bit floating-point weights become f32") {
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4}).output("y").floats("w", {1, 1, 1, 4}, {});
  auto* tensor = b.model().mutable_graph()->mutable_initializer(0);
  tensor->set_data_type(onnx::TensorProto::FLOAT16);
  for (int bits : {0x3c00, 0xc100, 0x0001, 0x7bff}) tensor->add_int32_data(bits);
  b.node("Conv", {"x", "w"}, {"y"});
  const graph::Graph graph = imported(b);
  const auto w = graph.nodes().front().input(1)->floats();
  REQUIRE(std::vector<float>(w.begin(), w.end()) == std::vector<float>{1.0f, -2.5f, 5.9604645e-8f, 65504.0f});
}

TEST_CASE("auto_pad arithmetic") {
  using compiler::same_padding;
  REQUIRE(same_padding(5, 3, 1, 1, true) == std::pair<int64_t, int64_t>{1, 1});
  REQUIRE(same_padding(5, 4, 1, 1, true) == std::pair<int64_t, int64_t>{1, 2});
  REQUIRE(same_padding(5, 4, 1, 1, false) == std::pair<int64_t, int64_t>{2, 1});
  REQUIRE(same_padding(6, 3, 2, 1, true) == std::pair<int64_t, int64_t>{0, 1});
  REQUIRE(same_padding(7, 3, 2, 1, true) == std::pair<int64_t, int64_t>{1, 1});
  REQUIRE(same_padding(7, 3, 1, 4, true) == std::pair<int64_t, int64_t>{4, 4});
  REQUIRE(same_padding(9, 1, 3, 1, true) == std::pair<int64_t, int64_t>{0, 0});
}

TEST_CASE("auto_pad on dynamic sizes works where the padding is the same for all of them") {
  auto conv = [](int64_t stride) {
    OnnxBuilder b;
    b.input("x", {1, 1, -1, -1}).output("y").weights("w", {1, 1, 3, 4});
    auto& node = b.node("Conv", {"x", "w"}, {"y"});
    set_attribute(node, "auto_pad", std::string("SAME_LOWER"));
    set_attribute(node, "strides", Ints{stride, stride});
    return b;
  };
  const graph::Graph graph = imported(conv(1));
  REQUIRE(graph.nodes().front().as<format::Conv2dParams>()->pads == std::array<int64_t, 4>{1, 2, 1, 1});
  refuses(conv(2), ErrorCode::kUnsupported, {"auto_pad", "SAME_LOWER", "dynamic"});
}

TEST_CASE("sizes computed from the input's shape become scales") {
  // Shape -> Slice -> Cast -> Mul -> Floor -> Cast -> Concat -> Resize, as exporters write interpolate(scale_factor=2).
  OnnxBuilder b(13);
  b.input("x", {-1, 3, -1, -1}).output("y");
  b.ints("two", {2}).ints("four", {4}).ints("zero", {0}).floats("factor", {2}, {2, 3});
  b.node("Shape", {"x"}, {"shape"});
  b.node("Slice", {"shape", "two", "four", "zero"}, {"hw"});
  set_attribute(b.node("Cast", {"hw"}, {"hw_f"}), "to", int64_t{onnx::TensorProto::FLOAT});
  b.node("Mul", {"hw_f", "factor"}, {"scaled"});
  b.node("Floor", {"scaled"}, {"floored"});
  set_attribute(b.node("Cast", {"floored"}, {"new_hw"}), "to", int64_t{onnx::TensorProto::INT64});
  b.node("Slice", {"shape", "zero", "two", "zero"}, {"nc"});
  set_attribute(b.node("Concat", {"nc", "new_hw"}, {"sizes"}), "axis", int64_t{0});
  b.node("Relu", {"x"}, {"r"});
  set_attribute(b.node("Resize", {"r", "", "", "sizes"}, {"y"}), "mode", std::string("linear"));
  const graph::Graph graph = imported(b);
  REQUIRE(graph.nodes().size() == 2);
  REQUIRE(only_resize(graph).scales == std::vector<float>{1, 1, 2, 3});
  REQUIRE(only_resize(graph).sizes.empty());
}

TEST_CASE("Gather, Unsqueeze, Concat chains are followed, and a size that is not a scale is refused") {
  auto model = [](const std::string& last, int64_t operand) {
    OnnxBuilder b(11);
    b.input("x", {1, 1, -1, -1}).output("y").scalar("i2", 2).scalar("i3", 3).scalar("k", operand).ints("nc", {1, 1});
    b.node("Shape", {"x"}, {"shape"});
    b.node("Gather", {"shape", "i2"}, {"h"});
    b.node("Gather", {"shape", "i3"}, {"w"});
    b.node(last, {"h", "k"}, {"h2"});
    b.node("Mul", {"w", "k"}, {"w2"});
    set_attribute(b.node("Unsqueeze", {"h2"}, {"h2u"}), "axes", Ints{0});
    set_attribute(b.node("Unsqueeze", {"w2"}, {"w2u"}), "axes", Ints{0});
    set_attribute(b.node("Concat", {"nc", "h2u", "w2u"}, {"sizes"}), "axis", int64_t{0});
    b.floats("roi", {0}, {}).floats("none", {0}, {});
    b.node("Resize", {"x", "roi", "none", "sizes"}, {"y"});
    return b;
  };
  REQUIRE(only_resize(imported(model("Mul", 4))).scales == std::vector<float>{1, 1, 4, 4});
  refuses(model("Add", 4), ErrorCode::kUnsupported, {"Resize", "'sizes'", "fixed scale"});
  refuses(model("Div", 2), ErrorCode::kUnsupported, {"Resize", "'sizes'"});  // floor(h / 2) is no scale
}

TEST_CASE("a crop to the size of another tensor follows the dynamic end") {
  // pad by 3 below and right, then slice back to the input's height; drop 2 columns at the end
  OnnxBuilder b(13);
  b.input("x", {1, 1, -1, -1}).output("y").ints("pads", {0, 0, 0, 0, 0, 0, 3, 3}).ints("zero", {0}).ints("two", {2});
  b.ints("three", {3});
  b.node("Pad", {"x", "pads"}, {"p"});
  b.node("Shape", {"x"}, {"shape"});
  b.node("Slice", {"shape", "two", "three", "zero"}, {"h"});
  b.node("Slice", {"p", "zero", "h", "two"}, {"y"});
  const graph::Graph graph = imported(b);
  const auto* slice = graph.nodes().back().as<format::SliceParams>();
  REQUIRE(slice != nullptr);
  REQUIRE(slice->axes == Ints{2});
  REQUIRE(slice->ends == Ints{-3});
}

TEST_CASE("a pixel shuffle on dynamic sizes becomes DepthToSpace") {
  auto model = [](const Ints& perm) {
    OnnxBuilder b(13);
    b.input("x", {1, 12, -1, -1}).output("y");
    b.scalar("i2", 2).scalar("i3", 3).ints("head", {1, 3, 2, 2}).ints("nc", {1, 3}).ints("two", {2}).ints("axis", {0});
    b.node("Shape", {"x"}, {"shape"});
    b.node("Gather", {"shape", "i2"}, {"h"});
    b.node("Gather", {"shape", "i3"}, {"w"});
    b.node("Unsqueeze", {"h", "axis"}, {"hu"});
    b.node("Unsqueeze", {"w", "axis"}, {"wu"});
    set_attribute(b.node("Concat", {"head", "hu", "wu"}, {"six"}), "axis", int64_t{0});
    b.node("Mul", {"hu", "two"}, {"h2"});
    b.node("Mul", {"wu", "two"}, {"w2"});
    set_attribute(b.node("Concat", {"nc", "h2", "w2"}, {"four"}), "axis", int64_t{0});
    b.node("Reshape", {"x", "six"}, {"r"});
    set_attribute(b.node("Transpose", {"r"}, {"t"}), "perm", perm);
    b.node("Reshape", {"t", "four"}, {"y"});
    return b;
  };
  const graph::Graph graph = imported(model({0, 1, 4, 2, 5, 3}));
  REQUIRE(graph.nodes().size() == 1);
  const auto* shuffle = graph.nodes().front().as<format::DepthToSpaceParams>();
  REQUIRE(shuffle != nullptr);
  REQUIRE(shuffle->block == 2);
  REQUIRE(shuffle->mode == format::DepthToSpaceMode::kCrd);
  refuses(model({0, 1, 4, 3, 5, 2}), ErrorCode::kUnsupported, {"Reshape", "pixel shuffle", "static input shapes"});
}

TEST_CASE("operators read their parameters as their opset says") {
  OnnxBuilder upsample7 = single("Upsample", {1, 1, 4, 4}, 7);
  auto* scales = upsample7.model().mutable_graph()->mutable_node(0)->add_attribute();
  scales->set_name("scales");
  scales->set_type(onnx::AttributeProto::FLOATS);
  for (float s : {1.0f, 1.0f, 2.0f, 3.0f}) scales->add_floats(s);
  REQUIRE(only_resize(imported(upsample7)).scales == std::vector<float>{1, 1, 2, 3});
  REQUIRE(only_resize(imported(upsample7)).coordinates == format::CoordinateMode::kAsymmetric);

  for (int opset : {9, 10}) {
    OnnxBuilder b(opset);
    b.input("x", {1, 1, 4, 4}).output("y").floats("s", {4}, {1, 1, 2, 2});
    b.node(opset == 9 ? "Upsample" : "Resize", {"x", "s"}, {"y"});
    REQUIRE(only_resize(imported(b)).scales == std::vector<float>{1, 1, 2, 2});
  }

  OnnxBuilder slice1 = single("Slice", {4, 6}, 9);
  set_attribute(*slice1.model().mutable_graph()->mutable_node(0), "starts", Ints{1});
  set_attribute(*slice1.model().mutable_graph()->mutable_node(0), "ends", Ints{-1});
  set_attribute(*slice1.model().mutable_graph()->mutable_node(0), "axes", Ints{1});
  REQUIRE(imported(slice1).outputs()[0].value->shape() == Shape{4, 4});

  OnnxBuilder pad2 = single("Pad", {4, 6}, 7);
  set_attribute(*pad2.model().mutable_graph()->mutable_node(0), "pads", Ints{0, 1, 2, 3});
  REQUIRE(imported(pad2).outputs()[0].value->shape() == Shape{6, 10});

  OnnxBuilder clip6 = single("Clip", {4}, 7);
  set_attribute(*clip6.model().mutable_graph()->mutable_node(0), "max", 6.0f);
  const graph::Graph clip = imported(clip6);
  REQUIRE(clip.nodes().front().as<format::UnaryParams>()->b == 6.0f);

  OnnxBuilder split2(7);
  split2.input("x", {1, 6}).output("a").output("b");
  auto& node = split2.node("Split", {"x"}, {"a", "b"});
  set_attribute(node, "axis", int64_t{1});
  set_attribute(node, "split", Ints{2, 4});
  REQUIRE(imported(split2).outputs()[1].value->shape() == Shape{1, 4});
}

TEST_CASE("a one-dimensional convolution keeps its shape") {
  OnnxBuilder b;
  b.input("x", {-1, 2, -1}).output("y").weights("w", {5, 2, 3});
  set_attribute(b.node("Conv", {"x", "w"}, {"y"}), "pads", Ints{1, 1});
  const graph::Graph graph = imported(b);
  REQUIRE(graph.outputs()[0].value->shape() == Shape{kDynamicDim, 5, kDynamicDim});
}

TEST_CASE("every row of the import table can be found, within the opsets") {
  for (const compiler::ImportRow& row : compiler::import_rows()) {
    INFO(row.op);
    CHECK(compiler::find_import_row(row.op) == &row);
    CHECK((row.import != nullptr || row.evaluate != nullptr));
    CHECK(row.min_opset >= compiler::kMinOpset);
    CHECK(row.max_opset <= compiler::kMaxOpset);
  }
  CHECK(compiler::find_import_row("NoSuchOperator") == nullptr);
}

TEST_CASE("a loop that never ends is refused") {
  onnx::GraphProto body;
  body.set_name("body");
  const auto declare = [](onnx::ValueInfoProto& info, const char* name, int type, bool scalar) {
    info.set_name(name);
    info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
    auto& shape = *info.mutable_type()->mutable_tensor_type()->mutable_shape();
    if (!scalar) shape.add_dim()->set_dim_value(4);
  };
  declare(*body.add_input(), "turn", onnx::TensorProto::INT64, true);
  declare(*body.add_input(), "goes_on", onnx::TensorProto::BOOL, true);
  declare(*body.add_input(), "now", onnx::TensorProto::FLOAT, false);
  declare(*body.add_output(), "still", onnx::TensorProto::BOOL, true);
  declare(*body.add_output(), "then", onnx::TensorProto::FLOAT, false);
  onnx::NodeProto& keep = *body.add_node();
  keep.set_op_type("Identity");
  keep.add_input("goes_on");
  keep.add_output("still");
  onnx::NodeProto& step = *body.add_node();
  step.set_op_type("Relu");
  step.add_input("now");
  step.add_output("then");
  OnnxBuilder b;
  b.input("x", {4}).output("y");
  onnx::AttributeProto& attribute = *b.node("Loop", {"", "", "x"}, {"y"}).add_attribute();
  attribute.set_name("body");
  attribute.set_type(onnx::AttributeProto::GRAPH);
  *attribute.mutable_g() = body;
  refuses(b, ErrorCode::kUnsupported, {"Loop_1", "turns more than 4096 times"});
}
