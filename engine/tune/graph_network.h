// Purpose: any network of the compiler's graph as one that can be trained: what an ONNX file holds, imported and
// optimised.
#pragma once

#include <unordered_map>

#include "tune/graph_plan.h"
#include "tune/trainable.h"

namespace coco::tune {

/// Trains the weights and biases of convolutions and the slopes of PReLU that are constants; each constant once,
/// whoever else reads it. "NODE.slope" of a PReLU that stands alone has the constant's shape.
class GraphNetwork : public Trainable {
 public:
  /// `graph` is one picture in, one out, f32, best after the optimising passes. kUnsupported names the node and the
  /// operator that cannot be trained, or says that there is nothing to train.
  static Result<GraphNetwork> create(graph::Graph graph);

  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  /// The parameters themselves.
  std::vector<NamedTensor> deployed() const override { return parameters_; }
  /// Throws std::exception when the input does not fit the network; see check_input.
  torch::Tensor forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const override;
  Result<graph::Graph> graph(const std::vector<NamedTensor>& deployed) const override;

 private:
  explicit GraphNetwork(graph::Graph graph) : graph_(std::move(graph)) {}
  void add_parameter(const graph::Value* constant, const std::string& name);

  graph::Graph graph_;
  GraphPlan plan_;
  std::vector<NamedTensor> parameters_;
  std::unordered_map<const graph::Value*, size_t> numbers_;  ///< of parameters
  std::unordered_map<const graph::Value*, torch::Tensor> constants_;
};

/// Runs the network on zeros of this shape, [n, c, h, w]: kInvalidArgument says what does not fit.
Status check_input(const Trainable& network, const std::vector<int64_t>& shape);

}  // namespace coco::tune
