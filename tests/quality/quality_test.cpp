#include <cmath>

#include "catch.h"
#include "quality/quality.h"

using namespace coco::quality;

namespace {

Plane8 make_plane(int width, int height, int (*f)(int x, int y)) {
  Plane8 p{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) p.data.push_back(static_cast<uint8_t>(f(x, y)));
  }
  return p;
}

int pattern(int x, int y) { return (x * 37 + y * 91 + x * y * 5) % 256; }

}  // namespace

TEST_CASE("luma has studio range and rounds") {
  const uint8_t rgb[] = {0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 200, 77};
  const Plane8 y = luma_from_rgb(rgb, 3, 2);
  CHECK(y.width == 3);
  CHECK(y.height == 2);
  // 16 + 65.481 = 81.48, 16 + 128.553 = 144.55, 16 + 24.966 = 40.97, and 16 + 2.568 + 100.826 + 7.539 = 126.93
  CHECK(y.data == std::vector<uint8_t>{16, 235, 81, 145, 41, 127});
}

TEST_CASE("crop keeps the top-left part") {
  const Plane8 p = crop_to_multiple(make_plane(5, 3, pattern), 2);
  CHECK(p.width == 4);
  CHECK(p.height == 2);
  CHECK(p.data[5] == static_cast<uint8_t>(pattern(1, 1)));
  CHECK(crop_to_multiple(make_plane(1, 4, pattern), 2).data.empty());
}

TEST_CASE("bicubic x1/2 of an impulse is the widened kernel") {
  // The a = -0.5 kernel at distances 0.25, 0.75, 1.25, 1.75: 0.8671875, 0.2265625, -0.0703125, -0.0234375; the widening
  // halves it.
  const Plane8 impulse = make_plane(16, 16, [](int x, int) { return x == 8 ? 128 : 64; });
  const Plane8 half = resize_bicubic(impulse, 8, 8);
  REQUIRE(half.width == 8);
  std::vector<int> row(half.data.begin() + 24, half.data.begin() + 32);
  // 64 + 64 * weight / 2: output 4 is at u = 8.5 (0.25 away), 3 at 6.5 (0.75), 5 at 10.5 (1.25), 2 at 4.5 (1.75)
  CHECK(row == std::vector<int>{64, 64, 63, 71, 92, 62, 64, 64});
}

TEST_CASE("bicubic keeps constants and identity at any size") {
  const Plane8 flat = make_plane(7, 5, [](int, int) { return 200; });
  for (int size : {1, 2, 3, 9, 31}) {
    const Plane8 r = resize_bicubic(flat, size, size + 1);
    CHECK(r.data == std::vector<uint8_t>(static_cast<size_t>(size * (size + 1)), 200));
  }
  const Plane8 p = make_plane(13, 11, pattern);
  CHECK(resize_bicubic(p, 13, 11).data == p.data);
}

TEST_CASE("bicubic x2 of a ramp keeps the ramp inside") {
  const Plane8 ramp = make_plane(32, 4, [](int x, int) { return 4 * x; });
  const Plane8 twice = resize_bicubic(ramp, 64, 8);
  // u = (o + 0.5) / 2 - 0.5, so the value is 2 o - 1.
  for (int x = 8; x < 56; ++x) CHECK(static_cast<int>(twice.data[static_cast<size_t>(64 * 3 + x)]) == 2 * x - 1);
}

TEST_CASE("psnr: known error, border, and errors as values") {
  const Plane8 a = make_plane(20, 16, pattern);
  Plane8 b = a;
  CHECK(std::isinf(psnr(a, b, 2).value()));
  b.data[0] ^= 255;  // inside the border: not counted
  CHECK(std::isinf(psnr(a, b, 2).value()));
  b.data[20 * 8 + 10] = static_cast<uint8_t>(b.data[20 * 8 + 10] ^ 16);
  CHECK(psnr(a, b, 2).value() == Approx(10 * std::log10(255.0 * 255.0 * (16 * 12) / 256.0)));
  CHECK_FALSE(psnr(a, make_plane(20, 15, pattern), 2).ok());
  CHECK_FALSE(psnr(a, b, 8).ok());
  CHECK_FALSE(psnr(a, b, -1).ok());
}

TEST_CASE("ssim: identity, constants in closed form, and errors as values") {
  const Plane8 a = make_plane(24, 20, pattern);
  CHECK(ssim(a, a, 2).value() == Approx(1.0).epsilon(1e-12));
  // Constant planes 100 and 110: both variances vanish, so SSIM = (2 * 100 * 110 + C1) / (100^2 + 110^2 + C1).
  const Plane8 c = make_plane(15, 15, [](int, int) { return 100; });
  const Plane8 d = make_plane(15, 15, [](int, int) { return 110; });
  CHECK(ssim(c, d, 2).value() == Approx((22000 + 6.5025) / (22100 + 6.5025)).epsilon(1e-6));
  const Plane8 inverted = make_plane(24, 20, [](int x, int y) { return 255 - pattern(x, y); });
  CHECK(ssim(a, inverted, 0).value() < 0.0);
  CHECK_FALSE(ssim(c, a, 0).ok());
  CHECK_FALSE(ssim(c, d, 3).ok());
}
