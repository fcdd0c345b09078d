// Purpose: the compiler's graph in SSA form: values, nodes in execution order, use lists.
// A Graph owns its values and nodes; pointers stay valid until the value or node is erased, also when the graph moves.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "coco/status.h"
#include "coco/tensor.h"
#include "format/params.h"
#include "format/program.h"

namespace coco::graph {

class Graph;
class Node;

/// One reading of a value: input number `slot` of `node`.
struct Use {
  Node* node = nullptr;
  size_t slot = 0;
  bool operator==(const Use&) const = default;
};

/// A graph input, a constant or a node's result.
class Value {
 public:
  const std::string& name() const { return name_; }
  DataType type() const { return type_; }
  const Shape& shape() const { return shape_; }
  const format::ConstantData& constant() const { return constant_; }
  bool is_constant() const { return static_cast<bool>(constant_); }
  /// The constant's elements; the value must be an f32 constant.
  std::span<const float> floats() const;
  /// The node that makes it; null for inputs and constants.
  Node* producer() const { return producer_; }
  const std::vector<Use>& uses() const { return uses_; }

 private:
  friend class Graph;
  std::string name_;
  DataType type_ = DataType::kF32;
  Shape shape_;
  format::ConstantData constant_;
  Node* producer_ = nullptr;
  std::vector<Use> uses_;
  std::list<Value>::iterator self_;
};

/// One operator.
class Node {
 public:
  const std::string& name() const { return name_; }
  /// No other node of the graph has or had this number.
  uint64_t id() const { return id_; }
  const format::OpParams& params() const { return params_; }
  format::OpKind kind() const { return format::op_kind(params_); }
  /// The parameters when the node is of that operator, else null.
  template <typename P>
  const P* as() const {
    return std::get_if<P>(&params_);
  }
  const std::vector<Value*>& inputs() const { return inputs_; }
  /// Null when the optional input is absent.
  Value* input(size_t slot) const { return slot < inputs_.size() ? inputs_[slot] : nullptr; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  Value* output() const { return outputs_.front(); }

 private:
  friend class Graph;
  std::string name_;
  uint64_t id_ = 0;
  format::OpParams params_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  std::list<Node>::iterator self_;
};

struct Output {
  std::string name;
  Value* value = nullptr;
};

class Graph {
 public:
  Graph() = default;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;

  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::list<Value>& values() const { return values_; }
  const std::list<Node>& nodes() const { return nodes_; }
  /// Walks in execution order; null at the end. Take the next node before erasing the current one.
  Node* first() { return nodes_.empty() ? nullptr : &nodes_.front(); }
  Node* next(Node* node);

  // A taken name gets a number appended.
  Value* add_input(const std::string& name, DataType type, Shape shape);
  Value* add_constant(const std::string& name, DataType type, Shape shape, format::ConstantData data);
  Value* add_constant(const std::string& name, Shape shape, std::span<const float> data);
  void add_output(std::string name, Value* value) { outputs_.push_back({std::move(name), value}); }

  /// Adds a node before `position` (null: at the end). Result shapes are inferred; the error names the node.
  /// Trailing absent inputs may be left out. `result_name` names the first result; empty: the node's name.
  Result<Node*> insert(Node* position, format::OpParams params, std::vector<Value*> inputs, const std::string& name,
                       const std::string& result_name = "");
  Result<Node*> append(format::OpParams params, std::vector<Value*> inputs, const std::string& name,
                       const std::string& result_name = "") {
    return insert(nullptr, std::move(params), std::move(inputs), name, result_name);
  }

  /// Gives a node other parameters and inputs; its result shapes are inferred again.
  Status rewrite(Node* node, format::OpParams params, std::vector<Value*> inputs);
  /// False where the name is taken.
  bool rename(Value* value, const std::string& name);
  /// Every reader of `from`, the graph's outputs included, reads `to` instead.
  void replace_all_uses(Value* from, Value* to);
  /// Removes a node and its results, which nothing may read any more.
  void erase(Node* node);
  /// Removes the constants that nothing reads.
  void erase_unused_constants();
  /// Readers of a value, the graph's outputs included.
  size_t use_count(const Value* value) const;

 private:
  Value* new_value(const std::string& name, DataType type, Shape shape);
  void link(Node* node);
  void unlink(Node* node);
  void erase_value(Value* value);

  std::list<Value> values_;
  std::list<Node> nodes_;
  std::vector<Value*> inputs_;
  std::vector<Output> outputs_;
  std::unordered_set<std::string> names_;
  uint64_t next_id_ = 0;
};

/// Use lists and pointers agree, every value is defined once and before it is read (so there is no cycle), shapes and
/// types agree with inference, constants hold as many bytes as their shape says. kInternal names what is wrong.
Status verify(const Graph& graph);

}  // namespace coco::graph
