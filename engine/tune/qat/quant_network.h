// Purpose: an integer network (docs/numerics.md) that can be trained: forward it computes what the engine computes,
// integers and all, backward gradients go straight through the roundings.
//
// Deployed numbers are real ones and become the integers of a QuantConv2d; unit and scale are those it had at first:
//   NODE.weight [out, in / group, h, w]   q = round(weight / (unit * gain)), within 127 and the pair rule
//   NODE.bias [out]                       b = round(bias / (unit * gain * range of what it reads))
//   NODE.gain [out]                       1 at first; the scale is scale * gain * range of what it reads / NODE.range
//   NODE.slope [out]                      of sums below 0, where it differs from channel to channel
//   NODE.range [1]                        1 at first; the size of the result's steps
// Weights and biases are in such units that steps of activations are 1/256.
#pragma once

#include <string>
#include <unordered_map>

#include "tune/graph_plan.h"
#include "tune/qat/fake_quant.h"
#include "tune/qat/quantize_options.h"
#include "tune/trainable.h"

namespace coco::tune {

class QuantNetwork : public Trainable {
 public:
  /// `integer`: what compiler::quantize, or the import of an integer ONNX model, gives. `f32`: the graph that it was
  /// quantized from, or null; weights that are 0 there stay 0. kUnsupported names the node that cannot be trained.
  static Result<QuantNetwork> create(graph::Graph integer, const graph::Graph* f32, const QuantTraining& training);

  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  /// The parameters themselves.
  std::vector<NamedTensor> deployed() const override { return parameters_; }
  /// The engine's results: integers are its own, f32 operators after them as run_operator has them. Throws
  /// std::exception when the input does not fit the network.
  torch::Tensor forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const override;
  /// The integer graph. kUnsupported when sums or scales have grown beyond what the engine takes.
  Result<graph::Graph> graph(const std::vector<NamedTensor>& deployed) const override;

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  /// A QuantConv2d. Numbers are places in the list of deployed ones.
  struct Layer {
    size_t weight = kNone, bias = kNone, gain = kNone, slope = kNone, range = kNone, in_range = kNone;
    torch::Tensor mask;                           ///< of weights; undefined where none must stay 0
    torch::Tensor weight_unit, bias_unit, scale;  ///< [out]; bias_unit is f64
    torch::Tensor fixed_slope;                    ///< undefined where there is none, or it is trained
    WeightPairs pairs;
    int64_t zero_shift = 0;  ///< zero point of what it reads less the one it takes off
  };
  /// The constants of a QuantConv2d, whole numbers in f32 but for the scales.
  struct Integers {
    torch::Tensor weight, bias, scale, negative;
  };

  explicit QuantNetwork(graph::Graph graph) : graph_(std::move(graph)) {}
  size_t add_parameter(const std::string& name, const torch::Tensor& value);
  Status add_layer(const graph::Node& node, const std::string& name, const QuantTraining& training);
  Status add_scales(const graph::Node& node, const std::string& name, Layer& layer);
  Status check_limits(const graph::Node& node, const Integers& own) const;
  Status add_masks(const graph::Graph& f32);
  void add_f32_parameters(const graph::Node& node, const std::string& name);
  Integers integers(const Layer& layer, const std::vector<NamedTensor>& deployed) const;
  void find_chains();
  bool continues_chain(const graph::Node& node, const graph::Node& next) const;
  torch::Tensor run_integer(const graph::Node& node, const std::vector<NamedTensor>& deployed, torch::Tensor in) const;
  torch::Tensor run_chain_of(const std::vector<const graph::Node*>& nodes, const std::vector<NamedTensor>& deployed,
                             const torch::Tensor& in) const;
  torch::Tensor run_node(const graph::Node& node, const std::vector<NamedTensor>& deployed,
                         const std::vector<torch::Tensor>& in) const;

  graph::Graph graph_;
  GraphPlan plan_;
  std::vector<NamedTensor> parameters_;
  std::unordered_map<const graph::Node*, Layer> layers_;
  /// Layers that run_chain may compute in one; the numbers of the chains they are in.
  std::vector<std::vector<const graph::Node*>> chains_;
  std::unordered_map<const graph::Node*, size_t> chain_of_;
  std::unordered_map<const graph::Value*, size_t> numbers_;  ///< of f32 constants that are trained
  std::unordered_map<const graph::Value*, torch::Tensor> constants_;
};

}  // namespace coco::tune
