#include <cstdlib>
#include <mutex>

#include "coco/device.h"
#include "coco/log.h"

// As kernels/qconv/targets.h asks for.
#define HWY_WANT_AVX3_DL 1
#include <hwy/targets.h>

namespace coco {

namespace {

// COCO_CPU_TARGET=NAME switches every better target off, once, before the first kernel is dispatched.
void apply_mask() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* wanted = std::getenv("COCO_CPU_TARGET");
    if (wanted == nullptr || *wanted == '\0') return;
    int64_t better = 0;
    for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
      if (std::string_view(hwy::TargetName(target)) == wanted) {
        hwy::DisableTargets(better);
        return;
      }
      better |= target;
    }
    log(LogLevel::kWarning, "COCO_CPU_TARGET=" + std::string(wanted) +
                                " is not a target of this processor and binary; `cocopipe doctor` lists them");
  });
}

}  // namespace

std::vector<std::string> supported_targets() {
  apply_mask();
  std::vector<std::string> names;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

std::string active_target() {
  const auto targets = supported_targets();
  return targets.empty() ? "" : targets.front();
}

}  // namespace coco
