#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/percentile.h"
#include "coco/device.h"
#include "coco/vision.h"
#include "coco/vulkan.h"

namespace coco::cli {
namespace {

constexpr int kFrames = 4;
constexpr int kWarmUps = 2;

/// What moves from frame to frame.
enum class Scene { kMoving, kTalking, kStill };

struct Options {
  std::string model = "sr2x-s", device = "cpu";
  Scene scene = Scene::kMoving;
  Size in{1920, 1080}, out;
  SessionOptions session;
  double seconds = 5;
  bool luma_only = false, json = false;
};

/// Planes of one picture in cocopipe's own memory.
struct Picture {
  Buffer memory;
  MutableFrameView view;
};

Result<Picture> make_picture(PixelFormat format, int width, int height) {
  const int chroma_width = (width + 1) / 2, chroma_height = (height + 1) / 2;
  const auto padded = [](int row) { return (row + 63) / 64 * 64; };
  const size_t luma = static_cast<size_t>(padded(width)) * static_cast<size_t>(height);
  const size_t chroma = static_cast<size_t>(padded(chroma_width)) * static_cast<size_t>(chroma_height);
  const bool grey = format == PixelFormat::kGray8;
  Picture picture;
  COCO_ASSIGN(picture.memory, Buffer::allocate(grey ? luma : luma + 2 * chroma));
  auto* base = static_cast<uint8_t*>(picture.memory.data());
  picture.view = {format, width, height, {base}, {padded(width)}};
  if (grey) return picture;
  picture.view.data = {base, base + luma, base + luma + chroma};
  picture.view.stride = {padded(width), padded(chroma_width), padded(chroma_width)};
  return picture;
}

/// Whether sample (x, y) of a plane of this size shows the scene's moving part; of a talking head it is an oval in the
/// middle, an eighth of the picture.
bool moves(Scene scene, int x, int y, int width, int height) {
  if (scene != Scene::kTalking) return scene == Scene::kMoving;
  const double dx = (x - width * 0.5) / (width * 0.16), dy = (y - height * 0.45) / (height * 0.25);
  return dx * dx + dy * dy < 1;
}

/// Waves of falling period that move with `phase` where the scene moves, and a fine grid.
void paint(const Picture& picture, Scene scene, int frame) {
  const FrameView view = picture.view;
  for (int y = 0; y < view.height; ++y) {
    uint8_t* row = static_cast<uint8_t*>(picture.view.data[0]) + y * view.stride[0];
    for (int x = 0; x < view.width; ++x) {
      const int phase = moves(scene, x, y, view.width, view.height) ? frame : 0;
      const int moved = x + 3 * phase;
      const double wave = std::sin(moved * moved * 1e-4) * std::sin((y + phase) * 0.05);
      row[x] = static_cast<uint8_t>(128 + 80 * wave + ((moved ^ y) & 8) * 4);
    }
  }
  for (size_t plane = 1; plane < static_cast<size_t>(plane_count(view.format)); ++plane) {
    for (int y = 0; y < (view.height + 1) / 2; ++y) {
      uint8_t* row = static_cast<uint8_t*>(picture.view.data[plane]) + y * view.stride[plane];
      for (int x = 0; x < (view.width + 1) / 2; ++x)
        row[x] = static_cast<uint8_t>(x + y * static_cast<int>(plane) + (scene == Scene::kMoving ? frame : 0));
    }
  }
}

Result<std::vector<double>> measure(vision::Upscaler& upscaler, const Options& options) {
  const vision::UpscalerConfig& config = upscaler.config();
  std::vector<Picture> inputs;
  for (int i = 0; i < kFrames; ++i) {
    COCO_ASSIGN(Picture picture, make_picture(config.format, config.in_width, config.in_height));
    paint(picture, options.scene, i);
    inputs.push_back(std::move(picture));
  }
  COCO_ASSIGN(const Picture out, make_picture(config.format, config.out_width, config.out_height));
  std::vector<double> times;
  double total = 0;
  for (int i = 0; total < options.seconds * 1e3 || times.empty(); ++i) {
    const auto start = std::chrono::steady_clock::now();
    COCO_TRY(upscaler.process(inputs[static_cast<size_t>(i % kFrames)].view, out.view));
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    if (i < kWarmUps) continue;
    times.push_back(ms);
    total += ms;
  }
  return times;
}

void print(const Options& options, const vision::Upscaler& upscaler, std::vector<double> times) {
  double total = 0;
  for (const double time : times) total += time;
  std::sort(times.begin(), times.end());
  const vision::UpscalerConfig& config = upscaler.config();
  const SessionStats& stats = upscaler.stats();
  const ReuseStats reuse = upscaler.reuse_stats();
  const auto size_text = [](int w, int h) { return std::to_string(w) + "x" + std::to_string(h); };
  const nlohmann::ordered_json json = {
      {"model", options.model},
      {"input_size", size_text(config.in_width, config.in_height)},
      {"output_size", size_text(config.out_width, config.out_height)},
      {"format", to_string(config.format)},
      {"device", config.session.vulkan ? config.session.vulkan->info().name : "cpu"},
      {"target", active_target()},
      {"threads", stats.threads},
      {"executor", stats.executor},
      {"frames", times.size()},
      {"fps", 1e3 * static_cast<double>(times.size()) / total},
      {"ms_p50", percentile(times, 0.50)},
      {"ms_p95", percentile(times, 0.95)},
      {"ms_p99", percentile(times, 0.99)},
      {"gmacs_per_second", static_cast<double>(stats.macs) * static_cast<double>(times.size()) / total / 1e6},
      {"arena_bytes", stats.arena_bytes},
      {"strips", stats.strips},
      {"bands", stats.bands},
      {"tuned", upscaler.tuned()},
      {"reused",
       reuse.total_tiles > 0 ? static_cast<double>(reuse.total_kept) / static_cast<double>(reuse.total_tiles) : 0.0},
  };
  if (options.json) {
    std::printf("%s\n", json.dump(2).c_str());
    return;
  }
  const bool cpu = config.session.vulkan == nullptr;
  std::printf("%s %s to %s %s, %d threads, %s, %s executor\n", options.model.c_str(),
              json["input_size"].get<std::string>().c_str(), json["output_size"].get<std::string>().c_str(),
              json["format"].get<std::string>().c_str(), stats.threads,
              json[cpu ? "target" : "device"].get<std::string>().c_str(), stats.executor.c_str());
  std::printf("%.2f fps; per frame p50 %.2f ms, p95 %.2f ms, p99 %.2f ms (%zu frames)\n", json["fps"].get<double>(),
              json["ms_p50"].get<double>(), json["ms_p95"].get<double>(), json["ms_p99"].get<double>(), times.size());
}

Result<int> bench_upscale(const Options& options) {
  COCO_ASSIGN(const std::shared_ptr<const Model> model, vision::load_upscale_model(options.model));
  const int scale = model != nullptr ? std::max(model->card().scale, 1) : 2;
  vision::UpscalerConfig config;
  config.format = options.luma_only ? PixelFormat::kGray8 : PixelFormat::kI420;
  config.in_width = options.in.width;
  config.in_height = options.in.height;
  config.out_width = options.out.width > 0 ? options.out.width : options.in.width * scale;
  config.out_height = options.out.height > 0 ? options.out.height : options.in.height * scale;
  config.filter = vision::resample_filter(options.model);
  config.session = options.session;
  COCO_ASSIGN(config.session.vulkan, named_device(options.device));
  COCO_ASSIGN(const auto upscaler, vision::Upscaler::create(model, config));
  COCO_ASSIGN(std::vector<double> times, measure(*upscaler, options));
  print(options, *upscaler, std::move(times));
  return static_cast<int>(kOk);
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("bench", "measure speed");
  command->require_subcommand(1);
  command->footer("Example: cocopipe bench upscale --model sr2x-s --input-size 1920x1080");
  add_bench_model(*command, action);
  CLI::App* upscale = command->add_subcommand("upscale", "frames in memory to frames in memory, no file, no codec");
  upscale->add_option("--model", options->model,
                      "shipped model, .coco or .onnx file, bicubic or lanczos; default sr2x-s");
  add_size(*upscale, "--input-size", options->in, "size of the frames; default 1920x1080");
  add_size(*upscale, "--output-size", options->out, "default: the model's scale times the input size");
  add_device(*upscale, options->device);
  add_threads(*upscale, options->session);
  add_reuse(*upscale, options->session);
  const std::map<std::string, Scene> scenes = {
      {"moving", Scene::kMoving}, {"talking", Scene::kTalking}, {"still", Scene::kStill}};
  upscale->add_option("--scene", options->scene, "what moves: everything (moving), a head (talking), nothing (still)")
      ->transform(CLI::CheckedTransformer(scenes, CLI::ignore_case));
  upscale->add_option("--seconds", options->seconds, "measuring time after the warm-up; default 5")
      ->check(CLI::Range(0.0, 3600.0));
  upscale->add_flag("--luma-only", options->luma_only, "one grey plane, no chroma");
  upscale->add_flag("--json", options->json, "print JSON: fps, ms_p50, ms_p95, ms_p99, threads, target, model, ...");
  upscale->footer("Example: cocopipe bench upscale --model sr2x-s --input-size 1920x1080 --threads 2 --json");
  upscale->callback([options, &action] { action = [options] { return bench_upscale(*options); }; });
}

}  // namespace coco::cli
