#include <chrono>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/percentile.h"
#include "base/random.h"
#include "coco/compile.h"
#include "coco/device.h"

namespace coco::cli {
namespace {

constexpr int kWarmUps = 2;

struct Options {
  std::string model, executor = "auto";
  std::vector<std::string> shapes;
  SessionOptions session;
  double seconds = 2;
  bool json = false;
};

/// Tensors of a run at fixed addresses.
struct Tensors {
  std::vector<std::vector<uint8_t>> memory;
  std::vector<TensorView> in;
  std::vector<MutableTensorView> out;
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

/// Normally distributed numbers; integers are 0.
Tensors make_tensors(const Model& model, const Session& session, std::span<const Shape> shapes) {
  Tensors tensors;
  Random random(1);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const DataType type = model.inputs()[i].type;
    const auto count = static_cast<size_t>(shapes[i].element_count().value_or(0));
    tensors.memory.emplace_back(count * byte_size(type));
    auto* values = reinterpret_cast<float*>(tensors.memory.back().data());
    for (size_t k = 0; type == DataType::kF32 && k < count; ++k) values[k] = static_cast<float>(random.normal());
    tensors.in.push_back({type, shapes[i], tensors.memory.back().data()});
  }
  for (const TensorInfo& info : session.outputs()) {
    const auto count = static_cast<size_t>(info.shape.element_count().value_or(0));
    tensors.memory.emplace_back(count * byte_size(info.type));
    tensors.out.push_back({info.type, info.shape, tensors.memory.back().data()});
  }
  return tensors;
}

Result<int> bench_model(Options& options) {
  COCO_ASSIGN(const std::string path, model_file(options.model));
  COCO_ASSIGN(const std::shared_ptr<const Model> model, load_or_compile(path));
  if (options.executor == "line") options.session.executor = ExecutorKind::kLine;
  if (options.executor == "layer") options.session.executor = ExecutorKind::kLayer;
  COCO_ASSIGN(const std::vector<Shape> shapes, input_shapes(*model, options));
  COCO_ASSIGN(const auto session, Session::create(model, shapes, options.session));
  const Tensors tensors = make_tensors(*model, *session, shapes);
  std::vector<double> times;
  double total = 0;
  for (int i = 0; total < options.seconds * 1e3 || times.empty(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    COCO_TRY(session->run(tensors.in, tensors.out));
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (i < kWarmUps) continue;
    times.push_back(ms);
    total += ms;
  }
  std::sort(times.begin(), times.end());
  const SessionStats& stats = session->stats();
  const double p50 = percentile(times, 0.5);
  const nlohmann::ordered_json json = {{"model", options.model},
                                       {"target", active_target()},
                                       {"threads", stats.threads},
                                       {"executor", stats.executor},
                                       {"runs", times.size()},
                                       {"ms_p50", p50},
                                       {"ms_p95", percentile(times, 0.95)},
                                       {"ms_min", times[0]},
                                       {"macs", stats.macs},
                                       {"gmacs_per_second", static_cast<double>(stats.macs) / p50 / 1e6},
                                       {"arena_bytes", stats.arena_bytes}};
  if (options.json) {
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    std::printf("%s, %d threads, %s, %s executor\np50 %.3f ms, p95 %.3f ms, least %.3f ms (%zu runs); %.2f GMAC/s\n",
                options.model.c_str(), stats.threads, json["target"].get<std::string>().c_str(), stats.executor.c_str(),
                p50, percentile(times, 0.95), times[0], times.size(), json["gmacs_per_second"].get<double>());
  }
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
  command->footer("Example: cocopipe bench model net.onnx --input-shape x=1,3,224,224 --threads 2");
  command->callback([options, &action] { action = [options] { return bench_model(*options); }; });
}

}  // namespace coco::cli
