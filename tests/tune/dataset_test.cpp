#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <set>

#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/dataset.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

TEST_CASE("luma is read by the protocol: colour by the formula, grey as it is") {
  const TemporaryFolder folder;
  cv::Mat colour(2, 3, CV_8UC3, cv::Scalar(77, 200, 10));  // blue, green, red
  colour.at<cv::Vec3b>(1, 2) = cv::Vec3b(255, 0, 0);
  cv::imwrite((folder / "colour.png").string(), colour);
  const auto luma = read_luma((folder / "colour.png").string());
  REQUIRE(luma.ok());
  CHECK(luma->data == std::vector<uint8_t>{127, 127, 127, 127, 127, 41});

  cv::imwrite((folder / "grey.png").string(), cv::Mat(2, 2, CV_8UC1, cv::Scalar(250)));
  CHECK(read_luma((folder / "grey.png").string())->data == std::vector<uint8_t>(4, 250));

  cv::imwrite((folder / "alpha.png").string(), cv::Mat(1, 1, CV_8UC4, cv::Scalar(77, 200, 10, 0)));
  CHECK(read_luma((folder / "alpha.png").string())->data == std::vector<uint8_t>{127});

  cv::imwrite((folder / "deep.png").string(), cv::Mat(1, 1, CV_16UC1, cv::Scalar(77)));
  CHECK(read_luma((folder / "deep.png").string()).error().code == ErrorCode::kUnsupported);
}

TEST_CASE("pairs: HR cropped to even size, LR of the whole HR plane") {
  const TemporaryFolder folder;
  const quality::Plane8 luma = make_luma(31, 22, 5);
  cv::Mat grey(22, 31, CV_8UC1, const_cast<uint8_t*>(luma.data.data()));
  cv::imwrite((folder / "b.png").string(), grey);
  cv::imwrite((folder / "a.png").string(), grey);
  std::ofstream(folder / "notes.txt") << "no picture";
  const auto loaded = load_pairs({folder.string()}, {});
  REQUIRE(loaded.ok());
  REQUIRE(loaded->pairs.size() == 2);
  CHECK(loaded->skipped.empty());
  CHECK(loaded->pairs[0].name == "a.png");
  const ImagePair& pair = loaded->pairs[1];
  CHECK(pair.hr.width == 30);
  CHECK(pair.hr.height == 22);
  CHECK(pair.hr.data == quality::crop_to_multiple(luma, 2).data);
  CHECK(pair.lr.data == quality::resize_bicubic(pair.hr, 15, 11).data);
}

TEST_CASE("shrunk copies are added where they are large enough") {
  auto images = make_images(2, 64, 4);  // 64x64 and 66x64
  add_shrunk(images, {0.5, 0.25}, {2, 1, 16, 1});
  REQUIRE(images.size() == 4);
  CHECK(images[2].hr.data == quality::resize_bicubic(images[0].hr, 32, 32).data);
  CHECK(images[2].lr.width == 16);
  CHECK(images[3].hr.width == 32);  // 33 cropped
}

TEST_CASE("sides are multiples of what an unshuffled input needs") {
  const ImagePair pair = make_pair("a", make_luma(31, 22, 5), {2, 3, 1, 1});
  CHECK(pair.hr.width == 30);
  CHECK(pair.hr.height == 18);
  CHECK(pair.lr.width == 15);
  CHECK(pair.lr.height == 9);
}

TEST_CASE("folders that cannot serve are named") {
  const TemporaryFolder folder;
  const auto missing = load_pairs({(folder / "missing").string()}, {});
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message.find("missing") != std::string::npos);
  CHECK(load_pairs({folder.string()}, {}).error().message.find("no images") != std::string::npos);
}

