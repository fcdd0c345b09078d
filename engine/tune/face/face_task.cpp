#include "tune/face/face_task.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "base/thread_pool.h"
#include "tune/face/face_networks.h"
#include "tune/gradient.h"

namespace coco::tune {
namespace {

void to_planes(const cv::Mat& image, float* planes) {
  const auto area = static_cast<size_t>(image.rows) * static_cast<size_t>(image.cols);
  for (int y = 0; y < image.rows; ++y) {
    const auto* row = image.ptr<cv::Vec3b>(y);
    float* to = planes + static_cast<size_t>(y) * static_cast<size_t>(image.cols);
    for (int x = 0; x < image.cols; ++x) {
      for (size_t c = 0; c < 3; ++c)
        to[c * area + static_cast<size_t>(x)] = static_cast<float>(row[x][2 - static_cast<int>(c)]) / 255;
    }
  }
}

/// Draws crops, shared by both tasks. Each crop has its own random numbers, so that threads do not matter.
class CropTask : public TrainingTask {
 public:
  CropTask(const Trainable& network, const TrainOptions& options, const std::vector<FacePicture>& pictures,
           const std::vector<FacePicture>& validation, int size, bool masks)
      : network_(network),
        options_(options),
        pictures_(pictures),
        validation_(validation),
        size_(size),
        masks_(masks) {}

  double step(const std::vector<NamedTensor>& values, int64_t, Random& random,
              std::vector<torch::Tensor>& gradients) override {
    std::vector<uint64_t> seeds(static_cast<size_t>(options_.batch));
    for (uint64_t& seed : seeds) seed = random.next();
    std::vector<FaceExample> examples(seeds.size());
    const torch::Tensor input = torch::empty({options_.batch, 3, size_, size_});
    ThreadPool::process().parallel_for(options_.batch, 0, [&](int i, int) {
      Random own(seeds[static_cast<size_t>(i)]);
      const FacePicture& picture = pictures_[own.below(static_cast<uint32_t>(pictures_.size()))];
      FaceExample& example = examples[static_cast<size_t>(i)];
      example = random_example(picture, size_, masks_, own);
      to_planes(example.image, input.data_ptr<float>() + int64_t{i} * 3 * size_ * size_);
    });
    const torch::Device device = values.front().tensor.device();
    const torch::Tensor faces = input.to(device);
    std::vector<torch::Tensor> targets = targets_of(examples);
    for (torch::Tensor& t : targets) t = t.to(device);
    return differentiate(
        values, [&](const std::vector<NamedTensor>& v) { return loss(network_.forward(v, faces), targets); },
        gradients);
  }

  Result<FaceFigures> validate(const std::vector<NamedTensor>& values) override {
    const torch::NoGradGuard no_grad;
    FaceFigures figures;
    double sum = 0;
    for (size_t first = 0; first < validation_.size(); first += 64) {
      const size_t count = std::min<size_t>(64, validation_.size() - first);
      std::vector<FaceExample> examples(count);
      const torch::Tensor input = torch::empty({static_cast<int64_t>(count), 3, size_, size_});
      for (size_t i = 0; i < count; ++i) {
        examples[i] = plain_example(validation_[first + i], size_, masks_);
        to_planes(examples[i].image, input.data_ptr<float>() + static_cast<int64_t>(i) * 3 * size_ * size_);
      }
      sum += error(network_.forward(values, input.to(values.front().tensor.device())).cpu(), targets_of(examples)) *
             static_cast<double>(count);
    }
    if (!validation_.empty()) figures.emplace_back(error_name(), sum / static_cast<double>(validation_.size()));
    return figures;
  }

