#include "compiler/quantize/carriers.h"

#include <algorithm>
#include <cmath>

#include "compiler/passes/match.h"
#include "compiler/quantize/reciprocal.h"
#include "kernels/dense/dense.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::UnaryKind;
using graph::Node;
using graph::Value;

struct Classify {
  const Node& node;

  CarrierKind operator()(const format::Pool2dParams& p) const {
    const bool averages = p.kind == format::PoolKind::kAverage && !p.count_padding;
    return p.kind == format::PoolKind::kMax || averages ? CarrierKind::kKeeps : CarrierKind::kNone;
  }
  CarrierKind operator()(const format::ResizeParams& p) const {
    return p.mode != format::ResizeMode::kCubic ? CarrierKind::kKeeps : CarrierKind::kNone;
  }
  CarrierKind operator()(const format::PadParams& p) const {
    // Zeros become the zero point; any other constant would need a step of its own.
    return p.mode != format::PadMode::kConstant || p.value == 0 ? CarrierKind::kKeeps : CarrierKind::kNone;
  }
  CarrierKind operator()(const format::ConcatParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::SliceParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::ReshapeParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::TransposeParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::DepthToSpaceParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::SpaceToDepthParams&) const { return CarrierKind::kKeeps; }
  CarrierKind operator()(const format::UnaryParams&) const { return CarrierKind::kFunction; }
  CarrierKind operator()(const format::BinaryParams& p) const {
    const Value *a = node.input(0), *b = node.input(1);
    if (scalar_of(a) || scalar_of(b)) return CarrierKind::kFunction;
    const bool sums = p.kind == BinaryKind::kAdd || p.kind == BinaryKind::kSub;
    if (sums && a->shape() == b->shape()) return CarrierKind::kSum;
    const bool whole = a->shape() == node.output()->shape() || b->shape() == node.output()->shape();
    return p.kind == BinaryKind::kMul && whole ? CarrierKind::kProduct : CarrierKind::kNone;
  }
  template <typename Params>
  CarrierKind operator()(const Params&) const {
    return CarrierKind::kNone;
  }
};

bool is_activation(const Value* value) {
  return value != nullptr && !value->is_constant() && value->type() == DataType::kF32;
}

/// The number x of the byte q.
float real(const ActivationScale& scale, int q) {
  return static_cast<float>(static_cast<double>(q - scale.zero_point) * scale.step);
}

int64_t nearest_step(const ActivationScale& scale, double value) {
  if (std::isnan(value)) return scale.zero_point;
  const double q = std::clamp(value / scale.step, -512.0, 512.0);
  return std::clamp<int64_t>(std::llrint(q) + scale.zero_point, 0, 255);
}

}  // namespace

std::vector<Value*> carrier_inputs(const Node& node) {
  std::vector<Value*> inputs;
  for (Value* input : node.inputs()) {
    if (is_activation(input)) inputs.push_back(input);
  }
  return inputs;
}

CarrierKind carrier_kind(const Node& node) {
  const CarrierKind kind = std::visit(Classify{node}, node.params());
  if (kind == CarrierKind::kNone || !is_activation(node.output())) return CarrierKind::kNone;
  const size_t data = carrier_inputs(node).size();
  const bool one = kind == CarrierKind::kFunction;
  return (one ? data == 1 : data == node.inputs().size()) ? kind : CarrierKind::kNone;
}

std::vector<uint8_t> table_of(const Node& node, const ActivationScale& in, const ActivationScale& out) {
  std::vector<uint8_t> table;
  for (int q = 0; q < 256; ++q) {
    const float x = real(in, q);
    float y = x;
    if (const auto* unary = node.as<format::UnaryParams>()) {
      y = kernels::apply_unary(unary->kind, unary->a, unary->b, x);
    } else {
      const auto a = scalar_of(node.input(0)), b = scalar_of(node.input(1));
      y = kernels::apply_binary(node.as<format::BinaryParams>()->kind, a.value_or(x), b.value_or(x));
    }
    table.push_back(static_cast<uint8_t>(nearest_step(out, y)));
  }
  return table;
}

format::QuantBinaryParams binary_of(const Node& node, const ActivationScale& a, const ActivationScale& b,
                                    const ActivationScale& out, const Node* activation) {
  format::QuantBinaryParams params;
  const BinaryKind kind = node.as<format::BinaryParams>()->kind;
  params.a_zero_point = a.zero_point, params.b_zero_point = b.zero_point, params.out_zero_point = out.zero_point;
  if (kind == BinaryKind::kMul) {
    params.kind = kind;
    params.scale = product_scale(a.step * b.step / out.step);
  } else {
    const SumFactors factors = sum_factors(a.step, b.step, out.step);
    params.a_factor = factors.a;
    params.b_factor = kind == BinaryKind::kSub ? -factors.b : factors.b;
    params.scale = factors.scale;
  }
  if (activation != nullptr) {
    const auto& p = *activation->as<format::UnaryParams>();
    const bool relu = p.kind == UnaryKind::kRelu;
    params.low = nearest_step(out, relu ? 0.0 : static_cast<double>(p.a));
    if (!relu) params.high = std::max(params.low, nearest_step(out, static_cast<double>(p.b)));
  }
  return params;
}

const Node* bounding_reader(const graph::Graph& graph, const Node& node) {
  if (graph.use_count(node.output()) != 1 || node.output()->uses().size() != 1) return nullptr;
  const Node* reader = node.output()->uses()[0].node;
  const auto* p = reader->as<format::UnaryParams>();
  return p != nullptr && (p->kind == UnaryKind::kRelu || p->kind == UnaryKind::kClip) ? reader : nullptr;
}

NodeSet useful_carriers(const graph::Graph& graph, const NodeSet& integer_convs) {
  NodeSet useful;
  // Readers stand behind what they read: one walk from the end suffices.
  for (auto it = graph.nodes().rbegin(); it != graph.nodes().rend(); ++it) {
    if (carrier_kind(*it) == CarrierKind::kNone) continue;
    const Value* value = it->output();
    const bool read = std::all_of(value->uses().begin(), value->uses().end(), [&](const graph::Use& use) {
      if (useful.contains(use.node)) return true;
      return use.slot == 0 && integer_convs.contains(use.node);
    });
    if (read && !value->uses().empty() && graph.use_count(value) == value->uses().size()) useful.insert(&*it);
  }
  return useful;
}

std::unordered_map<const Value*, std::vector<const Value*>> step_groups(const graph::Graph& graph,
                                                                        const NodeSet& carriers) {
  std::unordered_map<const Value*, const Value*> parents;
  const auto root = [&](const Value* value) {
    while (parents.contains(value) && parents[value] != value) value = parents[value];
    return value;
  };
  for (const Node& node : graph.nodes()) {
    if (!carriers.contains(&node) || carrier_kind(node) != CarrierKind::kKeeps) continue;
    const Value* common = root(node.output());
    parents[common] = common;
    for (const Value* input : carrier_inputs(node)) {
      parents.try_emplace(input, input);
      parents[root(input)] = common;
    }
  }
  std::unordered_map<const Value*, std::vector<const Value*>> by_root, groups;
  for (const Value& value : graph.values()) {
    if (parents.contains(&value)) by_root[root(&value)].push_back(&value);
  }
  for (const auto& [first, group] : by_root) {
    for (const Value* value : group) groups[value] = group;
  }
  return groups;
}

}  // namespace coco::compiler
