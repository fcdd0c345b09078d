#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "base/mapped_file.h"
#include "coco/disclosure.h"

namespace coco::vision {
namespace {

constexpr size_t kMostBytes = size_t{1} << 30;

std::string sha256_of(std::string_view text) {
  return sha256_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

std::string now_utc() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Error failure(const std::string& path, const std::string& what, int code) {
  const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
  return make_error(full ? ErrorCode::kResourceLimit : ErrorCode::kIo,
                    "the session log '" + path + "' " + what + ": " + std::strerror(code));
}

/// The last line's hash when every line follows from the one before.
Result<std::string> check_lines(const std::string& path, std::string_view text) {
  std::string last;
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    ++number;
    const auto wrong = [&](const char* what) {
      return make_error(ErrorCode::kInvalidData, "the session log '" + path + "' was changed: line " +
                                                     std::to_string(number) + " " + what +
                                                     "; keep it as it is and begin another file");
    };
    if (end == std::string_view::npos) return wrong("is not complete");
    const std::string_view line = text.substr(0, end);
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("previous") || !json["previous"].is_string()) return wrong("is no entry");
    if (json["previous"] != last) return wrong("does not follow from the one before");
    last = sha256_of(line);
    text.remove_prefix(end + 1);
  }
  return last;
}

}  // namespace

struct SessionLog::State {
  std::string path, last;
  int file = -1;
  ~State() {
    if (file >= 0) ::close(file);
  }
};

SessionLog::SessionLog(std::unique_ptr<State> state) : state_(std::move(state)) {}
SessionLog::~SessionLog() = default;

Result<std::unique_ptr<SessionLog>> SessionLog::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (state->file < 0) return failure(path, "cannot be opened", errno);
  struct stat status {};
  if (::fstat(state->file, &status) != 0) return failure(path, "cannot be read", errno);
  if (status.st_size > 0) {
    COCO_ASSIGN(const auto file, MappedFile::open(path, kMostBytes));
    const auto bytes = file->bytes();
    COCO_ASSIGN(state->last, check_lines(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
  return std::unique_ptr<SessionLog>(new SessionLog(std::move(state)));
}

Status SessionLog::add(std::string_view event, std::string_view detail) {
  State& s = *state_;
  const nlohmann::ordered_json json = {{"time", now_utc()}, {"event", event}, {"detail", detail}, {"previous", s.last}};
  const std::string entry = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const std::string line = entry + "\n";
  const off_t before = ::lseek(s.file, 0, SEEK_END);
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = ::write(s.file, line.data() + written, line.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const Error error = failure(s.path, "cannot be written", n < 0 ? errno : ENOSPC);
      // Half a line would end the log: what follows could not be told from a change.
      if (written > 0 && ::ftruncate(s.file, before) != 0) return failure(s.path, "is damaged", errno);
      return error;
    }
    written += static_cast<size_t>(n);
  }
  if (::fdatasync(s.file) != 0 && errno != EINVAL && errno != EROFS) return failure(s.path, "cannot be synced", errno);
  s.last = sha256_of(entry);
  return {};
}

}  // namespace coco::vision