 protected:
  virtual std::vector<torch::Tensor> targets_of(const std::vector<FaceExample>& examples) const = 0;
  virtual torch::Tensor loss(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const = 0;
  /// What the log shows: a mean over the examples.
  virtual double error(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const = 0;
  virtual const char* error_name() const = 0;
  int size() const { return size_; }

 private:
  const Trainable& network_;
  const TrainOptions& options_;
  const std::vector<FacePicture>& pictures_;
  const std::vector<FacePicture>& validation_;
  int size_;
  bool masks_;
};

class LandmarkTask : public CropTask {
 public:
  LandmarkTask(const Trainable& network, const TrainOptions& options, const std::vector<FacePicture>& pictures,
               const std::vector<FacePicture>& validation)
      : CropTask(network, options, pictures, validation, kLandmarkSize, false) {}

 protected:
  std::vector<torch::Tensor> targets_of(const std::vector<FaceExample>& examples) const override {
    const auto n = static_cast<int64_t>(examples.size());
    torch::Tensor points = torch::empty({n, 136}), visible = torch::empty({n, 68}), pose = torch::empty({n, 3});
    auto p = points.accessor<float, 2>(), v = visible.accessor<float, 2>(), a = pose.accessor<float, 2>();
    for (int64_t i = 0; i < n; ++i) {
      const FaceExample& e = examples[static_cast<size_t>(i)];
      for (size_t k = 0; k < 68; ++k) {
        const auto at = static_cast<int64_t>(k);
        p[i][at] = e.landmarks[k].x;
        p[i][68 + at] = e.landmarks[k].y;
        v[i][at] = e.visible[k] ? 1 : 0;
      }
      a[i][0] = e.yaw / 90;
      a[i][1] = e.pitch / 90;
      a[i][2] = e.roll / 90;
    }
    return {points, visible, pose};
  }

  // Points: the wing loss (Feng et al. 2018), sharp near zero; hidden ones count half.
  torch::Tensor loss(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const override {
    constexpr double kWidth = 0.15, kCurve = 0.02;
    const torch::Tensor flat = output.flatten(1);
    const torch::Tensor d = (flat.narrow(1, 0, 136) - targets[0]).abs();
    const double shift = kWidth - kWidth * std::log1p(kWidth / kCurve);
    const torch::Tensor wing = torch::where(d < kWidth, kWidth * torch::log1p(d / kCurve), d - shift);
    const torch::Tensor weight = 0.5 + 0.5 * targets[1];
    const torch::Tensor points = (wing * torch::cat({weight, weight}, 1)).mean();
    const torch::Tensor visible = torch::binary_cross_entropy_with_logits(flat.narrow(1, 136, 68), targets[1]);
    const torch::Tensor pose = (flat.narrow(1, 204, 3) - targets[2]).abs().mean();
    return points + 0.03 * visible + 0.2 * pose;
  }

  // Percent of the root of the box's area, as in measure_face.
  double error(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const override {
    const torch::Tensor d = output.flatten(1).narrow(1, 0, 136) - targets[0];
    const torch::Tensor x = targets[0].narrow(1, 0, 68), y = targets[0].narrow(1, 68, 68);
    const torch::Tensor area = (x.amax(1) - x.amin(1)) * (y.amax(1) - y.amin(1));
    const torch::Tensor distance = (d.narrow(1, 0, 68).square() + d.narrow(1, 68, 68).square()).sqrt().mean(1);
    return 100 * (distance / area.sqrt()).mean().item<double>();
  }
  const char* error_name() const override { return "nme"; }
};

class MaskTask : public CropTask {
 public:
  MaskTask(const Trainable& network, const TrainOptions& options, const std::vector<FacePicture>& pictures,
           const std::vector<FacePicture>& validation)
      : CropTask(network, options, pictures, validation, kMaskSize, true) {}

 protected:
  std::vector<torch::Tensor> targets_of(const std::vector<FaceExample>& examples) const override {
    const auto n = static_cast<int64_t>(examples.size());
    torch::Tensor target = torch::empty({n, 2, size(), size()});
    float* to = target.data_ptr<float>();
    for (const FaceExample& e : examples) {
      for (const cv::Mat* mask : {&e.face, &e.occluder}) {
        for (int y = 0; y < size(); ++y) {
          const uint8_t* row = mask->ptr(y);
          for (int x = 0; x < size(); ++x) *to++ = static_cast<float>(row[x]) / 255;
        }
      }
    }
    return {target};
  }

  // Cross entropy, and one minus the overlap (soft Dice, Milletari et al. 2016) of the face.
  torch::Tensor loss(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const override {
    const torch::Tensor p = output.clamp(1e-5, 1 - 1e-5), &t = targets[0];
    const torch::Tensor entropy = -(t * p.log() + (1 - t) * (1 - p).log()).mean();
    const torch::Tensor both = (p * t).sum({2, 3}), sum = p.sum({2, 3}) + t.sum({2, 3});
    const torch::Tensor dice = 1 - (2 * both + 20) / (sum + 20);
    return entropy + 0.2 * dice.mean();
  }

  double error(const torch::Tensor& output, const std::vector<torch::Tensor>& targets) const override {
    const torch::Tensor p = output.narrow(1, 0, 1) > 0.5, t = targets[0].narrow(1, 0, 1) > 0.5;
    const torch::Tensor both = (p & t).to(torch::kFloat32).sum({1, 2, 3});
    const torch::Tensor any = (p | t).to(torch::kFloat32).sum({1, 2, 3});
    return (both / any.clamp_min(1)).mean().item<double>();
  }
  const char* error_name() const override { return "iou_face"; }
};

}  // namespace

std::vector<float> planes_of(const cv::Mat& image) {
  std::vector<float> planes(3 * static_cast<size_t>(image.rows) * static_cast<size_t>(image.cols));
  to_planes(image, planes.data());
  return planes;
}

std::unique_ptr<TrainingTask> make_landmark_task(const Trainable& network, const TrainOptions& options,
                                                 const std::vector<FacePicture>& pictures,
                                                 const std::vector<FacePicture>& validation) {
  return std::make_unique<LandmarkTask>(network, options, pictures, validation);
}

std::unique_ptr<TrainingTask> make_mask_task(const Trainable& network, const TrainOptions& options,
                                             const std::vector<FacePicture>& pictures,
                                             const std::vector<FacePicture>& validation) {
  return std::make_unique<MaskTask>(network, options, pictures, validation);
}

}  // namespace coco::tune
