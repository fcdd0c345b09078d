// Purpose: progress of a long command on standard error: a bar on a terminal, a plain line a second elsewhere.
// Ownership: a value.
// Threads: one call at a time.
// Failure: never fails.
#pragma once

#include <cstdint>
#include <string>

namespace coco::cli {

class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  /// Draws when enough time has passed since the last drawing. `total` 0: unknown.
  void update(int64_t frames, int64_t total, double seconds);
  /// Prints a note without tearing the bar.
  void note(const std::string& text);
  /// Ends the bar's line.
  void finish();

 private:
  bool quiet_, terminal_;
  bool drawn_ = false;
  double last_seconds_ = 0;
};

/// "1:02:03", "4:05"
std::string clock_text(double seconds);

}  // namespace coco::cli
