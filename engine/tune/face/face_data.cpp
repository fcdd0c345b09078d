#include "tune/face/face_data.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/thread_pool.h"
#include "tune/synth/chance.h"
#include "tune/synth/renderer.h"

namespace coco::tune {
namespace {

using synth::between;

/// The landmark that takes a landmark's place in the mirror.
size_t mirrored(size_t i) {
  constexpr std::array<uint8_t, 68> kPlace = {16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0,
                                              26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33,
                                              32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52,
                                              51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65};
  return kPlace[i];
}

FaceExample cut(const FacePicture& picture, const FaceCrop& crop, int size, bool masks, bool mirror) {
  cv::Matx23f move = crop_matrix(crop, size);
  const auto whole = static_cast<float>(size);
  if (mirror) {
    for (int k = 0; k < 3; ++k) move(0, k) = -move(0, k);
    move(0, 2) += whole;
  }
  // Pixel centres lie at halves here and at whole numbers in OpenCV.
  cv::Matx23f pixels = move;
  for (int r = 0; r < 2; ++r) pixels(r, 2) += 0.5f * (move(r, 0) + move(r, 1)) - 0.5f;
  FaceExample example;
  const cv::Size square(size, size);
  cv::warpAffine(picture.image, example.image, pixels, square, cv::INTER_LINEAR, cv::BORDER_REFLECT);
  if (masks) {
    cv::warpAffine(picture.face, example.face, pixels, square);
    cv::warpAffine(picture.occluder, example.occluder, pixels, square);
  }
  for (size_t i = 0; i < example.landmarks.size(); ++i) {
    const cv::Point2f& p = picture.labels.landmarks[i];
    const cv::Vec2f q = move * cv::Vec3f(p.x, p.y, 1);
    const size_t to = mirror ? mirrored(i) : i;
    example.landmarks[to] = {2 * q[0] / whole - 1, 2 * q[1] / whole - 1};
    example.visible[to] = !picture.labels.self_occluded[i] && !picture.labels.covered[i];
  }
  const float sign = mirror ? -1.0f : 1.0f;
  example.yaw = sign * picture.yaw;
  example.pitch = picture.pitch;
  example.roll = sign * (picture.roll - crop.roll);
  return example;
}

/// Contrast, brightness, colour, sharpness and a patch of one colour: what renders do not vary enough.
void recolour(cv::Mat& image, Random& random) {
  std::array<std::array<uint8_t, 256>, 3> table;
  const float gamma = std::exp(between(random, -0.45f, 0.45f)), contrast = std::exp(between(random, -0.25f, 0.25f));
  for (auto& t : table) {
    const float gain = std::exp(between(random, -0.15f, 0.15f));
    for (size_t v = 0; v < 256; ++v) {
      const float x = std::pow(static_cast<float>(v) / 255, gamma) * gain;
      t[v] = cv::saturate_cast<uint8_t>(255 * (0.5f + (x - 0.5f) * contrast));
    }
  }
  const bool grey = random.uniform() < 0.1;
  for (int y = 0; y < image.rows; ++y) {
    auto* row = image.ptr<cv::Vec3b>(y);
    for (int x = 0; x < image.cols; ++x) {
      for (int c = 0; c < 3; ++c) row[x][c] = table[static_cast<size_t>(c)][row[x][c]];
      if (grey) row[x] = cv::Vec3b::all(static_cast<uint8_t>((row[x][0] + 2 * row[x][1] + row[x][2]) / 4));
    }
  }
  if (random.uniform() < 0.2) {
    const float share = between(random, 0.25f, 0.8f);  // As of a small face in a large picture.
    cv::Mat small;
    cv::resize(image, small, {}, static_cast<double>(share), static_cast<double>(share), cv::INTER_AREA);
    cv::resize(small, image, image.size(), 0, 0, cv::INTER_LINEAR);
  }
}

/// Something unknown before the face: a filled ellipse of one colour.
void cover(FaceExample& example, Random& random) {
  const auto size = static_cast<float>(example.image.cols);
  const cv::Point2f centre(between(random, 0, size), between(random, 0, size));
  const cv::Size2f axes(between(random, 0.08f, 0.3f) * size, between(random, 0.08f, 0.3f) * size);
  const float turn = between(random, 0, 180);
  const cv::Scalar colour(between(random, 0, 255), between(random, 0, 255), between(random, 0, 255));
  const cv::RotatedRect shape(centre, cv::Size2f(2 * axes.width, 2 * axes.height), turn);
  cv::ellipse(example.image, shape, colour, -1, cv::LINE_AA);
  if (!example.face.empty()) {
    cv::ellipse(example.face, shape, 0, -1);
    cv::ellipse(example.occluder, shape, 255, -1);
  }
  const float c = std::cos(turn * 0.0174533f), s = std::sin(turn * 0.0174533f);
  for (size_t i = 0; i < example.landmarks.size(); ++i) {
    const cv::Point2f d = (example.landmarks[i] + cv::Point2f(1, 1)) * (size / 2) - centre;
    const float u = (c * d.x + s * d.y) / axes.width, v = (-s * d.x + c * d.y) / axes.height;
    if (u * u + v * v < 1) example.visible[i] = false;
  }
}

}  // namespace

Result<std::vector<FacePicture>> render_faces(const std::shared_ptr<const synth::Assets>& assets, int size, int count,
                                              uint64_t seed, const std::function<void(int done)>& progress,
                                              const std::atomic<bool>* stop) {
  ThreadPool& pool = ThreadPool::process();
  std::vector<std::unique_ptr<synth::Renderer>> renderers;
  for (int i = 0; i < pool.threads(); ++i) renderers.push_back(std::make_unique<synth::Renderer>(assets));
  std::vector<FacePicture> pictures(static_cast<size_t>(count));
  std::atomic<int> done{0};
  pool.parallel_for(count, pool.threads(), [&](int index, int worker) {
    if (stop != nullptr && stop->load()) return;
    synth::PortraitOptions portrait;
    portrait.size = size;
    const synth::Scene scene = synth::random_portrait(*assets, portrait, seed * 1000003 + static_cast<uint64_t>(index));
    synth::Picture rendered = renderers[static_cast<size_t>(worker)]->render(scene);
    const synth::HeadInScene& head = scene.heads.front();
    FacePicture& picture = pictures[static_cast<size_t>(index)];
    picture.image = rendered.image;
    picture.face = rendered.face;
    picture.occluder = rendered.occluder;
    picture.labels = rendered.heads.front();
    picture.yaw = head.pose.yaw;
    picture.pitch = head.pose.pitch;
    picture.roll = head.pose.roll;
    picture.tone = head.person.tone;
    picture.age = head.person.age;
    picture.sex = head.person.sex;
    picture.glasses = head.person.glasses;
    picture.covered = head.cover != synth::Cover::kNone;
    if (progress) progress(++done);
  });
  if (stop != nullptr && stop->load()) return make_error(ErrorCode::kCancelled, "stopped while rendering faces");
  return pictures;
}

FaceExample plain_example(const FacePicture& picture, int size, bool masks) {
  return cut(picture, crop_of(picture.labels.landmarks), size, masks, false);
}

FaceExample random_example(const FacePicture& picture, int size, bool masks, Random& random) {
  FaceCrop crop = crop_of(picture.labels.landmarks);
  crop.side *= std::exp(0.1f * static_cast<float>(std::clamp(random.normal(), -2.0, 2.0)));
  crop.roll += 8.0f * static_cast<float>(std::clamp(random.normal(), -2.5, 2.5));
  crop.centre.x += 0.05f * crop.side * static_cast<float>(std::clamp(random.normal(), -2.0, 2.0));
  crop.centre.y += 0.05f * crop.side * static_cast<float>(std::clamp(random.normal(), -2.0, 2.0));
  FaceExample example = cut(picture, crop, size, masks, random.uniform() < 0.5);
  recolour(example.image, random);
  if (random.uniform() < 0.2) cover(example, random);
  return example;
}

}  // namespace coco::tune
