// Purpose: what a pass did to a graph, found by comparing the graph before and after.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coco/compile.h"
#include "graph/graph.h"

namespace coco::compiler {

/// Nodes by operator, in alphabetical order.
std::vector<OperatorCount> count_operators(const graph::Graph& graph);

/// Remembers a graph, and says what became of it.
class GraphSnapshot {
 public:
  explicit GraphSnapshot(const graph::Graph& graph);
  /// Nodes that are gone, new, or have other parameters, constants or number of inputs; reading another node's result
  /// is no change.
  PassEffect compare(std::string_view pass, const graph::Graph& now) const;

 private:
  struct State {
    NodeName name;
    std::string params;
    std::vector<const void*> inputs;  ///< the bytes of constants; null for results and inputs; absent ones left out
    bool operator==(const State& other) const { return params == other.params && inputs == other.inputs; }
  };
  static State state_of(const graph::Node& node);

  std::map<uint64_t, State> nodes_;  ///< by graph::Node::id
};

}  // namespace coco::compiler
