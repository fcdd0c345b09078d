#include "tune/graph_plan.h"

#include <cstring>
#include <unordered_set>

namespace coco::tune {
namespace {

template <typename T>
torch::Tensor elements_of(const graph::Value& constant) {
  const auto bytes = constant.constant().bytes;
  torch::Tensor result = torch::empty(constant.shape().dims(), torch::kFloat32);
  auto* to = result.data_ptr<float>();
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    to[i] = static_cast<float>(value);
  }
  return result;
}

template <typename T>
format::ConstantData data_of(const torch::Tensor& tensor) {
  std::vector<T> values;
  const auto* from = tensor.data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i) values.push_back(static_cast<T>(from[i]));
  return format::ConstantData::copy_of({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(T)});
}

}  // namespace

Result<GraphPlan> GraphPlan::create(const graph::Graph& graph) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    return make_error(ErrorCode::kUnsupported,
                      "only networks of one input and one output can be trained; this one has " +
                          std::to_string(graph.inputs().size()) + " and " + std::to_string(graph.outputs().size()));
  }
  GraphPlan plan;
  plan.input_ = graph.inputs()[0];
  plan.output_ = graph.outputs()[0].value;
  for (const graph::Value* value : {plan.input_, plan.output_}) {
    if (value->type() != DataType::kF32 || value->shape().rank() != 4 || value->is_constant()) {
      return make_error(ErrorCode::kUnsupported, "'" + value->name() + "' is " + std::string(to_string(value->type())) +
                                                     " " + value->shape().to_string() +
                                                     "; networks that can be trained take and give f32 pictures");
    }
  }
  for (const graph::Node& node : graph.nodes()) plan.steps_.push_back({&node, {}});
  std::unordered_set<const graph::Value*> read{plan.output_};
  for (size_t i = plan.steps_.size(); i-- > 0;) {
    for (const graph::Value* value : plan.steps_[i].node->inputs()) {
      if (value != nullptr && !value->is_constant() && read.insert(value).second)
        plan.steps_[i].last_read.push_back(value);
    }
  }
  return plan;
}

torch::Tensor GraphPlan::run(const torch::Tensor& input, const Constant& constant, const Operator& op) const {
  std::unordered_map<const graph::Value*, torch::Tensor> values{{input_, input}};
  std::vector<torch::Tensor> in;
  for (const Step& step : steps_) {
    in.clear();
    for (const graph::Value* value : step.node->inputs()) {
      if (value == nullptr) {
        in.emplace_back();
      } else {
        in.push_back(value->is_constant() ? constant(*value) : values.at(value));
      }
    }
    values[step.node->output()] = op(*step.node, in);
    for (const graph::Value* value : step.last_read) values.erase(value);
  }
  return values.at(output_);
}

std::unordered_map<const graph::Node*, std::string> node_names(const graph::Graph& graph) {
  std::unordered_map<std::string, int> count;
  for (const graph::Node& node : graph.nodes()) ++count[node.name()];
  std::unordered_map<const graph::Node*, std::string> names;
  for (const graph::Node& node : graph.nodes()) {
    const bool own = !node.name().empty() && count.at(node.name()) == 1;
    names[&node] = own ? node.name() : node.output()->name();
  }
  return names;
}

torch::Tensor to_tensor(const graph::Value& constant) {
  switch (constant.type()) {
    case DataType::kF32:
      return elements_of<float>(constant);
    case DataType::kS8:
      return elements_of<int8_t>(constant);
    case DataType::kS32:
      return elements_of<int32_t>(constant);
    default:
      abort_with("no tensor of this type", __FILE__, __LINE__);
  }
}

format::ConstantData to_constant(const torch::Tensor& tensor, DataType type) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  switch (type) {
    case DataType::kF32:
      return data_of<float>(flat);
    case DataType::kS8:
      return data_of<int8_t>(flat);
    case DataType::kS32:
      return data_of<int32_t>(flat);
    default:
      abort_with("no constant of this type", __FILE__, __LINE__);
  }
}

Result<graph::Graph> copy_graph(const graph::Graph& graph,
                                const std::unordered_map<const graph::Value*, format::ConstantData>& constants) {
  graph::Graph copy;
  std::unordered_map<const graph::Value*, graph::Value*> values;
  for (const graph::Value& value : graph.values()) {
    if (!value.is_constant()) continue;
    const auto given = constants.find(&value);
    values[&value] = copy.add_constant(value.name(), value.type(), value.shape(),
                                       given != constants.end() ? given->second : value.constant());
  }
  for (const graph::Value* input : graph.inputs())
    values[input] = copy.add_input(input->name(), input->type(), input->shape());
  for (const graph::Node& node : graph.nodes()) {
    std::vector<graph::Value*> inputs;
    for (const graph::Value* input : node.inputs()) inputs.push_back(input != nullptr ? values.at(input) : nullptr);
    COCO_ASSIGN(graph::Node * made, copy.append(node.params(), std::move(inputs), node.name(), node.output()->name()));
    values[node.output()] = made->output();
  }
  for (const graph::Output& output : graph.outputs()) copy.add_output(output.name, values.at(output.value));
  return copy;
}

}  // namespace coco::tune
