#include "compiler/onnx_builder.h"

namespace coco::testing {

OnnxBuilder::OnnxBuilder(int opset) {
  model_.set_ir_version(7);
  model_.set_producer_name("cocopipe tests");
  auto* import = model_.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  graph().set_name("test");
}

OnnxBuilder& OnnxBuilder::input(const std::string& name, const std::vector<int64_t>& dims, int type) {
  auto* info = graph().add_input();
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  tensor->mutable_shape();
  for (size_t i = 0; i < dims.size(); ++i) {
    auto* dim = tensor->mutable_shape()->add_dim();
    if (dims[i] >= 0) {
      dim->set_dim_value(dims[i]);
    } else {
      dim->set_dim_param(name + "_" + std::to_string(i));
    }
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::output(const std::string& name) {
  auto* info = graph().add_output();
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(onnx::TensorProto::FLOAT);
  tensor->mutable_shape();
  return *this;
}

OnnxBuilder& OnnxBuilder::floats(const std::string& name, const std::vector<int64_t>& dims,
                                 const std::vector<float>& data) {
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  for (int64_t dim : dims) tensor->add_dims(dim);
  for (float value : data) tensor->add_float_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::weights(const std::string& name, const std::vector<int64_t>& dims) {
  size_t count = 1;
  for (int64_t dim : dims) count *= static_cast<size_t>(dim);
  std::vector<float> data(count);
  for (float& value : data) {
    seed_ = seed_ * 1664525u + 1013904223u;
    value = static_cast<float>(seed_ >> 8) / 16777216.0f - 0.5f;
  }
  return floats(name, dims, data);
}

OnnxBuilder& OnnxBuilder::ints(const std::string& name, const std::vector<int64_t>& data) {
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::INT64);
  tensor->add_dims(static_cast<int64_t>(data.size()));
  for (int64_t value : data) tensor->add_int64_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::scalar(const std::string& name, int64_t value) {
  auto* tensor = graph().add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::INT64);
  tensor->add_int64_data(value);
  return *this;
}

onnx::NodeProto& OnnxBuilder::node(const std::string& op, const std::vector<std::string>& inputs,
                                   const std::vector<std::string>& outputs) {
  auto* node = graph().add_node();
  node->set_op_type(op);
  node->set_name(op + "_" + std::to_string(graph().node_size()));
  for (const std::string& name : inputs) node->add_input(name);
  for (const std::string& name : outputs) node->add_output(name);
  return *node;
}

void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, float value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::FLOAT);
  attribute->set_f(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::STRING);
  attribute->set_s(value);
}
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
}

OnnxBuilder small_upscaler() {
  OnnxBuilder b;
  b.input("x", {1, 1, -1, -1}).output("y");
  b.weights("w1", {8, 1, 3, 3}).weights("b1", {8}).weights("s1", {8, 1, 1});
  b.weights("w2", {4, 8, 3, 3}).weights("b2", {4});
  b.floats("scales", {4}, {1, 1, 2, 2});
  set_attribute(b.node("Conv", {"x", "w1", "b1"}, {"c1"}), "pads", std::vector<int64_t>{1, 1, 1, 1});
  b.node("PRelu", {"c1", "s1"}, {"a1"});
  set_attribute(b.node("Conv", {"a1", "w2", "b2"}, {"c2"}), "pads", std::vector<int64_t>{1, 1, 1, 1});
  set_attribute(b.node("DepthToSpace", {"c2"}, {"d"}), "blocksize", int64_t{2});
  auto& resize = b.node("Resize", {"x", "", "scales"}, {"base"});
  set_attribute(resize, "mode", std::string("linear"));
  set_attribute(resize, "coordinate_transformation_mode", std::string("half_pixel"));
  b.node("Add", {"d", "base"}, {"y"});
  return b;
}

}  // namespace coco::testing
