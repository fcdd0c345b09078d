#include <memory>

#include "apps/cocopipe-tune/command.h"

namespace coco::jobs {
namespace {

struct Options {
  std::string checkpoint, onnx;
};

Status run_export(const Options& options) {
  COCO_ASSIGN(const std::string onnx, tune::load_trained(options.checkpoint));
  return write_text(options.onnx, onnx);
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "Write a checkpoint's network as ONNX");
  command->add_option("--checkpoint", options->checkpoint, "Checkpoint file")->required();
  command->add_option("--onnx", options->onnx, "File to write")->required();
  command->footer("Example: cocopipe-tune export --checkpoint runs/sr2x-s/checkpoint.pt --onnx sr2x-s.onnx");
  command->callback([options, &action] { action = [options] { return run_export(*options); }; });
}

}  // namespace coco::jobs
