#include <unistd.h>

#include <cstdio>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/progress.h"
#include "apps/cocopipe/run_pipeline.h"
#include "pipelines/loader/loader.h"

namespace coco::cli {
namespace {

/// A line that is rewritten on a terminal, and printed at most once a second elsewhere.
class PositionLine {
 public:
  explicit PositionLine(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

  void update(const loader::Progress& progress) {
    if (quiet_ || (!terminal_ && progress.elapsed_seconds - last_ < 1)) return;
    last_ = progress.elapsed_seconds;
    std::string text = progress.position_seconds >= 0 ? clock_text(progress.position_seconds) : "playing";
    if (progress.duration_seconds > 0) {
      text += " of ";
      text += clock_text(progress.duration_seconds);
    }
    std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", text.c_str());
    drawn_ = terminal_;
  }

  void finish() {
    if (drawn_) std::fprintf(stderr, "\n");
    drawn_ = false;
  }

 private:
  bool quiet_, terminal_, drawn_ = false;
  double last_ = 0;
};

}  // namespace

Result<int> run_pipeline(const RunRequest& request) {
  loader::RunOptions options;
  for (const std::string& setting : request.settings) COCO_TRY(loader::add_setting(setting, options.settings));
  options.plugin_folders = request.plugin_folders;
  PositionLine line(request.quiet);
  options.on_progress = [&](const loader::Progress& progress) { line.update(progress); };
  options.on_warning = [&](const std::string& text) {
    line.finish();
    if (!request.quiet) print_note(text);
  };
  const Status status = request.check_only ? loader::check_pipeline_file(request.file, options)
                                           : loader::run_pipeline_file(request.file, options);
  line.finish();
  if (!status.ok()) return status.error();
  if (request.check_only && !request.quiet) std::printf("%s: good\n", request.file.c_str());
  return static_cast<int>(kOk);
}

}  // namespace coco::cli
