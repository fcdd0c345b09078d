// Purpose: a graph's nodes in order, ready to be run on tensors, and its constants as tensors and back.
#pragma once

#include <torch/types.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "coco/status.h"
#include "graph/graph.h"

namespace coco::tune {

/// The order of work of a graph of one picture in and one out. Keeps the graph's nodes and values by address.
class GraphPlan {
 public:
  /// kUnsupported unless the graph has one f32 input [n, c, h, w] and one f32 output.
  static Result<GraphPlan> create(const graph::Graph& graph);

  /// The value of a constant.
  using Constant = std::function<torch::Tensor(const graph::Value&)>;
  /// A node's result; absent inputs are undefined.
  using Operator = std::function<torch::Tensor(const graph::Node&, const std::vector<torch::Tensor>&)>;
  torch::Tensor run(const torch::Tensor& input, const Constant& constant, const Operator& op) const;

 private:
  struct Step {
    const graph::Node* node;
    std::vector<const graph::Value*> last_read;  ///< nothing after this step reads them
  };
  const graph::Value* input_ = nullptr;
  const graph::Value* output_ = nullptr;
  std::vector<Step> steps_;
};

/// A name of its own for every node: its name, or its result's where others have that too, or it has none.
std::unordered_map<const graph::Node*, std::string> node_names(const graph::Graph& graph);

/// A constant's elements, of f32, s8 or s32, as f32.
torch::Tensor to_tensor(const graph::Value& constant);

/// The tensor's elements as a constant of that type (f32, s8 or s32); integers must be whole numbers in range.
format::ConstantData to_constant(const torch::Tensor& tensor, DataType type);

/// A copy that shares the constants' data, but for those that are given anew.
Result<graph::Graph> copy_graph(const graph::Graph& graph,
                                const std::unordered_map<const graph::Value*, format::ConstantData>& constants);

}  // namespace coco::tune
