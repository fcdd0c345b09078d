// COCO_CPU_TARGET is read once a process, hence a program of its own.
#include <hwy/targets.h>

#include <cstdlib>

#include "catch.h"
#include "coco/device.h"

TEST_CASE("the masked target is the one kernels run on, whatever was asked before") {
  const std::string last = hwy::TargetName(hwy::SupportedAndGeneratedTargets().back());
  REQUIRE(setenv("COCO_CPU_TARGET", last.c_str(), 1) == 0);
  CHECK(coco::active_target() == last);
  CHECK(coco::supported_targets() == std::vector<std::string>{last});
  CHECK(coco::active_target() == last);
}
