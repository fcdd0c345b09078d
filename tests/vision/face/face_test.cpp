#include "coco/face.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "catch.h"
#include "coco/compile.h"

using namespace coco;
using namespace coco::vision;

namespace {

/// A frame of one colour but for its luma, which rises to the right.
struct Frame {
  std::vector<uint8_t> bytes;
  FrameView view;

  Frame(PixelFormat format, int width, int height, int y, int cb, int cr, double slope = 0) {
    const size_t unit = byte_size(sample_type(format));
    const int shift = sample_type(format) == SampleType::kU16Msb10 ? 6 : 0, tens = unit == 1 ? 1 : 4;
    const size_t cw = static_cast<size_t>(width + 1) / 2, ch = static_cast<size_t>(height + 1) / 2;
    const size_t luma = static_cast<size_t>(width) * static_cast<size_t>(height);
    bytes.resize((luma + 2 * cw * ch) * unit);
    const auto put = [&](size_t i, double value) {
      const int v = static_cast<int>(std::lround(value * tens)) << shift;
      bytes[i * unit] = static_cast<uint8_t>(v);
      if (unit == 2) bytes[i * unit + 1] = static_cast<uint8_t>(v >> 8);
    };
    for (size_t i = 0; i < luma; ++i) put(i, y + slope * static_cast<double>(i % static_cast<size_t>(width)));
    const int planes = plane_count(format);
    for (size_t i = 0; i < cw * ch; ++i) {
      put(luma + (planes == 2 ? 2 * i : i), cb);
      put(luma + (planes == 2 ? 2 * i + 1 : cw * ch + i), cr);
    }
    view.format = format;
    view.width = width;
    view.height = height;
    view.data[0] = bytes.data();
    view.stride[0] = static_cast<ptrdiff_t>(static_cast<size_t>(width) * unit);
    view.data[1] = bytes.data() + luma * unit;
    view.stride[1] = static_cast<ptrdiff_t>(cw * unit * (planes == 2 ? 2 : 1));
    view.data[2] = bytes.data() + (luma + cw * ch) * unit;
    view.stride[2] = static_cast<ptrdiff_t>(cw * unit);
  }
};

DetectedFace face_at(float x, float y, float size = 40) {
  DetectedFace face;
  face.corner = {x - size / 2, y - size / 2};
  face.width = face.height = size;
  face.score = 1;
  return face;
}

std::vector<PointF> landmarks() {
  std::vector<PointF> points;
  for (int i = 0; i < 68; ++i) {
    points.push_back(
        {60 + 30 * std::sin(0.7f * static_cast<float>(i)), 80 + 40 * std::cos(0.7f * static_cast<float>(i))});
  }
  for (size_t i = 36; i < 42; ++i) points[i] = {45, 70};
  for (size_t i = 42; i < 48; ++i) points[i] = {75, 70};
  return points;
}

}  // namespace

TEST_CASE("crops hold landmarks upright; five points give about the same square") {
  const auto level = landmarks();
  for (const float degrees : {-60.0f, 0.0f, 25.0f}) {
    const float c = std::cos(degrees * 0.01745329f), s = std::sin(degrees * 0.01745329f);
    std::vector<PointF> turned;
    for (const PointF& p : level) turned.push_back({c * p.x + s * p.y, -s * p.x + c * p.y});
    const SquareCrop crop = crop_from_landmarks(turned);
    CHECK(crop.roll == Approx(degrees).margin(0.01));
    CHECK(crop.side == Approx(1.5f * 80).epsilon(0.02));
    const auto m = to_crop(crop, 100);
    const PointF &right = turned[36], &left = turned[42];
    CHECK(m[3] * right.x + m[4] * right.y + m[5] == Approx(m[3] * left.x + m[4] * left.y + m[5]).margin(0.01));
    CHECK(m[0] * crop.centre.x + m[1] * crop.centre.y + m[2] == Approx(50).margin(0.01));
  }
  // The average head in units of a centimetre.
  const std::array<PointF, 5> points = {PointF{-3.2f, 0}, {3.2f, 0}, {0, 4}, {-2.4f, 7}, {2.4f, 7}};
  const SquareCrop crop = crop_from_points(points);
  CHECK(crop.side == Approx(21).margin(0.5));
  CHECK(crop.centre.y == Approx(4.7f).margin(0.1));
}

