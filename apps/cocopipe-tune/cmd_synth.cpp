#include <cstdio>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "tune/synth/export.h"

namespace coco::jobs {
namespace {

Status run_synth(const synth::ExportOptions& options) {
  if (options.out.empty() && options.sheet.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "nothing to write: give --out FOLDER, --sheet FILE.png, or both");
  }
  const tune::TrainHooks hooks = terminal_hooks();
  const auto progress = [&options](int done) {
    if (done % 100 == 0) std::fprintf(stderr, "%d of %d pictures\n", done, options.count);
  };
  COCO_ASSIGN(const synth::ExportOutcome outcome, synth::export_pictures(options, progress, hooks.stop));
  std::printf("%d pictures in %.1f s, %.0f a second; heads loaded and matched in %.1f s\n", outcome.pictures,
              outcome.seconds, outcome.pictures / outcome.seconds, outcome.seconds_loading);
  if (!options.out.empty()) std::printf("wrote %s/labels.jsonl and the pictures it names\n", options.out.c_str());
  if (!options.sheet.empty()) std::printf("wrote %s\n", options.sheet.c_str());
  return {};
}

}  // namespace

void add_synth(CLI::App& app, Action& action) {
  auto options = std::make_shared<synth::ExportOptions>();
  CLI::App* command = app.add_subcommand("synth", "Render synthetic heads with exact labels");
  command->add_option("--faces", options->faces, "Folder that holds ict-facekit and makehuman")->required();
  command->add_option("--backgrounds", options->backgrounds, "Folder of pictures to stand before; else procedural");
  command->add_option("--out", options->out, "Folder for pictures, masks and labels.jsonl");
  command->add_option("--sheet", options->sheet, "PNG of the first 64 pictures, masks and landmarks drawn in");
  command->add_option("--count", options->count, "Pictures")->check(CLI::Range(1, 10000000))->capture_default_str();
  command->add_option("--seed", options->seed, "The same seed gives the same files")->capture_default_str();
  command->add_option("--size", options->size, "Pixels a side")->check(CLI::Range(32, 2048))->capture_default_str();
  command->add_flag("--crowd", options->crowd, "640x480 pictures of up to eight people instead of portraits");
  command->add_option("--threads", options->threads, "0: as many as there are")->check(CLI::Range(0, 256));
  command->footer(
      "Example: cocopipe-tune synth --faces ../shared/data/faces --backgrounds ../shared/data/sr/train --sheet "
      "heads.png");
  command->callback([options, &action] { action = [options] { return run_synth(*options); }; });
}

}  // namespace coco::jobs
