#include "tune/explore/search_run.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace coco::tune {

namespace fs = std::filesystem;

TrainOptions SearchRun::run_options(const std::string& folder, int64_t iterations) const {
  TrainOptions o = options.train;
  o.out = (fs::path(options.train.out) / folder).string();
  o.iterations = iterations;
  o.warmup = std::min<int64_t>(o.warmup, iterations / 10);
  o.validate_every = iterations;
  o.resume = o.resume && fs::exists(fs::path(o.out) / "checkpoint.pt");
  fs::create_directories(o.out);
  return o;
}

void SearchRun::tell(const nlohmann::json& line, bool aloud) const {
  std::ofstream(fs::path(options.train.out) / "explore.jsonl", std::ios::app) << line.dump() << "\n";
  if (aloud && hooks.log_line) hooks.log_line(line.dump());
}

TrainHooks hooks_of_part(const ExploreHooks& hooks, const std::string& name, size_t part, size_t parts, bool at_most) {
  if (!hooks.progress) return {{}, {}, hooks.stop};
  const std::string phase =
      name + " " + std::to_string(part + 1) + (at_most ? " of at most " : " of ") + std::to_string(parts);
  const auto progress = [&hooks, phase, more = parts - part - 1, since = Stopwatch()](const Progress& p) {
    Progress all = p;
    all.seconds_left += static_cast<double>(more) * (since.seconds() + p.seconds_left);
    hooks.progress(phase, all);
  };
  return {progress, {}, hooks.stop};
}

}  // namespace coco::tune
