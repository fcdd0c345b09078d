// Sums, products and tables between u8 values: QuantizeLinear(Add(DequantizeLinear, DequantizeLinear)) becomes
// QuantBinary, Gather from a table of 256 bytes Lookup.
#include <cmath>
#include <cstring>

#include "compiler/passes/match.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/reciprocal.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;

/// A Dequantize of u8 with one scale and one zero point.
struct Steps {
  Value* x = nullptr;
  float scale = 0;
  int32_t zero = 0;
};

std::optional<Steps> steps_of(const Value* value) {
  const Node* node = value->producer();
  if (node == nullptr || node->kind() != format::OpKind::kDequantize || node->input(0)->type() != DataType::kU8)
    return std::nullopt;
  const auto scale = scalar_of(node->input(1));
  if (!scale || !std::isnormal(*scale) || *scale < 0) return std::nullopt;
  Steps steps{node->input(0), *scale, 0};
  if (const Value* zeros = node->input(2); zeros != nullptr) {
    if (!zeros->is_constant() || zeros->constant().bytes.size() != sizeof(int32_t)) return std::nullopt;
    std::memcpy(&steps.zero, zeros->constant().bytes.data(), sizeof(int32_t));
  }
  return steps;
}

Status convert_binary(graph::Graph& graph, Node* quantize) {
  using format::BinaryKind;
  const auto& q = *quantize->as<format::QuantizeParams>();
  Node* divide = sole_producer<format::BinaryParams>(graph, quantize->input(0));
  const auto step = is_binary(divide, BinaryKind::kDiv) ? scalar_of(divide->input(1)) : std::nullopt;
  if (q.multiplier != 1 || !step || !std::isnormal(*step) || *step < 0) return {};
  Value* last = divide->input(0);
  const Node* clip = sole_producer<format::UnaryParams>(graph, last);
  const bool bounded = is_unary(clip, format::UnaryKind::kRelu) || is_unary(clip, format::UnaryKind::kClip);
  if (bounded) last = clip->input(0);
  const Node* binary = sole_producer<format::BinaryParams>(graph, last);
  if (binary == nullptr) return {};
  const BinaryKind kind = binary->as<format::BinaryParams>()->kind;
  if (kind != BinaryKind::kAdd && kind != BinaryKind::kSub && kind != BinaryKind::kMul) return {};
  const auto a = steps_of(binary->input(0)), b = steps_of(binary->input(1));
  if (!a || !b) return {};
  format::QuantBinaryParams params;
  params.kind = kind == BinaryKind::kMul ? kind : BinaryKind::kAdd;
  params.a_zero_point = a->zero, params.b_zero_point = b->zero, params.out_zero_point = q.zero_point;
  const double a_step = a->scale, b_step = b->scale, out_step = *step;
  if (kind == BinaryKind::kMul) {
    params.scale = product_scale(a_step * b_step / out_step);
  } else {
    const SumFactors factors = sum_factors(a_step, b_step, out_step);
    params.a_factor = factors.a, params.scale = factors.scale;
    params.b_factor = kind == BinaryKind::kSub ? -factors.b : factors.b;
  }
  if (!(params.scale > 0 && params.scale <= 64)) return {};
  if (bounded) {
    const auto& p = *clip->as<format::UnaryParams>();
    const auto bound = [&](double v) {
      return static_cast<int64_t>(std::clamp(std::nearbyint(v / out_step) + double(q.zero_point), 0.0, 255.0));
    };
    const bool relu = p.kind == format::UnaryKind::kRelu;
    params.low = bound(relu ? 0.0 : double(p.a));
    params.high = relu ? 255 : bound(double(p.b));
    if (params.low > params.high) return {};
  }
  return become(graph, quantize, params, {a->x, b->x});
}

Status convert_table(graph::Graph& graph, Node* gather) {
  const Value* table = gather->input(0);
  const Node* cast = gather->input(1)->producer();
  const bool bytes = table->is_constant() && table->type() == DataType::kU8 && table->shape() == Shape{256};
  if (!bytes || cast == nullptr || cast->kind() != format::OpKind::kCast ||
      gather->as<format::GatherParams>()->axis != 0)
    return {};
  if (cast->input(0)->type() != DataType::kU8) return {};
  format::LookupParams params;
  for (const graph::Use& use : gather->output()->uses()) {
    const auto steps = steps_of(use.node->outputs().front());
    if (steps && steps->x == gather->output()) params.zero_point = steps->zero;
  }
  return become(graph, gather, params, {cast->input(0), gather->input(0)});
}

}  // namespace

Status recognize_steps(graph::Graph& graph) {
  for (Node* node = graph.first(); node != nullptr; node = graph.next(node)) {
    if (node->kind() == format::OpKind::kQuantize) COCO_TRY(convert_binary(graph, node));
    if (node->kind() == format::OpKind::kGather) COCO_TRY(convert_table(graph, node));
  }
  return {};
}

}  // namespace coco::compiler
