// Purpose: one convolution as a sum of parallel linear branches that are folded into one kernel before every step, so
// that training costs what the deployed convolution costs.
#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "tune/architecture.h"
#include "tune/options.h"
#include "tune/random.h"
#include "tune/trainable.h"

namespace coco::tune {

/// Dense kernels of 3x3 and more: direct + squeeze(expand) + 1x1 + identity + Sobel and Laplacian. Depthwise ones:
/// direct + 1x1 + identity + Sobel and Laplacian. All others, and Branches::kPlain: direct alone.
class BranchedKernel {
 public:
  /// Adds its parameters, named `prefix`..., to `parameters`. `gain` scales the first weights.
  BranchedKernel(const LayerSpec& spec, std::vector<int64_t> shape, Branches branches, double gain,
                 const std::string& prefix, Random& random, std::vector<NamedTensor>& parameters);

  /// The deployed kernel; differentiable with respect to the parameters.
  torch::Tensor folded() const;

  /// The convolution branch by branch, without a bias, to check the folding.
  torch::Tensor run(const torch::Tensor& input) const;

  /// Makes the sum of the branches this kernel, by the direct one.
  void set(const torch::Tensor& kernel);

 private:
  torch::Tensor folded_edges() const;
  torch::Tensor folded_point() const;
  torch::Tensor run_edges(const torch::Tensor& input) const;

  LayerSpec spec_;
  torch::Tensor direct_, expand_, squeeze_, point_, edge_mix_, edge_scale_;  // undefined where the branch is not there
};

}  // namespace coco::tune
