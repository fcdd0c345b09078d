// Purpose: cocopipe's log lines: a level, a message, one replaceable sink (standard error unless replaced).
// Ownership: the sink is held by the process until replaced.
// Threads: any thread may log; the sink is called under a lock, one line at a time.
// Failure: never fails.
#pragma once

#include <functional>
#include <string_view>

#include "coco/export.h"

namespace coco {

enum class LogLevel { kError, kWarning, kInfo, kDebug };

using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Replaces the sink; an empty function restores standard error.
COCO_API void set_log_sink(LogSink sink);
/// Lines above this level are dropped. Default: kWarning, or the environment variable COCO_LOG
/// (error, warning, info, debug).
COCO_API void set_log_level(LogLevel level);
COCO_API bool log_enabled(LogLevel level);
COCO_API void log(LogLevel level, std::string_view message);

}  // namespace coco
