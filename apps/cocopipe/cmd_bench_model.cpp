#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/measure.h"
#include "coco/compile.h"
#include "coco/device.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model, executor = "auto";
  std::vector<std::string> shapes;
  SessionOptions session;
  double seconds = 2;
  bool json = false, profile = false, slowest = false;
};

/// The model's shapes with the ones from the command line; every dimension must be known then.
Result<std::vector<Shape>> input_shapes(const Model& model, const Options& options) {
  std::vector<std::pair<std::string, Shape>> given;
  for (const std::string& text : options.shapes) {
    COCO_ASSIGN(given.emplace_back(), read_input_shape(text));
  }
  std::vector<Shape> shapes;
  for (const TensorInfo& info : model.inputs()) {
    shapes.push_back(info.shape);
    for (const auto& [name, shape] : given) {
      if (name == info.name) shapes.back() = shape;
    }
    if (shapes.back().is_static()) continue;
    return make_error(ErrorCode::kInvalidArgument, "input '" + info.name + "' is " + info.shape.to_string() +
                                                       "; say its size with --input-shape " + info.name + "=D,D,...");
  }
  return shapes;
}

Result<int> bench_model(Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  if (options.executor == "line") options.session.executor = ExecutorKind::kLine;
  if (options.executor == "layer") options.session.executor = ExecutorKind::kLayer;
  COCO_ASSIGN(const std::vector<Shape> shapes, input_shapes(*model, options));
  COCO_ASSIGN(const Measured measured, measure(model, shapes, options.session, options.seconds, options.profile));
  const SessionStats& stats = measured.stats;
  nlohmann::ordered_json json = {{"model", options.model},
                                 {"target", active_target()},
                                 {"threads", stats.threads},
                                 {"executor", stats.executor},
                                 {"runs", measured.runs},
                                 {"ms_p50", measured.ms_p50},
                                 {"ms_p95", measured.ms_p95},
                                 {"ms_min", measured.ms_min},
                                 {"macs", stats.macs},
                                 {"gmacs_per_second", static_cast<double>(stats.macs) / measured.ms_p50 / 1e6},
                                 {"arena_bytes", stats.arena_bytes}};
  if (options.profile) json["profile"] = profile_json(measured);
  if (options.json) {
    std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return static_cast<int>(kOk);
  }
  std::printf("%s, %d threads, %s, %s executor\np50 %.3f ms, p95 %.3f ms, least %.3f ms (%zu runs); %.2f GMAC/s\n",
              options.model.c_str(), stats.threads, json["target"].get<std::string>().c_str(), stats.executor.c_str(),
              measured.ms_p50, measured.ms_p95, measured.ms_min, measured.runs, json["gmacs_per_second"].get<double>());
  if (options.profile) std::printf("%s", profile_table(measured, options.slowest).c_str());
  return static_cast<int>(kOk);
}

}  // namespace

void add_bench_model(CLI::App& bench, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = bench.add_subcommand("model", "runs of any model on random tensors");
  command->add_option("model", options->model, "shipped model, .coco or .onnx file")->required();
  command->add_option("--input-shape", options->shapes, "NAME=1,3,224,224 for dynamic dimensions (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--executor", options->executor, "auto, line or layer")
      ->check(CLI::IsMember({"auto", "line", "layer"}));
  add_threads(*command, options->session);
  command->add_option("--seconds", options->seconds, "measuring time after the warm-up; default 2")
      ->check(CLI::Range(0.0, 3600.0));
  command->add_flag("--json", options->json, "print JSON: ms_p50, ms_p95, ms_min, macs, gmacs_per_second, ...");
  command->add_flag("--profile", options->profile, "a table of the operators: time, share, GMAC/s, kernel");
  command->add_flag("--slowest", options->slowest, "the table's slowest operators first")->needs("--profile");
  command->footer(
      "Example: cocopipe bench model net.onnx --input-shape x=1,3,224,224 --threads 2\n"
      "         cocopipe bench model net.onnx --profile --slowest");
  command->callback([options, &action] { action = [options] { return bench_model(*options); }; });
}

}  // namespace coco::cli
