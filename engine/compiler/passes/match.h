// Purpose: what passes that look for patterns share.
#pragma once

#include <algorithm>
#include <optional>

#include "graph/graph.h"

namespace coco::compiler {

/// The one element of an f32 constant.
inline std::optional<float> scalar_of(const graph::Value* value) {
  if (value == nullptr || !value->is_constant() || value->type() != DataType::kF32 || value->floats().size() != 1) {
    return std::nullopt;
  }
  return value->floats()[0];
}

/// The node that makes the value, when it is of that operator and nothing else reads the value.
template <typename Params>
graph::Node* sole_producer(const graph::Graph& graph, const graph::Value* value) {
  graph::Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->as<Params>() != nullptr && graph.use_count(value) == 1 ? node : nullptr;
}

inline bool is_unary(const graph::Node* node, format::UnaryKind kind) {
  const auto* p = node != nullptr ? node->as<format::UnaryParams>() : nullptr;
  return p != nullptr && p->kind == kind;
}

inline bool is_binary(const graph::Node* node, format::BinaryKind kind) {
  const auto* p = node != nullptr ? node->as<format::BinaryParams>() : nullptr;
  return p != nullptr && p->kind == kind;
}

/// The other operand of a binary node whose operand `slot` is x; null where neither is.
inline graph::Value* other_operand(const graph::Node* node, const graph::Value* x) {
  if (node->input(0) == x) return node->input(1);
  return node->input(1) == x ? node->input(0) : nullptr;
}

/// A binary node of a constant number and something else: the number and the rest. Sub and Div: the number second.
struct WithNumber {
  graph::Value* rest;
  float number;
};
inline std::optional<WithNumber> with_number(const graph::Node* node, format::BinaryKind kind) {
  if (!is_binary(node, kind)) return std::nullopt;
  const bool ordered =
      kind == format::BinaryKind::kSub || kind == format::BinaryKind::kDiv || kind == format::BinaryKind::kPow;
  if (const auto number = scalar_of(node->input(1))) return WithNumber{node->input(0), *number};
  const auto number = ordered ? std::nullopt : scalar_of(node->input(0));
  return number ? std::optional(WithNumber{node->input(1), *number}) : std::nullopt;
}

/// Erases the makers of these values that nothing reads any more, and what only they read.
inline void erase_unread(graph::Graph& graph, std::vector<graph::Value*> values) {
  while (!values.empty()) {
    graph::Value* value = values.back();
    values.pop_back();
    graph::Node* node = value != nullptr ? value->producer() : nullptr;
    if (node == nullptr || std::any_of(node->outputs().begin(), node->outputs().end(),
                                       [&](const graph::Value* output) { return graph.use_count(output) != 0; })) {
      continue;
    }
    // What it made is not to be looked at again.
    for (const graph::Value* output : node->outputs()) std::erase(values, output);
    for (graph::Value* input : node->inputs()) {
      if (std::find(values.begin(), values.end(), input) == values.end()) values.push_back(input);
    }
    graph.erase(node);
  }
}

/// Makes the node another operator on other inputs; what only it read goes.
inline Status become(graph::Graph& graph, graph::Node* node, format::OpParams params,
                     std::vector<graph::Value*> inputs) {
  std::vector<graph::Value*> before = node->inputs();
  std::sort(before.begin(), before.end());
  before.erase(std::unique(before.begin(), before.end()), before.end());
  COCO_TRY(graph.rewrite(node, std::move(params), std::move(inputs)));
  erase_unread(graph, std::move(before));
  return {};
}

}  // namespace coco::compiler
