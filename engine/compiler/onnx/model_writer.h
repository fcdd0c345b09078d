// Purpose: puts an ONNX model together: nodes, attributes, initialisers. Shared by everything that writes ONNX.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "coco/status.h"

namespace coco::compiler {

class OnnxWriter {
 public:
  /// Opset 13: the first with scales per channel.
  OnnxWriter(const std::string& producer, const std::string& graph_name);

  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  // Initialisers; each gives its name.
  std::string floats(const std::string& name, const std::vector<int64_t>& shape, std::span<const float> data);
  std::string ints(const std::string& name, std::span<const int64_t> data);
  std::string raw(const std::string& name, int onnx_type, const std::vector<int64_t>& shape,
                  std::span<const uint8_t> bytes);
  std::string scalar(const std::string& name, float value) { return floats(name, {}, {&value, 1}); }

  /// A node with one result; its name is the result's unless it is given, with a number where it is taken. "" is an
  /// absent input.
  onnx::NodeProto* node(const char* op, const std::vector<std::string>& inputs, const std::string& output,
                        const std::string& name = "");

  void metadata(const std::string& key, const std::string& value);

  /// The serialised model, passed by the ONNX checker.
  Result<std::string> finish();

 private:
  onnx::ModelProto model_;
  std::unordered_set<std::string> node_names_;
};

void set_int(onnx::NodeProto* node, const char* name, int64_t value);
void set_ints(onnx::NodeProto* node, const char* name, std::span<const int64_t> values);
void set_float(onnx::NodeProto* node, const char* name, float value);
void set_text(onnx::NodeProto* node, const char* name, const std::string& value);
/// A tensor's element type and shape; a dimension below 0 is open and named by its place in `names`.
void set_type(onnx::ValueInfoProto* value, const std::string& name, int onnx_type, std::span<const int64_t> shape,
              const std::vector<std::string>& names);

}  // namespace coco::compiler
