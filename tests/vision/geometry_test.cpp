#include "vision/geometry.h"
#include "catch.h"

namespace coco::vision {

TEST_CASE("a network is repeated until both axes are covered", "[vision]") {
  CHECK(network_repeats(2, 960, 540, 3840, 2160) == 2);
  CHECK(network_repeats(2, 1920, 1080, 3840, 2160) == 1);
  CHECK(network_repeats(2, 1920, 1080, 2560, 1440) == 1);
  CHECK(network_repeats(2, 1280, 720, 3840, 2160) == 2);
  CHECK(network_repeats(4, 960, 540, 3840, 2160) == 1);
  CHECK(network_repeats(2, 100, 100, 100, 101) == 1);
  CHECK(network_repeats(2, 100, 100, 200, 100) == 1);
  CHECK(network_repeats(2, 1920, 1080, 1920, 1080) == 0);
  CHECK(network_repeats(2, 1920, 1080, 1280, 720) == 0);
  // Bounded: four times at most, and no intermediate picture beyond 32768.
  CHECK(network_repeats(2, 1, 1, 16384, 16384) == 4);
  CHECK(network_repeats(2, 16384, 8, 16384, 16) == 1);
  CHECK(network_repeats(2, 16384, 8, 16384, 64) == 1);
  CHECK(network_repeats(16, 4096, 100, 8192, 200) == 0);
}

TEST_CASE("plane sizes round chroma up", "[vision]") {
  CHECK(plane_size(PixelFormat::kI420, 0, 5, 3).row_bytes == 5);
  CHECK(plane_size(PixelFormat::kI420, 1, 5, 3).row_bytes == 3);
  CHECK(plane_size(PixelFormat::kI420, 2, 5, 3).rows == 2);
  CHECK(plane_size(PixelFormat::kNv12, 1, 5, 3).row_bytes == 6);
  CHECK(plane_size(PixelFormat::kP010_10Le, 1, 5, 3).row_bytes == 12);
}

}  // namespace coco::vision
