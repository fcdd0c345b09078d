// Purpose: pipeline files: YAML text to a checked description, and a description to a running GStreamer pipeline.
// Ownership: values; run_pipeline_file owns everything it starts and has stopped all of it when it returns.
// Threads: independent calls may run concurrently; only one running pipeline should handle interrupts.
// Failure: every message about the file starts with "file:line:column:"; nothing is thrown.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "coco/status.h"

namespace coco::loader {

/// A place in the pipeline file, both counted from 1.
struct Position {
  int line = 1;
  int column = 1;
};

/// A scalar of the file, with ${variables} still in it until substitute() has run.
struct Text {
  std::string value;
  Position position;
};

struct Property {
  Text name;
  Text value;
};

/// One entry of a chain.
struct Step {
  enum class Kind {
    kElement,  ///< an element made by `factory`
    kCaps,     ///< a caps filter
    kFrom,     ///< first entry of a branch: where it starts, "element" or "element.pad"
    kTo,       ///< last entry of a branch: where it ends, "element" or "element.pad"
  };
  Kind kind = Kind::kElement;
  Text value;                        ///< factory, caps, or end point
  Text name;                         ///< kElement: the instance's name, may be empty
  std::vector<Property> properties;  ///< kElement
  bool optional = false;             ///< kFrom: the branch is left out when its source never gets a fitting pad
};

struct Chain {
  Text name;  ///< "pipeline" for the main chain, else the branch's key
  std::vector<Step> steps;
};

struct Variable {
  Text name;
  std::string help;
  bool has_default = false;  ///< without one, a setting must give the value
  Text default_value;
};

struct ParsedPipeline {
  std::string source_name;  ///< the file's name, for messages
  std::string description;
  std::vector<Variable> variables;
  std::vector<Chain> chains;  ///< the main chain first
};

/// Reads and checks the text: syntax, keys, structure, references between chains, variables used. Touches neither files
/// nor GStreamer. Bounded in time and memory for any input.
Result<ParsedPipeline> parse_pipeline(std::string_view text, const std::string& source_name);

/// Values for variables, by name.
using Settings = std::map<std::string, std::string>;
/// "key=value" to an entry of `settings`; kInvalidArgument says how it should look.
Status add_setting(std::string_view text, Settings& settings);

/// Replaces every ${variable} by its setting, or its default. An unknown setting, or a variable without a value,
/// is an error. "$$" stands for one dollar sign.
Result<ParsedPipeline> substitute(ParsedPipeline pipeline, const Settings& settings);

/// How far a running pipeline is.
struct Progress {
  double position_seconds = 0;  ///< negative when unknown
  double duration_seconds = 0;  ///< negative when unknown (live, endless)
  double elapsed_seconds = 0;   ///< wall clock since it started to play
};

struct RunOptions {
  Settings settings;
  /// Called about twice a second while the pipeline plays, from the calling thread.
  std::function<void(const Progress&)> on_progress;
  /// Called for each warning an element posts, from the calling thread; empty: coco::log.
  std::function<void(const std::string&)> on_warning;
  /// Ctrl-C (SIGINT) and SIGTERM end the stream so that files are closed properly; a second one stops at once.
  bool handle_interrupts = true;
  /// The same request from the caller, who may set it from any thread or signal handler: above 0 ends the stream, above
  /// 1 stops at once. May be null.
  const std::atomic<int>* stop = nullptr;
  /// Folders to look for elements in besides GStreamer's own and ../lib/gstreamer-1.0 beside the running program.
  std::vector<std::string> plugin_folders;
};

/// Reads, builds and plays a pipeline file until the end of the stream. kCancelled: stopped by request, with everything
/// up to there written. Any other error: the first one an element or the file gave.
Status run_pipeline_file(const std::string& path, const RunOptions& options);

/// As far as run_pipeline_file goes without playing: every element made, every property set, every link that can be
/// made ahead of data made.
Status check_pipeline_file(const std::string& path, const RunOptions& options);

}  // namespace coco::loader
