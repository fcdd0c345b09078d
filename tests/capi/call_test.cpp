#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "capi/call.h"
#include "capi/handles.h"
#include "coco/log.h"
#include "tests/capi/support.h"

using namespace coco;
using namespace coco::testing;

namespace {

template <typename Thrown>
coco_error call_throwing(Thrown thrown) {
  return capi::call([&]() -> Status { throw thrown; });
}

}  // namespace

TEST_CASE("no exception leaves a C function", "[capi]") {
  check_error(call_throwing(std::bad_alloc()), COCO_ERROR_RESOURCE_LIMIT, {"memory"});
  check_error(call_throwing(std::length_error("too long a vector")), COCO_ERROR_INTERNAL, {"too long a vector"});
  check_error(call_throwing(7), COCO_ERROR_INTERNAL, {"unknown"});
}

TEST_CASE("every C++ error keeps its code and its text", "[capi]") {
  for (const auto& [code, value] :
       {std::pair{ErrorCode::kInvalidArgument, COCO_ERROR_INVALID_ARGUMENT},
        std::pair{ErrorCode::kNotFound, COCO_ERROR_NOT_FOUND}, std::pair{ErrorCode::kInternal, COCO_ERROR_INTERNAL}}) {
    const coco_error error = capi::call([&, c = code]() -> Status { return make_error(c, "the text"); });
    check_error(error, value, {"the text"});
    CHECK(coco_error_name(error) == to_string(code));
  }
  const std::string endless(100000, 'x');
  check_error(capi::call([&]() -> Status { return make_error(ErrorCode::kIo, endless); }), COCO_ERROR_IO, {"xxx"});
  CHECK(std::string(coco_last_error()).size() == 4095);
}

TEST_CASE("each thread has its own last error, and success keeps it", "[capi]") {
  coco_model* model = nullptr;
  check_error(coco_model_load("absent-here.coco", &model), COCO_ERROR_NOT_FOUND, {"absent-here.coco"});
  std::string at_start = "unset", after;
  std::thread([&] {
    at_start = coco_last_error();
    coco_model* other = nullptr;
    coco_model_load("absent-there.coco", &other);
    after = coco_last_error();
  }).join();
  CHECK(at_start.empty());
  CHECK_THAT(after, ContainsSubstring("absent-there.coco"));
  CHECK_THAT(std::string(coco_last_error()), ContainsSubstring("absent-here.coco"));
  small_model();
  CHECK_THAT(std::string(coco_last_error()), ContainsSubstring("absent-here.coco"));
}

TEST_CASE("a handle serves one call at a time", "[capi]") {
  capi::Busy busy;
  REQUIRE(busy.enter().ok());
  {
    const capi::Entered entered(busy);
    CHECK_FALSE(busy.enter().ok());
  }
  CHECK(busy.enter().ok());
}

TEST_CASE("log lines reach the callback with their level", "[capi]") {
  using Lines = std::vector<std::pair<coco_log_level, std::string>>;
  Lines lines;
  const coco_log_callback keep = [](void* user, coco_log_level level, const char* message) {
    static_cast<Lines*>(user)->emplace_back(level, message);
  };
  require_ok(coco_set_log_callback(keep, &lines));
  require_ok(coco_set_log_level(COCO_LOG_INFO));
  log(LogLevel::kWarning, "slow");
  log(LogLevel::kDebug, "dropped");
  log(LogLevel::kInfo, std::string_view("chosen, and more").substr(0, 6));
  require_ok(coco_set_log_level(COCO_LOG_WARNING));
  require_ok(coco_set_log_callback(nullptr, nullptr));
  CHECK(lines == Lines{{COCO_LOG_WARNING, "slow"}, {COCO_LOG_INFO, "chosen"}});
  check_error(coco_set_log_level(17), COCO_ERROR_INVALID_ARGUMENT, {"17", "coco_log_level"});
}
