// Purpose: the changes to a layer that may make it faster. Each rule gives the layer as it would be then, to be timed
// beside the layer as it is; a rule knows no figures of its own.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "apps/cocopipe/report/layer_alone.h"

namespace coco::cli {

struct AdviceRule {
  std::string_view name;
  std::string_view change;  ///< what to do, in front of the layers' names
  std::string_view reason;  ///< why the layer takes longer than it would have to
  /// The changed layer, without operators where nothing is left to do; empty where the rule does not apply.
  std::optional<LayerAlone> (*apply)(const LayerAlone& layer);
};

std::span<const AdviceRule> advice_rules();

}  // namespace coco::cli
