#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "coco/device.h"
#include "coco/log.h"
#include "kernels/qconv/arm.h"
#include "kernels/qconv/targets.h"

#if COCO_NEON_DOTPROD
#include <sys/auxv.h>
#endif

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

// Byte dot products that NEON code of this binary uses where the processor has them, best first.
std::vector<std::string> neon_extensions() {
  std::vector<std::string> names;
#if COCO_NEON_I8MM
  constexpr unsigned long kI8mm = 1UL << 13;  // HWCAP2_I8MM
  if ((getauxval(AT_HWCAP2) & kI8mm) != 0) names.emplace_back(kernels::kNeonI8mm);
#endif
#if COCO_NEON_DOTPROD
  constexpr unsigned long kDotprod = 1UL << 20;  // HWCAP_ASIMDDP
  if ((getauxval(AT_HWCAP) & kDotprod) != 0) names.emplace_back(kernels::kNeonDotprod);
#endif
  return names;
}

// What of them COCO_CPU_TARGET leaves, once it has been applied.
std::vector<std::string>& allowed_extensions() {
  static auto* names = new std::vector<std::string>(neon_extensions());
  return *names;
}

// COCO_CPU_TARGET=NAME switches every better target off, once, before the first kernel is dispatched.
void mask_targets_better_than(std::string_view wanted) {
  std::vector<std::string>& extensions = allowed_extensions();
  if (const auto found = std::find(extensions.begin(), extensions.end(), wanted); found != extensions.end()) {
    extensions.erase(extensions.begin(), found);
    return;
  }
  int64_t better = 0;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (hwy::TargetName(target) == wanted) {
      hwy::DisableTargets(better);
      hwy::GetChosenTarget().DeInit();
      extensions.clear();
      return;
    }
    better |= target;
  }
  log(LogLevel::kWarning, "COCO_CPU_TARGET=" + std::string(wanted) +
                              " is not a target of this processor and binary; `cocopipe doctor` lists them");
}

void apply_mask() {
  static std::once_flag once;
  std::call_once(once, [] {
    const char* wanted = std::getenv("COCO_CPU_TARGET");
    if (wanted != nullptr && *wanted != '\0') mask_targets_better_than(wanted);
  });
}

}  // namespace

std::vector<std::string> supported_targets() {
  apply_mask();
  std::vector<std::string> names = allowed_extensions();
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  // Asking for the list makes Highway choose anew, and from every target, the masked ones too; the next kernel that is
  // dispatched chooses among the supported.
  hwy::GetChosenTarget().DeInit();
  return names;
}

std::string active_target() {
  apply_mask();
  if (!allowed_extensions().empty()) return allowed_extensions().front();
  return hwy::TargetName(HWY_DYNAMIC_DISPATCH(CompiledTarget)());
}

}  // namespace coco
#endif
