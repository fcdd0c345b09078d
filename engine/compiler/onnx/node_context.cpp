#include "compiler/onnx/node_context.h"

#include <algorithm>

#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {

const TrialShapes& ImportState::shapes_of(const graph::Value* value) {
  auto [it, added] = shapes.try_emplace(value);
  if (added && value->shape().is_static()) it->second.fill(value->shape());
  return it->second;
}

Status take_integers(const onnx::TensorProto& tensor, Imported& imported) {
  if (is_step_type(tensor.data_type())) {
    imported.integers = &tensor;
    COCO_ASSIGN(const Shape shape, tensor_shape(tensor));
    if (shape.element_count().value_or(0) > kMaxHostElements) return {};
  }
  COCO_ASSIGN(HostTensor numbers, tensor_numbers(tensor));
  imported.host = std::make_shared<const HostTensor>(std::move(numbers));
  return {};
}

std::string NodeContext::where() const {
  std::string name = node_.name();
  if (name.empty() && node_.output_size() > 0) name = "making " + node_.output(0);
  return "node '" + name + "' (" + node_.op_type() + ", number " + std::to_string(index_) + ")";
}

Error NodeContext::unsupported(const std::string& what) const {
  return make_error(ErrorCode::kUnsupported, where() + ": " + what);
}
Error NodeContext::invalid(const std::string& what) const {
  return make_error(ErrorCode::kInvalidData, where() + ": " + what);
}

