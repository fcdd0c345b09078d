// Purpose: the graph with chosen convolutions in integers.
#pragma once

#include <map>
#include <unordered_map>

#include "compiler/quantize/carriers.h"
#include "compiler/quantize/layer.h"

namespace coco::compiler {

/// What is decided about an f32 graph; keys are its values and nodes.
struct Choices {
  std::unordered_map<const graph::Value*, ActivationScale> scales;  ///< of every value that may be u8
  std::unordered_map<const graph::Node*, LayerChoice> integer;      ///< the convolutions to be integer
  NodeSet carriers;                                                 ///< other operators to work on u8
};

/// The rewritten graph, and what stands in it for the original's values and nodes.
struct Rewritten {
  graph::Graph graph;
  std::unordered_map<const graph::Value*, graph::Value*> values;  ///< u8 where `is_steps`
  /// Of convolutions, and of carriers that compute.
  std::unordered_map<const graph::Node*, graph::Node*> nodes;
  std::unordered_map<const graph::Node*, std::vector<double>> sum_units;
  /// Convolutions that had to stay f32 after all, and why.
  std::map<std::string, std::string> refused;
};

/// True when the value passes between integer convolutions and carriers only, as u8.
bool is_steps(const graph::Graph& graph, const graph::Value* value, const Choices& choices);
/// True when it does so from a convolution to convolutions, so that its channels may have factors.
bool is_between_convs(const graph::Graph& graph, const graph::Value* value, const Choices& choices);
NodeSet convs_of(const Choices& choices);

/// Rewrites a copy. Convolutions whose sums or scales do not fit are taken out of `choices`, and the carriers that only
/// they justified.
Result<Rewritten> rewrite(const graph::Graph& graph, Choices& choices);

}  // namespace coco::compiler
