// Purpose: pruning while training: schedules that lead a network's deployed weights into the engine's shapes and hold
// them there.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tune/prune/options.h"
#include "tune/prune/plan.h"
#include "tune/trainable.h"

namespace coco::tune {

/// Masks that hold zeros: those that pruned layers have when training starts. What is masked stays masked.
class MaskConstraint : public Constraint {
 public:
  /// `values` are the network's deployed numbers; every layer of the plan must be among them.
  MaskConstraint(PrunePlan plan, const std::vector<NamedTensor>& values);

  void begin_step(int64_t iteration, const std::vector<NamedTensor>& values) override;
  void project(std::vector<NamedTensor>& values) const override;
  void adjust(const std::vector<NamedTensor>& values, std::vector<torch::Tensor>& gradients) const override;
  std::vector<NamedTensor> state() const override;

  const PrunePlan& plan() const { return plan_; }
  std::vector<Pattern> patterns() const;

 protected:
  /// A plan's layer among the deployed numbers.
  struct Slot {
    size_t value = 0;    ///< its number among `values`
    torch::Tensor mask;  ///< 1 where weights stay, in the weights' shape
  };

  /// The weights as the masks leave them, in the processor's memory.
  torch::Tensor masked(size_t layer, const std::vector<NamedTensor>& values) const;
  /// Learns the patterns from these weights, one tensor a layer.
  void learn(const std::vector<torch::Tensor>& weights);
  /// The nearest weights in the set of `spec`; `mask`, when there is one, is set to what stays.
  torch::Tensor nearest(size_t layer, const torch::Tensor& weights, const PruneSpec& spec, torch::Tensor* mask) const;

  PrunePlan plan_;
  std::vector<Slot> slots_;
  torch::Tensor patterns_;  ///< kMaxPatterns numbers of 64 bits, 0: none
};

/// Alternating directions: training minimises loss + rho / 2 |W - Z + U|^2; every `interval` steps Z becomes the
/// nearest member of the set to W + U, and U grows by W - Z. After `iterations` steps what W's nearest member lacks is
/// masked.
class AdmmConstraint : public MaskConstraint {
 public:
  AdmmConstraint(PrunePlan plan, const std::vector<NamedTensor>& values, AdmmOptions options);

  void begin_step(int64_t iteration, const std::vector<NamedTensor>& values) override;
  void adjust(const std::vector<NamedTensor>& values, std::vector<torch::Tensor>& gradients) const override;
  std::vector<NamedTensor> state() const override;

  double rho_at(int64_t iteration) const;
  /// |W - Z| / |W| over all layers: how far the weights are from the set.
  double gap(const std::vector<NamedTensor>& values) const;

 private:
  void update_targets(int64_t iteration, const std::vector<NamedTensor>& values);

  AdmmOptions options_;
  std::vector<torch::Tensor> targets_, multipliers_;  ///< Z and U of each layer
  double rho_ = 0;                                    ///< of this step; 0 after the penalty's last
};

/// Magnitude pruning at a rate that rises: the share of what goes is 1 - (1 - s)^3 of the final one, s from 0 to 1
/// between `begin` and `end`. What is gone stays gone, but for the last step of pattern layers.
class GradualConstraint : public MaskConstraint {
 public:
  GradualConstraint(PrunePlan plan, const std::vector<NamedTensor>& values, GradualOptions options);

  void begin_step(int64_t iteration, const std::vector<NamedTensor>& values) override;

  /// What a layer is pruned to at this step.
  PruneSpec spec_at(const PruneSpec& spec, int64_t iteration) const;

 private:
  GradualOptions options_;
};

/// The options' method. check_options() must hold.
std::unique_ptr<MaskConstraint> make_constraint(PrunePlan plan, const std::vector<NamedTensor>& values,
                                                const PruneOptions& options);

/// Projects at once, without training: what the pruned network is before any.
void prune_at_once(const PrunePlan& plan, std::vector<NamedTensor>& values);

}  // namespace coco::tune
