// Purpose: the trainable form of an architecture: each 3x3 layer is a sum of parallel linear branches that is folded
// into one 3x3 kernel before every convolution, so that a step costs what the plain net costs.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "tune/architecture.h"
#include "tune/options.h"
#include "tune/random.h"

namespace coco::tune {

/// One folded layer: weight [out, in, 3, 3], bias [out], slope [out] (undefined without PReLU).
struct FoldedLayer {
  torch::Tensor weight, bias, slope;
};

struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
};

class Network {
 public:
  Network(Architecture architecture, Branches branches, Random& random);

  const Architecture& architecture() const { return architecture_; }

  /// The leaves that are trained, in a fixed order.
  const std::vector<NamedTensor>& parameters() const { return parameters_; }

  /// The folded kernels; differentiable with respect to the parameters.
  std::vector<FoldedLayer> fold() const;

  /// One layer computed branch by branch, each with its own convolution and without PReLU, to check the folding.
  torch::Tensor run_branches(size_t layer, const torch::Tensor& input) const;

 private:
  struct Layer {
    LayerSpec spec;
    torch::Tensor direct, expand, squeeze, point, edge_mix, edge_scale, bias, slope;
  };

  torch::Tensor add_parameter(std::string name, torch::Tensor value);
  Layer make_layer(size_t index, Random& random);
  torch::Tensor edge_kernels() const;

  Architecture architecture_;
  Branches branches_;
  std::vector<Layer> layers_;
  std::vector<NamedTensor> parameters_;
};

/// The network: input [n, 1, h, w] in 0..1, output [n, 1, scale h, scale w], not clamped.
torch::Tensor run_folded(const Architecture& architecture, const std::vector<FoldedLayer>& layers,
                         const torch::Tensor& input);

PlainNet to_plain(const Architecture& architecture, const std::vector<FoldedLayer>& layers);
std::vector<FoldedLayer> from_plain(const PlainNet& net);

}  // namespace coco::tune
