// Purpose: which convolutions of a network are pruned, and to what.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "tune/prune/patterns.h"
#include "tune/prune/shapes.h"

namespace coco::tune {

/// A convolution of a network.
struct ConvLayer {
  std::string name;  ///< of the node; its deployed weights are called NAME.weight
  KernelShape shape;
  int group = 1;
};

/// All convolutions with constant weights, in execution order.
std::vector<ConvLayer> conv_layers(const graph::Graph& graph);

/// One pruned layer.
struct PruneLayer {
  std::string weight;  ///< name of the deployed tensor, NAME.weight
  KernelShape shape;
  PruneSpec spec;
};

struct PrunePlan {
  std::vector<PruneLayer> layers;
  int patterns = kMaxPatterns;   ///< of the whole network at most
  std::vector<Pattern> library;  ///< these patterns; empty: learnt from the weights when they are needed
};

/// The patterns of a plan's pattern layers, learnt from their weights (of all layers of the plan, in order). Layers
/// with different rates have patterns of different sizes; the number of all is shared out evenly.
std::vector<Pattern> learn_library(const PrunePlan& plan, const std::vector<std::span<const float>>& weights);

struct PruneRequest {
  PruneSpec all;                            ///< of every layer but the first and the last, which stay dense
  std::map<std::string, PruneSpec> layers;  ///< of single ones, by name of the node
  int patterns = kMaxPatterns;
};

/// The layers that are not dense. An unknown name, a shape that does not fit its layer and a request that prunes
/// nothing are kInvalidArgument. Grouped convolutions stay dense unless they are named, which is refused.
Result<PrunePlan> plan_pruning(const std::vector<ConvLayer>& convs, const PruneRequest& request);

/// A layer as it came out.
struct LayerSparsity {
  std::string name;
  double sparsity = 0;     ///< share of the weights that are 0
  EntryCount eight, four;  ///< entries of tiles of 8 and of 4 output channels
};

/// Every convolution of the graph.
std::vector<LayerSparsity> measure_sparsity(const graph::Graph& graph);

}  // namespace coco::tune
