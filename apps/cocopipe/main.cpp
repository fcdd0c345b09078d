// The cocopipe command line.
#include <cstdio>

#include "apps/cocopipe/command.h"
#include "coco/compile.h"
#include "coco/vision.h"

namespace {

using namespace coco;

constexpr const char* kFooter =
    "Example: cocopipe upscale holiday.mp4 holiday_4k.mkv --size 3840x2160\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.\n"
    "Environment: COCO_MODEL_PATH (folders of models), COCO_LOG (error, warning, info, debug), COCO_CPU_TARGET,\n"
    "COCO_TUNING_DIR (what tune-device found; empty: none).";

void add_commands(CLI::App& app, cli::Action& action) {
  cli::add_upscale(app, action);
  cli::add_run(app, action);
  cli::add_compile(app, action);
  cli::add_export(app, action);
  cli::add_inspect(app, action);
  cli::add_infer(app, action);
  cli::add_eval(app, action);
  cli::add_bench(app, action);
  cli::add_compare(app, action);
  cli::add_demo_clip(app, action);
  cli::add_models(app, action);
  cli::add_tune_device(app, action);
  cli::add_disclose(app, action);
  cli::add_doctor(app, action);
}

int print_error(const std::string& message, int code) {
  std::string line = message;
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  std::fprintf(stderr, "cocopipe: error: %s\n", line.c_str());
  return code;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error, const std::string& first) {
  if (app.get_subcommands().empty() && !first.empty() && first[0] != '-') {
    return print_error("there is no command '" + first + "'; see cocopipe --help", cli::kUsage);
  }
  std::string command = "cocopipe";
  for (const CLI::App* sub : app.get_subcommands()) command += " " + sub->get_name();
  return print_error(std::string(error.what()) + "; see " + command + " --help", cli::kUsage);
}

int run(int argc, char** argv) {
  vision::set_model_loader(load_or_compile);
  CLI::App app("cocopipe: real-time video AI on general-purpose chips", "cocopipe");
  cli::Action action;
  app.set_version_flag("--version", "cocopipe " COCO_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  add_commands(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error, argc > 1 ? argv[1] : "");
  }
  const Result<int> code = action();
  if (code.ok()) return *code;
  const bool cancelled = code.error().code == ErrorCode::kCancelled;
  return print_error(code.error().message, cancelled ? cli::kInterrupted : cli::kFailed);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return print_error(std::string("unexpected: ") + error.what(), cli::kFailed);
  }
}
