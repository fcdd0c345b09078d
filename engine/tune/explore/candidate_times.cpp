#include "tune/explore/candidate_times.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tune/copies.h"
#include "tune/onnx_export.h"
#include "tune/prune/constraint.h"

namespace coco::tune {
namespace {

using Passes = std::vector<std::vector<double>>;  // by pass, by configuration

Result<double> measure_one(const SearchRun& run, const Configuration& configuration, const MeasureTime& measure) {
  std::vector<NamedTensor> numbers = copies(run.teacher.deployed());
  prune_at_once(run.space.plan_of(configuration), numbers);
  COCO_ASSIGN(graph::Graph graph, run.teacher.graph(numbers));
  COCO_ASSIGN(const std::string onnx, to_onnx(std::move(graph), "candidate"));
  return measure(onnx);
}

Result<Passes> measure_passes(const SearchRun& run, const std::vector<Configuration>& configurations,
                              const MeasureTime& measure) {
  const auto passes = static_cast<size_t>(run.options.passes);
  const size_t all = passes * configurations.size();
  const Stopwatch watch;
  Passes times(passes);
  for (size_t i = 0; i < all; ++i) {
    if (run.stopped()) {
      return make_error(ErrorCode::kCancelled, "stopped while measuring; the same command measures anew");
    }
    COCO_ASSIGN(const double time, measure_one(run, configurations[i % configurations.size()], measure));
    times[i / configurations.size()].push_back(time);
    if (!run.hooks.progress) continue;
    const double per_second = static_cast<double>(i + 1) / watch.seconds();
    const double left = static_cast<double>(all - i - 1) / per_second;
    run.hooks.progress("measuring", {static_cast<int64_t>(i + 1), static_cast<int64_t>(all), 0, 0, per_second, left});
  }
  return times;
}

std::vector<double> fastest(const Passes& passes) {
  std::vector<double> least = passes.front();
  for (const auto& times : passes) {
    for (size_t c = 0; c < least.size(); ++c) least[c] = std::min(least[c], times[c]);
  }
  return least;
}

/// By how much, as a share, a pass lies above the fastest one: the median over all configurations and other passes.
double noise_of(const Passes& passes, const std::vector<double>& least) {
  std::vector<double> above;
  for (size_t c = 0; c < least.size(); ++c) {
    std::vector<double> all;
    for (const auto& times : passes) all.push_back(times[c] / least[c] - 1.0);
    std::sort(all.begin(), all.end());
    above.insert(above.end(), all.begin() + 1, all.end());
  }
  if (above.empty()) return 0;
  std::nth_element(above.begin(), above.begin() + static_cast<std::ptrdiff_t>(above.size() / 2), above.end());
  return above[above.size() / 2];
}

}  // namespace

Result<std::vector<double>> measure_candidates(const SearchRun& run, const std::vector<Configuration>& configurations,
                                               const MeasureTime& measure) {
  const std::string path = (std::filesystem::path(run.options.train.out) / "times.json").string();
  if (run.options.train.resume && std::filesystem::exists(path)) {
    std::ifstream in(path);
    const auto kept = nlohmann::json::parse(in, nullptr, false);
    if (kept.is_object() && kept.value("origin", "") == run.origin &&
        kept.value("configurations", std::vector<Configuration>{}) == configurations) {
      const auto times = kept.value("milliseconds", std::vector<double>{});
      if (times.size() == configurations.size()) return times;
    }
  }
  const Stopwatch watch;
  COCO_ASSIGN(const Passes passes, measure_passes(run, configurations, measure));
  const std::vector<double> least = fastest(passes);
  run.tell({{"phase", "measure"},
            {"configurations", configurations.size()},
            {"passes", passes.size()},
            {"noise", noise_of(passes, least)},
            {"fastest", *std::min_element(least.begin(), least.end())},
            {"slowest", *std::max_element(least.begin(), least.end())},
            {"seconds", watch.seconds()}},
           true);
  const std::string text =
      nlohmann::json{{"origin", run.origin}, {"configurations", configurations}, {"milliseconds", least}}.dump();
  COCO_TRY(write_file_atomically(path, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}));
  return least;
}

}  // namespace coco::tune
