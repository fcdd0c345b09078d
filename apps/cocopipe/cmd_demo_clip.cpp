#include <cstdio>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/progress.h"
#include "apps/demo/clip.h"
#include "apps/filejob/clip_writer.h"

namespace coco::cli {
namespace {

struct Options {
  std::string output;
  Size size{1920, 1080};
  demo::ClipSettings clip;
  filejob::ClipFormat format;
  bool quiet = false;
};

Result<int> demo_clip(Options& options) {
  options.clip.width = options.size.width;
  options.clip.height = options.size.height;
  if (options.clip.width % 2 != 0 || options.clip.height % 2 != 0) {
    return make_error(ErrorCode::kInvalidArgument, "the clip's size must be even; choose another --size");
  }
  options.format.width = options.clip.width;
  options.format.height = options.clip.height;
  options.format.frames_per_second = options.clip.frames_per_second;
  COCO_ASSIGN(const auto writer, filejob::ClipWriter::create(options.output, options.format));
  demo::Clip clip(options.clip);
  for (int i = 0; i < options.clip.frames; ++i) COCO_TRY(writer->write(clip.render(i)));
  COCO_TRY(writer->finish());
  if (!options.quiet) {
    std::printf("%s: %d frames, %dx%d at %d fps\n", options.output.c_str(), options.clip.frames, options.clip.width,
                options.clip.height, options.clip.frames_per_second);
  }
  return static_cast<int>(kOk);
}

}  // namespace

void add_demo_clip(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("demo-clip", "render a few seconds of test video, for trying things out");
  command->add_option("output", options->output, "video file to write")->required();
  add_size(*command, "--size", options->size, "default 1920x1080");
  command->add_option("--frames", options->clip.frames, "default 75")->check(CLI::Range(1, 100000));
  command->add_option("--seed", options->clip.seed, "another seed, another scenery; default 1");
  command->add_option("--codec", options->format.encoder.codec, "FFmpeg video encoder; default libx264");
  command->add_option("--crf", options->format.encoder.crf, "constant quality; default 18")->check(CLI::Range(0, 63));
  command->add_option("--preset", options->format.encoder.preset, "encoder preset; default fast");
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer("Example: cocopipe demo-clip demo.mp4");
  command->callback([options, &action] { action = [options] { return demo_clip(*options); }; });
}

}  // namespace coco::cli
