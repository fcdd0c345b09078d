// Normalisations that exporters write as several operators become one: layer and instance normalisation from means,
// differences and squares; group normalisation from an instance normalisation between two reshapes; and the scale and
// bias behind either.
#include <algorithm>

#include "compiler/passes/match.h"
#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::ReduceKind;
using format::UnaryKind;
using graph::Graph;
using graph::Node;
using graph::Value;

const format::ReduceParams* mean_of(const Node* node) {
  const auto* p = node != nullptr ? node->as<format::ReduceParams>() : nullptr;
  return p != nullptr && p->kind == ReduceKind::kMean && p->keep_dims ? p : nullptr;
}

/// x where the node is x - mean(x) over `axes`.
Value* centred_input(const Node* node, std::vector<int64_t>& axes) {
  if (!is_binary(node, BinaryKind::kSub)) return nullptr;
  const Node* mean = node->input(1)->producer();
  const auto* p = mean_of(mean);
  if (p == nullptr || mean->input(0) != node->input(0)) return nullptr;
  axes = p->axes;
  return node->input(0);
}

bool is_square_of(const Node* node, const Value* x) {
  if (is_binary(node, BinaryKind::kMul)) return node->input(0) == x && node->input(1) == x;
  const auto power = with_number(node, BinaryKind::kPow);
  return power && power->number == 2 && power->rest == x;
}

struct Found {
  Value* x;
  std::vector<int64_t> axes;
  float epsilon;
};

/// The node is (x - mean) / sqrt(mean((x - mean)^2) + epsilon).
std::optional<Found> match(const Node* node) {
  if (!is_binary(node, BinaryKind::kDiv)) return std::nullopt;
  Found found{};
  found.x = node->input(0)->producer() != nullptr ? centred_input(node->input(0)->producer(), found.axes) : nullptr;
  const Node* root = node->input(1)->producer();
  if (found.x == nullptr || !is_unary(root, UnaryKind::kSqrt)) return std::nullopt;
  const auto sum = with_number(root->input(0)->producer(), BinaryKind::kAdd);
  const Node* variance = sum ? sum->rest->producer() : nullptr;
  const auto* p = mean_of(variance);
  if (p == nullptr || p->axes != found.axes || sum->number < 0) return std::nullopt;
  Node* square = variance->input(0)->producer();
  // Some exporters compute the difference twice.
  std::vector<int64_t> axes;
  const Value* difference = node->input(0);
  if (square != nullptr && !square->inputs().empty() && square->input(0)->producer() != nullptr &&
      centred_input(square->input(0)->producer(), axes) == found.x && axes == found.axes) {
    difference = square->input(0);
  }
  if (square == nullptr || !is_square_of(square, difference)) return std::nullopt;
  found.epsilon = sum->number;
  return found;
}

/// The operator that normalises these axes; none where they are not the last ones.
std::optional<format::OpParams> norm_over(const Shape& x, std::vector<int64_t> axes, float epsilon) {
  std::sort(axes.begin(), axes.end());
  const auto rank = static_cast<int64_t>(x.rank());
  if (axes.empty()) return std::nullopt;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != rank - static_cast<int64_t>(axes.size() - i)) return std::nullopt;
  }
  if (axes[0] == 2 && rank > 3 && x[1] > 0) return format::GroupNormParams{x[1], epsilon};
  return format::LayerNormParams{axes[0], epsilon};
}

/// A constant with one element for each channel: [C], and for pictures [C, 1, ...].
Value* per_channel(Graph& graph, const Value* value, const Shape& x) {
  if (!value->is_constant() || value->type() != DataType::kF32 || x[1] < 1) return nullptr;
  Shape wanted(std::vector<int64_t>(x.rank() - 1, 1));
  wanted[0] = x[1];
  Shape with_batch(std::vector<int64_t>(x.rank(), 1));
  with_batch[1] = x[1];
  if (value->shape() != wanted && value->shape() != with_batch) return nullptr;
  return graph.add_constant(value->name(), Shape{x[1]}, value->floats());
}

bool all_are(const Value* value, float number) {
  if (value == nullptr) return true;
  if (!value->is_constant() || value->type() != DataType::kF32) return false;
  return std::all_of(value->floats().begin(), value->floats().end(), [number](float v) { return v == number; });
}

/// The normalisation that makes the value, which nothing else reads.
Node* norm_of(const Graph& graph, const Value* value) {
  Node* node = value->producer();
  if (node == nullptr || graph.use_count(value) != 1) return nullptr;
  const bool norm = node->kind() == format::OpKind::kLayerNorm || node->kind() == format::OpKind::kGroupNorm;
  return norm ? node : nullptr;
}

/// Takes a product with, then a sum with a constant into a normalisation that has none yet.
Status absorb(Graph& graph, Node* node, bool& absorbed) {
  const bool product = is_binary(node, BinaryKind::kMul), sum = is_binary(node, BinaryKind::kAdd);
  for (size_t slot = 0; (product || sum) && slot < 2; ++slot) {
    Node* norm = norm_of(graph, node->input(slot));
    if (norm == nullptr || node->output()->shape() != norm->output()->shape()) continue;
    Value* scale = norm->input(1);
    Value* bias = norm->input(2);
    if (bias != nullptr || (product && scale != nullptr)) continue;
    Value* constant = node->input(1 - slot);
    if (norm->kind() == format::OpKind::kGroupNorm) constant = per_channel(graph, constant, norm->input(0)->shape());
    if (constant == nullptr || !constant->is_constant()) continue;
    (product ? scale : bias) = constant;
    std::vector<Value*> inputs{norm->input(0), scale};
    if (bias != nullptr) inputs.push_back(bias);
    COCO_TRY(graph.rewrite(norm, norm->params(), std::move(inputs)));
    graph.replace_all_uses(node->output(), norm->output());
    graph.erase(node);
    absorbed = true;
    return {};
  }
  return {};
}

/// Reshape to [N, G, ...], instance normalisation without scale and bias, Reshape back: group normalisation.
Status match_groups(Graph& graph, Node* back) {
  const Value* inner = back->input(0);
  Node* norm = sole_producer<format::GroupNormParams>(graph, inner);
  Node* apart = norm != nullptr ? sole_producer<format::ReshapeParams>(graph, norm->input(0)) : nullptr;
  if (apart == nullptr || !all_are(norm->input(1), 1) || !all_are(norm->input(2), 0)) return {};
  Value* x = apart->input(0);
  const Shape &outer = x->shape(), &grouped = norm->input(0)->shape();
  const auto groups = norm->as<format::GroupNormParams>()->groups;
  const bool fits = outer == back->output()->shape() && outer.rank() > 2 && grouped[1] == groups &&
                    outer[0] == grouped[0] && outer[1] > 0 && outer[1] % groups == 0;
  if (!fits) return {};
  return become(graph, back, format::GroupNormParams{groups, norm->as<format::GroupNormParams>()->epsilon}, {x});
}

}  // namespace

Status recognize_norms(Graph& graph) {
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    bool absorbed = false;
    if (const auto found = match(node)) {
      if (const auto params = norm_over(found->x->shape(), found->axes, found->epsilon)) {
        COCO_TRY(become(graph, node, *params, {found->x}));
      }
    } else if (node->kind() == format::OpKind::kReshape) {
      COCO_TRY(match_groups(graph, node));
    } else {
      COCO_TRY(absorb(graph, node, absorbed));
    }
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
