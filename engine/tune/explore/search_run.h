// Purpose: what the steps of a search share: what it works on, its folders, its log and its progress.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "tune/explore/explore.h"
#include "tune/network.h"

namespace coco::tune {

/// Everything is borrowed.
struct SearchRun {
  const Network& teacher;
  const SearchSpace& space;
  const ExploreOptions& options;
  const std::vector<ImagePair>& images;
  const std::vector<ImagePair>& validation;
  const ExploreHooks& hooks;
  std::string origin;  ///< checksum of the dense network

  /// For a training run of its own in a folder of the search; goes on from its checkpoint where there is one.
  TrainOptions run_options(const std::string& folder, int64_t iterations) const;
  bool stopped() const { return hooks.stop != nullptr && hooks.stop->load(); }
  /// A line of explore.jsonl; `aloud`: of hooks.log_line, too.
  void tell(const nlohmann::json& line, bool aloud) const;
};

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Hooks of part number `part` (from 0) of `parts` training runs: their progress says which one it is, and how long all
/// of them take when the rest is as fast. `name`: "configuration"; `at_most`: there may be fewer.
TrainHooks hooks_of_part(const ExploreHooks& hooks, const std::string& name, size_t part, size_t parts, bool at_most);

}  // namespace coco::tune
