#include "tune/synth/raster.h"

#include "catch.h"

using namespace coco::synth;

namespace {

/// A quadrilateral of two triangles, corners counterclockwise for a viewer (y downwards on the screen).
const std::vector<cv::Vec3i> kTwo{{0, 1, 2}, {0, 2, 3}};

int count(const VisibleImage& image) {
  int seen = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) seen += image.row(y)[x].triangle != Seen::kNothing ? 1 : 0;
  }
  return seen;
}

}  // namespace

TEST_CASE("pixels whose centres lie inside are seen, whole pixels exactly once") {
  VisibleImage image(16, 12);
  const std::vector<ScreenVertex> square{{2, 10, 1}, {12, 10, 1}, {12, 3, 1}, {2, 3, 1}};
  image.draw(square, kTwo, 7, false);
  CHECK(count(image) == 10 * 7);
  CHECK(image.row(3)[2].triangle != Seen::kNothing);
  CHECK(image.row(2)[2].triangle == Seen::kNothing);
  CHECK(image.row(9)[11].triangle == 7);
  CHECK(image.row(3)[2].triangle == 8);
}

TEST_CASE("backs are left out unless both sides are asked for") {
  const std::vector<ScreenVertex> back{{2, 3, 1}, {12, 3, 1}, {12, 10, 1}, {2, 10, 1}};
  VisibleImage image(16, 12);
  image.draw(back, kTwo, 0, false);
  CHECK(count(image) == 0);
  image.draw(back, kTwo, 0, true);
  CHECK(count(image) == 70);
  image.clear();
  CHECK(count(image) == 0);
}

TEST_CASE("the nearer surface is seen, whatever was drawn first") {
  const std::vector<ScreenVertex> far{{0, 8, 0.1f}, {8, 8, 0.1f}, {8, 0, 0.1f}, {0, 0, 0.1f}};
  const std::vector<ScreenVertex> near{{2, 6, 0.2f}, {6, 6, 0.2f}, {6, 2, 0.2f}, {2, 2, 0.2f}};
  for (const bool far_first : {true, false}) {
    VisibleImage image(8, 8);
    image.draw(far_first ? far : near, kTwo, far_first ? 0 : 100, false);
    image.draw(far_first ? near : far, kTwo, far_first ? 100 : 0, false);
    CHECK(image.row(4)[4].triangle >= 100);
    CHECK(image.row(0)[0].triangle < 100);
    CHECK(image.nearness(4, 4) == Approx(0.2f));
  }
}

TEST_CASE("weights undo the perspective: equal steps on the screen are unequal steps on the surface") {
  // A floor from 10 cm to 40 cm away: the middle of the screen shows a point a fifth of the way.
  const std::vector<ScreenVertex> floor{{0, 64, 0.1f}, {64, 64, 0.1f}, {64, 0, 0.025f}, {0, 0, 0.025f}};
  VisibleImage image(64, 64);
  image.draw(floor, kTwo, 0, false);
  const Seen& seen = image.row(31)[20];
  REQUIRE(seen.triangle != Seen::kNothing);
  // Distances of the corners, weighted: 1 / nearness at the pixel.
  const float a[] = {10, 10, 40, 40};
  const cv::Vec3i& t = kTwo[seen.triangle];
  const float distance = a[t[0]] * (1 - seen.second - seen.third) + a[t[1]] * seen.second + a[t[2]] * seen.third;
  CHECK(distance == Approx(1 / image.nearness(20, 31)).epsilon(1e-4));
  CHECK(distance == Approx(1 / (0.025f + 0.075f * 31.5f / 64)).epsilon(1e-3));
}

TEST_CASE("triangles outside, behind the camera or without area harm nothing") {
  VisibleImage image(8, 8);
  image.draw(std::vector<ScreenVertex>{{-9, -2, 1}, {-3, -2, 1}, {-3, -8, 1}, {4, 4, 0}, {NAN, 2, 1}, {4, 4, 1}},
             std::vector<cv::Vec3i>{{0, 1, 2}, {3, 5, 2}, {4, 5, 2}, {5, 5, 5}}, 0, true);
  CHECK(count(image) == 0);
  DepthImage depth(8, 8);
  CHECK(depth.at(-1, 3) < -1e30f);
  CHECK(depth.at(3, 8) < -1e30f);
}
