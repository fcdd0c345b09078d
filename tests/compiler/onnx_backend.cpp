#include "compiler/onnx_backend.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "compiler/onnx/tensor_proto.h"

namespace coco::testing {
namespace {

namespace fs = std::filesystem;

template <typename Proto>
bool read_proto(const fs::path& path, Proto& proto) {
  std::ifstream file(path, std::ios::binary);
  return file && proto.ParseFromIstream(&file);
}

/// Which inputs are data at run time; the rest are parameters.
bool is_data_input(const std::string& op, int index) {
  static const std::vector<std::string> kAll = {"Add",
                                                "Sub",
                                                "Mul",
                                                "Div",
                                                "Concat",
                                                "Pow",
                                                "Mod",
                                                "Min",
                                                "Max",
                                                "Sum",
                                                "Mean",
                                                "Equal",
                                                "Less",
                                                "Greater",
                                                "And",
                                                "Or",
                                                "Xor",
                                                "LessOrEqual",
                                                "Where",
                                                "Gemm",
                                                "MatMul",
                                                "MatMulInteger",
                                                "GridSample",
                                                "Gather",
                                                "LSTM",
                                                "GRU",
                                                "GreaterOrEqual",
                                                "Clip",
                                                "Conv",
                                                "GatherElements",
                                                "ScatterND",
                                                "PRelu",
                                                "LayerNormalization",
                                                "InstanceNormalization"};
  static const std::vector<std::string> kNone = {"ConstantOfShape", "Range", "If", "Loop"};
  const auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), op) != list.end();
  };
  if (op == "NonMaxSuppression") return index < 2;
  return in(kAll) || (index == 0 && !in(kNone));
}

Result<Tensor> to_tensor(const onnx::TensorProto& proto) {
  if (compiler::is_integer_type(proto.data_type())) {
    COCO_ASSIGN(compiler::IntegerTensor integers, compiler::tensor_integers(proto));
    return Tensor{std::move(integers.shape), integers.type, std::move(integers.bytes)};
  }
  COCO_ASSIGN(Shape shape, compiler::tensor_shape(proto));
  COCO_ASSIGN(const std::vector<float> data, compiler::tensor_floats(proto));
  Tensor tensor = make_tensor(DataType::kF32, shape);
  if (!data.empty()) std::memcpy(tensor.bytes.data(), data.data(), tensor.bytes.size());
  return tensor;
}

/// True when some node reads the name as data.
bool is_read_as_data(const onnx::GraphProto& graph, const std::string& name) {
  for (const auto& node : graph.node()) {
    for (int i = 0; i < node.input_size(); ++i) {
      if (node.input(i) == name && is_data_input(node.op_type(), i)) return true;
    }
  }
  return false;
}

}  // namespace

std::string backend_data_folder() {
  if (const char* folder = std::getenv("COCO_ONNX_TESTDATA")) return folder;
  const std::string folder = "/usr/share/libonnx-testdata/data";
  return fs::is_directory(folder) ? folder : "";
}

std::vector<BackendTest> read_suite(const std::string& suite) {
  std::vector<BackendTest> tests;
  const fs::path folder = fs::path(backend_data_folder()) / suite;
  if (!fs::is_directory(folder)) return tests;
  for (const auto& entry : fs::directory_iterator(folder)) {
    BackendTest test{suite + "/" + entry.path().filename().string(), entry.path().string(), {}};
    if (read_proto(entry.path() / "model.onnx", test.model)) tests.push_back(std::move(test));
  }
  std::sort(tests.begin(), tests.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return tests;
}

bool uses_only(const BackendTest& test, const std::vector<std::string>& operators) {
  const auto& nodes = test.model.graph().node();
  return !nodes.empty() && std::all_of(nodes.begin(), nodes.end(), [&](const auto& node) {
    return node.domain().empty() && std::find(operators.begin(), operators.end(), node.op_type()) != operators.end();
  });
}

int data_set_count(const BackendTest& test) {
  int count = 0;
  while (fs::is_directory(fs::path(test.folder) / ("test_data_set_" + std::to_string(count)))) ++count;
  return count;
}

Result<DataSet> read_data_set(const BackendTest& test, int set, onnx::ModelProto& model, bool all_known) {
  const fs::path folder = fs::path(test.folder) / ("test_data_set_" + std::to_string(set));
  model = test.model;
  // Since version 4 initialisers need not be listed as inputs.
  model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
  DataSet data;
  onnx::GraphProto& graph = *model.mutable_graph();
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  int file = 0;
  for (const auto& input : test.model.graph().input()) {
    const auto& initializers = graph.initializer();
    if (std::any_of(initializers.begin(), initializers.end(), [&](auto& t) { return t.name() == input.name(); })) {
      *kept.Add() = input;
      continue;
    }
    onnx::TensorProto proto;
    if (!read_proto(folder / ("input_" + std::to_string(file++) + ".pb"), proto)) {
      return make_error(ErrorCode::kUnsupported, "an input is not a tensor");
    }
    if (!all_known && is_read_as_data(graph, input.name())) {
      COCO_ASSIGN(Tensor tensor, to_tensor(proto));
      data.inputs.push_back(std::move(tensor));
      *kept.Add() = input;
    } else {
      proto.set_name(input.name());
      *graph.add_initializer() = proto;
    }
  }
  if (data.inputs.empty()) {
    onnx::ValueInfoProto& unused = *kept.Add();
    unused.set_name("nobody reads this");
    unused.mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    unused.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(1);
    data.inputs.push_back(make_tensor(DataType::kF32, Shape{1}));
  }
  *graph.mutable_input() = kept;
  for (int i = 0; i < graph.output_size(); ++i) {
    onnx::TensorProto proto;
    if (!read_proto(folder / ("output_" + std::to_string(i) + ".pb"), proto)) {
      return make_error(ErrorCode::kUnsupported, "an output is not a tensor");
    }
    COCO_ASSIGN(Tensor tensor, to_tensor(proto));
    data.outputs.push_back(std::move(tensor));
  }
  return data;
}

Tensor make_tensor(DataType type, const Shape& shape) {
  const auto count = static_cast<size_t>(shape.element_count().value_or(0));
  return {shape, type, std::vector<uint8_t>(count * byte_size(type))};
}

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.shape != expected.shape) {
    return "shape " + actual.shape.to_string() + ", expected " + expected.shape.to_string();
  }
  if (actual.type != expected.type) {
    return "is " + std::string(to_string(actual.type)) + ", expected " + std::string(to_string(expected.type));
  }
  if (actual.type != DataType::kF32) return actual.bytes == expected.bytes ? "" : "has other integers";
  for (size_t i = 0; i < expected.bytes.size() / sizeof(float); ++i) {
    float a, e;
    std::memcpy(&a, actual.bytes.data() + i * sizeof(float), sizeof(float));
    std::memcpy(&e, expected.bytes.data() + i * sizeof(float), sizeof(float));
    const bool same = a == e || (std::isnan(a) && std::isnan(e)) || std::fabs(a - e) <= 1e-5f + 1e-3f * std::fabs(e);
    if (!same) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(e);
    }
  }
  return "";
}

}  // namespace coco::testing
