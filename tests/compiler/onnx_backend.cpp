#include "compiler/onnx_backend.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
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
  const bool all = op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Concat";
  return index == 0 || all;
}

/// Operators that do the same to integers as to the floats of the same value.
bool is_type_blind(const onnx::GraphProto& graph) {
  return std::all_of(graph.node().begin(), graph.node().end(),
                     [](const auto& node) { return node.op_type() == "Pad" || node.op_type() == "Clip"; });
}

/// Operators whose u8 inputs and results are tensors of the model.
bool has_steps(const onnx::GraphProto& graph) {
  return std::all_of(graph.node().begin(), graph.node().end(), [](const auto& node) {
    return node.op_type() == "QuantizeLinear" || node.op_type() == "DequantizeLinear";
  });
}

Result<Tensor> to_tensor(const onnx::TensorProto& proto, bool type_blind, bool steps) {
  if (steps && proto.data_type() == onnx::TensorProto::UINT8) {
    COCO_ASSIGN(compiler::IntegerTensor integers, compiler::tensor_integers(proto));
    return Tensor{std::move(integers.shape), {}, DataType::kU8, std::move(integers.bytes)};
  }
  if (type_blind && compiler::is_integer_type(proto.data_type())) {
    COCO_ASSIGN(const compiler::HostTensor numbers, compiler::tensor_numbers(proto));
    return Tensor{numbers.shape, {numbers.values[0].begin(), numbers.values[0].end()}, DataType::kF32, {}};
  }
  COCO_ASSIGN(Shape shape, compiler::tensor_shape(proto));
  COCO_ASSIGN(std::vector<float> data, compiler::tensor_floats(proto));
  return Tensor{std::move(shape), std::move(data), DataType::kF32, {}};
}

/// True when some node reads the name as a value of its data's type (not as a position or size).
bool node_reads_value(const onnx::GraphProto& graph, const std::string& name) {
  for (const auto& node : graph.node()) {
    for (int i = 1; i < node.input_size(); ++i) {
      if (node.input(i) == name && (node.op_type() == "Clip" || i == 2)) return true;
    }
  }
  return false;
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

Result<DataSet> read_data_set(const BackendTest& test, int set, onnx::ModelProto& model) {
  const fs::path folder = fs::path(test.folder) / ("test_data_set_" + std::to_string(set));
  model = test.model;
  // Since version 4 initialisers need not be listed as inputs.
  model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
  const bool blind = is_type_blind(model.graph()), steps = has_steps(model.graph());
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
    if (is_read_as_data(graph, input.name())) {
      COCO_ASSIGN(Tensor tensor, to_tensor(proto, blind, steps));
      data.inputs.push_back(std::move(tensor));
      *kept.Add() = input;
      if (blind) kept.rbegin()->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    } else {
      proto.set_name(input.name());
      if (blind && node_reads_value(graph, input.name()) && compiler::is_integer_type(proto.data_type())) {
        COCO_ASSIGN(const Tensor tensor, to_tensor(proto, true, false));
        proto.clear_raw_data();
        proto.clear_int32_data();
        proto.set_data_type(onnx::TensorProto::FLOAT);
        for (float v : tensor.data) proto.add_float_data(v);
      }
      *graph.add_initializer() = proto;
    }
  }
  *graph.mutable_input() = kept;
  for (int i = 0; i < graph.output_size(); ++i) {
    onnx::TensorProto proto;
    if (!read_proto(folder / ("output_" + std::to_string(i) + ".pb"), proto)) {
      return make_error(ErrorCode::kUnsupported, "an output is not a tensor");
    }
    COCO_ASSIGN(Tensor tensor, to_tensor(proto, blind, steps));
    data.outputs.push_back(std::move(tensor));
  }
  return data;
}

Tensor make_tensor(DataType type, const Shape& shape) {
  Tensor tensor{shape, {}, type, {}};
  const auto count = static_cast<size_t>(shape.element_count().value_or(0));
  if (type == DataType::kU8) {
    tensor.steps.resize(count);
  } else {
    tensor.data.resize(count);
  }
  return tensor;
}

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.shape != expected.shape) {
    return "shape " + actual.shape.to_string() + ", expected " + expected.shape.to_string();
  }
  if (actual.type != expected.type) return "has another element type";
  if (expected.steps != actual.steps) return "has other integers";
  for (size_t i = 0; i < expected.data.size(); ++i) {
    const float a = actual.data[i], e = expected.data[i];
    const bool same = a == e || (std::isnan(a) && std::isnan(e)) || std::fabs(a - e) <= 1e-5f + 1e-3f * std::fabs(e);
    if (!same) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(e);
    }
  }
  return "";
}

}  // namespace coco::testing
