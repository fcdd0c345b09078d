// Runs every check on every instruction set the kernels are compiled for, and prints a line for each.
#include "kernels/qconv/targets.h"

#include <hwy/targets.h>

#include "tests/emulator/emulator.h"

namespace {

int64_t supported = HWY_SCALAR;

}  // namespace

// In place of libhwy, which asks the operating system: the target under test is the only one.
namespace hwy {
ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}
int64_t SupportedTargets() { return supported; }
}  // namespace hwy

extern "C" {
extern void (*constructors_begin[])();
extern void (*constructors_end[])();
void run_conformance();
}

namespace coco::emulator {
namespace {

constexpr uint32_t kSeeds = 100;

int64_t run(const Check& check) {
  int64_t differing = 0;
  for (uint32_t seed = 0; seed < kSeeds; ++seed) {
    void* const mark = heap_mark();
    Random random(seed);
    if (!check.run(random) && differing++ == 0) {
      print("  first differing seed of ");
      print(check.name);
      print(": ");
      print(seed);
      print("\n");
    }
    heap_release(mark);
  }
  return differing;
}

int64_t run_target(std::string_view name, int64_t target) {
  supported = target;
  hwy::GetChosenTarget().Update(target);
  int64_t failed = 0;
  const auto all = [&](const Check* checks, int count) {
    for (int i = 0; i < count; ++i) {
      const int64_t differing = run(checks[i]);
      print(name);
      print(": ");
      print(checks[i].name);
      print(", ");
      print(differing);
      print(" of ");
      print(kSeeds);
      print(" differ\n");
      failed += differing;
    }
  };
  all(kIntegerChecks, kIntegerCheckCount);
  all(kFloatChecks, kFloatCheckCount);
  return failed;
}

}  // namespace
}  // namespace coco::emulator

void run_conformance() {
  for (auto constructor = constructors_begin; constructor != constructors_end; ++constructor) (*constructor)();
  int64_t failed = 0;
#if HWY_TARGETS & HWY_AVX3_DL
  failed += coco::emulator::run_target("AVX3_DL", HWY_AVX3_DL);
#endif
  failed += coco::emulator::run_target("AVX3", HWY_AVX3);
  coco::emulator::print(failed == 0 ? "conformance: passed\n" : "conformance: FAILED\n");
}
