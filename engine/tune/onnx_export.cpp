#include "tune/onnx_export.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <cstring>

namespace coco::tune {
namespace {

constexpr int kOpset = 13;
constexpr int kIrVersion = 7;

void add_floats(onnx::GraphProto& graph, const std::string& name, const std::vector<int64_t>& shape,
                const std::vector<float>& values) {
  onnx::TensorProto* t = graph.add_initializer();
  t->set_name(name);
  t->set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t d : shape) t->add_dims(d);
  t->set_raw_data(values.data(), values.size() * sizeof(float));
}

onnx::NodeProto* add_node(onnx::GraphProto& graph, const char* op, const std::vector<std::string>& inputs,
                          const std::string& output) {
  onnx::NodeProto* node = graph.add_node();
  node->set_op_type(op);
  node->set_name(output);
  for (const std::string& name : inputs) node->add_input(name);
  node->add_output(output);
  return node;
}

void set_ints(onnx::NodeProto* node, const char* name, const std::vector<int64_t>& values) {
  onnx::AttributeProto* a = node->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INTS);
  for (const int64_t v : values) a->add_ints(v);
}

void set_int(onnx::NodeProto* node, const char* name, int64_t value) {
  onnx::AttributeProto* a = node->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::INT);
  a->set_i(value);
}

void set_text(onnx::NodeProto* node, const char* name, const char* value) {
  onnx::AttributeProto* a = node->add_attribute();
  a->set_name(name);
  a->set_type(onnx::AttributeProto::STRING);
  a->set_s(value);
}

/// [1, 1, height, width] with named, open sizes.
void set_plane_type(onnx::ValueInfoProto* value, const char* name, const char* height, const char* width) {
  value->set_name(name);
  auto* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(onnx::TensorProto::FLOAT);
  auto* shape = tensor->mutable_shape();
  shape->add_dim()->set_dim_value(1);
  shape->add_dim()->set_dim_value(1);
  shape->add_dim()->set_dim_param(height);
  shape->add_dim()->set_dim_param(width);
}

/// Conv and PRelu of one layer; returns the name of the result.
std::string add_layer(onnx::GraphProto& graph, const PlainLayer& layer, size_t index, const std::string& input) {
  const std::string name = "conv" + std::to_string(index);
  add_floats(graph, name + ".weight", {layer.spec.out, layer.spec.in, 3, 3}, layer.weight);
  add_floats(graph, name + ".bias", {layer.spec.out}, layer.bias);
  onnx::NodeProto* conv = add_node(graph, "Conv", {input, name + ".weight", name + ".bias"}, name);
  set_ints(conv, "kernel_shape", {3, 3});
  set_ints(conv, "pads", {1, 1, 1, 1});
  set_ints(conv, "strides", {1, 1});
  if (layer.slope.empty()) return name;
  const std::string act = "prelu" + std::to_string(index);
  add_floats(graph, act + ".slope", {layer.spec.out, 1, 1}, layer.slope);
  add_node(graph, "PRelu", {name, act + ".slope"}, act);
  return act;
}

void fill_graph(onnx::GraphProto& graph, const PlainNet& net) {
  const Architecture& a = net.architecture;
  graph.set_name(a.name);
  set_plane_type(graph.add_input(), "luma", "height", "width");
  std::string last = "luma";
  for (size_t i = 0; i < net.layers.size(); ++i) last = add_layer(graph, net.layers[i], i, last);
  onnx::NodeProto* shuffle = add_node(graph, "DepthToSpace", {last}, "detail");
  set_int(shuffle, "blocksize", a.scale);
  set_text(shuffle, "mode", "DCR");
  const auto scale = static_cast<float>(a.scale);
  add_floats(graph, "scales", {4}, {1.f, 1.f, scale, scale});
  onnx::NodeProto* resize = add_node(graph, "Resize", {"luma", "", "scales"}, "base");
  set_text(resize, "coordinate_transformation_mode", "half_pixel");
  set_text(resize, "mode", "linear");
  add_node(graph, "Add", {"detail", "base"}, "upscaled");
  const std::string factor = std::to_string(a.scale);
  set_plane_type(graph.add_output(), "upscaled", (factor + "*height").c_str(), (factor + "*width").c_str());
}

}  // namespace

Result<std::string> to_onnx(const PlainNet& net) {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("cocopipe-tune");
  model.add_opset_import()->set_version(kOpset);
  fill_graph(*model.mutable_graph(), net);
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("the exported network fails the ONNX checker: ") + e.what());
  }
  std::string bytes;
  if (!model.SerializeToString(&bytes)) {
    return make_error(ErrorCode::kInternal, "cannot serialise the exported network");
  }
  return bytes;
}

}  // namespace coco::tune
