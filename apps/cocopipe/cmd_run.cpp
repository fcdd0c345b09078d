#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/run_pipeline.h"

namespace coco::cli {

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<RunRequest>();
  CLI::App* command = app.add_subcommand("run", "run a pipeline described in a YAML file through GStreamer");
  command->add_option("file", options->file, "pipeline file")->required();
  command->add_option("--set", options->settings, "value of a variable of the file: name=value (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--plugin-path", options->plugin_folders, "folder to look for GStreamer elements in (repeatable)")
      ->allow_extra_args(false);
  command->add_flag("--check", options->check_only, "read, build and link the pipeline without playing it");
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer(
      "Ctrl-C ends the stream so that files are closed properly; a second one stops at once.\n"
      "Example: cocopipe run pipelines/definitions/upscale-file.yaml --set input=in.mp4 --set output=out.mkv");
  command->callback([options, &action] { action = [options] { return run_pipeline(*options); }; });
}

}  // namespace coco::cli
