// Purpose: pre-training of tuning blocks: each pruned block learns to do what the dense network's layers do in its
// place, from the dense network's own activations, without labels.
#pragma once

#include <vector>

#include "tune/explore/search_space.h"
#include "tune/gradient.h"
#include "tune/run_architecture.h"

namespace coco::tune {

/// A network whose layers outside the ranges are the teacher's and stand still.
class BlockStudents : public Trainable {
 public:
  /// `teacher` is borrowed; ranges do not overlap.
  BlockStudents(const Network& teacher, const std::vector<LayerRange>& ranges);

  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  std::vector<NamedTensor> deployed() const override { return deployed_; }
  torch::Tensor forward(const std::vector<NamedTensor>& deployed, const torch::Tensor& input) const override {
    return teacher_.forward(deployed, input);
  }
  Result<graph::Graph> graph(const std::vector<NamedTensor>& deployed) const override {
    return teacher_.graph(deployed);
  }

 private:
  const Network& teacher_;
  std::vector<NamedTensor> parameters_, deployed_;
};

/// The loss of blocks that are trained side by side: the sum of their errors.
class BlockGradient : public GradientSource {
 public:
  BlockGradient(const Network& teacher, std::vector<LayerRange> ranges);

  double run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind loss,
             std::vector<torch::Tensor>& gradients) override;

  /// By block: the mean squared difference to the teacher's activations behind it, in units of their mean square; every
  /// block starts from the teacher's activations before it.
  std::vector<double> errors(const std::vector<NamedTensor>& values, PatchBatch& patches) const;

 private:
  std::vector<torch::Tensor> activations(PatchBatch& patches) const;
  torch::Tensor error(size_t block, const std::vector<NamedTensor>& values,
                      const std::vector<torch::Tensor>& activations) const;

  const Network& teacher_;
  std::vector<NamedTensor> numbers_;  ///< the teacher's
  std::vector<LayerRange> ranges_;
};

}  // namespace coco::tune
