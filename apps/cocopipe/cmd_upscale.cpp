#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/progress.h"
#include "apps/cocopipe/stop.h"
#include "apps/filejob/filejob.h"
#include "base/file.h"
#include "coco/vision.h"

namespace coco::cli {
namespace {

struct Options {
  filejob::UpscaleJob job;
  Size size;
  std::string model = "sr2x-s", device = "cpu";
  std::string report;
  bool quiet = false, no_encode = false;
};

Status write_report(const Options& options, const filejob::Report& report) {
  if (options.report.empty()) return {};
  const double fps = report.seconds > 0 ? static_cast<double>(report.frames_out) / report.seconds : 0;
  const nlohmann::ordered_json json = {
      {"input", options.job.input},
      {"output", options.no_encode ? "" : options.job.output},
      {"model", options.model},
      {"frames_in", report.frames_in},
      {"frames_out", report.frames_out},
      {"in_width", report.in_width},
      {"in_height", report.in_height},
      {"out_width", report.out_width},
      {"out_height", report.out_height},
      {"seconds", report.seconds},
      {"fps", fps},
      {"decode_seconds", report.decode_seconds},
      {"upscale_seconds", report.upscale_seconds},
      {"encode_seconds", report.encode_seconds},
      {"encoder", report.encoder},
      {"executor", report.executor},
      {"threads", report.threads},
      {"reused", report.reused},
      {"decode_errors", report.decode_errors},
      {"resolution_changes", report.resolution_changes},
      {"interrupted", report.interrupted},
  };
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return write_file_atomically(options.report, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void print_summary(const Options& options, const filejob::Report& report) {
  const double fps = report.seconds > 0 ? static_cast<double>(report.frames_out) / report.seconds : 0;
  const std::string target = options.no_encode ? "nothing written" : options.job.output;
  std::printf("%s: %lld frames, %dx%d to %dx%d, %.1f s, %.1f fps\n", target.c_str(),
              static_cast<long long>(report.frames_out), report.in_width, report.in_height, report.out_width,
              report.out_height, report.seconds, fps);
  const double sum = report.decode_seconds + report.upscale_seconds + report.encode_seconds;
  const auto share = [sum](double seconds) { return sum > 0 ? 100 * seconds / sum : 0.0; };
  std::printf("at work (overlapping): decode %.1f s (%.0f %%), upscale %.1f s (%.0f %%), encode %.1f s (%.0f %%)\n",
              report.decode_seconds, share(report.decode_seconds), report.upscale_seconds,
              share(report.upscale_seconds), report.encode_seconds, share(report.encode_seconds));
}

Result<int> upscale(Options& options) {
  if (options.size.width > 0) {
    options.job.out_width = options.size.width;
    options.job.out_height = options.size.height;
  }
  options.job.encode = !options.no_encode;
  COCO_ASSIGN(options.job.model, vision::load_upscale_model(options.model));
  options.job.filter = vision::resample_filter(options.model);
  COCO_ASSIGN(options.job.session.vulkan, named_device(options.device));
  const StopSignals stop;
  ProgressLine line(options.quiet);
  filejob::Hooks hooks;
  hooks.progress = [&](const filejob::Progress& p) { line.update(p.frames, p.total_frames, p.seconds); };
  hooks.note = [&](const std::string& text) { line.note(text); };
  hooks.stop = &stop.level();
  const Result<filejob::Report> report = filejob::run_upscale_job(options.job, hooks);
  line.finish();
  if (!report.ok()) return report.error();
  COCO_TRY(write_report(options, *report));
  if (!options.quiet) print_summary(options, *report);
  if (!report->interrupted) return static_cast<int>(kOk);
  const auto frames = static_cast<long long>(report->frames_out);
  if (options.no_encode) {
    std::fprintf(stderr, "cocopipe: interrupted after %lld frames\n", frames);
  } else {
    std::fprintf(stderr, "cocopipe: interrupted: '%s' holds the first %lld frames and is playable\n",
                 options.job.output.c_str(), frames);
  }
  return static_cast<int>(kInterrupted);
}

}  // namespace

void add_upscale(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("upscale", "upscale a video file; sound, subtitles, chapters and timing are kept");
  command->add_option("input", options->job.input, "video file")->required();
  command->add_option("output", options->job.output, "result; the container follows its extension");
  CLI::Option* size = add_size(*command, "--size", options->size, "output size, for example 3840x2160");
  command->add_option("--scale", options->job.scale, "output size as a multiple of the input's; default 2")
      ->check(CLI::Range(0.1, 64.0))
      ->excludes(size);
  command->add_option("--model", options->model,
                      "shipped model, .coco or .onnx file, bicubic or lanczos; default sr2x-s");
  command->add_option("--codec", options->job.encoder.codec, "FFmpeg video encoder; default libx264");
  command->add_option("--crf", options->job.encoder.crf, "constant quality, lower is better; default 18")
      ->check(CLI::Range(0, 63));
  command->add_option("--preset", options->job.encoder.preset, "encoder preset; default fast");
  add_device(*command, options->device);
  add_threads(*command, options->job.session);
  add_reuse(*command, options->job.session);
  command->add_flag_callback(
      "--tune", [options] { options->job.tuning = vision::Tuning::kMeasure; },
      "find the fastest plan first, about two seconds, unless tune-device or an earlier --tune has; same pixels");
  command->add_flag("--drop-unsupported", options->job.drop_unsupported,
                    "leave out streams the output's container cannot hold");
  command->add_flag("--keep-damaged", options->job.keep_damaged,
                    "make what can be made of a truncated source instead of refusing it");
  command->add_flag("--no-encode", options->no_encode, "decode and upscale only, write nothing");
  command->add_option("--report", options->report, "write frames and times to this JSON file");
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer(
      "An existing output is replaced once the new one is complete. Ctrl-C finishes the file with the frames done so\n"
      "far (a second Ctrl-C drops it).\n"
      "Example: cocopipe upscale in.mp4 out.mkv --size 3840x2160 --crf 16 --preset medium");
  command->callback([options, &action] {
    if (!options->no_encode && options->job.output.empty()) throw CLI::RequiredError("output");
    action = [options] { return upscale(*options); };
  });
}

}  // namespace coco::cli
