// Purpose: no half-written file stays behind when a pipeline fails.
// Ownership: paths only. Threads: one thread. Failure: a file that cannot be looked at or removed is left alone.
#pragma once

#include <gst/gst.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace coco::loader {

/// The regular files a pipeline's filesinks write, as they were before it played.
class OutputFiles {
 public:
  explicit OutputFiles(GstElement* pipeline);
  /// Removes those that were made or written since. The pipeline may still be playing.
  void remove_written() const;

 private:
  struct State {
    std::filesystem::file_time_type time;
    uintmax_t size;
    bool operator==(const State& other) const { return time == other.time && size == other.size; }
  };
  struct Output {
    std::filesystem::path path;
    std::optional<State> before;
  };
  static std::optional<State> look(const std::filesystem::path& path);
  void add(GstElement* sink);

  std::vector<Output> outputs_;
};

}  // namespace coco::loader
