#include "compiler/bad_models.h"

#include <functional>
#include <limits>

#include "compiler/onnx_builder.h"

namespace coco::testing {
namespace {

using Ints = std::vector<int64_t>;
using Codes = std::vector<ErrorCode>;

constexpr auto kData = ErrorCode::kInvalidData;
constexpr auto kUnsupported = ErrorCode::kUnsupported;
constexpr auto kLimit = ErrorCode::kResourceLimit;
constexpr int64_t kHuge = int64_t{1} << 40;

class List {
 public:
  std::vector<BadModel> models;

  void add(const std::string& name, OnnxBuilder& b, Codes codes, std::vector<std::string> words) {
    models.push_back({name, b.bytes(), std::move(codes), std::move(words)});
  }
  /// One node of input x [dims] and the inputs given, output y.
  onnx::NodeProto& single(OnnxBuilder& b, const std::string& op, const Ints& dims, std::vector<std::string> more = {}) {
    more.insert(more.begin(), "x");
    return b.input("x", dims).output("y").node(op, more, {"y"});
  }
};

onnx::TensorProto& initializer(OnnxBuilder& b, int index) {
  return *b.model().mutable_graph()->mutable_initializer(index);
}

void graphs(List& list) {
  OnnxBuilder cycle;
  cycle.input("x", {4}).output("y");
  cycle.node("Add", {"x", "y"}, {"z"});
  cycle.node("Relu", {"z"}, {"y"});
  list.add("a cycle", cycle, {kData}, {"topological"});
  OnnxBuilder self;
  self.input("x", {4}).output("y");
  self.node("Add", {"x", "y"}, {"y"});
  list.add("a node that reads itself", self, {kData}, {"topological"});
  OnnxBuilder missing;
  list.single(missing, "Conv", {1, 1, 4, 4}, {"w"});
  list.add("a missing initialiser", missing, {kData}, {"'w'"});
  OnnxBuilder unmade;
  unmade.input("x", {4}).output("y").output("nowhere");
  unmade.node("Relu", {"x"}, {"y"});
  list.add("an output that nothing makes", unmade, {kData}, {"nowhere"});
  OnnxBuilder twice;
  twice.input("x", {4}).output("y");
  twice.node("Relu", {"x"}, {"y"});
  twice.node("Abs", {"x"}, {"y"});
  list.add("a result made twice", twice, {kData}, {"y"});
  OnnxBuilder defined_twice;
  defined_twice.floats("w", {1}, {1}).floats("w", {1}, {2});
  list.single(defined_twice, "Add", {1}, {"w"});
  list.add("an initialiser defined twice", defined_twice, {kData}, {"'w'", "twice"});
  OnnxBuilder empty;
  empty.input("x", {4});
  list.add("no outputs", empty, {kData}, {"no outputs"});
}

void ranks(List& list) {
  const auto wrong = [&](const std::string& op, const Ints& x, const Ints& w, const std::string& node) {
    OnnxBuilder b;
    b.weights("w", w);
    list.single(b, op, x, {"w"});
    list.add("wrong ranks: " + op + " " + std::to_string(x.size()), b, {kData, kUnsupported}, {node});
  };
  wrong("Conv", {1, 4, 4}, {1, 1, 3, 3}, "Conv_1");
  wrong("Conv", {4}, {1, 1, 3, 3}, "Conv_1");
  wrong("ConvTranspose", {1, 4}, {1, 1, 3, 3}, "ConvTranspose_1");
  wrong("Gemm", {1, 2, 3}, {3, 2}, "Gemm_1");
  wrong("MatMul", {2, 3}, {4, 2}, "MatMul_1");
  wrong("Add", {2, 3}, {4, 3}, "Add_1");
  OnnxBuilder concat;
  concat.weights("w", {1, 2});
  set_attribute(list.single(concat, "Concat", {1, 2, 3}, {"w"}), "axis", int64_t{1});
  list.add("wrong ranks: Concat", concat, {kData}, {"Concat_1"});
  OnnxBuilder transpose;
  set_attribute(list.single(transpose, "Transpose", {1, 2, 3}), "perm", Ints{0, 1});
  list.add("wrong ranks: Transpose", transpose, {kData}, {"Transpose_1"});
  OnnxBuilder pool;
  set_attribute(list.single(pool, "MaxPool", {1, 4}), "kernel_shape", Ints{2, 2});
  list.add("wrong ranks: MaxPool", pool, {kData, kUnsupported}, {"MaxPool_1"});
}

void attributes(List& list) {
  const auto conv = [&](const std::string& attribute, const Ints& values) {
    OnnxBuilder b;
    b.weights("w", {1, 1, 3, 3});
    onnx::NodeProto& node = list.single(b, "Conv", {1, 1, 8, 8}, {"w"});
    if (attribute == "group") {
      set_attribute(node, attribute, values[0]);
    } else {
      set_attribute(node, attribute, values);
    }
    list.add("Conv with " + attribute + " " + std::to_string(values[0]), b, {kData, kUnsupported, kLimit}, {"Conv_1"});
  };
  conv("strides", {0, 0});
  conv("strides", {-1, 1});
  conv("dilations", {kHuge, kHuge});
  conv("dilations", {0, 1});
  conv("pads", {-9, -9, -9, -9});
  conv("pads", {kHuge, 0, 0, 0});
  conv("pads", {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX});
  conv("kernel_shape", {-3, -3});
  conv("kernel_shape", {5, 5});
  conv("group", {0});
  conv("group", {-1});
  conv("group", {kHuge});
}

void negative_dimensions(List& list) {
  OnnxBuilder weight;
  weight.floats("w", {1, -1, 3, 3}, {});
  list.single(weight, "Conv", {1, 1, 4, 4}, {"w"});
  list.add("an initialiser of -1 channels", weight, {kData}, {"'w'"});
  OnnxBuilder reshape;
  reshape.ints("s", {2, -2});
  list.single(reshape, "Reshape", {4}, {"s"});
  list.add("Reshape to -2", reshape, {kData}, {"Reshape_1"});
  OnnxBuilder two;
  two.ints("s", {-1, -1});
  list.single(two, "Reshape", {4}, {"s"});
  list.add("Reshape to -1, -1", two, {kData}, {"Reshape_1", "several dimensions of -1"});
  OnnxBuilder fill;
  fill.ints("s", {-4}).output("y");
  fill.node("ConstantOfShape", {"s"}, {"y"});
  list.add("ConstantOfShape of -4", fill, {kData, kUnsupported, kLimit}, {"ConstantOfShape_1"});
  OnnxBuilder expand;
  expand.ints("s", {-3});
  list.single(expand, "Expand", {1}, {"s"});
  list.add("Expand to -3", expand, {kData, kUnsupported}, {"Expand_1"});
  OnnxBuilder tile;
  tile.ints("s", {-3});
  list.single(tile, "Tile", {2}, {"s"});
  list.add("Tile -3 times", tile, {kData, kUnsupported}, {"Tile_1"});
}

void sizes(List& list) {
  OnnxBuilder expand;
  expand.ints("s", {int64_t{1} << 20, int64_t{1} << 20});
  list.single(expand, "Expand", {1, 1}, {"s"});
  list.add("Expand to 2^40 elements", expand, {kData, kLimit}, {"Expand_1"});
  OnnxBuilder constant;
  constant.ints("s", {kHuge}).floats("w", {1}, {1}).output("y");
  constant.node("Expand", {"w", "s"}, {"y"});
  list.add("a constant expanded to 2^40", constant, {kData, kLimit}, {"Expand_1"});
  OnnxBuilder fill;
  fill.ints("s", {int64_t{1} << 20, int64_t{1} << 20}).input("x", {1}).output("y");
  fill.node("ConstantOfShape", {"s"}, {"c"});
  fill.node("Mul", {"c", "x"}, {"y"});
  list.add("ConstantOfShape of 2^40", fill, {kData, kLimit, kUnsupported}, {"ConstantOfShape_1"});
  OnnxBuilder range;
  range.scalar("from", 0).scalar("to", kHuge).scalar("step", 1).output("y");
  range.node("Range", {"from", "to", "step"}, {"y"});
  list.add("Range to 2^40", range, {kData, kLimit, kUnsupported}, {"Range_1"});
  OnnxBuilder pad;
  pad.ints("p", {0, kHuge, 0, kHuge});
  list.single(pad, "Pad", {1, 1}, {"p"});
  list.add("Pad by 2^40", pad, {kData, kLimit, kUnsupported}, {"Pad_1"});
  OnnxBuilder overflow;
  overflow.floats("w", {int64_t{1} << 31, int64_t{1} << 31, int64_t{1} << 31, 4}, {});
  list.single(overflow, "Conv", {1, 1, 4, 4}, {"w"});
  list.add("an initialiser of 2^95 elements", overflow, {kData, kLimit}, {"'w'"});
  OnnxBuilder input;
  list.single(input, "Relu", {int64_t{1} << 20, int64_t{1} << 20, int64_t{1} << 20});
  list.add("an input of 2^60 elements", input, {kData, kLimit}, {});
}

/// Each step multiplies the size of the one before.
void bombs(List& list) {
  const auto chain = [&](const std::string& name, bool constant, int steps, const std::string& op, const Ints& factor) {
    OnnxBuilder b;
    b.ints("s", factor).input("x", {1, 1}).output("y");
    if (constant) b.floats("w", {1, 1}, {1});
    std::string last = constant ? "w" : "x";
    for (int i = 0; i < steps; ++i) {
      const std::string next = "t" + std::to_string(i);
      if (op == "Concat") {
        set_attribute(b.node(op, {last, last}, {next}), "axis", int64_t{0});
      } else {
        b.node(op, {last, "s"}, {next});
      }
      last = next;
    }
    b.node("Add", {last, "x"}, {"y"});
    list.add(name, b, {kData, kLimit, kUnsupported}, {op + "_"});
  };
  chain("a bomb of Tile", false, 6, "Tile", {256, 256});
  chain("a bomb of Tile on a constant", true, 6, "Tile", {256, 256});
  chain("a bomb of Concat", false, 50, "Concat", {1});
  chain("a bomb of Concat on a constant", true, 50, "Concat", {1});
}

void versions(List& list) {
  const auto opset = [&](const std::string& name, const std::string& domain, int64_t version, Codes codes,
                         std::vector<std::string> words) {
    OnnxBuilder b;
    list.single(b, "Relu", {4});
    b.model().mutable_opset_import(0)->set_version(version);
    b.model().mutable_opset_import(0)->set_domain(domain);
    list.add(name, b, std::move(codes), std::move(words));
  };
  opset("an opset from the future", "", 1000, {kUnsupported}, {"opset 1000", "6 to 17"});
  opset("an opset of 2^62", "", int64_t{1} << 62, {kUnsupported}, {"opset 4611686018427387904"});
  opset("a negative opset", "", -1, {kUnsupported}, {"opset -1"});
  opset("no standard domain", "com.example", 1, {kUnsupported}, {"standard ONNX operators"});
  OnnxBuilder custom;
  list.single(custom, "Relu", {4}).set_domain("com.example");
  list.add("a node of an unknown domain", custom, {kUnsupported}, {"com.example.Relu"});
  OnnxBuilder unknown;
  list.single(unknown, "Frobnicate", {4});
  list.add("an unknown operator", unknown, {kUnsupported}, {"Frobnicate_1"});
}

/// If in If in If: `depth` graphs.
onnx::GraphProto nested(int depth) {
  onnx::GraphProto graph;
  graph.set_name("g" + std::to_string(depth));
  auto* output = graph.add_output();
  output->set_name("r" + std::to_string(depth));
  output->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  onnx::NodeProto& node = *graph.add_node();
  node.add_output(output->name());
  if (depth == 0) {
    node.set_op_type("Relu");
    node.add_input("x");
    return graph;
  }
  node.set_op_type("If");
  node.add_input("yes");
  for (const char* branch : {"then_branch", "else_branch"}) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(branch);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    *attribute.mutable_g() = branch[0] == 'e' ? nested(0) : nested(depth - 1);
  }
  return graph;
}

void recursion(List& list) {
  for (const int depth : {10, 40}) {
    OnnxBuilder b;
    b.input("x", {4}).output("y");
    onnx::TensorProto& yes = *b.model().mutable_graph()->add_initializer();
    yes.set_name("yes");
    yes.set_data_type(onnx::TensorProto::BOOL);
    yes.add_int32_data(1);
    onnx::NodeProto& node = b.node("If", {"yes"}, {"y"});
    for (const char* branch : {"then_branch", "else_branch"}) {
      onnx::AttributeProto& attribute = *node.add_attribute();
      attribute.set_name(branch);
      attribute.set_type(onnx::AttributeProto::GRAPH);
      *attribute.mutable_g() = branch[0] == 'e' ? nested(0) : nested(depth);
    }
    list.add(std::to_string(depth) + " graphs in graphs", b, {kData, kLimit}, {});
  }
}

void data(List& list) {
  OnnxBuilder few;
  few.floats("w", {1, 1, 3, 3}, {1, 2, 3});
  list.single(few, "Conv", {1, 1, 4, 4}, {"w"});
  list.add("too few elements", few, {kData}, {"'w'", "should hold 9 elements but holds 3"});
  OnnxBuilder raw;
  raw.floats("w", {1, 1, 3, 3}, {});
  initializer(raw, 0).set_raw_data("seven b");
  list.single(raw, "Conv", {1, 1, 4, 4}, {"w"});
  list.add("raw data of 7 bytes", raw, {kData}, {"'w'", "36 bytes"});
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    OnnxBuilder b;
    b.floats("w", {1, 1, 2, 2}, {1, 2, bad, 4});
    list.single(b, "Conv", {1, 1, 4, 4}, {"w"});
    list.add("a weight of " + std::to_string(bad), b, {kData}, {"'w'", "NaN or infinity"});
  }
  for (const char* location : {"../w.bin", "/etc/passwd", "w.bin"}) {
    OnnxBuilder external;
    external.floats("w", {1, 1, 1, 1}, {});
    initializer(external, 0).set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = initializer(external, 0).add_external_data();
    entry->set_key("location");
    entry->set_value(location);
    list.single(external, "Conv", {1, 1, 4, 4}, {"w"});
    list.add(std::string("weights in ") + location, external, {kUnsupported}, {"'w'", "another file"});
  }
  const std::string whole = small_upscaler().bytes();
  for (const size_t part : {3u, 2u}) {
    list.models.push_back(
        {"a model cut off at 1/" + std::to_string(part), whole.substr(0, whole.size() / part), {kData}, {"truncated"}});
  }
}

}  // namespace

std::vector<BadModel> bad_models() {
  List list;
  for (const auto& fill : {graphs, ranks, attributes, negative_dimensions, sizes, bombs, versions, recursion, data}) {
    fill(list);
  }
  return std::move(list.models);
}

}  // namespace coco::testing
