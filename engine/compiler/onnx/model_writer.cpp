#include "compiler/onnx/model_writer.h"

#include <onnx/checker.h>

#include <algorithm>

namespace coco::compiler {
namespace {

constexpr int kOpset = 13, kIrVersion = 7;

onnx::AttributeProto* add_attribute(onnx::NodeProto* node, const char* name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

template <typename T>
std::span<const uint8_t> bytes_of(std::span<const T> data) {
  return {reinterpret_cast<const uint8_t*>(data.data()), data.size_bytes()};
}

}  // namespace

OnnxWriter::OnnxWriter(const std::string& producer, const std::string& graph_name) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name(producer);
  model_.add_opset_import()->set_version(kOpset);
  graph().set_name(graph_name);
}

std::string OnnxWriter::raw(const std::string& name, int onnx_type, const std::vector<int64_t>& shape,
                            std::span<const uint8_t> bytes) {
  onnx::TensorProto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx_type);
  for (int64_t dim : shape) tensor->add_dims(dim);
  tensor->set_raw_data(bytes.data(), bytes.size());
  return name;
}

std::string OnnxWriter::floats(const std::string& name, const std::vector<int64_t>& shape,
                               std::span<const float> data) {
  return raw(name, onnx::TensorProto::FLOAT, shape, bytes_of(data));
}

std::string OnnxWriter::ints(const std::string& name, std::span<const int64_t> data) {
  return raw(name, onnx::TensorProto::INT64, {static_cast<int64_t>(data.size())}, bytes_of(data));
}

onnx::NodeProto* OnnxWriter::node(const char* op, const std::vector<std::string>& inputs, const std::string& output,
                                  const std::string& name) {
  onnx::NodeProto* node = graph().add_node();
  node->set_op_type(op);
  const std::string& wanted = name.empty() ? output : name;
  std::string unique = wanted;
  for (size_t i = 1; !node_names_.insert(unique).second; ++i) unique = wanted + "." + std::to_string(i);
  node->set_name(unique);
  for (const std::string& name : inputs) node->add_input(name);
  node->add_output(output);
  return node;
}

void OnnxWriter::metadata(const std::string& key, const std::string& value) {
  auto* entry = model_.add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

Result<std::string> OnnxWriter::finish() {
  try {
    onnx::checker::check_model(model_);
  } catch (const std::exception& e) {
    std::string message = e.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return make_error(ErrorCode::kInternal, "the exported network fails the ONNX checker: " + message);
  }
  std::string bytes;
  if (!model_.SerializeToString(&bytes)) {
    return make_error(ErrorCode::kInternal, "cannot serialise the exported network");
  }
  return bytes;
}

void set_int(onnx::NodeProto* node, const char* name, int64_t value) {
  add_attribute(node, name, onnx::AttributeProto::INT)->set_i(value);
}

void set_ints(onnx::NodeProto* node, const char* name, std::span<const int64_t> values) {
  onnx::AttributeProto* attribute = add_attribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
}

void set_float(onnx::NodeProto* node, const char* name, float value) {
  add_attribute(node, name, onnx::AttributeProto::FLOAT)->set_f(value);
}

void set_text(onnx::NodeProto* node, const char* name, const std::string& value) {
  add_attribute(node, name, onnx::AttributeProto::STRING)->set_s(value);
}

void set_type(onnx::ValueInfoProto* value, const std::string& name, int onnx_type, std::span<const int64_t> shape,
              const std::vector<std::string>& names) {
  value->set_name(name);
  auto* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(onnx_type);
  auto* dims = tensor->mutable_shape();
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) {
      dims->add_dim()->set_dim_param(names[i]);
    } else {
      dims->add_dim()->set_dim_value(shape[i]);
    }
  }
}

}  // namespace coco::compiler
