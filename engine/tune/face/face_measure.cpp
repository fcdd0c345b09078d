#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "coco/session.h"
#include "tune/face/face_networks.h"
#include "tune/face/face_pictures.h"
#include "tune/face/face_task.h"

namespace coco::tune {
namespace {

/// A model's session on crops.
class CropRunner {
 public:
  static Result<CropRunner> create(const std::shared_ptr<const Model>& model, int size) {
    CropRunner runner;
    const Shape shape{1, 3, size, size};
    COCO_ASSIGN(runner.session_, Session::create(model, {&shape, 1}, SessionOptions{}));
    runner.shape_ = shape;
    const auto count = runner.session_->outputs().front().shape.element_count();
    runner.output_.resize(static_cast<size_t>(count.value_or(0)));
    return runner;
  }
  Result<const std::vector<float>*> run(const cv::Mat& image) {
    const std::vector<float> planes = planes_of(image);
    const TensorView in{DataType::kF32, shape_, planes.data()};
    const MutableTensorView out{DataType::kF32, session_->outputs().front().shape, output_.data()};
    COCO_TRY(session_->run({&in, 1}, {&out, 1}));
    return &output_;
  }

 private:
  std::unique_ptr<Session> session_;
  Shape shape_;
  std::vector<float> output_;
};

std::vector<std::string> groups_of(const FacePicture& picture) {
  constexpr const char* kAges[] = {"young", "middle", "old"};
  return {picture.tone == synth::Tone::kDark ? "dark" : "light", kAges[static_cast<size_t>(picture.age)],
          picture.sex == synth::Sex::kMale ? "male" : "female", picture.glasses ? "glasses" : "no_glasses",
          picture.covered ? "covered" : "uncovered"};
}

/// Means of a measure, in all and by group.
class Grouped {
 public:
  void add(const FacePicture& picture, double value) {
    all_.first += value;
    ++all_.second;
    for (const std::string& group : groups_of(picture)) {
      by_group_[group].first += value;
      ++by_group_[group].second;
    }
  }
  double mean() const { return all_.first / std::max(1, all_.second); }
  /// The measure, the worst group, each group.
  void report(const std::string& name, bool high_is_good, FaceFigures& figures) const {
    figures.emplace_back(name, mean());
    double worst = mean();
    FaceFigures each;
    for (const auto& [group, sum] : by_group_) {
      const double value = sum.first / sum.second;
      worst = high_is_good ? std::min(worst, value) : std::max(worst, value);
      each.emplace_back(name + "_" + group, value);
    }
    figures.emplace_back(name + "_worst_group", worst);
    figures.insert(figures.end(), each.begin(), each.end());
  }

