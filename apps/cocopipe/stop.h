// Purpose: Ctrl-C as a file job's stop level: once finishes the file, twice drops it.
#pragma once

#include <atomic>

namespace coco::cli {

/// Installs the handlers; the level is the process's.
class StopSignals {
 public:
  StopSignals();
  const std::atomic<int>& level() const;
};

}  // namespace coco::cli
