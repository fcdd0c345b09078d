// Purpose: the door to the pipeline loader; a build without GStreamer has one that says so.
// Ownership: the request is borrowed.
// Threads: the main thread.
// Failure: messages of the loader, which name file, line and column.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::cli {

struct RunRequest {
  std::string file;
  std::vector<std::string> settings;
  std::vector<std::string> plugin_folders;
  bool check_only = false, quiet = false;
};

/// The exit code.
Result<int> run_pipeline(const RunRequest& request);

}  // namespace coco::cli
