#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "apps/cocopipe-tune/job_face.h"
#include "catch.h"
#include "coco/compile.h"
#include "tests/tune/synth/toy_head.h"
#include "tests/tune/synthetic.h"
#include "tune/face/face_networks.h"
#include "tune/face/face_pictures.h"

using namespace coco;
using namespace coco::tune;
using coco::tune::testing::TemporaryFolder;

namespace {

std::vector<cv::Point2f> some_landmarks() {
  std::vector<cv::Point2f> points;
  for (int i = 0; i < 68; ++i)
    points.emplace_back(60 + 30 * std::sin(0.7f * static_cast<float>(i)),
                        80 + 40 * std::cos(0.7f * static_cast<float>(i)));
  for (int i = 36; i < 42; ++i) points[static_cast<size_t>(i)] = {45, 70};
  for (int i = 42; i < 48; ++i) points[static_cast<size_t>(i)] = {75, 70};
  return points;
}

std::vector<cv::Point2f> turned(const std::vector<cv::Point2f>& points, float degrees) {
  const float c = std::cos(degrees * 0.01745329f), s = std::sin(degrees * 0.01745329f);
  std::vector<cv::Point2f> result;
  for (const cv::Point2f& p : points) result.emplace_back(100 + c * p.x + s * p.y, 100 - s * p.x + c * p.y);
  return result;
}

/// Pictures of the toy head, for training that needs no data.
std::shared_ptr<const FacePictures> toy_pictures(int count) {
  auto pictures = std::make_shared<FacePictures>();
  const auto assets = synth::testing::toy_assets();
  pictures->training = render_faces(assets, 96, count, 1, {}, nullptr).value();
  pictures->validation = render_faces(assets, 96, 8, 2, {}, nullptr).value();
  return pictures;
}

FaceJob toy_job(FaceNetwork network, const std::string& out) {
  set_threads(1);
  FaceJob job;
  job.network = network;
  job.options.out = out;
  job.options.optimizer.kind = OptimizerKind::kAdam;
  job.options.iterations = 12;
  job.options.batch = 4;
  job.options.warmup = 2;
  job.options.learning_rate = 1e-3;
  job.options.validate_every = 6;
  job.options.checkpoint_every = 5;
  job.calibration = 4;
  return job;
}

std::shared_ptr<const Model> compile(const std::string& onnx) {
  const auto bytes = compile_onnx_bytes({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}).value();
  return Model::from_bytes(bytes).value();
}

double figure(const FaceFigures& figures, const std::string& name) {
  for (const auto& [n, value] : figures) {
    if (n == name) return value;
  }
  FAIL("no figure " << name);
  return 0;
}

Result<jobs::FaceJobFile> read(const std::string& text) {
  const auto tree = jobs::parse_job_tree(text, "job.yaml", {});
  REQUIRE(tree.ok());
  return jobs::read_face_job(*tree);
}

}  // namespace

TEST_CASE("a crop holds the landmarks upright, whichever way the head is turned") {
  const auto level = some_landmarks();
  const FaceCrop upright = crop_of(level);
  CHECK(upright.roll == Approx(0).margin(1e-3));
  for (const float degrees : {-70.0f, -20.0f, 35.0f, 80.0f}) {
    const auto points = turned(level, degrees);
    const FaceCrop crop = crop_of(points);
    CHECK(crop.roll == Approx(degrees).margin(1e-2));
    CHECK(crop.side == Approx(upright.side).epsilon(1e-4));
    const cv::Matx23f move = crop_matrix(crop, 112), straight = crop_matrix(upright, 112);
    for (size_t i = 0; i < points.size(); ++i) {
      const cv::Vec2f here = move * cv::Vec3f(points[i].x, points[i].y, 1);
      const cv::Vec2f there = straight * cv::Vec3f(level[i].x, level[i].y, 1);
      CHECK(here[0] == Approx(there[0]).margin(0.01));
      CHECK(here[1] == Approx(there[1]).margin(0.01));
      CHECK(here[0] > 0);
      CHECK(here[0] < 112);
    }
  }
}

TEST_CASE("examples: labels move with the pixels, mirrored ones change sides") {
  const auto pictures = toy_pictures(4);
  const FacePicture& picture = pictures->training[0];
  const FaceExample plain = plain_example(picture, 112, true);
  CHECK(plain.image.size() == cv::Size(112, 112));
  CHECK(plain.face.size() == cv::Size(112, 112));
  // The eyes lie level, the right one on the left.
  CHECK(plain.landmarks[36].x < plain.landmarks[45].x);
  int mirrored = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    const FaceExample example = random_example(picture, 112, false, random);
    // Always the head's own right eye is on the left, mirrored or not: its sides have changed with it.
    CHECK(example.landmarks[36].x < example.landmarks[45].x);
    CHECK(example.landmarks[0].x < example.landmarks[16].x);
    mirrored += std::signbit(example.yaw) != std::signbit(plain.yaw) ? 1 : 0;
    Random again(seed);
    CHECK(random_example(picture, 112, false, again).landmarks[30] == example.landmarks[30]);
  }
  CHECK(mirrored > 8);
  CHECK(mirrored < 32);
}

