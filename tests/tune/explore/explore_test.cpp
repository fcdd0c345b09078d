#include "tune/explore/explore.h"

#include <fstream>

#include "catch.h"
#include "tests/tune/explore/fixture.h"
#include "tune/evaluate.h"
#include "tune/prune/plan.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

/// Entries that are multiplied, in hundredths of milliseconds.
Result<double> time_of(const std::string& onnx) {
  size_t entries = 0;
  for (const LayerSparsity& layer : measure_sparsity(import(onnx))) entries += layer.eight.kept;
  return static_cast<double>(entries) / 100;
}

std::vector<nlohmann::json> log_of(const std::string& folder) {
  std::ifstream in(folder + "/explore.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

size_t count(const std::vector<nlohmann::json>& lines, const std::string& phase) {
  return static_cast<size_t>(
      std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.at("phase") == phase; }));
}

/// What must not differ between two searches.
std::string summary(const ExploreOutcome& outcome) {
  nlohmann::json all = {outcome.verdict, outcome.found, outcome.blocks, outcome.groups};
  for (const TriedConfiguration& t : outcome.tried) {
    all.push_back({t.choices, t.milliseconds, t.psnr_start, t.psnr});
  }
  return all.dump();
}

}  // namespace

TEST_CASE("a search ends at the fastest configuration that is good enough, with blocks and without") {
  const auto images = make_images(3, 64, 31);
  const std::string dense = dense_onnx();
  for (const bool blocks : {true, false}) {
    const TemporaryFolder folder;
    ExploreOptions options = small_search(folder.string());
    options.blocks = blocks;
    options.objective = {ObjectiveKind::kSmallestTime, 1, 8, 0};
    size_t measured = 0;
    const auto measure = [&](const std::string& onnx) {
      ++measured;
      return time_of(onnx);
    };
    auto outcome = explore(dense, options, images, images, measure, {}).value();
    REQUIRE(outcome.found);  // 1 dB is no hurdle: the first one is the fastest there is
    REQUIRE(outcome.tried.size() == 1);
    CHECK(outcome.tried[0].choices == Configuration{2, 2});
    CHECK(measured == 18);  // 9 configurations, 2 passes
    CHECK(time_of(outcome.onnx).value() == outcome.tried[0].milliseconds);
    CHECK((outcome.blocks > 0) == blocks);
    const auto lines = log_of(folder.string());
    CHECK(count(lines, "candidate") == 9);
    CHECK(count(lines, "blocks") == outcome.groups);
    CHECK(count(lines, "tune") == 1);
    CHECK(lines.back().at("found") == true);
    // What is written is what was judged: the engine finds the same quality in it.
    const auto figures = evaluate(compile_model(outcome.onnx).value(), images).value();
    CHECK(std::abs(figures.psnr_y - outcome.tried[0].psnr) < 0.01);
  }
}

TEST_CASE("the best configuration within a time: no slower one is looked at, and none gets blocks") {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  ExploreOptions options = small_search(folder.string());
  const double limit = 0.45;  // of 45 entries conv0 has 3 and conv3 18: dense ones (18) are out
  options.objective = {ObjectiveKind::kBestQuality, limit, 100, 0};
  const auto outcome = explore(dense_onnx(), options, images, images, time_of, {}).value();
  REQUIRE(outcome.found);
  double best = 0;
  for (const TriedConfiguration& t : outcome.tried) {
    CHECK(t.milliseconds <= limit);
    best = std::max(best, t.psnr);
  }
  CHECK(outcome.tried.size() == count(log_of(folder.string()), "candidate"));
  CHECK(outcome.tried.size() == 4);
  const auto figures = evaluate(compile_model(outcome.onnx).value(), images).value();
  CHECK(std::abs(figures.psnr_y - best) < 0.01);
}

