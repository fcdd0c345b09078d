// Purpose: makes small ONNX models for tests.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace coco::testing {

class OnnxBuilder {
 public:
  explicit OnnxBuilder(int opset = 17);

  /// A dimension of -1 is dynamic and named by its position.
  OnnxBuilder& input(const std::string& name, const std::vector<int64_t>& dims, int type = onnx::TensorProto::FLOAT);
  OnnxBuilder& output(const std::string& name);
  OnnxBuilder& floats(const std::string& name, const std::vector<int64_t>& dims, const std::vector<float>& data);
  /// Elements from a fixed sequence in -0.5..0.5.
  OnnxBuilder& weights(const std::string& name, const std::vector<int64_t>& dims);
  OnnxBuilder& ints(const std::string& name, const std::vector<int64_t>& data);
  OnnxBuilder& scalar(const std::string& name, int64_t value);
  /// Attributes are added to the returned node.
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs);

  onnx::ModelProto& model() { return model_; }
  std::string bytes() const { return model_.SerializeAsString(); }

 private:
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  onnx::ModelProto model_;
  uint32_t seed_ = 1;
};

void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value);
void set_attribute(onnx::NodeProto& node, const std::string& name, float value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);

inline std::span<const uint8_t> as_bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// Conv, PRelu, Conv, DepthToSpace plus Resize of the input, added: the shape of a small super-resolution network.
/// One-channel input "x" of dynamic height and width, output "y" of twice the size.
OnnxBuilder small_upscaler();

}  // namespace coco::testing
