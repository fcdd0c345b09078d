// cocopipe-tune: trains networks for the engine.
#include <cstdio>

#include "apps/cocopipe-tune/command.h"

namespace {

using namespace coco;

int print_error(const std::string& message, int code) {
  std::fprintf(stderr, "cocopipe-tune: %s\n", message.c_str());
  return code;
}

int run(int argc, char** argv) {
  CLI::App app{"Train, evaluate and export cocopipe's networks", "cocopipe-tune"};
  jobs::Action action;
  app.require_subcommand(1);
  app.set_version_flag("--version", "0.1.0");
  app.footer(
      "Example: cocopipe-tune train configs/tune/sr2x-s.yaml --out runs/sr2x-s\n"
      "Exit codes: 0 done, 1 failed, 130 interrupted; train then goes on with --resume.");
  jobs::add_train(app, action);
  jobs::add_eval(app, action);
  jobs::add_export(app, action);
  jobs::add_explore(app, action);
  jobs::add_prune(app, action);
  jobs::add_quantize(app, action);
  jobs::add_report(app, action);
  jobs::add_synth(app, action);
  jobs::add_face(app, action);
  CLI11_PARSE(app, argc, argv);
  const Status status = action();
  if (status.ok()) return 0;
  return print_error(status.error().message, status.error().code == ErrorCode::kCancelled ? 130 : 1);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return print_error(std::string("unexpected: ") + error.what(), 1);
  }
}
