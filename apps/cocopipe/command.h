// Purpose: what every command of the program shares: how it is registered, how it ends, how it speaks.
// Ownership: commands own their options through the parser's lifetime.
// Threads: the main thread.
// Failure: an action's Error becomes one line on standard error and exit code 1 (130 when cancelled).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "coco/session.h"
#include "coco/status.h"

namespace coco::cli {

enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2, kInterrupted = 130 };

/// Runs the chosen command and gives its exit code.
using Action = std::function<Result<int>()>;

/// Each adds one command, in its own file; when it is chosen, `action` is set.
void add_upscale(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_compile(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_infer(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
/// Below `bench`.
void add_bench_model(CLI::App& bench, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_demo_clip(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_tune_device(CLI::App& app, Action& action);
void add_disclose(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);

struct Size {
  int width = 0, height = 0;
};
/// Adds an option that takes WIDTHxHEIGHT, each 1..16384.
CLI::Option* add_size(CLI::App& app, const std::string& name, Size& size, const std::string& help);
/// The same for one or more sizes; `sizes` stays empty when none is given.
CLI::Option* add_sizes(CLI::App& app, const std::string& name, std::vector<Size>& sizes, const std::string& help);
using InputShapes = std::vector<std::pair<std::string, Shape>>;
/// "NAME=1,3,224,224" of --input-shape; every dimension 1 or more.
Result<InputShapes::value_type> read_input_shape(const std::string& text);
/// Adds --threads (0: all cores allowed to the process).
void add_threads(CLI::App& app, SessionOptions& session);
/// --device (cpu, vulkan, vulkan:INDEX): its text goes into `name`.
void add_device(CLI::App& app, std::string& name);
/// What --device names; compiled shaders are kept beside the tuning cache.
Result<std::shared_ptr<VulkanDevice>> named_device(const std::string& name);
/// --no-reuse; exact temporal reuse is on without it.
void add_reuse(CLI::App& app, SessionOptions& session);

/// The file of a shipped model's name; anything with a '/' or '.' in it is a path already.
Result<std::string> model_file(const std::string& name_or_path);

/// The network of an .onnx file operator by operator, as it was before anything was folded or fused.
Result<std::shared_ptr<const Model>> imported_model(const std::string& onnx_file, const InputShapes& shapes = {});

/// "cocopipe: note: ..." on standard error.
void print_note(const std::string& text);
/// The folder of the running program, "" when unknown.
std::string program_folder();

}  // namespace coco::cli
