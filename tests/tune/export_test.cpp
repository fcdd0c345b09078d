#include "tune/onnx_export.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <cstring>

#include "catch.h"
#include "tests/tune/synthetic.h"

using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

onnx::ModelProto parse(const std::string& bytes) {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  return model;
}

}  // namespace

TEST_CASE("the export passes the checker and says the same twice") {
  const PlainNet net = make_net(2);
  const auto bytes = to_onnx(net);
  REQUIRE(bytes.ok());
  CHECK(*bytes == to_onnx(net).value());
  const onnx::ModelProto model = parse(*bytes);
  CHECK_NOTHROW(onnx::checker::check_model(model));
  CHECK(model.opset_import(0).version() == 13);
}

TEST_CASE("the export has the agreed inputs, outputs and operators") {
  const onnx::ModelProto model = parse(to_onnx(make_net(2)).value());
  const onnx::GraphProto& graph = model.graph();
  REQUIRE(graph.input_size() == 1);
  CHECK(graph.input(0).name() == "luma");
  const auto& shape = graph.input(0).type().tensor_type().shape();
  REQUIRE(shape.dim_size() == 4);
  CHECK(shape.dim(1).dim_value() == 1);
  CHECK(shape.dim(2).dim_param() == "height");
  CHECK(shape.dim(3).dim_param() == "width");
  REQUIRE(graph.output_size() == 1);
  CHECK(graph.output(0).name() == "upscaled");
  std::string operators;
  for (const auto& node : graph.node()) operators += node.op_type() + " ";
  CHECK(operators == "Conv PRelu Conv PRelu Conv PRelu Conv PRelu Conv PRelu Conv DepthToSpace Resize Add ");
}

TEST_CASE("the export carries the weights unchanged") {
  const PlainNet net = make_net(7);
  const onnx::ModelProto model = parse(to_onnx(net).value());
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const std::string name = "conv" + std::to_string(l) + ".weight";
    bool found = false;
    for (const auto& t : model.graph().initializer()) {
      if (t.name() != name) continue;
      found = true;
      const std::vector<float>& weight = net.layers[l].weight;
      REQUIRE(t.raw_data().size() == weight.size() * sizeof(float));
      CHECK(std::memcmp(t.raw_data().data(), weight.data(), t.raw_data().size()) == 0);
    }
    CHECK(found);
  }
}

TEST_CASE("architectures are found by name and counted") {
  const Architecture a = find_architecture("sr2x-s").value();
  CHECK(parameter_count(a) == 2748);
  CHECK(macs_per_pixel(a) == 2664);
  CHECK(find_architecture("sr9x").error().message.find("sr2x-s") != std::string::npos);
}
