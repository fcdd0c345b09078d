// Activations that exporters write as several operators become one: Swish, HardSigmoid, HardSwish, Gelu.
#include <cmath>

#include "compiler/passes/match.h"
#include "compiler/passes/passes.h"

namespace coco::compiler {
namespace {

using format::BinaryKind;
using format::UnaryKind;
using graph::Graph;
using graph::Node;
using graph::Value;

bool near(float a, float b) { return std::fabs(a - b) <= 1e-5f * std::fabs(b); }

/// value = rest * factor, written as a product or a quotient.
std::optional<WithNumber> scaled(const Value* value) {
  const Node* node = value->producer();
  if (const auto product = with_number(node, BinaryKind::kMul)) return product;
  const auto quotient = with_number(node, BinaryKind::kDiv);
  if (!quotient || quotient->number == 0) return std::nullopt;
  return WithNumber{quotient->rest, 1 / quotient->number};
}

/// x where the value is clip(x + 3, 0, 6).
Value* raised_clip(const Value* value) {
  const Node* clip = value->producer();
  if (!is_unary(clip, UnaryKind::kClip)) return nullptr;
  const auto* bounds = clip->as<format::UnaryParams>();
  const auto sum = with_number(clip->input(0)->producer(), BinaryKind::kAdd);
  return bounds->a == 0 && bounds->b == 6 && sum && sum->number == 3 ? sum->rest : nullptr;
}

/// clip(x + 3, 0, 6) / 6
Value* hard_sigmoid_input(const Node* node) {
  const auto product = scaled(node->output());
  return product && near(product->number, 1.0f / 6.0f) ? raised_clip(product->rest) : nullptr;
}

bool is_hard_gate(const Node* node) {
  const auto* p = node != nullptr ? node->as<format::UnaryParams>() : nullptr;
  return p != nullptr && p->kind == UnaryKind::kHardSigmoid && near(p->a, 1.0f / 6.0f) && p->b == 0.5f;
}

/// x where the value is 1 + erf(x / sqrt(2)).
Value* raised_erf(const Value* value) {
  const auto sum = with_number(value->producer(), BinaryKind::kAdd);
  const Node* erf = sum && sum->number == 1 ? sum->rest->producer() : nullptr;
  if (!is_unary(erf, UnaryKind::kErf)) return nullptr;
  const auto inner = scaled(erf->input(0));
  return inner && near(inner->number, 0.70710678f) ? inner->rest : nullptr;
}

/// x where the two factors are x and g(x).
template <typename Gate>
Value* gated(const Node* product, Gate gate) {
  for (size_t slot = 0; slot < 2; ++slot) {
    Value* x = product->input(slot);
    if (gate(product->input(1 - slot)) == x) return x;
  }
  return nullptr;
}

/// The node is x * clip(x + 3, 0, 6) / 6, with the division last.
Value* hard_swish_input(const Node* node) {
  const auto product = scaled(node->output());
  if (!product || !near(product->number, 1.0f / 6.0f)) return nullptr;
  const Node* factors = product->rest->producer();
  return is_binary(factors, BinaryKind::kMul) ? gated(factors, raised_clip) : nullptr;
}

/// The node is x (1 + erf(x / sqrt(2))) / 2 in one of its orders.
Value* gelu_input(const Node* node) {
  if (const auto half = scaled(node->output()); half && half->number == 0.5f) {
    const Node* factors = half->rest->producer();
    if (is_binary(factors, BinaryKind::kMul)) return gated(factors, raised_erf);
  }
  if (!is_binary(node, BinaryKind::kMul)) return nullptr;
  for (size_t slot = 0; slot < 2; ++slot) {
    const auto half = scaled(node->input(slot));
    if (half && half->number == 0.5f && raised_erf(node->input(1 - slot)) == half->rest) return half->rest;
  }
  return nullptr;
}

/// What the node computes, as one function of one value.
std::optional<std::pair<format::UnaryParams, Value*>> match(const Node* node) {
  if (node->kind() != format::OpKind::kBinary || node->output()->type() != DataType::kF32) return std::nullopt;
  if (Value* x = hard_swish_input(node)) return {{{UnaryKind::kHardSwish, 0, 0}, x}};
  if (Value* x = gelu_input(node)) return {{{UnaryKind::kGelu, 0, 0}, x}};
  if (Value* x = hard_sigmoid_input(node)) return {{{UnaryKind::kHardSigmoid, 1.0f / 6.0f, 0.5f}, x}};
  if (!is_binary(node, BinaryKind::kMul)) return std::nullopt;
  const auto input_of = [](auto test) {
    return [test](const Value* value) { return test(value->producer()) ? value->producer()->input(0) : nullptr; };
  };
  if (Value* x = gated(node, input_of([](const Node* n) { return is_unary(n, UnaryKind::kSigmoid); }))) {
    return {{{UnaryKind::kSwish, 0, 0}, x}};
  }
  if (Value* x = gated(node, input_of(is_hard_gate))) return {{{UnaryKind::kHardSwish, 0, 0}, x}};
  return std::nullopt;
}

}  // namespace

Status recognize_functions(Graph& graph) {
  for (Node* node = graph.first(); node != nullptr;) {
    Node* next = graph.next(node);
    if (const auto found = match(node)) COCO_TRY(become(graph, node, found->first, {found->second}));
    node = next;
  }
  return {};
}

}  // namespace coco::compiler
