#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "coco/device.h"
#include "coco/tuning.h"

namespace coco::cli {
namespace {

struct Options {
  std::string model = "sr2x-s";
  std::vector<Size> inputs;
  Size out;
  SessionOptions session;
  double seconds = 2;
  bool json = false;
};

std::string size_text(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

double gain(const vision::TuningResult& result) {
  return result.tuned_ms > 0 ? 100 * (result.default_ms / result.tuned_ms - 1) : 0;
}

nlohmann::ordered_json to_json(const Options& options, Size in, Size out, const vision::TuningResult& result) {
  return {{"model", options.model},
          {"input_size", size_text(in)},
          {"output_size", size_text(out)},
          {"threads", options.session.threads > 0 ? options.session.threads : cpu_info().allowed_threads},
          {"reuse", options.session.reuse},
          {"default_ms", result.default_ms},
          {"tuned_ms", result.tuned_ms},
          {"gain_percent", gain(result)},
          {"strip_width", result.plan.strip_width},
          {"band_height", result.plan.band_height},
          {"candidates", result.candidates},
          {"frames", result.frames},
          {"file", result.file}};
}

void print(Size in, Size out, const vision::TuningResult& result) {
  const auto length = [](int value) { return value > 0 ? std::to_string(value) : std::string("planned"); };
  const std::string sizes = size_text(in) + " to " + size_text(out);
  std::printf("%-24s default %7.2f ms, tuned %7.2f ms, gain %4.1f %%; strip width %s, band height %s%s\n",
              sizes.c_str(), result.default_ms, result.tuned_ms, gain(result), length(result.plan.strip_width).c_str(),
              length(result.plan.band_height).c_str(), result.file.empty() ? " (not kept)" : "");
  std::fflush(stdout);
}

Result<int> tune_device(const Options& options) {
  COCO_ASSIGN(const std::shared_ptr<const Model> model, vision::load_upscale_model(options.model));
  const int scale = model != nullptr ? std::max(model->card().scale, 1) : 2;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Size& in : options.inputs) {
    vision::UpscalerConfig config;
    config.in_width = in.width;
    config.in_height = in.height;
    config.out_width = options.out.width > 0 ? options.out.width : in.width * scale;
    config.out_height = options.out.height > 0 ? options.out.height : in.height * scale;
    config.filter = vision::resample_filter(options.model);
    config.session = options.session;
    const Size out{config.out_width, config.out_height};
    COCO_ASSIGN(const vision::TuningResult result, vision::tune(model, config, options.seconds));
    if (options.json) {
      list.push_back(to_json(options, in, out, result));
    } else {
      print(in, out, result);
    }
  }
  if (options.json) std::printf("%s\n", list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  return static_cast<int>(kOk);
}

}  // namespace

void add_tune_device(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("tune-device", "measure which plan is fastest on this machine, and remember it");
  command->add_option("--model", options->model,
                      "shipped model, .coco or .onnx file, bicubic or lanczos; default sr2x-s");
  add_sizes(*command, "--input-size", options->inputs,
            "sizes of the frames, one or more; default 1920x1080 1280x720 640x360");
  add_size(*command, "--output-size", options->out, "default: the model's scale times the input size");
  add_threads(*command, options->session);
  add_reuse(*command, options->session);
  command->add_option("--seconds", options->seconds, "measuring time a size, at least a few frames a plan; default 2")
      ->check(CLI::Range(0.0, 600.0));
  command->add_flag("--json", options->json, "print JSON");
  command->footer(
      "Upscaling with the same model, sizes, threads and reuse takes the plan up by itself; the pixels stay the same.\n"
      "Kept in COCO_TUNING_DIR, or cocopipe/tuning in XDG_CACHE_HOME or ~/.cache; delete the folder to forget.\n"
      "Example: cocopipe tune-device --model sr2x-s --input-size 1920x1080 1280x720 --threads 2");
  command->callback([options, &action] {
    if (options->inputs.empty()) options->inputs = {{1920, 1080}, {1280, 720}, {640, 360}};
    action = [options] { return tune_device(*options); };
  });
}

}  // namespace coco::cli
