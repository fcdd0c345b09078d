// The library itself: errors, version, device, log.
#include <cstdio>
#include <string>
#include <string_view>

#include "capi/call.h"
#include "capi/enums.h"
#include "capi/structs.h"
#include "coco/device.h"

namespace coco::capi {
namespace {

// Of fixed size, so that telling of a failure cannot fail.
thread_local char last_error[4096] = "";

}  // namespace

coco_error fail(ErrorCode code, const char* message) noexcept {
  std::snprintf(last_error, sizeof last_error, "%s", message);
  return to_c(code);
}

}  // namespace coco::capi

using namespace coco;
using namespace coco::capi;

const char* coco_last_error(void) { return last_error; }

// The names are literals, which end in 0.
const char* coco_error_name(coco_error error) {
  ErrorCode code{};
  if (error == COCO_OK) return "ok";
  return find(error, code) ? to_string(code).data() : "unknown error";
}

const char* coco_version(void) { return COCO_VERSION; }
int32_t coco_abi_version(void) { return COCO_ABI_VERSION; }
int32_t coco_has_compiler(void) { return COCO_HAS_COMPILER; }

coco_error coco_get_device_info(coco_device_info* info) {
  return call([&] {
    const CpuInfo& cpu = cpu_info();
    static const std::string target = active_target();
    coco_device_info values{};
    values.cpu_name = cpu.model_name.c_str();
    values.kernel_target = target.c_str();
    values.threads = cpu.allowed_threads;
    values.l1d_bytes = cpu.l1d_bytes;
    values.l2_bytes = cpu.l2_bytes;
    values.l3_bytes = cpu.l3_bytes;
    return write_struct(info, values, "coco_device_info");
  });
}

size_t coco_data_type_size(coco_data_type type) {
  DataType known{};
  return find(type, known) ? byte_size(known) : 0;
}

const char* coco_data_type_name(coco_data_type type) {
  DataType known{};
  return find(type, known) ? to_string(known).data() : nullptr;
}

coco_error coco_set_log_callback(coco_log_callback callback, void* user) {
  return call([&]() -> Status {
    LogSink sink;
    if (callback != nullptr) {
      sink = [callback, user](LogLevel level, std::string_view message) {
        callback(user, to_c(level), std::string(message).c_str());
      };
    }
    set_log_sink(std::move(sink));
    return {};
  });
}

coco_error coco_set_log_level(coco_log_level level) {
  return call([&]() -> Status {
    LogLevel known{};
    COCO_TRY(from_c(level, known));
    set_log_level(known);
    return {};
  });
}
