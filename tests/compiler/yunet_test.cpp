// A face detector from elsewhere (YuNet, 2023) against OpenCV's engine, from the numbers to the boxes.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <opencv2/dnn.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "catch.h"
#include "coco/compile.h"
#include "coco/session.h"

using namespace coco;
namespace fs = std::filesystem;

namespace {

constexpr int kSide = 320;
constexpr int kStrides[] = {8, 16, 32};

/// Results by name; all are [1, places, values].
using Maps = std::map<std::string, std::vector<float>>;

struct Face {
  cv::Rect2f box;
  std::array<cv::Point2f, 5> points;
  float score;
};

fs::path data_folder() {
  const char* data = std::getenv("COCO_DATA_DIR");
  const char* source = std::getenv("COCO_SOURCE_DIR");
  return data != nullptr ? fs::path(data) : fs::path(source != nullptr ? source : ".") / "../shared/data";
}

Maps run_opencv(cv::dnn::Net& net, const cv::Mat& blob) {
  net.setInput(blob);
  const std::vector<cv::String> names = net.getUnconnectedOutLayersNames();
  std::vector<cv::Mat> outputs;
  net.forward(outputs, names);
  Maps maps;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto* data = outputs[i].ptr<float>();
    maps[names[i]].assign(data, data + outputs[i].total());
  }
  return maps;
}

Maps run_ours(const std::shared_ptr<const Model>& model, const cv::Mat& blob, const SessionOptions& options) {
  const Shape shape{1, 3, kSide, kSide};
  auto session = Session::create(model, std::span(&shape, 1), options);
  INFO((session.ok() ? "" : session.error().message));
  REQUIRE(session.ok());
  Maps maps;
  std::vector<MutableTensorView> out;
  for (const TensorInfo& info : (*session)->outputs()) {
    std::vector<float>& values = maps[info.name];
    values.resize(static_cast<size_t>(*info.shape.element_count()));
    out.push_back({info.type, info.shape, values.data()});
  }
  const TensorView in{DataType::kF32, shape, blob.ptr<float>()};
  REQUIRE((*session)->run({&in, 1}, out).ok());
  return maps;
}

/// One face for each place whose score reaches the bound, in pixels.
std::vector<Face> decode(Maps& maps) {
  std::vector<Face> faces;
  for (const int stride : kStrides) {
    const std::string level = "_" + std::to_string(stride);
    const std::vector<float>&cls = maps["cls" + level], &obj = maps["obj" + level];
    const std::vector<float>&bbox = maps["bbox" + level], &kps = maps["kps" + level];
    const int columns = kSide / stride;
    for (size_t i = 0; i < cls.size(); ++i) {
      const float score = std::sqrt(std::clamp(cls[i], 0.0f, 1.0f) * std::clamp(obj[i], 0.0f, 1.0f));
      if (score < 0.7f) continue;
      const auto step = static_cast<float>(stride);
      const auto x = static_cast<float>(static_cast<int>(i) % columns),
                 y = static_cast<float>(static_cast<int>(i) / columns);
      const float width = std::exp(bbox[4 * i + 2]) * step, height = std::exp(bbox[4 * i + 3]) * step;
      Face face{
          {(x + bbox[4 * i]) * step - width / 2, (y + bbox[4 * i + 1]) * step - height / 2, width, height}, {}, score};
      for (size_t k = 0; k < 5; ++k) {
        face.points[k] = {(x + kps[10 * i + 2 * k]) * step, (y + kps[10 * i + 2 * k + 1]) * step};
      }
      faces.push_back(face);
    }
  }
  std::sort(faces.begin(), faces.end(), [](const Face& a, const Face& b) { return a.score > b.score; });
  std::vector<Face> kept;
  for (const Face& face : faces) {
    const bool free = std::none_of(kept.begin(), kept.end(), [&](const Face& other) {
      const float both = (face.box & other.box).area();
      return both > 0.3f * (face.box.area() + other.box.area() - both);
    });
    if (free) kept.push_back(face);
  }
  return kept;
}

void draw(cv::Mat picture, const std::vector<Face>& faces, const fs::path& path) {
  for (const Face& face : faces) {
    cv::rectangle(picture, face.box, {0, 255, 0}, 2);
    for (const cv::Point2f& point : face.points) cv::circle(picture, point, 2, {0, 0, 255}, cv::FILLED);
  }
  cv::imwrite(path.string(), picture);
}

}  // namespace