TEST_CASE("a stopped search goes on to the same result, wherever it stopped") {
  const auto images = make_images(3, 64, 31);
  const std::string dense = dense_onnx();
  const TemporaryFolder folder;
  ExploreOptions options = small_search((folder / "whole").string());
  options.objective = {ObjectiveKind::kBestQuality, 1, 2, 0};
  const auto whole = explore(dense, options, images, images, time_of, {}).value();
  REQUIRE(whole.tried.size() >= 2);
  for (const std::string phase : {"measure", "blocks", "tune"}) {
    options.train.out = (folder / phase).string();
    options.train.resume = false;
    std::atomic<bool> stop{false};
    ExploreHooks hooks;
    hooks.log_line = [&](const std::string& line) { stop = stop || nlohmann::json::parse(line).at("phase") == phase; };
    hooks.stop = &stop;
    CHECK(explore(dense, options, images, images, time_of, hooks).error().code == ErrorCode::kCancelled);
    options.train.resume = true;
    const auto never = [](const std::string&) -> Result<double> {
      return make_error(ErrorCode::kInternal, "times are kept");
    };
    const auto rest = explore(dense, options, images, images, never, {}).value();
    CHECK(summary(rest) == summary(whole));
    CHECK(rest.onnx == whole.onnx);
  }
  options.tuning_iterations = 9;
  CHECK(explore(dense, options, images, images, time_of, {}).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("an objective out of reach says how close it came; one out of time trains nothing") {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  ExploreOptions options = small_search(folder.string());
  options.modules[0].choices.resize(1);
  options.objective = {ObjectiveKind::kSmallestTime, 99, 8, 0};
  auto outcome = explore(dense_onnx(), options, images, images, time_of, {}).value();
  CHECK_FALSE(outcome.found);
  CHECK(outcome.onnx.empty());
  CHECK(outcome.tried.size() == 3);
  CHECK(outcome.verdict.find("no configuration reaches 99.000 dB after 3 of 3 configurations; the closest has ") == 0);
  options.objective = {ObjectiveKind::kBestQuality, 0.1, 8, 0};
  outcome = explore(dense_onnx(), options, images, images, time_of, {}).value();
  CHECK_FALSE(outcome.found);
  CHECK(outcome.tried.empty());
  CHECK(outcome.blocks == 0);
  CHECK(outcome.verdict.find("no configuration takes at most 0.100 ms; the fastest takes ") == 0);
}

TEST_CASE("progress tells phases and the time left of all of them") {
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  ExploreOptions options = small_search(folder.string());
  options.objective = {ObjectiveKind::kSmallestTime, 99, 8, 0};
  options.modules[0].choices.resize(1);
  std::vector<std::pair<std::string, Progress>> seen;
  ExploreHooks hooks;
  hooks.progress = [&](const std::string& phase, const Progress& p) { seen.push_back({phase, p}); };
  REQUIRE(explore(dense_onnx(), options, images, images, time_of, hooks).ok());
  REQUIRE(seen.size() >= 6);
  CHECK(seen[0].first == "measuring");
  CHECK(seen[5].second.iteration == seen[5].second.iterations);
  CHECK(seen[5].second.seconds_left == 0);
}

TEST_CASE("a search that makes no sense is refused before anything is measured") {
  const auto images = make_images(2, 64, 1);
  const TemporaryFolder folder;
  const auto never = [](const std::string&) -> Result<double> { return make_error(ErrorCode::kInternal, "measured"); };
  const auto message = [&](const ExploreOptions& options, const std::string& onnx) {
    return explore(onnx, options, images, images, never, {}).error().message;
  };
  ExploreOptions options = small_search(folder.string());
  CHECK(message(options, "not a model") != "measured");
  CHECK(message(options, dense_onnx()) == "measured");
  options.modules[1].layer = "conv9";
  CHECK(message(options, dense_onnx()).find("conv9") != std::string::npos);
  options.modules[1].layer = "conv1";
  CHECK(message(options, dense_onnx()).find("must come once") != std::string::npos);
  options = small_search(folder.string());
  options.modules[1].choices.clear();
  CHECK(message(options, dense_onnx()).find("'conv2' has no choices") != std::string::npos);
  options = small_search(folder.string());
  options.train.cuda = true;
  CHECK(message(options, dense_onnx()).find("device") != std::string::npos);
  options = small_search(folder.string());
  options.tuning_iterations = 0;
  CHECK(message(options, dense_onnx()).find("at least one step") != std::string::npos);
  CHECK_FALSE(explore(dense_onnx(), small_search(folder.string()), images, {}, never, {}).ok());
}
