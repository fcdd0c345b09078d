// The published bicubic x2 figures, through the whole protocol, on the real images when they are at hand.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_NO_HDR
#include <stb/stb_image.h>

#include "catch.h"
#include "quality/quality.h"

using namespace coco::quality;
namespace fs = std::filesystem;

namespace {

fs::path benchmarks() {
  const char* root = std::getenv("COCO_DATA_DIR");
  if (root) return fs::path(root) / "sr/benchmarks";
  const char* source = std::getenv("COCO_SOURCE_DIR");
  return fs::path(source ? source : ".") / "../shared/data/sr/benchmarks";
}

Plane8 read_luma(const fs::path& path) {
  int width = 0, height = 0, channels = 0;
  unsigned char* pixels = stbi_load(path.c_str(), &width, &height, &channels, 0);
  REQUIRE(pixels);
  REQUIRE((channels == 1 || channels == 3));
  Plane8 plane{width, height, {}};
  if (channels == 1) {
    plane.data.assign(pixels, pixels + static_cast<size_t>(width) * static_cast<size_t>(height));
  } else {
    plane = luma_from_rgb(pixels, width, height);
  }
  stbi_image_free(pixels);
  return plane;
}

void check_set(const char* name, int images, double expected) {
  const fs::path folder = benchmarks() / name;
  if (!fs::is_directory(folder)) {
    std::cout << "skipped: " << folder << " is not there (set COCO_DATA_DIR)\n";
    return;
  }
  double sum = 0;
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension != ".png" && extension != ".jpg" && extension != ".bmp") continue;
    const Plane8 hr = crop_to_multiple(read_luma(entry.path()), 2);
    const Plane8 lr = resize_bicubic(hr, hr.width / 2, hr.height / 2);
    sum += psnr(hr, resize_bicubic(lr, hr.width, hr.height), 2).value();
    ++count;
  }
  CHECK(count == images);
  CHECK(sum / count == Approx(expected).margin(0.01));
}

}  // namespace

TEST_CASE("bicubic x2 on Set5") { check_set("set5", 5, 33.65); }
TEST_CASE("bicubic x2 on Set14") { check_set("set14", 14, 30.23); }
TEST_CASE("bicubic x2 on B100") { check_set("b100", 100, 29.55); }
