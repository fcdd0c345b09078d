#include "coco/log.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string_view>

namespace coco {
namespace {

LogLevel level_from_environment() {
  const char* text = std::getenv("COCO_LOG");
  const std::string_view name = text ? text : "";
  if (name == "error") return LogLevel::kError;
  if (name == "info") return LogLevel::kInfo;
  if (name == "debug") return LogLevel::kDebug;
  return LogLevel::kWarning;
}

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      return "debug";
  }
  return "log";
}

struct LogState {
  std::atomic<LogLevel> level{level_from_environment()};
  std::mutex mutex;
  LogSink sink;
};

// Never destroyed: threads may log while the process ends.
LogState& state() {
  static LogState* instance = new LogState;
  return *instance;
}

}  // namespace

void set_log_sink(LogSink sink) {
  LogState& s = state();
  std::lock_guard lock(s.mutex);
  s.sink = std::move(sink);
}

void set_log_level(LogLevel level) { state().level.store(level, std::memory_order_relaxed); }

bool log_enabled(LogLevel level) { return level <= state().level.load(std::memory_order_relaxed); }

void log(LogLevel level, std::string_view message) {
  if (!log_enabled(level)) return;
  LogState& s = state();
  std::lock_guard lock(s.mutex);
  if (s.sink) {
    s.sink(level, message);
  } else {
    std::fprintf(stderr, "cocopipe: %s: %.*s\n", level_name(level), static_cast<int>(message.size()), message.data());
  }
}

}  // namespace coco
