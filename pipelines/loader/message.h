// Purpose: how the loader words its errors: places, quoting, "did you mean".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "coco/status.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {

/// "file:line:column: message" as an error.
inline Error error_at(const std::string& file, const Position& position, const std::string& message,
                      ErrorCode code = ErrorCode::kInvalidArgument, const char* source_file = __builtin_FILE(),
                      int source_line = __builtin_LINE()) {
  std::string text =
      file + ":" + std::to_string(position.line) + ":" + std::to_string(position.column) + ": " + message;
  return make_error(code, std::move(text), source_file, source_line);
}

/// The text between quotes, control characters replaced, cut when long.
std::string in_quotes(std::string_view text);

/// " (did you mean 'x'?)" for the candidate nearest to `word`, or "" when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c"
std::string join(const std::vector<std::string>& words);

}  // namespace coco::loader
