#include "tune/prune/plan.h"

#include <algorithm>

namespace coco::tune {
namespace {

constexpr int kWordColumns = 4;

/// A picture of one channel enters the engine as words of 4 neighbours where the kernel is not wider than that.
bool reads_picture(const graph::Node& node, const format::Conv2dParams& conv) {
  const graph::Value* input = node.input(0);
  return input->producer() == nullptr && !input->is_constant() && node.input(1)->shape()[1] == 1 &&
         conv.kernel[1] <= kWordColumns && conv.stride[1] == 1 && conv.dilation[1] == 1;
}

ConvLayer layer_of(const graph::Node& node, const format::Conv2dParams& conv) {
  const Shape& s = node.input(1)->shape();
  const auto at = [&s](size_t axis) { return static_cast<int>(s[axis]); };
  return {node.name(), {at(0), at(1), at(2), at(3), reads_picture(node, conv)}, static_cast<int>(conv.group)};
}

std::string names_of(const std::vector<ConvLayer>& convs) {
  std::string names;
  for (const ConvLayer& c : convs) names += (names.empty() ? "" : ", ") + c.name;
  return names;
}

template <typename F>
void for_each_conv(const graph::Graph& graph, F f) {
  for (const graph::Node& node : graph.nodes()) {
    const auto* conv = node.as<format::Conv2dParams>();
    if (conv != nullptr && node.input(1)->is_constant()) f(node, *conv);
  }
}

Status check_layer(const ConvLayer& conv, const PruneSpec& spec) {
  const auto status = conv.group != 1 && spec.kind != PruneKind::kDense
                          ? Status(make_error(ErrorCode::kInvalidArgument, "grouped convolutions are not pruned"))
                          : check_spec(spec, conv.shape);
  if (status.ok()) return {};
  return make_error(status.error().code, "layer '" + conv.name + "': " + status.error().message);
}

}  // namespace

std::vector<ConvLayer> conv_layers(const graph::Graph& graph) {
  std::vector<ConvLayer> all;
  for_each_conv(graph, [&all](const graph::Node& node, const format::Conv2dParams& conv) {
    all.push_back(layer_of(node, conv));
  });
  return all;
}

Result<PrunePlan> plan_pruning(const std::vector<ConvLayer>& convs, const PruneRequest& request) {
  const auto refuse = [](std::string why) { return make_error(ErrorCode::kInvalidArgument, std::move(why)); };
  if (request.patterns < 1 || request.patterns > kMaxPatterns) {
    return refuse("a network has 1 to " + std::to_string(kMaxPatterns) + " patterns");
  }
  for (const auto& [name, spec] : request.layers) {
    if (std::none_of(convs.begin(), convs.end(), [&n = name](const ConvLayer& c) { return c.name == n; })) {
      return refuse("no convolution is called '" + name + "'; there are: " + names_of(convs));
    }
  }
  PrunePlan plan{{}, request.patterns, {}};
  for (size_t i = 0; i < convs.size(); ++i) {
    const auto named = request.layers.find(convs[i].name);
    const bool inner = i > 0 && i + 1 < convs.size() && convs[i].group == 1;
    const PruneSpec spec = named != request.layers.end() ? named->second : inner ? request.all : PruneSpec{};
    COCO_TRY(check_layer(convs[i], spec));
    if (spec.kind != PruneKind::kDense) plan.layers.push_back({convs[i].name + ".weight", convs[i].shape, spec});
  }
  if (plan.layers.empty()) {
    return refuse("nothing is to be pruned: first, last and grouped convolutions stay dense unless a layer is named");
  }
  return plan;
}

std::vector<Pattern> learn_library(const PrunePlan& plan, const std::vector<std::span<const float>>& weights) {
  std::vector<std::vector<BlockEnergy>> by_positions(10);
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    const PruneLayer& layer = plan.layers[l];
    if (layer.spec.kind != PruneKind::kPattern) continue;
    const auto blocks = block_energies(weights[l], layer.shape, layer.spec.block_outputs);
    auto& all = by_positions[kept_positions(layer.spec.keep, 9)];
    all.insert(all.end(), blocks.begin(), blocks.end());
  }
  auto sizes = std::count_if(by_positions.begin(), by_positions.end(), [](const auto& b) { return !b.empty(); });
  int left = std::min(plan.patterns, kMaxPatterns);
  std::vector<Pattern> library;
  for (size_t positions = 1; positions < by_positions.size(); ++positions) {
    if (by_positions[positions].empty()) continue;
    const int share = std::max(1, left / static_cast<int>(sizes--));
    const auto learnt = learn_patterns(by_positions[positions], static_cast<int>(positions), share);
    left -= static_cast<int>(learnt.size());
    library.insert(library.end(), learnt.begin(), learnt.end());
  }
  return library;
}

std::vector<LayerSparsity> measure_sparsity(const graph::Graph& graph) {
  std::vector<LayerSparsity> all;
  for_each_conv(graph, [&all](const graph::Node& node, const format::Conv2dParams& conv) {
    const ConvLayer layer = layer_of(node, conv);
    const auto weights = node.input(1)->floats();
    LayerSparsity s{layer.name, sparsity(weights), {}, {}};
    if (layer.group == 1) {
      s.eight = count_entries(weights, layer.shape, 8);
      s.four = count_entries(weights, layer.shape, 4);
    }
    all.push_back(std::move(s));
  });
  return all;
}

}  // namespace coco::tune