const onnx::AttributeProto* NodeContext::find(const char* name) const {
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t NodeContext::get_int(const char* name, int64_t fallback) const {
  const auto* attribute = find(name);
  return attribute != nullptr ? attribute->i() : fallback;
}
float NodeContext::get_float(const char* name, float fallback) const {
  const auto* attribute = find(name);
  return attribute != nullptr ? attribute->f() : fallback;
}
std::string NodeContext::get_string(const char* name, const char* fallback) const {
  const auto* attribute = find(name);
  return attribute != nullptr ? attribute->s() : fallback;
}
std::vector<int64_t> NodeContext::get_ints(const char* name) const {
  const auto* attribute = find(name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}
std::vector<float> NodeContext::get_floats(const char* name) const {
  const auto* attribute = find(name);
  if (attribute == nullptr) return {};
  return {attribute->floats().begin(), attribute->floats().end()};
}

Imported* NodeContext::imported(size_t i) const {
  if (!has_input(i)) return nullptr;
  auto it = state_.names.find(node_.input(static_cast<int>(i)));
  return it != state_.names.end() ? &it->second : nullptr;
}

const View* NodeContext::view(size_t i) const {
  const Imported* input = imported(i);
  return input != nullptr ? input->view.get() : nullptr;
}

Result<graph::Value*> NodeContext::materialise(const std::string& name) {
  auto it = state_.names.find(name);
  if (it == state_.names.end()) return invalid("reads '" + name + "', which nothing before it makes");
  Imported& input = it->second;
  if (input.value != nullptr) return input.value;
  if (input.view) {
    return unsupported("reads '" + name +
                       "', a Reshape with several dynamic dimensions that is not part of a pixel shuffle; give the "
                       "model static input shapes");
  }
  if (!input.host || !input.host->is_float) {
    return unsupported("reads '" + name + "' as integers; only floating-point tensors are computed at run time");
  }
  const HostTensor& host = *input.host;
  if (!host.is_constant()) {
    return unsupported("reads '" + name +
                       "', numbers computed from dynamic dimensions; give the model static input "
                       "shapes");
  }
  std::vector<float> data(host.size());
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(*host.constant(i));
  input.value = state_.graph.add_constant(name, host.shape, data);
  return input.value;
}

Result<graph::Value*> NodeContext::materialise_output(const std::string& name) {
  const auto it = state_.names.find(name);
  if (it == state_.names.end() || it->second.steps == nullptr) return materialise(name);
  if (it->second.steps->type() == DataType::kU8 && !it->second.is_signed) return it->second.steps;
  return unsupported("'" + name + "' holds integers that are not UINT8; end the model with DequantizeLinear");
}

Result<graph::Value*> NodeContext::integers(size_t i, bool& is_signed) {
  is_signed = false;
  Imported* input = imported(i);
  if (input == nullptr) return nullptr;
  if (input->steps == nullptr && input->integers != nullptr) {
    COCO_ASSIGN(IntegerTensor tensor, tensor_integers(*input->integers));
    input->steps = state_.graph.add_constant(node_.input(static_cast<int>(i)), tensor.type, std::move(tensor.shape),
                                             format::ConstantData::copy_of(tensor.bytes));
  }
  is_signed = input->is_signed;
  return input->steps;
}

Result<graph::Value*> NodeContext::tensor(size_t i) {
  if (!has_input(i)) return invalid("lacks input " + std::to_string(i));
  return materialise(node_.input(static_cast<int>(i)));
}

std::shared_ptr<const HostTensor> NodeContext::numbers(size_t i) {
  const Imported* input = imported(i);
  if (input == nullptr) return nullptr;
  if (input->host) return input->host;
  if (input->value == nullptr || !input->value->is_constant()) return nullptr;
  std::span<const float> data = input->value->floats();
  if (data.size() > static_cast<size_t>(kMaxHostElements)) return nullptr;
  return std::make_shared<const HostTensor>(
      HostTensor::of(true, input->value->shape(), std::vector<double>(data.begin(), data.end())));
}

Result<std::shared_ptr<const HostTensor>> NodeContext::required_numbers(size_t i, const char* role) {
  if (!has_input(i)) return invalid("lacks input '" + std::string(role) + "'");
  auto known = numbers(i);
  if (known) return known;
  return unsupported("input '" + std::string(role) + "' ('" + node_.input(static_cast<int>(i)) +
                     "') must be known when compiling, but it is computed at run time; export the model with constant "
                     "sizes, or simplify it first");
}

Result<std::vector<int64_t>> NodeContext::constant_ints(size_t i, const char* role) {
  COCO_ASSIGN(auto known, required_numbers(i, role));
  std::vector<int64_t> values(known->size());
  for (size_t k = 0; k < values.size(); ++k) {
    const auto value = known->constant(k);
    if (!value) {
      return unsupported("input '" + std::string(role) +
                         "' depends on dynamic dimensions; give the model static "
                         "input shapes");
    }
    values[k] = to_int(*value);
  }
  return values;
}

Result<std::vector<float>> NodeContext::constant_floats(size_t i, const char* role) {
  COCO_ASSIGN(auto known, required_numbers(i, role));
  std::vector<float> values(known->size());
  for (size_t k = 0; k < values.size(); ++k) {
    const auto value = known->constant(k);
    if (!value) {
      return unsupported("input '" + std::string(role) +
                         "' depends on dynamic dimensions; give the model static "
                         "input shapes");
    }
    values[k] = static_cast<float>(*value);
  }
  return values;
}

Result<std::span<const float>> NodeContext::constant_data(size_t i, const char* role) {
  COCO_ASSIGN(graph::Value * value, tensor(i));
  if (!value->is_constant()) return unsupported("input '" + std::string(role) + "' must be a constant");
  return value->floats();
}

Result<graph::Value*> NodeContext::add(format::OpParams params, std::vector<graph::Value*> inputs) {
  const std::string result_name = node_.output_size() > 0 ? node_.output(0) : "";
  const std::string name = node_.name().empty() ? result_name : node_.name();
  auto made = state_.graph.append(std::move(params), std::move(inputs), name, result_name);
  if (!made.ok()) {
    // Shape inference blames its caller; here the model is to blame.
    const bool argument = made.error().code == ErrorCode::kInvalidArgument;
    return make_error(argument ? ErrorCode::kInvalidData : made.error().code, where() + ": " + made.error().message);
  }
  graph::Node* node = *made;
  graph::Value* result = node->output();
  if (result->shape().is_static()) return result;
  TrialShapes trial;
  for (size_t k = 0; k < kTrials; ++k) {
    std::vector<std::optional<Shape>> shapes;
    bool known = true;
    for (const graph::Value* input : node->inputs()) {
      shapes.push_back(input != nullptr ? state_.shapes_of(input)[k] : std::nullopt);
      known = known && (input == nullptr || shapes.back().has_value());
    }
    if (!known) continue;
    auto inferred = format::infer_shapes(node->params(), shapes);
    if (inferred.ok()) trial[k] = (*inferred)[0];
  }
  state_.shapes[result] = std::move(trial);
  return result;
}

graph::Value* NodeContext::add_constant(const std::string& role, Shape shape, std::span<const float> data) {
  const std::string base = node_.name().empty() && node_.output_size() > 0 ? node_.output(0) : node_.name();
  return state_.graph.add_constant(base + "." + role, std::move(shape), data);
}

graph::Value* NodeContext::add_integers(const std::string& role, DataType type, Shape shape,
                                        std::span<const uint8_t> bytes) {
  const std::string base = node_.name().empty() && node_.output_size() > 0 ? node_.output(0) : node_.name();
  return state_.graph.add_constant(base + "." + role, type, std::move(shape), format::ConstantData::copy_of(bytes));
}

Status NodeContext::finish(format::OpParams params, std::vector<graph::Value*> inputs) {
  COCO_ASSIGN(graph::Value * result, add(std::move(params), std::move(inputs)));
  set_output(0, result);
  return {};
}

Status NodeContext::set_integers(size_t i, const onnx::TensorProto& tensor) {
  Imported imported;
  COCO_TRY(take_integers(tensor, imported));
  state_.number_elements += imported.host ? imported.host->size() : 0;
  set(i, std::move(imported));
  return {};
}

void NodeContext::set(size_t i, Imported imported) {
  if (i < output_count() && !node_.output(static_cast<int>(i)).empty()) {
    state_.names[node_.output(static_cast<int>(i))] = std::move(imported);
  }
}

}  // namespace coco::compiler
