// Purpose: the state of one export: names, what is written already, and one `write` for each operator.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "compiler/onnx/model_writer.h"
#include "format/program.h"

namespace coco::compiler {

/// What Conv and ConvTranspose share.
template <typename Params>
void set_window(onnx::NodeProto* node, const Params& params) {
  set_ints(node, "kernel_shape", params.kernel);
  set_ints(node, "pads", params.pads);
  set_ints(node, "strides", params.stride);
  set_ints(node, "dilations", params.dilation);
  set_int(node, "group", params.group);
}

/// UNDEFINED for a type that ONNX models do not carry here.
int onnx_type(DataType type);

class ProgramExporter {
 public:
  explicit ProgramExporter(const format::Program& program);
  Result<std::string> run();

 private:
  using Operator = format::Operator;

  void name_values();
  std::string unique(const std::string& wanted);
  Status declare(onnx::ValueInfoProto* info, int32_t number);
  void describe(const ModelCard& card);
  Error unsupported(const Operator& op, const std::string& what) const;

  const format::Value& value(int32_t number) const { return program_.values[static_cast<size_t>(number)]; }
  const std::string& result(const Operator& op) const { return names_[static_cast<size_t>(op.outputs[0])]; }
  /// Name of a value as an input; constants are written when first read. "" for an absent one.
  Result<std::string> operand(const Operator& op, size_t slot);
  Result<std::vector<std::string>> operands(const Operator& op);
  /// Of a constant; none where the value is computed.
  template <typename T>
  std::vector<T> elements(int32_t number) const {
    const auto bytes = value(number).constant.bytes;
    std::vector<T> result(bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), bytes.data(), bytes.size());
    return result;
  }
  void write_unary(const format::UnaryParams& params, const std::string& in, const std::string& out);

  // export_ops.cpp
  Status write(const Operator& op, const format::Conv2dParams& params);
  Status write(const Operator& op, const format::ConvTranspose2dParams& params);
  Status write(const Operator& op, const format::UnaryParams& params);
  Status write(const Operator& op, const format::PreluParams& params);
  Status write(const Operator& op, const format::BinaryParams& params);
  Status write(const Operator& op, const format::ConcatParams& params);
  Status write(const Operator& op, const format::SliceParams& params);
  Status write(const Operator& op, const format::PadParams& params);
  Status write(const Operator& op, const format::ResizeParams& params);
  Status write(const Operator& op, const format::DepthToSpaceParams& params);
  Status write(const Operator& op, const format::SpaceToDepthParams& params);
  Status write(const Operator& op, const format::TransposeParams& params);
  Status write(const Operator& op, const format::ReshapeParams& params);
  // export_integers.cpp
  Status write(const Operator& op, const format::QuantizeParams& params);
  Status write(const Operator& op, const format::QuantConv2dParams& params);
  Status write(const Operator& op, const format::DequantizeParams& params);
  // export_steps.cpp
  Status write(const Operator& op, const format::LookupParams& params);
  Status write(const Operator& op, const format::QuantBinaryParams& params);
  Status write_steps(const Operator& op, const format::Pool2dParams& params);  ///< averages of u8
  Status write_steps(const Operator& op, const format::ResizeParams& params);  ///< linear, of u8
  std::string dequantize_linear(const std::string& in, float step, int64_t zero_point, const std::string& out);
  // export_tensor.cpp
  Status write(const Operator& op, const format::MatMulParams& params);
  Status write(const Operator& op, const format::ReduceParams& params);
  Status write(const Operator& op, const format::ArgReduceParams& params);
  Status write(const Operator& op, const format::TopKParams& params);
  Status write(const Operator& op, const format::SoftmaxParams& params);
  Status write(const Operator& op, const format::Pool2dParams& params);
  Status write(const Operator& op, const format::LayerNormParams& params);
  Status write(const Operator& op, const format::GroupNormParams& params);
  Status write(const Operator& op, const format::GatherParams& params);
  Status write(const Operator& op, const format::GatherElementsParams& params);
  Status write(const Operator& op, const format::ScatterNdParams& params);
  Status write(const Operator& op, const format::ExpandParams& params);
  Status write(const Operator& op, const format::TileParams& params);
  Status write(const Operator& op, const format::WhereParams& params);
  Status write(const Operator& op, const format::CastParams& params);
  Status write(const Operator& op, const format::NonMaxSuppressionParams& params);
  Status write(const Operator& op, const format::GridSampleParams& params);
  Status write(const Operator& op, const format::LstmParams& params);
  Status write(const Operator& op, const format::GruParams& params);
  /// A node with all inputs and results of the operator.
  Result<onnx::NodeProto*> whole_node(const char* name, const Operator& op);
  /// The u8 input of a convolution, dequantized; readers with the same zero point share it.
  std::string dequantized(int32_t number, int64_t zero_point);
  float step_of(int32_t number) const;
  void quantize_linear(const std::string& in, float step, int64_t zero_point, const std::string& out);
  Status write_activation(const Operator& op, std::string& last, const std::string& out);

  const format::Program& program_;
  OnnxWriter writer_;
  std::vector<std::string> names_;  ///< by value number
  std::unordered_set<std::string> taken_;
  std::vector<bool> written_;  ///< constants
  std::map<std::pair<int32_t, int64_t>, std::string> dequantized_;
  std::map<int32_t, float> steps_;  ///< what one step of a u8 value stands for
};

}  // namespace coco::compiler