TEST_CASE("YuNet finds the faces that OpenCV finds") {
  const fs::path file = data_folder() / "models/yunet_n_320_320.onnx", pictures = data_folder() / "sr/benchmarks/set5";
  if (!fs::is_regular_file(file) || !fs::is_directory(pictures)) {
    std::cout << "skipped: " << file << " or " << pictures << " is not there (set COCO_DATA_DIR)\n";
    return;
  }
  const auto bytes = compile_onnx_file(file.string(), {});
  INFO((bytes.ok() ? "" : bytes.error().message));
  REQUIRE(bytes.ok());
  const auto model = Model::from_bytes(*bytes).value();
  cv::dnn::Net net = cv::dnn::readNetFromONNX(file.string());
  size_t found = 0;
  for (const auto& entry : fs::directory_iterator(pictures)) {
    CAPTURE(entry.path());
    cv::Mat picture = cv::imread(entry.path().string());
    if (picture.empty()) continue;
    cv::resize(picture, picture, {kSide, kSide});
    const cv::Mat blob = cv::dnn::blobFromImage(picture);
    Maps theirs = run_opencv(net, blob);
    for (const ExecutorKind executor : {ExecutorKind::kAuto, ExecutorKind::kLayer}) {
      SessionOptions options;
      options.executor = executor;
      Maps ours = run_ours(model, blob, options);
      float worst = 0;
      for (const auto& [name, values] : theirs) {
        REQUIRE(ours[name].size() == values.size());
        for (size_t i = 0; i < values.size(); ++i) worst = std::max(worst, std::fabs(values[i] - ours[name][i]));
      }
      CHECK(worst <= 1e-3f);
      const std::vector<Face> a = decode(theirs), b = decode(ours);
      REQUIRE(a.size() == b.size());
      for (size_t i = 0; i < a.size(); ++i) {
        CHECK(std::fabs(a[i].box.x - b[i].box.x) + std::fabs(a[i].box.y - b[i].box.y) < 0.1f);
        CHECK(std::fabs(a[i].box.width - b[i].box.width) + std::fabs(a[i].box.height - b[i].box.height) < 0.1f);
      }
      if (executor != ExecutorKind::kAuto) continue;
      found += b.size();
      const fs::path drawn = fs::temp_directory_path() / ("yunet_" + entry.path().stem().string() + ".png");
      draw(picture, b, drawn);
      std::cout << entry.path().filename() << ": " << b.size() << " faces, largest difference " << worst
                << ", drawn in " << drawn << "\n";
    }
  }
  CHECK(found >= 2);  // Set5 has portraits
}

namespace {

/// Pictures as the network takes them.
std::vector<cv::Mat> blobs_of(const fs::path& folder, size_t most) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<cv::Mat> blobs;
  for (const fs::path& file : files) {
    cv::Mat picture = cv::imread(file.string());
    if (picture.empty() || blobs.size() == most) continue;
    cv::resize(picture, picture, {kSide, kSide});
    blobs.push_back(cv::dnn::blobFromImage(picture));
  }
  return blobs;
}

float overlap(const cv::Rect2f& a, const cv::Rect2f& b) {
  const float both = (a & b).area();
  return both / (a.area() + b.area() - both);
}

}  // namespace

TEST_CASE("YuNet in integers finds the faces that it finds in f32") {
  const fs::path file = data_folder() / "models/yunet_n_320_320.onnx", pictures = data_folder() / "sr/benchmarks";
  if (!fs::is_regular_file(file) || !fs::is_directory(pictures / "set14")) {
    std::cout << "skipped: " << file << " or " << pictures << " is not there (set COCO_DATA_DIR)\n";
    return;
  }
  CompileOptions options;
  const auto bytes = compile_onnx_file(file.string(), options);
  REQUIRE(bytes.ok());
  options.precision = Precision::kInt8;
  options.quantize.min_snr_db = 0;
  options.quantize.hold_out = false;  // the faces of other pictures judge
  // Seconds instead of minutes.
  options.quantize.equalize = options.quantize.fit_weights = options.quantize.refine_ranges = false;
  for (const cv::Mat& blob : blobs_of(pictures / "set14", 8)) {
    FloatTensor sample{Shape{1, 3, kSide, kSide}, {}};
    sample.data.assign(blob.ptr<float>(), blob.ptr<float>() + blob.total());
    options.quantize.samples.push_back({{std::move(sample)}, {}});
  }
  QuantizeReport report;
  options.report = &report;
  const auto integers = compile_onnx_file(file.string(), options);
  INFO((integers.ok() ? "" : integers.error().message));
  REQUIRE(integers.ok());
  const auto f32 = Model::from_bytes(*bytes).value(), int8 = Model::from_bytes(*integers).value();
  size_t found = 0;
  float least = 1, furthest = 0;
  for (const cv::Mat& blob : blobs_of(pictures / "set5", 5)) {
    Maps a = run_ours(f32, blob, {}), b = run_ours(int8, blob, {});
    SessionOptions dense;
    dense.executor = ExecutorKind::kLayer, dense.reference_kernels = true;
    if (furthest == 0) CHECK(run_ours(int8, blob, dense) == b);  // the first picture, a minute for all
    const std::vector<Face> expected = decode(a), faces = decode(b);
    REQUIRE(faces.size() == expected.size());
    for (size_t i = 0; i < faces.size(); ++i) {
      least = std::min(least, overlap(expected[i].box, faces[i].box));
      furthest = std::max(furthest, std::fabs(expected[i].score - faces[i].score));
    }
    found += faces.size();
  }
  std::cout << "YuNet in integers: SNR " << report.snr_db << " dB, cosine " << report.cosine << ", " << found
            << " faces, least overlap " << least << ", scores differ by at most " << furthest << "\n";
  CHECK(found >= 2);
  CHECK(least > 0.8f);
}
