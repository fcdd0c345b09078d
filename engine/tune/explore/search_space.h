// Purpose: what a search chooses from, free of libtorch.
#pragma once

#include <string>
#include <vector>

#include "tune/explore/tuning_blocks.h"
#include "tune/prune/plan.h"

namespace coco::tune {

/// One module: a convolution with its activation, and what it may be pruned to.
struct ExploreModule {
  std::string layer;
  std::vector<PruneSpec> choices;
};

/// Layers [first, end) of a network.
struct LayerRange {
  size_t first = 0, end = 0;
};

class SearchSpace {
 public:
  /// `graph` is the dense network; modules follow its order. kInvalidArgument names the module that does not fit.
  static Result<SearchSpace> create(const graph::Graph& graph, std::vector<ExploreModule> modules, int patterns);

  /// By module: how many choices there are.
  std::vector<int> choices() const;
  /// What the choices of these modules prune. All plans have the same patterns, learnt from the dense network, so that
  /// a block is the same in every configuration.
  PrunePlan plan_of(size_t first_module, const std::vector<int>& choices) const;
  PrunePlan plan_of(const Configuration& configuration) const { return plan_of(0, configuration); }
  PrunePlan plan_of(const TuningBlock& block) const { return plan_of(static_cast<size_t>(block.first), block.choices); }
  /// From the block's first module to its last, layers between modules included.
  LayerRange layers_of(const TuningBlock& block) const;

 private:
  std::vector<ExploreModule> modules_;
  std::vector<size_t> layers_;  ///< by module: its convolution
  std::vector<KernelShape> shapes_;
  int patterns_ = 0;
  std::vector<Pattern> library_;
};

}  // namespace coco::tune
