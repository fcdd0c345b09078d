#include "apps/cocopipe/calibration.h"

#include <algorithm>
#include <optional>

#include "apps/cocopipe/image_io.h"
#include "apps/demo/clip.h"
#include "quality/quality.h"

namespace coco::cli {
namespace {

using quality::Plane8;

constexpr int kSamples = 32, kLeastSamples = 8, kMostPictures = 32, kMostOfOne = 6, kSide = 96, kLeastSide = 24;
/// Cut away after shrinking a crop, so that its edges are those of the whole picture's shrinking.
constexpr int kMargin = 8;

/// What the model takes.
struct Geometry {
  int channels = 1, scale = 1;
  int width = kSide, height = kSide;
  bool fixed = false;  ///< crops are resized to width x height
  float white = 1;

  /// Fewer of large ones.
  size_t samples() const {
    const int64_t pixels = static_cast<int64_t>(width) * height;
    return static_cast<size_t>(
        std::clamp<int64_t>(int64_t{kSamples} * kSide * kSide / pixels, kLeastSamples, kSamples));
  }
};

Result<Geometry> geometry_of(const Model& model, int scale) {
  const auto unsupported = [&](const std::string& what) {
    return make_error(ErrorCode::kUnsupported,
                      "calibration knows models of one picture (luma or RGB); "
                      "this one " +
                          what);
  };
  if (model.inputs().size() != 1) return unsupported("has " + std::to_string(model.inputs().size()) + " inputs");
  const TensorInfo& input = model.inputs()[0];
  const Shape& shape = input.shape;
  if (input.type != DataType::kF32 || shape.rank() != 4 || shape[0] > 1 || (shape[1] != 1 && shape[1] != 3)) {
    return unsupported("takes " + std::string(to_string(input.type)) + " " + shape.to_string());
  }
  Geometry geometry;
  geometry.channels = static_cast<int>(shape[1]);
  geometry.scale = std::max(scale, 1);
  geometry.fixed = shape[2] != kDynamicDim || shape[3] != kDynamicDim;
  if (shape[2] != kDynamicDim) geometry.height = static_cast<int>(shape[2]);
  if (shape[3] != kDynamicDim) geometry.width = static_cast<int>(shape[3]);
  return geometry;
}

/// A picture as the planes the model takes.
std::vector<Plane8> planes_of(Image image, int channels) {
  if (channels == 1) {
    if (image.channels == 1) return {{image.width, image.height, std::move(image.data)}};
    return {quality::luma_from_rgb(image.data.data(), image.width, image.height)};
  }
  const auto count = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  std::vector<Plane8> planes(3, {image.width, image.height, std::vector<uint8_t>(count)});
  for (size_t i = 0; i < count; ++i) {
    for (size_t c = 0; c < 3; ++c) planes[c].data[i] = image.data[image.channels == 1 ? i : 3 * i + c];
  }
  return planes;
}

Plane8 cut(const Plane8& plane, int x, int y, int width, int height) {
  Plane8 result{width, height, {}};
  for (int row = y; row < y + height; ++row) {
    const auto begin = plane.data.begin() + static_cast<ptrdiff_t>(row) * plane.width + x;
    result.data.insert(result.data.end(), begin, begin + width);
  }
  return result;
}

FloatTensor tensor_of(const std::vector<Plane8>& planes, float white) {
  FloatTensor tensor{Shape{1, static_cast<int64_t>(planes.size()), planes[0].height, planes[0].width}, {}};
  for (const Plane8& plane : planes) {
    for (uint8_t v : plane.data) tensor.data.push_back(static_cast<float>(v) * (white / 255.0f));
  }
  return tensor;
}

/// Takes crops out of pictures, at places that a seed decides.
class Cropper {
 public:
  explicit Cropper(const Geometry& geometry) : geometry_(geometry) {}

