#include "apps/filejob/degrade.h"

#include <cmath>

#include "apps/filejob/h264_clip.h"
#include "base/random.h"
#include "catch.h"

using namespace coco;
using namespace coco::filejob;
using quality::Plane8;

namespace {

/// Waves, edges and grain.
Plane8 make_picture(int width, int height, uint64_t seed) {
  Random random(seed);
  Plane8 plane{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double edge = (x / 13 + y / 9) % 2 != 0 ? 35.0 : -35.0;
      const double v = 128 + 40 * std::sin(0.21 * x + 0.13 * y) + edge + 4 * random.normal();
      plane.data.push_back(static_cast<uint8_t>(std::min(235.0, std::max(16.0, v))));
    }
  }
  return plane;
}

double psnr(const Plane8& a, const Plane8& b) { return quality::psnr(a, b, 0).value(); }

Plane8 degraded(const Plane8& picture, const Degradation& how, uint64_t seed = 1) {
  auto result = degrade(picture, how, seed);
  REQUIRE(result.ok());
  return std::move(result).value();
}

}  // namespace

TEST_CASE("degrading: the seed decides everything random") {
  const Plane8 picture = make_picture(98, 66, 1);
  const Degradation how{0.4, 2, 28, 1};
  const Plane8 first = degraded(picture, how, 5);
  CHECK(first.data == degraded(picture, how, 5).data);
  CHECK(first.data != degraded(picture, how, 6).data);
}

TEST_CASE("degrading: a higher crf leaves less, at every place of the clip") {
  const Plane8 picture = make_picture(160, 120, 2);
  for (int place = 0; place < kClipFrames; ++place) {
    double last = 100;
    for (const double crf : {18.0, 22.0, 26.0, 30.0, 34.0}) {
      INFO("place " << place << ", crf " << crf);
      const double now = psnr(picture, degraded(picture, {0, 0, crf, place}));
      CHECK(now < last - 0.5);
      CHECK(now > 22);  // the picture itself, where it was
      last = now;
    }
  }
}

TEST_CASE("degrading: frames of one clip differ, the picture stands still in each") {
  const Plane8 picture = make_picture(160, 120, 3);
  const Plane8 moved = [&] {
    Plane8 plane = picture;
    for (size_t i = plane.data.size(); i-- > 1;) plane.data[i] = plane.data[i - 1];
    return plane;
  }();
  std::vector<Plane8> places;
  for (int place = 0; place < kClipFrames; ++place) places.push_back(degraded(picture, {0, 0, 24, place}));
  for (const Plane8& plane : places) CHECK(psnr(picture, plane) > psnr(moved, plane) + 6);
  CHECK(places[0].data != places[1].data);
  CHECK(places[0].data != places[3].data);
}

TEST_CASE("degrading: blur and noise without a stream") {
  const Plane8 picture = make_picture(80, 60, 4);
  CHECK(degraded(picture, {}).data == picture.data);
  const Plane8 grey{200, 100, std::vector<uint8_t>(20000, 128)};
  CHECK(degraded(grey, {1.5, 0}).data == grey.data);
  double sum = 0, squares = 0;
  for (const uint8_t v : degraded(grey, {0, 3}).data) {
    sum += v - 128.0;
    squares += (v - 128.0) * (v - 128.0);
  }
  CHECK(std::abs(sum / 20000) < 0.1);
  CHECK(std::sqrt(squares / 20000) == Approx(3).epsilon(0.03));
  // A point becomes the filter itself: its second moment is the variance.
  Plane8 point{41, 41, std::vector<uint8_t>(41 * 41, 0)};
  point.data[20 * 41 + 20] = 255;
  const Plane8 blurred = degraded(point, {0.8, 0});
  double mass = 0, moment = 0;
  for (int y = 0; y < 41; ++y) {
    for (int x = 0; x < 41; ++x) {
      const double v = blurred.data[static_cast<size_t>(y * 41 + x)];
      mass += v;
      moment += v * (x - 20) * (x - 20);
    }
  }
  CHECK(mass == Approx(255).epsilon(0.02));
  CHECK(moment / mass == Approx(0.64).epsilon(0.05));
}

TEST_CASE("degrading: size and range are kept, odd and small sizes too") {
  for (const auto& [width, height] : {std::pair{97, 63}, {33, 18}, {16, 17}, {7, 5}, {1, 1}}) {
    INFO(width << "x" << height);
    Plane8 extreme{width, height, {}};
    for (int i = 0; i < width * height; ++i) extreme.data.push_back(i % 3 == 0 ? 255 : 0);
    const Plane8 out = degraded(extreme, {0.3, 5, 30, 3});
    CHECK(out.width == width);
    CHECK(out.height == height);
    CHECK(out.data.size() == extreme.data.size());
  }
  // Clipped, not wrapped: noise on white stays near white.
  const Plane8 white{64, 64, std::vector<uint8_t>(64 * 64, 255)};
  for (const uint8_t v : degraded(white, {0, 4}).data) REQUIRE(v > 200);
}

TEST_CASE("degrading: what cannot be is refused") {
  const Plane8 picture = make_picture(32, 32, 5);
  CHECK(degrade(picture, {0, 0, 28, 4}, 1).error().message.find("frames 0 to 3") != std::string::npos);
  CHECK(degrade(picture, {0, 0, 52, 0}, 1).error().message.find("crf from 0 to 51") != std::string::npos);
  CHECK(degrade(Plane8{}, {0, 0, 28, 0}, 1).error().code == ErrorCode::kInvalidArgument);
  CHECK(code_h264({picture, make_picture(32, 30, 5)}, 28).error().message.find("one size") != std::string::npos);
}
