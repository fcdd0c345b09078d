// Purpose: loss and gradients of one batch with respect to the deployed numbers: from libtorch for any network, from
// own kernels for plain stacks.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tune/dataset.h"
#include "tune/options.h"
#include "tune/trainable.h"

namespace coco::tune {

class GradientSource {
 public:
  virtual ~GradientSource() = default;
  /// The mean loss over the patches; gradients[i] becomes that of values[i], with its shape.
  virtual double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind loss,
                     std::vector<torch::Tensor>& gradients) = 0;
};

/// `network` must outlive the result. `portable` leaves out the own kernels.
std::unique_ptr<GradientSource> make_gradient_source(const Trainable& network, int patch, bool portable);

/// The patches as tensors [count, 1, side, side] in 0..1.
torch::Tensor low_resolution(PatchBatch& patches, torch::Device device);
torch::Tensor high_resolution(PatchBatch& patches, torch::Device device);

/// `loss` of the values, by libtorch: what it is, and its gradients; zeros for values it does not look at.
using LossOf = std::function<torch::Tensor(const std::vector<NamedTensor>& values)>;
double differentiate(const std::vector<NamedTensor>& values, const LossOf& loss, std::vector<torch::Tensor>& gradients);

/// The mean of the loss over the batch, as a tensor that can be differentiated.
torch::Tensor loss_of(const torch::Tensor& output, const torch::Tensor& target, LossKind kind);

}  // namespace coco::tune
