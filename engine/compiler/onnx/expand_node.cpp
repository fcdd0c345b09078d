#include "compiler/onnx/expand_node.h"

namespace coco::compiler {

std::string NodeExpansion::full_name(const std::string& name) const {
  const onnx::NodeProto& proto = node_.proto();
  if (name.starts_with('#')) {
    const auto i = static_cast<size_t>(std::stoul(name.substr(1)));
    return node_.has_input(i) ? proto.input(static_cast<int>(i)) : "";
  }
  if (name.starts_with('=')) return proto.output(std::stoi(name.substr(1)));
  return proto.output(0) + "\n" + name;  // no exporter's name
}

void NodeExpansion::define(const std::string& name, graph::Value* value) {
  Imported imported;
  imported.value = value;
  node_.state().names[full_name(name)] = std::move(imported);
}

Status NodeExpansion::add(const std::string& op, const std::vector<std::string>& inputs,
                          const std::vector<std::string>& outputs, bool attributes,
                          const std::vector<std::pair<std::string, int64_t>>& integers) {
  onnx::NodeProto proto;
  proto.set_op_type(op);
  proto.set_name(node_.proto().name());
  for (const std::string& input : inputs) proto.add_input(full_name(input));
  for (const std::string& output : outputs) proto.add_output(full_name(output));
  if (attributes) *proto.mutable_attribute() = node_.proto().attribute();
  for (const auto& [name, value] : integers) {
    onnx::AttributeProto& attribute = *proto.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  return import_one(node_.state(), proto, node_.index());
}

Result<graph::Value*> NodeExpansion::value(const std::string& name) { return node_.materialise(full_name(name)); }

}  // namespace coco::compiler
