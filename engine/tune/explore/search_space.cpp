#include "tune/explore/search_space.h"

#include <algorithm>

namespace coco::tune {
namespace {

Error refuse(std::string why) { return make_error(ErrorCode::kInvalidArgument, std::move(why)); }

std::span<const float> weights_of(const graph::Graph& graph, const std::string& name) {
  for (const graph::Node& node : graph.nodes()) {
    if (node.name() == name) return node.input(1)->floats();
  }
  return {};
}

}  // namespace

Result<SearchSpace> SearchSpace::create(const graph::Graph& graph, std::vector<ExploreModule> modules, int patterns) {
  if (modules.empty()) return refuse("there is nothing to choose: no modules");
  if (patterns < 1 || patterns > kMaxPatterns) {
    return refuse("a network has 1 to " + std::to_string(kMaxPatterns) + " patterns");
  }
  SearchSpace space;
  space.patterns_ = patterns;
  PrunePlan all{{}, patterns, {}};
  std::vector<std::span<const float>> weights;
  const std::vector<ConvLayer> convs = conv_layers(graph);
  for (const ExploreModule& module : modules) {
    const auto conv = std::find_if(convs.begin(), convs.end(), [&](const auto& c) { return c.name == module.layer; });
    if (conv == convs.end()) return refuse("no convolution is called '" + module.layer + "'");
    const auto layer = static_cast<size_t>(conv - convs.begin());
    if (!space.layers_.empty() && layer <= space.layers_.back()) {
      return refuse("module '" + module.layer + "' must come once, and in the network's order");
    }
    if (module.choices.empty()) return refuse("module '" + module.layer + "' has no choices");
    space.layers_.push_back(layer);
    space.shapes_.push_back(conv->shape);
    for (const PruneSpec& spec : module.choices) {
      const Status fits = check_spec(spec, conv->shape);
      if (!fits.ok()) return refuse("module '" + module.layer + "': " + fits.error().message);
      if (conv->group != 1 && spec.kind != PruneKind::kDense) {
        return refuse("module '" + module.layer + "': grouped convolutions are not pruned");
      }
      all.layers.push_back({module.layer + ".weight", conv->shape, spec});
      weights.push_back(weights_of(graph, module.layer));
    }
  }
  space.library_ = learn_library(all, weights);
  space.modules_ = std::move(modules);
  return space;
}

std::vector<int> SearchSpace::choices() const {
  std::vector<int> counts;
  for (const ExploreModule& module : modules_) counts.push_back(static_cast<int>(module.choices.size()));
  return counts;
}

PrunePlan SearchSpace::plan_of(size_t first_module, const std::vector<int>& choices) const {
  PrunePlan plan{{}, patterns_, library_};
  for (size_t i = 0; i < choices.size(); ++i) {
    const size_t m = first_module + i;
    const PruneSpec& spec = modules_[m].choices[static_cast<size_t>(choices[i])];
    if (spec.kind != PruneKind::kDense) plan.layers.push_back({modules_[m].layer + ".weight", shapes_[m], spec});
  }
  return plan;
}

LayerRange SearchSpace::layers_of(const TuningBlock& block) const {
  return {layers_[static_cast<size_t>(block.first)], layers_[static_cast<size_t>(block.end() - 1)] + 1};
}

}  // namespace coco::tune
