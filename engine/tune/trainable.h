// Purpose: what the training loop asks of a network, and what compression asks of the training loop.
// The loop works on the *deployed* numbers: the weights, biases and slopes that an exported model stores.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "coco/status.h"
#include "graph/graph.h"

namespace coco::tune {

struct Architecture;

struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
};

/// A network that can be trained. One thread.
class Trainable {
 public:
  virtual ~Trainable() = default;

  /// The leaves that the optimizer moves, in a fixed order.
  virtual const std::vector<NamedTensor>& parameters() const = 0;

  /// The deployed numbers as differentiable functions of the parameters, in a fixed order: convolution weights
  /// "NODE.weight" [out, in / group, height, width], "NODE.bias" [out], "NODE.slope" [out].
  virtual std::vector<NamedTensor> deployed() const = 0;

  /// The network's output for deployed numbers, its own or masked or averaged ones. input: [n, c, h, w] in 0..1.
  virtual torch::Tensor forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const = 0;

  /// The f32 graph that holds these numbers as constants, as the compiler and the ONNX writer take it.
  virtual Result<graph::Graph> graph(const std::vector<NamedTensor>& deployed) const = 0;

  /// The description, where the network is a plain 3x3 stack with deployed numbers layer by layer: weight, bias and,
  /// with PReLU, slope. The loop then takes its gradients from faster kernels than libtorch's.
  virtual const Architecture* plain_stack() const { return nullptr; }
};

/// Which deployed numbers stay zero, and where the others are drawn to. Each step: begin_step, project, the gradients
/// at the projected values, adjust, then the chain rule back to the parameters.
class Constraint {
 public:
  virtual ~Constraint() = default;

  /// Before step `iteration` (from 0), with the values as they are then; masks and targets may change here.
  virtual void begin_step(int64_t iteration, const std::vector<NamedTensor>& values) = 0;
  /// Sets masked numbers to 0, in place.
  virtual void project(std::vector<NamedTensor>& values) const = 0;
  /// Adds the penalty's gradient and clears that of masked numbers, in place; gradients[i] belongs to values[i].
  virtual void adjust(const std::vector<NamedTensor>& values, std::vector<torch::Tensor>& gradients) const = 0;
  /// Everything that changes while training, for checkpoints; restored by writing to the tensors in place.
  virtual std::vector<NamedTensor> state() const = 0;
};

}  // namespace coco::tune
