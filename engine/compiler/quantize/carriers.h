// Purpose: operators between convolutions that can work on 8-bit steps, so that values need not go back to f32 there.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "compiler/quantize/ranges.h"
#include "graph/graph.h"

namespace coco::compiler {

enum class CarrierKind : uint8_t {
  kNone,
  kKeeps,     ///< moves, selects or averages: its result has its inputs' steps
  kFunction,  ///< a function of one value: a table
  kSum,       ///< of two values: a (sum or difference) b
  kProduct,
};

CarrierKind carrier_kind(const graph::Node& node);
/// Inputs of a carrier that are no constants.
std::vector<graph::Value*> carrier_inputs(const graph::Node& node);

/// The bytes of kFunction's results for the 256 inputs.
std::vector<uint8_t> table_of(const graph::Node& node, const ActivationScale& in, const ActivationScale& out);
/// kSum or kProduct for these steps. `activation` may be null: a Relu or Clip of the result, part of it then.
format::QuantBinaryParams binary_of(const graph::Node& node, const ActivationScale& a, const ActivationScale& b,
                                    const ActivationScale& out, const graph::Node* activation);
/// The Relu or Clip that alone reads the result.
const graph::Node* bounding_reader(const graph::Graph& graph, const graph::Node& node);

using NodeSet = std::unordered_set<const graph::Node*>;

/// Of the graph's carriers those whose result nothing but these convolutions (as their picture) and such carriers read.
NodeSet useful_carriers(const graph::Graph& graph, const NodeSet& integer_convs);

/// Values that must have the same steps, because operators that keep steps stand between them: for each value of such
/// a group, all of it in the graph's order.
std::unordered_map<const graph::Value*, std::vector<const graph::Value*>> step_groups(const graph::Graph& graph,
                                                                                      const NodeSet& carriers);

}  // namespace coco::compiler
