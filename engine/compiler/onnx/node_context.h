// Purpose: what an operator's import function sees: one ONNX node, its attributes, its inputs as graph values or as
// numbers, and a way to add graph nodes.
#pragma once

#include <onnx/onnx_pb.h>

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/onnx/host_tensor.h"
#include "graph/graph.h"

namespace coco::compiler {

/// A reshaped (and perhaps transposed) tensor whose shape no Reshape parameters can express because several dimensions
/// are dynamic. Only a further Transpose or Reshape may read it; together they must spell a pixel shuffle.
struct View {
  graph::Value* base = nullptr;
  TrialShapes shape;          ///< before the transposition
  std::vector<int64_t> perm;  ///< empty: not transposed
};

/// What an ONNX name stands for while importing.
struct Imported {
  graph::Value* value = nullptr;
  std::shared_ptr<const HostTensor> host;
  std::shared_ptr<const View> view;
  /// An integer constant of any size, as the model stores it.
  const onnx::TensorProto* integers = nullptr;
  /// Steps of a quantized tensor: u8, or a u8, s8 or s32 constant.
  graph::Value* steps = nullptr;
  bool is_signed = false;  ///< `steps` stands for s8, with 128 added
};

/// State of one import.
struct ImportState {
  graph::Graph graph;
  int opset = 0;
  std::unordered_map<std::string, Imported> names;
  std::unordered_map<const graph::Value*, TrialShapes> shapes;
  size_t roots = 0;            ///< unknown dimensions met so far
  size_t number_elements = 0;  ///< of all numbers made so far
  size_t nodes = 0;            ///< imported so far, those of loops every time
  int64_t folded_bytes = 0;    ///< of all constants computed so far
  int depth = 0;               ///< of graphs inside graphs

  const TrialShapes& shapes_of(const graph::Value* value);
};

/// Fills `imported` from a tensor that holds no floating-point numbers.
Status take_integers(const onnx::TensorProto& tensor, Imported& imported);

class NodeContext {
 public:
  NodeContext(ImportState& state, const onnx::NodeProto& node, int index) : state_(state), node_(node), index_(index) {}

  int opset() const { return state_.opset; }
  const onnx::NodeProto& proto() const { return node_; }
  int index() const { return index_; }
  /// "node 'conv1' (Conv)"
  std::string where() const;
  /// kUnsupported: where, what, and what would help.
  Error unsupported(const std::string& what) const;
  Error invalid(const std::string& what) const;

  // Attributes; a missing one gives the default.
  bool has(const char* name) const { return find(name) != nullptr; }
  int64_t get_int(const char* name, int64_t fallback) const;
  float get_float(const char* name, float fallback) const;
  std::string get_string(const char* name, const char* fallback) const;
  std::vector<int64_t> get_ints(const char* name) const;
  std::vector<float> get_floats(const char* name) const;
  const onnx::AttributeProto* find(const char* name) const;

  /// 0 <= axis < rank from an axis that may count from the end.
  Result<int64_t> checked_axis(int64_t axis, size_t rank) const;

  // Inputs.
  size_t input_count() const { return static_cast<size_t>(node_.input_size()); }
  bool has_input(size_t i) const { return i < input_count() && !node_.input(static_cast<int>(i)).empty(); }
  /// As an f32 graph value; constant numbers become a constant.
  Result<graph::Value*> tensor(size_t i);
  /// As a graph value of the type it has.
  Result<graph::Value*> any(size_t i);
  /// As a graph value of this type, cast if need be.
  Result<graph::Value*> converted(size_t i, DataType type);
  /// As numbers, when they are known while importing; null otherwise.
  std::shared_ptr<const HostTensor> numbers(size_t i);
  /// As numbers that must be known; `role` names the input in the message.
  Result<std::shared_ptr<const HostTensor>> required_numbers(size_t i, const char* role);
  /// As numbers that do not depend on dynamic dimensions.
  Result<std::vector<int64_t>> constant_ints(size_t i, const char* role);
  Result<std::vector<float>> constant_floats(size_t i, const char* role);
  /// As f32 constant data of any size.
  Result<std::span<const float>> constant_data(size_t i, const char* role);
  const View* view(size_t i) const;
  /// As integers in the graph (u8, s8 or s32), where they are any; null otherwise. A u8 value stands for s8 with 128
  /// added where `is_signed` says so.
  Result<graph::Value*> integers(size_t i, bool& is_signed);
  const TrialShapes& shapes(const graph::Value* value) { return state_.shapes_of(value); }

  // Results.
  size_t output_count() const { return static_cast<size_t>(node_.output_size()); }
  /// The first result of a new graph node; a constant where all inputs are constants and the result is small.
  Result<graph::Value*> add(format::OpParams params, std::vector<graph::Value*> inputs);
  Result<std::vector<graph::Value*>> add_all(format::OpParams params, std::vector<graph::Value*> inputs);
  Result<graph::Value*> binary(format::BinaryKind kind, graph::Value* a, graph::Value* b) {
    return add(format::BinaryParams{kind}, {a, b});
  }
  /// A scalar constant of any type.
  graph::Value* add_number(const std::string& role, DataType type, double number);
  graph::Value* add_constant(const std::string& role, Shape shape, std::span<const float> data);
  graph::Value* add_integers(const std::string& role, DataType type, Shape shape, std::span<const uint8_t> bytes);
  void set_output(size_t i, graph::Value* value) { set(i, {value, nullptr, nullptr}); }
  void set_output(size_t i, HostTensor numbers) {
    state_.number_elements += numbers.size();
    set(i, {nullptr, std::make_shared<const HostTensor>(std::move(numbers)), nullptr});
  }
  void set_output(size_t i, View view) { set(i, {nullptr, nullptr, std::make_shared<const View>(std::move(view))}); }
  /// An integer constant: as numbers when small, and as DequantizeLinear reads it.
  Status set_integers(size_t i, const onnx::TensorProto& tensor);
  void set_steps(size_t i, graph::Value* value, bool is_signed) {
    set(i, {nullptr, nullptr, nullptr, nullptr, value, is_signed});
  }
  /// add() as the node's only result.
  Status finish(format::OpParams params, std::vector<graph::Value*> inputs);
  /// A graph value for a name, of the type it has; constant numbers become a constant.
  Result<graph::Value*> materialise(const std::string& name);
  ImportState& state() { return state_; }

 private:
  void set(size_t i, Imported imported);
  Imported* imported(size_t i) const;
  Result<graph::Value*> unsigned_to_signed(Imported& input);
  /// The shapes of a result in every trial.
  void follow_shapes(const graph::Node* node, size_t output);

  ImportState& state_;
  const onnx::NodeProto& node_;
  int index_;
};

}  // namespace coco::compiler
