// Purpose: writes one ONNX node as several others, which are imported in its place.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "compiler/onnx/node_context.h"

namespace coco::compiler {

/// Imports one node, as the model's own are.
Status import_one(ImportState& state, const onnx::NodeProto& proto, int index);

/// Inside an expansion "#2" names the node's input 2, "=0" its output 0, and other names are the expansion's own.
class NodeExpansion {
 public:
  explicit NodeExpansion(NodeContext& node) : node_(node) {}

  /// Names a value.
  void define(const std::string& name, graph::Value* value);
  /// Adds a node; `attributes`: the original's attributes are taken over. An input the original lacks is left off.
  Status add(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
             bool attributes = false, const std::vector<std::pair<std::string, int64_t>>& integers = {});
  /// A result.
  Result<graph::Value*> value(const std::string& name);

 private:
  std::string full_name(const std::string& name) const;

  NodeContext& node_;
};

}  // namespace coco::compiler