 private:
  std::pair<double, int> all_;
  std::map<std::string, std::pair<double, int>> by_group_;
};

double box_size(const FaceExample& example) {
  cv::Point2f low(1e9f, 1e9f), high(-1e9f, -1e9f);
  for (const cv::Point2f& p : example.landmarks) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  return std::sqrt(static_cast<double>(high.x - low.x) * static_cast<double>(high.y - low.y));
}

Result<FaceFigures> measure_landmarks(const FacePictures& pictures, CropRunner& runner) {
  Grouped nme;
  double hidden = 0, right = 0, angles[3] = {};
  int hidden_count = 0;
  for (const FacePicture& picture : pictures.validation) {
    const FaceExample example = plain_example(picture, kLandmarkSize, false);
    COCO_ASSIGN(const std::vector<float>* out, runner.run(example.image));
    const double size = box_size(example);
    double sum = 0;
    for (size_t i = 0; i < 68; ++i) {
      const double distance = std::hypot((*out)[i] - example.landmarks[i].x, (*out)[68 + i] - example.landmarks[i].y);
      sum += distance;
      right += ((*out)[136 + i] > 0) == example.visible[i] ? 1.0 / 68 : 0;
      if (example.visible[i]) continue;
      hidden += 100 * distance / size;
      ++hidden_count;
    }
    nme.add(picture, 100 * sum / 68 / size);
    const float truth[] = {example.yaw, example.pitch, example.roll};
    for (size_t k = 0; k < 3; ++k) angles[k] += std::abs(static_cast<double>(90 * (*out)[204 + k] - truth[k]));
  }
  const auto count = static_cast<double>(pictures.validation.size());
  FaceFigures figures;
  nme.report("nme", false, figures);
  figures.emplace_back("nme_hidden", hidden / std::max(1, hidden_count));
  figures.emplace_back("visible", right / count);
  figures.emplace_back("yaw", angles[0] / count);
  figures.emplace_back("pitch", angles[1] / count);
  figures.emplace_back("roll", angles[2] / count);
  return figures;
}

Result<FaceFigures> measure_masks(const FacePictures& pictures, CropRunner& runner) {
  Grouped face;
  double both = 0, any = 0;
  for (const FacePicture& picture : pictures.validation) {
    const FaceExample example = plain_example(picture, kMaskSize, true);
    COCO_ASSIGN(const std::vector<float>* out, runner.run(example.image));
    double face_both = 0, face_any = 0;
    const size_t area = static_cast<size_t>(kMaskSize) * kMaskSize;
    for (size_t i = 0; i < area; ++i) {
      const bool told = (*out)[i] > 0.5f, true_face = example.face.data[i] > 127;
      face_both += told && true_face ? 1 : 0;
      face_any += told || true_face ? 1 : 0;
      const bool before = (*out)[area + i] > 0.5f, true_before = example.occluder.data[i] > 127;
      both += before && true_before ? 1 : 0;
      any += before || true_before ? 1 : 0;
    }
    face.add(picture, face_both / std::max(1.0, face_any));
  }
  FaceFigures figures;
  face.report("iou_face", true, figures);
  figures.emplace_back("iou_occluder", both / std::max(1.0, any));  // Of all pictures together: most have none.
  return figures;
}

void draw(const FaceExample& example, const std::vector<float>& out, FaceNetwork network, cv::Mat& cell) {
  const int size = example.image.cols, scale = cell.cols / size;
  if (network == FaceNetwork::kLandmarks) {
    for (size_t i = 0; i < 68; ++i) {
      const auto at = [&](float x, float y) {
        return cv::Point(static_cast<int>((x + 1) / 2 * static_cast<float>(cell.cols)),
                         static_cast<int>((y + 1) / 2 * static_cast<float>(cell.rows)));
      };
      cv::circle(cell, at(example.landmarks[i].x, example.landmarks[i].y), 1, {0, 200, 0}, -1);
      cv::circle(cell, at(out[i], out[68 + i]), 1, out[136 + i] > 0 ? cv::Scalar(255, 255, 255) : cv::Scalar(0, 0, 255),
                 -1);
    }
    return;
  }
  const size_t area = static_cast<size_t>(size) * static_cast<size_t>(size);
  for (int y = 0; y < cell.rows; ++y) {
    for (int x = 0; x < cell.cols; ++x) {
      const size_t i = static_cast<size_t>(y / scale) * static_cast<size_t>(size) + static_cast<size_t>(x / scale);
      auto& pixel = cell.at<cv::Vec3b>(y, x);
      pixel[1] = cv::saturate_cast<uint8_t>(pixel[1] + 70 * out[i]);
      pixel[2] = cv::saturate_cast<uint8_t>(pixel[2] + 90 * out[area + i]);
    }
  }
}

}  // namespace

Result<FaceFigures> measure_face(const FaceJob& job, const FacePictures& pictures,
                                 const std::shared_ptr<const Model>& model) {
  COCO_ASSIGN(CropRunner runner, CropRunner::create(model, crop_size(job.network)));
  return job.network == FaceNetwork::kLandmarks ? measure_landmarks(pictures, runner) : measure_masks(pictures, runner);
}

Status draw_face(const FaceJob& job, const FacePictures& pictures, const std::shared_ptr<const Model>& model,
                 const std::string& path) {
  constexpr int kColumns = 8, kRows = 6;
  const int size = crop_size(job.network), cell = 2 * size;
  COCO_ASSIGN(CropRunner runner, CropRunner::create(model, size));
  cv::Mat sheet(kRows * cell, kColumns * cell, CV_8UC3, cv::Scalar(0, 0, 0));
  for (size_t i = 0; i < pictures.validation.size() && i < static_cast<size_t>(kColumns) * kRows; ++i) {
    const FaceExample example = plain_example(pictures.validation[i], size, true);
    COCO_ASSIGN(const std::vector<float>* out, runner.run(example.image));
    cv::Mat large;
    cv::resize(example.image, large, {cell, cell}, 0, 0, cv::INTER_LINEAR);
    draw(example, *out, job.network, large);
    const int k = static_cast<int>(i);
    large.copyTo(sheet(cv::Rect(k % kColumns * cell, k / kColumns * cell, cell, cell)));
  }
  std::vector<uint8_t> bytes;
  cv::imencode(".png", sheet, bytes, {cv::IMWRITE_PNG_COMPRESSION, 3});
  return write_file_atomically(path, bytes);
}

}  // namespace coco::tune
