#include "compiler/onnx/node_context.h"

#include <algorithm>
#include <cstring>

#include "compiler/fold.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {
namespace {

/// Of one node's results, and of all that an import computes: beyond, nodes stay.
constexpr int64_t kMaxFoldedBytes = kMaxHostElements * 8, kMaxAllFoldedBytes = int64_t{1} << 26;

}  // namespace

const TrialShapes& ImportState::shapes_of(const graph::Value* value) {
  auto [it, added] = shapes.try_emplace(value);
  if (added && value->shape().is_static()) it->second.fill(value->shape());
  return it->second;
}

Status take_integers(const onnx::TensorProto& tensor, Imported& imported) {
  if (is_integer_type(tensor.data_type())) {
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

Result<int64_t> NodeContext::checked_axis(int64_t axis, size_t rank) const {
  const auto r = static_cast<int64_t>(rank);
  if (axis < -r || axis >= r) {
    return invalid("axis " + std::to_string(axis) + " of a tensor with " + std::to_string(r) + " dimensions");
  }
  return axis < 0 ? axis + r : axis;
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

namespace {

/// Bytes of numbers that are the same in every trial.
std::vector<uint8_t> bytes_of(const HostTensor& host) {
  const size_t bytes = byte_size(host.type);
  std::vector<uint8_t> data(host.size() * bytes);
  for (size_t i = 0; i < host.size(); ++i) {
    const double value = *host.constant(i);
    if (host.is_float()) {
      const auto number = static_cast<float>(value);
      std::memcpy(data.data() + i * bytes, &number, bytes);
    } else {
      const int64_t number = to_int(value);  // little-endian
      std::memcpy(data.data() + i * bytes, &number, bytes);
    }
  }
  return data;
}

double number_at(const graph::Value& constant, size_t i) {
  const auto read = [&](auto type) {
    std::memcpy(&type, constant.constant().bytes.data() + i * sizeof(type), sizeof(type));
    return static_cast<double>(type);
  };
  switch (constant.type()) {
    case DataType::kS8:
      return read(int8_t{});
    case DataType::kU8:
    case DataType::kBool:
      return read(uint8_t{});
    case DataType::kS32:
      return read(int32_t{});
    case DataType::kS64:
      return read(int64_t{});
    default:
      return read(0.0f);
  }
}

}  // namespace

Result<graph::Value*> NodeContext::materialise(const std::string& name) {
  auto it = state_.names.find(name);
  if (it == state_.names.end()) return invalid("reads '" + name + "', which nothing before it makes");
  Imported& input = it->second;
  if (input.value != nullptr) return input.value;
  if (input.steps != nullptr && !input.is_signed) return input.steps;
  if (input.steps != nullptr) return unsigned_to_signed(input);
  if (input.view) {
    return unsupported("reads '" + name +
                       "', a Reshape with several dynamic dimensions that is not part of a pixel shuffle; give the "
                       "model static input shapes");
  }
  if (input.integers != nullptr) {
    COCO_ASSIGN(IntegerTensor tensor, tensor_integers(*input.integers));
    input.value = state_.graph.add_constant(name, tensor.type, std::move(tensor.shape),
                                            format::ConstantData::copy_of(tensor.bytes));
    return input.value;
  }
  if (!input.host || !input.host->is_constant()) {
    return unsupported("reads '" + name +
                       "', numbers computed from dynamic dimensions; give the model static input "
                       "shapes");
  }
  input.value = state_.graph.add_constant(name, input.host->type, input.host->shape,
                                          format::ConstantData::copy_of(bytes_of(*input.host)));
  return input.value;
}

// Steps of s8 are carried as u8, 128 higher.
Result<graph::Value*> NodeContext::unsigned_to_signed(Imported& input) {
  const float one = 1;
  const int32_t offset = 128;
  COCO_ASSIGN(graph::Value * numbers, add(format::DequantizeParams{0},
                                          {input.steps, add_constant("scale", Shape{}, {&one, 1}),
                                           add_integers("zero_point", DataType::kS32, Shape{1},
                                                        {reinterpret_cast<const uint8_t*>(&offset), sizeof(offset)})}));
  COCO_ASSIGN(input.value, add(format::CastParams{DataType::kS8}, {numbers}));
  return input.value;
}

Result<graph::Value*> NodeContext::integers(size_t i, bool& is_signed) {
  is_signed = false;
  Imported* input = imported(i);
  if (input == nullptr) return nullptr;
  const bool numbers = input->host != nullptr && input->host->is_constant();
  if (input->steps == nullptr && input->value == nullptr && input->integers == nullptr && !numbers) return nullptr;
  if (input->steps == nullptr) {
    COCO_ASSIGN(graph::Value * value, materialise(node_.input(static_cast<int>(i))));
    const DataType type = value->type();
    if (type == DataType::kU8 || type == DataType::kS8 || type == DataType::kS32) input->steps = value;
  }
  is_signed = input->is_signed;
  return input->steps;
}

Result<graph::Value*> NodeContext::any(size_t i) {
  if (!has_input(i)) return invalid("lacks input " + std::to_string(i));
  return materialise(node_.input(static_cast<int>(i)));
}

Result<graph::Value*> NodeContext::tensor(size_t i) {
  COCO_ASSIGN(graph::Value * value, any(i));
  if (value->type() == DataType::kF32) return value;
  return unsupported("reads '" + value->name() + "' as " + std::string(to_string(value->type())) +
                     "; this operator is computed on floating-point tensors only");
}

Result<graph::Value*> NodeContext::converted(size_t i, DataType type) {
  COCO_ASSIGN(graph::Value * value, any(i));
  if (value->type() == type) return value;
  return add(format::CastParams{type}, {value});
}

std::shared_ptr<const HostTensor> NodeContext::numbers(size_t i) {
  const Imported* input = imported(i);
  if (input == nullptr) return nullptr;
  if (input->host) return input->host;
  const graph::Value* value = input->value;
  if (value == nullptr || !value->is_constant() || value->type() == DataType::kF16) return nullptr;
  const auto count = static_cast<size_t>(value->shape().element_count().value_or(kMaxHostElements + 1));
  if (count > static_cast<size_t>(kMaxHostElements)) return nullptr;
  std::vector<double> numbers(count);
  for (size_t k = 0; k < count; ++k) numbers[k] = number_at(*value, k);
  return std::make_shared<const HostTensor>(HostTensor::of(value->type(), value->shape(), std::move(numbers)));
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
  COCO_ASSIGN(const graph::Value* value, tensor(i));
  if (!value->is_constant()) return unsupported("input '" + std::string(role) + "' must be a constant");
  return value->floats();
}

Result<std::vector<graph::Value*>> NodeContext::add_all(format::OpParams params, std::vector<graph::Value*> inputs) {
  const std::string result_name = node_.output_size() > 0 ? node_.output(0) : "";
  const std::string name = node_.name().empty() ? result_name : node_.name();
  auto made = state_.graph.append(std::move(params), std::move(inputs), name, result_name);
  if (!made.ok()) {
    // Shape inference blames its caller; here the model is to blame.
    const bool argument = made.error().code == ErrorCode::kInvalidArgument;
    return make_error(argument ? ErrorCode::kInvalidData : made.error().code, where() + ": " + made.error().message);
  }
  graph::Node* node = *made;
  // What follows from constants may be needed as numbers by the next node; quantized weights are not.
  const int64_t most = std::min(kMaxFoldedBytes, kMaxAllFoldedBytes - state_.folded_bytes);
  const int64_t bytes = result_bytes(*node);
  if (node->kind() != format::OpKind::kDequantize && bytes <= most) {
    std::vector<graph::Value*> folded = fold_node(state_.graph, node, most);
    if (!folded.empty()) state_.folded_bytes += bytes;
    if (!folded.empty()) return folded;
  }
  for (size_t i = 0; i < node->outputs().size(); ++i) {
    if (!node->outputs()[i]->shape().is_static()) follow_shapes(node, i);
  }
  return node->outputs();
}

Result<graph::Value*> NodeContext::add(format::OpParams params, std::vector<graph::Value*> inputs) {
  COCO_ASSIGN(const auto results, add_all(std::move(params), std::move(inputs)));
  return results[0];
}

void NodeContext::follow_shapes(const graph::Node* node, size_t output) {
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
    if (inferred.ok()) trial[k] = (*inferred)[output];
  }
  state_.shapes[node->outputs()[output]] = std::move(trial);
}

graph::Value* NodeContext::add_number(const std::string& role, DataType type, double number) {
  return add_integers(role, type, Shape{}, bytes_of(HostTensor::of(type, Shape{}, {number})));
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