  /// Nothing when the picture is too small.
  std::optional<CalibrationSample> crop(const std::vector<Plane8>& planes) {
    if (geometry_.fixed) return fixed_crop(planes);
    const int scale = geometry_.scale, margin = scale > 1 ? kMargin : 0;
    const int width = std::min(kSide, planes[0].width / scale - 2 * margin);
    const int height = std::min(kSide, planes[0].height / scale - 2 * margin);
    if (width < kLeastSide || height < kLeastSide) return std::nullopt;
    const int outer_width = width + 2 * margin, outer_height = height + 2 * margin;
    const int x = pick(planes[0].width - outer_width * scale), y = pick(planes[0].height - outer_height * scale);
    std::vector<Plane8> low, high;
    for (const Plane8& plane : planes) {
      const Plane8 outer = cut(plane, x, y, outer_width * scale, outer_height * scale);
      if (scale > 1) high.push_back(cut(outer, margin * scale, margin * scale, width * scale, height * scale));
      low.push_back(scale > 1
                        ? cut(quality::resize_bicubic(outer, outer_width, outer_height), margin, margin, width, height)
                        : outer);
    }
    return CalibrationSample{{tensor_of(low, geometry_.white)}, scale > 1 ? tensor_of(high, 1) : FloatTensor{}};
  }

 private:
  /// The largest crop of the model's proportions, resized to its size.
  std::optional<CalibrationSample> fixed_crop(const std::vector<Plane8>& planes) {
    const int64_t w = planes[0].width, h = planes[0].height;
    const int width = static_cast<int>(std::max<int64_t>(std::min(w, h * geometry_.width / geometry_.height), 1));
    const int height = static_cast<int>(std::max<int64_t>(std::min(h, w * geometry_.height / geometry_.width), 1));
    const int x = pick(planes[0].width - width), y = pick(planes[0].height - height);
    std::vector<Plane8> low;
    for (const Plane8& plane : planes)
      low.push_back(quality::resize_bicubic(cut(plane, x, y, width, height), geometry_.width, geometry_.height));
    return CalibrationSample{{tensor_of(low, geometry_.white)}, {}};
  }

  /// 0..most, by a linear congruential generator (Knuth's MMIX constants).
  int pick(int most) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return most <= 0 ? 0 : static_cast<int>((state_ >> 33) % static_cast<uint64_t>(most + 1));
  }

  Geometry geometry_;
  uint64_t state_ = 1;
};

void add_crops(Cropper& cropper, const std::vector<Plane8>& planes, size_t count, size_t most,
               std::vector<CalibrationSample>& samples) {
  for (size_t i = 0; i < count && samples.size() < most; ++i) {
    auto sample = cropper.crop(planes);
    if (!sample) return;
    samples.push_back(std::move(*sample));
  }
}

std::vector<CalibrationSample> from_clip(const Geometry& geometry) {
  constexpr int kFrames = 8;
  demo::ClipSettings settings;
  settings.width = 1280;
  settings.height = 720;
  demo::Clip clip(settings);
  Cropper cropper(geometry);
  std::vector<CalibrationSample> samples;
  for (int i = 0; i < kFrames; ++i) {
    const FrameView view = clip.render(i * settings.frames / kFrames);
    const auto* luma = static_cast<const uint8_t*>(view.data[0]);
    Plane8 plane{view.width, view.height, {}};
    for (int y = 0; y < view.height; ++y)
      plane.data.insert(plane.data.end(), luma + y * view.stride[0], luma + y * view.stride[0] + view.width);
    const std::vector<Plane8> planes(static_cast<size_t>(geometry.channels), plane);
    add_crops(cropper, planes, geometry.samples() / kFrames, geometry.samples(), samples);
  }
  return samples;
}

}  // namespace

Result<std::vector<CalibrationSample>> calibration_samples(const std::string& folder, const Model& model, int scale,
                                                           float white) {
  COCO_ASSIGN(Geometry geometry, geometry_of(model, scale));
  geometry.white = white;
  if (folder.empty()) return from_clip(geometry);
  COCO_ASSIGN(const std::vector<std::string> files, list_images(folder));
  const size_t most = geometry.samples(),
               pictures = std::min<size_t>(files.size(), std::min<size_t>(most, kMostPictures));
  Cropper cropper(geometry);
  std::vector<CalibrationSample> samples;
  std::string reason = "its pictures are too small";
  for (size_t i = 0; i < pictures; ++i) {
    auto image = read_image(files[i * files.size() / pictures]);
    if (!image.ok()) {
      reason = image.error().message;
      continue;
    }
    add_crops(cropper, planes_of(std::move(image).value(), geometry.channels),
              std::min<size_t>((most + pictures - 1) / pictures, kMostOfOne), most, samples);
  }
  if (samples.empty()) {
    return make_error(ErrorCode::kInvalidData,
                      "calibration folder '" + folder + "' holds no picture that can be used: " + reason);
  }
  return samples;
}

}  // namespace coco::cli