TEST_CASE("the networks are as small as they are meant to be, and the engine runs them") {
  const auto [landmarks, landmark_macs] = face_network_size(FaceNetwork::kLandmarks);
  CHECK(landmarks <= 400000);
  CHECK(landmark_macs < 35000000);
  const auto [mask, mask_macs] = face_network_size(FaceNetwork::kMask);
  CHECK(mask < 400000);
  CHECK(mask_macs <= 100000000);
}

TEST_CASE("training both networks lowers the loss; integers say nearly the same; figures are there by group") {
  const auto pictures = toy_pictures(24);
  const TemporaryFolder folder;
  for (const FaceNetwork network : {FaceNetwork::kLandmarks, FaceNetwork::kMask}) {
    const bool landmarks = network == FaceNetwork::kLandmarks;
    FaceJob job = toy_job(network, (folder / (landmarks ? "landmarks" : "mask")).string());
    job.options.iterations = 40;
    std::vector<std::string> log;
    TrainHooks hooks;
    hooks.log_line = [&log](const std::string& line) { log.push_back(line); };
    const auto onnx = train_face(job, *pictures, hooks);
    INFO((onnx.ok() ? "" : onnx.error().message));
    REQUIRE(onnx.ok());
    const auto loss = [&](const std::string& line) { return std::stod(line.substr(line.find("\"loss\":") + 7)); };
    REQUIRE(log.size() >= 2);
    CHECK(loss(log.back()) < loss(log.front()));
    const auto figures = measure_face(job, *pictures, compile(*onnx)).value();
    QuantizeReport report;
    const auto integers = quantize_face(job, *pictures, *onnx, {}, &report);
    INFO((integers.ok() ? "" : integers.error().message));
    REQUIRE(integers.ok());
    size_t integer_layers = 0;
    for (const QuantizedLayer& layer : report.layers) integer_layers += layer.int8 ? 1 : 0;
    CHECK(integer_layers >= 5);
    const auto after = measure_face(job, *pictures, compile(*integers)).value();
    const std::string name = landmarks ? "nme" : "iou_face";
    CHECK(figure(after, name) == Approx(figure(figures, name)).epsilon(0.1).margin(0.02));
    figure(figures, name + "_worst_group");
    const std::string sheet = (folder / "sheet.png").string();
    CHECK(draw_face(job, *pictures, compile(*onnx), sheet).ok());
    CHECK(std::filesystem::file_size(sheet) > 1000);
  }
}

TEST_CASE("stopped and resumed equals uninterrupted") {
  const auto pictures = toy_pictures(8);
  const TemporaryFolder folder;
  FaceJob job = toy_job(FaceNetwork::kLandmarks, (folder / "whole").string());
  const std::string whole = train_face(job, *pictures, {}).value();
  job.options.out = (folder / "parts").string();
  std::atomic<bool> stop{false};
  TrainHooks hooks;
  hooks.log_line = [&stop](const std::string&) { stop = true; };
  hooks.stop = &stop;
  CHECK(train_face(job, *pictures, hooks).error().code == ErrorCode::kCancelled);
  job.options.resume = true;
  CHECK(train_face(job, *pictures, {}).value() == whole);
}

TEST_CASE("the shipped landmark network on people it was not trained on") {
  const char* data = std::getenv("COCO_DATA_DIR");
  const std::string faces = std::string(data != nullptr ? data : "../shared/data") + "/faces";
  if (!std::filesystem::exists(faces)) {
    std::cout << "skipped: " << faces << " is not there (set COCO_DATA_DIR)\n";
    return;
  }
  FaceJob job;
  job.data.faces = faces;
  job.data.count = 0;
  job.data.validation = 60;
  const auto pictures = render_job(job, {}).value();
  const char* source = std::getenv("COCO_SOURCE_DIR");
  const auto model =
      load_or_compile(std::string(source != nullptr ? source : ".") + "/engine/models/face-landmarks.onnx");
  REQUIRE(model.ok());
  const FaceFigures figures = measure_face(job, *pictures, *model).value();
  CHECK(figure(figures, "nme") < 2.8);
  CHECK(figure(figures, "visible") > 0.88);
  CHECK(figure(figures, "yaw") < 4);
  CHECK(figure(figures, "roll") < 3);
}

TEST_CASE("face jobs: what is missing or wrong is named with its place") {
  const auto good = read("task: face-mask\ndata: {faces: somewhere, count: 10}\nseed: 3\n");
  REQUIRE(good.ok());
  CHECK(good->name == "face-mask");
  CHECK(good->job.data.count == 10);
  CHECK(good->job.options.optimizer.kind == OptimizerKind::kAdam);
  for (const auto& [text, part] : {std::pair{"data: {faces: x}\n", "no 'task:'"},
                                   {"task: faces\ndata: {faces: x}\n", "job.yaml:1"},
                                   {"task: face-mask\n", "no 'data:'"},
                                   {"task: face-mask\ndata: {count: 3}\n", "no 'faces:'"},
                                   {"task: face-mask\ndata: {faces: x, count: -3}\n", "count"},
                                   {"task: face-mask\ndata: {faces: x}\nname: a/b\n", "'/'"},
                                   {"task: face-mask\ndata: {faces: x}\nspeed: 3\n", "speed"}}) {
    const auto result = read(text);
    INFO(text);
    REQUIRE_FALSE(result.ok());
    CHECK_THAT(result.error().message, ContainsSubstring(part));
  }
}