TEST_CASE("images that are missing, unreadable or too small are named and skipped; too few left is an error") {
  const TemporaryFolder folder;
  cv::imwrite((folder / "good.png").string(), cv::Mat(40, 40, CV_8UC1, cv::Scalar(9)));
  cv::imwrite((folder / "small.png").string(), cv::Mat(40, 30, CV_8UC1, cv::Scalar(9)));
  cv::imwrite((folder / "cut.png").string(), cv::Mat(40, 40, CV_8UC3, cv::Scalar(9, 8, 7)));
  std::filesystem::resize_file(folder / "cut.png", 30);
  std::ofstream(folder / "broken.jpg") << "this is not a picture";
  std::ofstream(folder / "empty.png");
  std::filesystem::create_symlink(folder / "nowhere.png", folder / "link.png");
  const std::vector<std::string> sources = {folder.string(), (folder / "absent.png").string()};
  const auto loaded = load_pairs(sources, {2, 1, 16, 1});
  REQUIRE(loaded.ok());
  REQUIRE(loaded->pairs.size() == 1);
  CHECK(loaded->pairs[0].name == "good.png");
  REQUIRE(loaded->skipped.size() == 6);
  size_t line = 0;
  for (const char* name : {"broken.jpg", "cut.png", "empty.png", "link.png", "small.png", "absent.png"}) {
    CHECK(loaded->skipped[line++].find(name) != std::string::npos);
  }
  const auto few = load_pairs(sources, {2, 1, 16, 2});
  REQUIRE_FALSE(few.ok());
  CHECK(few.error().message.find("only 1 usable images, at least 2") != std::string::npos);
  CHECK(few.error().message.find("6 were skipped, the first: ") != std::string::npos);
}

TEST_CASE("patches follow the seed") {
  const auto images = make_images(3, 40, 9);
  PatchBatch first, second, other;
  Random a(17), b(17), c(18);
  sample_patches(images, 6, 12, 2, a, first);
  sample_patches(images, 6, 12, 2, b, second);
  sample_patches(images, 6, 12, 2, c, other);
  CHECK(first.lr == second.lr);
  CHECK(first.hr == second.hr);
  CHECK(first.lr != other.lr);
  CHECK(a.state() == b.state());
}

TEST_CASE("patches of a picture with degraded copies come from these, all of them") {
  auto images = make_images(1, 40, 9);
  for (const uint8_t value : {50, 60, 70}) {
    images[0].degraded.push_back({images[0].lr.width, images[0].lr.height, {}});
    images[0].degraded.back().data.assign(images[0].lr.data.size(), value);
  }
  Random random(4);
  PatchBatch batch;
  sample_patches(images, 60, 12, 2, random, batch);
  std::set<uint8_t> values(batch.lr.begin(), batch.lr.end());
  CHECK(values == std::set<uint8_t>{50, 60, 70});
  const std::set<uint8_t> high(batch.hr.begin(), batch.hr.end());
  CHECK(high.size() > 20);
}

TEST_CASE("patches stay aligned under all eight transforms") {
  // HR pixels carry their LR pixel's value, so every 2x2 block of an HR patch must equal the LR pixel.
  ImagePair pair{"squares", {}, {20, 14, {}}};
  for (int i = 0; i < 20 * 14; ++i) pair.lr.data.push_back(static_cast<uint8_t>(i * 7));
  pair.hr = {40, 28, {}};
  for (int y = 0; y < 28; ++y) {
    for (int x = 0; x < 40; ++x) pair.hr.data.push_back(pair.lr.data[static_cast<size_t>(y / 2 * 20 + x / 2)]);
  }
  const std::vector<ImagePair> images = {pair};
  Random random(3);
  PatchBatch batch;
  sample_patches(images, 64, 14, 2, random, batch);
  std::set<std::pair<int, int>> steps;
  for (int p = 0; p < 64; ++p) {
    const uint8_t* lr = batch.lr.data() + p * 14 * 14;
    const uint8_t* hr = batch.hr.data() + p * 28 * 28;
    bool aligned = true;
    for (int i = 0; i < 28 * 28; ++i) aligned = aligned && hr[i] == lr[i / 28 / 2 * 14 + i % 28 / 2];
    CHECK(aligned);
    steps.insert({static_cast<uint8_t>(lr[1] - lr[0]), static_cast<uint8_t>(lr[14] - lr[0])});
  }
  CHECK(steps.size() == 8);
}

TEST_CASE("a picture smaller than the patch is named") {
  const auto images = make_images(2, 40, 1);
  CHECK(check_patch_size(images, 20).ok());
  CHECK(check_patch_size(images, 21).error().message.find("image0") != std::string::npos);
}
