#include "graph/graph.h"

#include <algorithm>

namespace coco::graph {
namespace {

struct Inferred {
  std::vector<DataType> types;
  std::vector<Shape> shapes;
};

Result<Inferred> infer(const format::OpParams& params, const std::vector<Value*>& inputs, const std::string& name) {
  std::vector<std::optional<Shape>> shapes;
  std::vector<std::optional<DataType>> types;
  for (const Value* input : inputs) {
    shapes.push_back(input != nullptr ? std::optional<Shape>(input->shape()) : std::nullopt);
    types.push_back(input != nullptr ? std::optional<DataType>(input->type()) : std::nullopt);
  }
  auto made = format::infer_types(params, types);
  if (!made.ok()) return make_error(ErrorCode::kUnsupported, "node '" + name + "': " + made.error().message);
  auto result = format::infer_shapes(params, shapes);
  if (!result.ok()) return make_error(result.error().code, "node '" + name + "': " + result.error().message);
  return Inferred{std::move(made).value(), std::move(result).value()};
}

}  // namespace

std::span<const float> Value::floats() const {
  COCO_CHECK(type_ == DataType::kF32 && is_constant(), "floats() of a value that is not an f32 constant");
  return {reinterpret_cast<const float*>(constant_.bytes.data()), constant_.bytes.size() / sizeof(float)};
}

Node* Graph::next(Node* node) {
  auto it = std::next(node->self_);
  return it == nodes_.end() ? nullptr : &*it;
}

Value* Graph::new_value(const std::string& name, DataType type, Shape shape) {
  std::string unique = name.empty() ? "v" : name;
  for (size_t i = names_.size(); !names_.insert(unique).second; ++i) unique = name + "." + std::to_string(i);
  values_.emplace_back();
  Value& value = values_.back();
  value.name_ = std::move(unique);
  value.type_ = type;
  value.shape_ = std::move(shape);
  value.self_ = std::prev(values_.end());
  return &value;
}

Value* Graph::add_input(const std::string& name, DataType type, Shape shape) {
  inputs_.push_back(new_value(name, type, std::move(shape)));
  return inputs_.back();
}

Value* Graph::add_constant(const std::string& name, DataType type, Shape shape, format::ConstantData data) {
  Value* value = new_value(name, type, std::move(shape));
  value->constant_ = std::move(data);
  return value;
}

Value* Graph::add_constant(const std::string& name, Shape shape, std::span<const float> data) {
  std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(data.data()), data.size_bytes());
  return add_constant(name, DataType::kF32, std::move(shape), format::ConstantData::copy_of(bytes));
}

Result<Node*> Graph::insert(Node* position, format::OpParams params, std::vector<Value*> inputs,
                            const std::string& name, const std::string& result_name) {
  COCO_ASSIGN(Inferred inferred, infer(params, inputs, name));
  auto it = nodes_.emplace(position != nullptr ? position->self_ : nodes_.end());
  it->self_ = it;
  it->id_ = next_id_++;
  it->name_ = name;
  it->params_ = std::move(params);
  it->inputs_ = std::move(inputs);
  for (size_t i = 0; i < inferred.shapes.size(); ++i) {
    Value* result =
        new_value(result_name.empty() ? name : result_name, inferred.types[i], std::move(inferred.shapes[i]));
    result->producer_ = &*it;
    it->outputs_.push_back(result);
  }
  link(&*it);
  return &*it;
}

Status Graph::rewrite(Node* node, format::OpParams params, std::vector<Value*> inputs) {
  COCO_ASSIGN(Inferred inferred, infer(params, inputs, node->name_));
  COCO_CHECK(inferred.shapes.size() == node->outputs_.size(), "rewrite must keep the number of results");
  unlink(node);
  node->params_ = std::move(params);
  node->inputs_ = std::move(inputs);
  for (size_t i = 0; i < inferred.shapes.size(); ++i) {
    node->outputs_[i]->shape_ = std::move(inferred.shapes[i]);
    node->outputs_[i]->type_ = inferred.types[i];
  }
  link(node);
  return {};
}

bool Graph::rename(Value* value, const std::string& name) {
  if (value->name_ == name) return true;
  if (!names_.insert(name).second) return false;
  names_.erase(value->name_);
  value->name_ = name;
  return true;
}

void Graph::link(Node* node) {
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i] != nullptr) node->inputs_[i]->uses_.push_back({node, i});
  }
}

void Graph::unlink(Node* node) {
  for (size_t i = 0; i < node->inputs_.size(); ++i) {
    if (node->inputs_[i] != nullptr) std::erase(node->inputs_[i]->uses_, Use{node, i});
  }
}

void Graph::replace_all_uses(Value* from, Value* to) {
  if (from == to) return;
  for (const Use& use : from->uses_) {
    use.node->inputs_[use.slot] = to;
    to->uses_.push_back(use);
  }
  from->uses_.clear();
  for (Output& output : outputs_) {
    if (output.value == from) output.value = to;
  }
}

void Graph::erase_value(Value* value) {
  COCO_CHECK(use_count(value) == 0, "an erased value must not be read");
  names_.erase(value->name_);
  values_.erase(value->self_);
}

void Graph::erase(Node* node) {
  unlink(node);
  for (Value* output : node->outputs_) erase_value(output);
  nodes_.erase(node->self_);
}

void Graph::erase_unused_constants() {
  std::unordered_set<const Value*> read;
  for (const Output& output : outputs_) read.insert(output.value);
  for (auto it = values_.begin(); it != values_.end();) {
    Value* value = &*it++;
    if (value->is_constant() && value->uses_.empty() && !read.contains(value)) erase_value(value);
  }
}

size_t Graph::use_count(const Value* value) const {
  auto is_value = [value](const Output& output) { return output.value == value; };
  return value->uses_.size() + static_cast<size_t>(std::count_if(outputs_.begin(), outputs_.end(), is_value));
}

}  // namespace coco::graph
