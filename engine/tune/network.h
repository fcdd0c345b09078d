// Purpose: a described architecture as something to train.
#pragma once

#include <torch/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tune/architecture.h"
#include "tune/branches.h"
#include "tune/options.h"
#include "tune/random.h"
#include "tune/trainable.h"

namespace coco::tune {

class Network : public Trainable {
 public:
  /// check_architecture() must hold.
  Network(Architecture architecture, Branches branches, Random& random);

  const Architecture& architecture() const { return architecture_; }

  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  /// The folded kernels: "convN.weight", "convN.bias" and, with PReLU, "preluN.slope" of layer N.
  std::vector<NamedTensor> deployed() const override;
  torch::Tensor forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const override;
  Result<graph::Graph> graph(const std::vector<NamedTensor>& deployed) const override;
  const Architecture* plain_stack() const override { return is_plain_stack(architecture_) ? &architecture_ : nullptr; }

  /// The kernel of one layer with its branches.
  const BranchedKernel& kernel(size_t layer) const { return layers_[layer].kernel; }

  /// Starts from these numbers, in the order and shapes of deployed().
  void set(const std::vector<NamedTensor>& deployed);

 private:
  struct Layer {
    BranchedKernel kernel;
    torch::Tensor bias, slope;
  };

  torch::Tensor add_parameter(std::string name, torch::Tensor value);
  void add_layer(size_t index, Branches branches, Random& random);

  Architecture architecture_;
  std::vector<Layer> layers_;
  std::vector<NamedTensor> parameters_;
};

/// The network: input [n, 1, h, w] in 0..1, output [n, 1, scale h, scale w], not clamped. Sizes that are no multiple of
/// `unshuffle` are filled up by repeating the edge, and the result is cut.
torch::Tensor run_architecture(const Architecture& architecture, const std::vector<NamedTensor>& deployed,
                               const torch::Tensor& input);

/// What is added to the result; undefined for Base::kNone.
torch::Tensor enlarge(const torch::Tensor& input, int scale, Base base);

PlainNet to_plain(const Architecture& architecture, const std::vector<NamedTensor>& deployed);
std::vector<NamedTensor> from_plain(const PlainNet& net);

}  // namespace coco::tune
