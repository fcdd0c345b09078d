#include <cstdlib>
#include <mutex>

#include "coco/device.h"
#include "coco/log.h"

// As kernels/qconv/targets.h asks for.
#define HWY_WANT_AVX3_DL 1
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/targets_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coco {
namespace HWY_NAMESPACE {

int64_t CompiledTarget() { return HWY_TARGET; }

}  // namespace HWY_NAMESPACE
}  // namespace coco
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco {
HWY_EXPORT(CompiledTarget);

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
        hwy::GetChosenTarget().DeInit();
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
  // Asking for the list makes Highway choose anew, and from every target, the masked ones too; the next kernel that is
  // dispatched chooses among the supported.
  hwy::GetChosenTarget().DeInit();
  return names;
}

std::string active_target() {
  apply_mask();
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(CompiledTarget)());
}

}  // namespace coco
#endif
