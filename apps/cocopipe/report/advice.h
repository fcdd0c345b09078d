// Purpose: the changes to a network that would make it faster on this machine, found by timing its slowest layers
// alone, as they are and changed (advice_rules.h). Ownership: results own what they hold. Threads: the main thread.
// Failure: a layer that cannot be timed alone gives no advice.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/cocopipe/measure.h"
#include "apps/cocopipe/report/layer_alone.h"
#include "format/program.h"

namespace coco::cli {

struct Advice {
  std::string rule, change, reason;
  std::vector<std::string> layers;  ///< those timed, the one that saves most first
  double saves_ms = 0;              ///< of a run: each layer's time in the network times the share it lost alone
  std::string basis;                ///< the first layer's times alone
};

struct AdviceLimits {
  size_t most = 3;             ///< pieces of advice
  double least_share = 0.01;   ///< of the network's time that an advice must save
  double layer_share = 0.004;  ///< of the network's time that a layer must take to be looked at
  double seconds = 3;          ///< spent in all, about; the slowest layers come first
  double seconds_a_layer = 0.02;
  /// Milliseconds of a layer alone, for tests; empty: it is run.
  std::function<std::optional<double>(const LayerAlone&)> clock;
};

struct AdviceList {
  std::vector<Advice> best;  ///< the largest gain first; gains do not add up, for several changes may touch one layer
  double tried = 0;          ///< share of the network's time in the operators for which there was time
};

/// Why layers of a model with integers are f32, by name: making them integer takes training then.
using FloatReasons = std::map<std::string, std::string>;

/// `operators`: as profiled at these resolved shapes of all values.
AdviceList find_advice(const format::Program& program, std::span<const Shape> shapes,
                       const std::vector<OperatorProfile>& operators, const SessionOptions& options,
                       const FloatReasons& reasons = {}, const AdviceLimits& limits = {});

}  // namespace coco::cli
