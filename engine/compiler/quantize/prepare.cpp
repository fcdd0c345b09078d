#include "compiler/quantize/prepare.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/qconv/qconv_row.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

class Preparer {
 public:
  explicit Preparer(const graph::Graph& graph) : graph_(graph) {}

  Result<graph::Graph> run() {
    for (const Value& value : graph_.values()) {
      if (value.is_constant())
        values_[&value] = result_.add_constant(value.name(), value.type(), value.shape(), value.constant());
    }
    for (const Value* input : graph_.inputs())
      values_[input] = result_.add_input(input->name(), input->type(), input->shape());
    for (const Node& node : graph_.nodes()) {
      COCO_ASSIGN(const bool done, replace(node));
      if (!done) COCO_TRY(copy(node));
    }
    for (const graph::Output& output : graph_.outputs()) result_.add_output(output.name, values_.at(output.value));
    result_.erase_unused_constants();
    return std::move(result_);
  }

 private:
  std::vector<Value*> inputs_of(const Node& node) const {
    std::vector<Value*> inputs;
    for (const Value* input : node.inputs()) inputs.push_back(input != nullptr ? values_.at(input) : nullptr);
    return inputs;
  }

  Status copy(const Node& node) {
    COCO_ASSIGN(Node * made, result_.append(node.params(), inputs_of(node), node.name(), node.output()->name()));
    for (size_t i = 0; i < node.outputs().size(); ++i) values_[node.outputs()[i]] = made->outputs()[i];
    return {};
  }

  Result<bool> replace(const Node& node) {
    if (node.as<format::Conv2dParams>() != nullptr) return separate(node);
    if (const auto* reduce = node.as<format::ReduceParams>()) return mean(node, *reduce);
    if (const auto* product = node.as<format::MatMulParams>()) return matrix(node, *product);
    return false;
  }

  Result<bool> separate(const Node& node) {
    if (!needs_f32_activation(node)) return false;
    format::Conv2dParams conv = *node.as<format::Conv2dParams>();
    const format::UnaryParams activation{conv.activation, conv.act_a, conv.act_b};
    conv.activation = format::UnaryKind::kIdentity, conv.act_a = conv.act_b = 0;
    const std::string& name = node.output()->name();
    COCO_ASSIGN(const Node* sums, result_.append(conv, inputs_of(node), node.name(), name + ".sums"));
    return finish(node, activation, {sums->output()}, node.name() + ".activation");
  }

  /// Mean of rows and columns.
  Result<bool> mean(const Node& node, const format::ReduceParams& p) {
    std::vector<int64_t> axes = p.axes;
    std::sort(axes.begin(), axes.end());
    const Shape& x = node.input(0)->shape();
    if (p.kind != format::ReduceKind::kMean || axes != std::vector<int64_t>{2, 3} || x.rank() != 4 ||
        node.input(0)->type() != DataType::kF32)
      return false;
    if (x[1] < 1 || x[2] < 1 || x[3] < 1 || x[2] > kernels::kMaxQuantKernelRows) return false;
    const std::vector<float> weights(static_cast<size_t>(x[1] * x[2] * x[3]), 1.0f / static_cast<float>(x[2] * x[3]));
    format::Conv2dParams conv;
    conv.kernel = {x[2], x[3]};
    conv.group = x[1];
    Value* weight = result_.add_constant(node.name() + ".ones", Shape{x[1], 1, x[2], x[3]}, weights);
    const std::vector<Value*> inputs{values_.at(node.input(0)), weight};
    if (p.keep_dims) return finish(node, conv, inputs, node.name());
    COCO_ASSIGN(const Node* made, result_.append(conv, inputs, node.name(), node.output()->name() + ".pixel"));
    return finish(node, format::ReshapeParams{{0, x[1]}}, {made->output()}, node.name() + ".flat");
  }

  /// [N,K] times a constant [K,M].
  Result<bool> matrix(const Node& node, const format::MatMulParams& p) {
    const Value *x = node.input(0), *matrix = node.input(1), *bias = node.input(2);
    const bool fits = x->shape().rank() == 2 && x->type() == DataType::kF32 && !x->is_constant() &&
                      matrix->is_constant() && matrix->shape().rank() == 2 && !p.transpose_a &&
                      (bias == nullptr || bias->is_constant());
    if (!fits) return false;
    const int64_t inputs = matrix->shape()[p.transpose_b ? 1 : 0], results = matrix->shape()[p.transpose_b ? 0 : 1];
    if (inputs < 1 || results < 1) return false;
    std::vector<float> weights(matrix->floats().begin(), matrix->floats().end());
    for (int64_t k = 0; !p.transpose_b && k < inputs; ++k) {
      for (int64_t m = 0; m < results; ++m)
        weights[static_cast<size_t>(m * inputs + k)] = matrix->floats()[static_cast<size_t>(k * results + m)];
    }
    const std::string& name = node.output()->name();
    COCO_ASSIGN(const Node* pixel,
                result_.append(format::ReshapeParams{{0, inputs, 1, 1}}, {values_.at(x)}, node.name() + ".pixel"));
    Value* weight = result_.add_constant(node.name() + ".weight", Shape{results, inputs, 1, 1}, weights);
    std::vector<Value*> operands{pixel->output(), weight};
    if (bias != nullptr) operands.push_back(values_.at(bias));
    COCO_ASSIGN(const Node* conv, result_.append(format::Conv2dParams{}, operands, node.name(), name + ".pixel"));
    return finish(node, format::ReshapeParams{{0, results}}, {conv->output()}, node.name() + ".flat");
  }

  /// The last of the nodes that stand for `node`.
  Result<bool> finish(const Node& node, format::OpParams params, std::vector<Value*> inputs, const std::string& name) {
    COCO_ASSIGN(const Node* made, result_.append(std::move(params), std::move(inputs), name, node.output()->name()));
    values_[node.output()] = made->output();
    return true;
  }

  const graph::Graph& graph_;
  graph::Graph result_;
  std::unordered_map<const Value*, Value*> values_;
};

}  // namespace

bool needs_f32_activation(const Node& node) {
  const auto kind = node.as<format::Conv2dParams>()->activation;
  return node.input(3) == nullptr && kind != format::UnaryKind::kIdentity && kind != format::UnaryKind::kRelu &&
         kind != format::UnaryKind::kLeakyRelu && kind != format::UnaryKind::kClip;
}

Result<graph::Graph> prepare_for_integers(const graph::Graph& graph) { return Preparer(graph).run(); }

}  // namespace coco::compiler