TEST_CASE("sampling gives the frame's colours in every format, matrix and range") {
  for (const PixelFormat format :
       {PixelFormat::kI420, PixelFormat::kNv12, PixelFormat::kI420_10Le, PixelFormat::kP010_10Le}) {
    INFO(to_string(format));
    std::vector<float> planes(3 * 16 * 16);
    // BT.709, studio range: Y 63, Cb 102, Cr 240 is about (255, 0, 0).
    const Frame red(format, 40, 30, 63, 102, 240);
    sample_crop(red.view, {}, {{20, 15}, 10, 30}, 16, false, 1, planes.data());
    CHECK(planes[0] == Approx(1).margin(0.02));
    CHECK(planes[256] == Approx(0).margin(0.02));
    CHECK(planes[512] == Approx(0).margin(0.02));
    sample_crop(red.view, {}, {{20, 15}, 10, 30}, 16, true, 255, planes.data());
    CHECK(planes[512] == Approx(255).margin(5));
    // BT.601, full range: 76, 85, 255.
    const Frame full(format, 40, 30, 76, 85, 255);
    sample_crop(full.view, {FrameColour::Matrix::kBt601, true}, {{20, 15}, 10, 0}, 16, false, 1, planes.data());
    CHECK(planes[0] == Approx(1).margin(0.02));
    CHECK(planes[256] == Approx(0).margin(0.02));
    // Positions: a slope is sampled where the crop says, and repeats at the edge.
    const Frame slope(format, 64, 48, 40, 128, 128, 2);
    sample_crop(slope.view, {}, {{32, 24}, 16, 0}, 16, false, 1, planes.data());
    CHECK(planes[0] == Approx((40 + 2 * 24 - 16) / 219.0).margin(0.003));
    CHECK(planes[15] == Approx((40 + 2 * 39 - 16) / 219.0).margin(0.003));
    sample_crop(slope.view, {}, {{32, 24}, 16, 90}, 16, false, 1, planes.data());  // The head's right is up.
    CHECK(planes[0] == Approx((40 + 2 * 24 - 16) / 219.0).margin(0.003));
    CHECK(planes[15 * 16] == Approx((40 + 2 * 39 - 16) / 219.0).margin(0.003));
    sample_crop(slope.view, {}, {{-50, -50}, 8, 0}, 16, false, 1, planes.data());
    CHECK(planes[0] == Approx(24 / 219.0).margin(0.003));
  }
  const Frame grey(PixelFormat::kGray8, 20, 20, 126, 0, 0);
  std::vector<float> planes(3 * 64);
  sample_crop(grey.view, {}, {{10, 10}, 64, 0}, 8, false, 1, planes.data());
  CHECK(planes[0] == Approx(110 / 219.0).margin(0.01));
  CHECK(planes[0] == planes[64]);
}

