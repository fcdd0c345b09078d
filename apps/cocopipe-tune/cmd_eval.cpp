#include <memory>

#include "apps/cocopipe-tune/command.h"

namespace coco::jobs {
namespace {

struct Options {
  std::string checkpoint, data;
  int threads = 1;
  std::optional<double> crf;
};

Status run_eval(const Options& options) {
  COCO_ASSIGN(const std::string onnx, tune::load_trained(options.checkpoint));
  return print_benchmarks(onnx, options.data, options.threads, options.crf);
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "PSNR and SSIM of a checkpoint on folders of images");
  command->add_option("--checkpoint", options->checkpoint, "Checkpoint file")->required();
  command->add_option("--data", options->data, "Folder of images, or of such folders (benchmarks/)")->required();
  command->add_option("--threads", options->threads, "Threads")->capture_default_str();
  command->add_option("--crf", options->crf, "Measure on H.264 input of this crf too")->check(CLI::Range(0.0, 51.0));
  command->footer("Example: cocopipe-tune eval --checkpoint runs/sr2x-s/checkpoint.pt --data ../shared/data/sr");
  command->callback([options, &action] { action = [options] { return run_eval(*options); }; });
}

}  // namespace coco::jobs