TEST_CASE("tracks: ids stay through motion, gaps and a crossing; what flashes by never counts") {
  FaceTracker tracker;
  int id_right = 0, id_left = 0;
  for (int i = 0; i <= 40; ++i) {
    const double t = i / 20.0;
    const float x = 100 + 6 * static_cast<float>(i);
    std::vector<DetectedFace> faces = {face_at(x, 100), face_at(340 - 6 * static_cast<float>(i), 112)};
    if (i == 12 || i == 13) faces.clear();  // The detector missed both.
    if (i % 2 == 1) std::reverse(faces.begin(), faces.end());
    const auto& tracks = tracker.update(faces, t);
    REQUIRE(tracks.size() == 2);
    if (i == 0) id_right = tracks[0].id, id_left = tracks[1].id;
    CHECK(tracks[0].confirmed == (t >= 0.3));
    if (i == 12 || i == 13) continue;
    CHECK(tracks[0].id == id_right);
    CHECK(tracks[0].face.corner.x == Approx(x - 20));
    CHECK(tracks[1].id == id_left);
  }
  // A picture on the wall for two frames, then gone: dropped, never confirmed.
  tracker.update(std::vector{face_at(340, 100), face_at(100, 112), face_at(600, 50)}, 2.05);
  CHECK(tracker.update(std::vector{face_at(346, 100), face_at(94, 112)}, 2.1).size() == 3);
  const auto& later = tracker.update(std::vector{face_at(388, 100), face_at(52, 112)}, 2.45);
  CHECK(std::none_of(later.begin(), later.end(), [](const TrackedFace& f) { return f.face.corner.x > 500; }));
  CHECK(tracker.advance(9).empty());
  // Never the same number again.
  CHECK(tracker.update(std::vector{face_at(100, 100)}, 10)[0].id > std::max(id_left, id_right));
  TrackerConfig config;
  config.least_size = 60;
  FaceTracker strict(config);
  CHECK(strict.update(std::vector{face_at(100, 100, 40)}, 0).empty());
  CHECK(strict.update(std::vector{face_at(100, 100, 80)}, 0.1).size() == 1);
}

TEST_CASE("a model of another form is refused with what is missing") {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  const std::string folder = std::string(source != nullptr ? source : ".") + "/engine/models/";
  const auto model = load_or_compile(folder + "sr2x-bicubic.onnx");
  REQUIRE(model.ok());
  CHECK(FaceDetector::create(*model, {}).error().code == ErrorCode::kUnsupported);
  CHECK_FALSE(FaceLandmarker::create(*model, 1, {}).ok());
}

TEST_CASE("the shipped landmark network answers for any frame") {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  const auto model =
      load_or_compile(std::string(source != nullptr ? source : ".") + "/engine/models/face-landmarks.onnx");
  REQUIRE(model.ok());
  auto landmarker = FaceLandmarker::create(*model, 1, {});
  INFO((landmarker.ok() ? "" : landmarker.error().message));
  REQUIRE(landmarker.ok());
  const Frame frame(PixelFormat::kNv12, 640, 360, 60, 118, 140, 0.15);
  const SquareCrop crop{{300, 180}, 200, 20};
  const FaceLandmarks found = landmarker.value()->locate(frame.view, crop).value();
  for (size_t i = 0; i < 68; ++i) {
    CHECK(std::hypot(found.points[i].x - 300, found.points[i].y - 180) < 300);
    CHECK((found.visible[i] >= 0 && found.visible[i] <= 1));
  }
  // Where nothing is a face, the average one is guessed: upright in the crop.
  CHECK(crop_from_landmarks(found.points).roll == Approx(20).margin(25));
  CHECK_FALSE(landmarker.value()->locate(frame.view, {{NAN, 0}, 10, 0}).ok());
  CHECK_FALSE(landmarker.value()->locate(frame.view, {{0, 0}, 0, 0}).ok());
}

TEST_CASE("a third party's detector finds the faces of pictures in YUV") {
  const char* data = std::getenv("COCO_DATA_DIR");
  const std::string file = std::string(data != nullptr ? data : "../shared/data") + "/models/yunet_n_320_320.onnx";
  if (!std::filesystem::exists(file)) {
    std::cout << "skipped: " << file << " is not there (set COCO_DATA_DIR)\n";
    return;
  }
  const auto model = load_or_compile(file);
  REQUIRE(model.ok());
  auto detector = FaceDetector::create(*model, {});
  INFO((detector.ok() ? "" : detector.error().message));
  REQUIRE(detector.ok());
  const Frame empty(PixelFormat::kNv12, 640, 360, 90, 120, 130, 0.1);
  CHECK(detector.value()->detect(empty.view).value().empty());
}
