#include "tune/report/crops.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "quality/quality.h"
#include "tune/evaluate.h"
#include "tune/report/raster.h"

namespace coco::tune {
namespace {

using quality::Plane8;

constexpr int kGap = 8, kCaption = 40;

/// Y, Cr, Cb.
using Planes = std::array<Plane8, 3>;

Plane8 to_plane(const cv::Mat& channel) {
  Plane8 plane{channel.cols, channel.rows, {}};
  for (int y = 0; y < channel.rows; ++y) {
    plane.data.insert(plane.data.end(), channel.ptr<uint8_t>(y), channel.ptr<uint8_t>(y) + channel.cols);
  }
  return plane;
}

cv::Mat to_mat(const Plane8& plane) {
  return cv::Mat(plane.height, plane.width, CV_8UC1, const_cast<uint8_t*>(plane.data.data())).clone();
}

Result<Planes> read_planes(const std::string& path, int scale) {
  const cv::Mat image = cv::imread(path, cv::IMREAD_COLOR);
  if (image.empty()) return make_error(ErrorCode::kInvalidData, "cannot decode image '" + path + "'");
  cv::Mat converted;
  cv::cvtColor(image, converted, cv::COLOR_BGR2YCrCb);
  std::vector<cv::Mat> channels;
  cv::split(converted, channels);
  Planes planes;
  for (size_t i = 0; i < 3; ++i) planes[i] = quality::crop_to_multiple(to_plane(channels[i]), scale);
  return planes;
}

cv::Mat to_colour(const Planes& planes, const cv::Rect& part) {
  std::vector<cv::Mat> channels;
  for (const Plane8& plane : planes) channels.push_back(to_mat(plane)(part).clone());
  cv::Mat merged, image;
  cv::merge(channels, merged);
  cv::cvtColor(merged, image, cv::COLOR_YCrCb2BGR);
  return image;
}

/// The square with the greatest sum of differences to the pixels beside and below.
cv::Rect find_detail(const Plane8& luma, int side) {
  const int width = std::min(side, luma.width), height = std::min(side, luma.height);
  const cv::Mat image = to_mat(luma);
  cv::Mat across, down, sums;
  cv::Sobel(image, across, CV_32F, 1, 0);
  cv::Sobel(image, down, CV_32F, 0, 1);
  cv::integral(cv::abs(across) + cv::abs(down), sums, CV_64F);
  cv::Rect best(0, 0, width, height);
  double most = -1;
  for (int y = 0; y + height <= luma.height; y += 8) {
    for (int x = 0; x + width <= luma.width; x += 8) {
      const double sum = sums.at<double>(y + height, x + width) - sums.at<double>(y, x + width) -
                         sums.at<double>(y + height, x) + sums.at<double>(y, x);
      if (sum <= most) continue;
      most = sum;
      best = cv::Rect(x, y, width, height);
    }
  }
  return best;
}

struct Strip {
  std::vector<cv::Mat> parts;
  std::vector<std::string> captions;

  void add(const Planes& planes, const cv::Rect& part, const std::string& caption, int enlarged) {
    cv::Mat large;
    cv::resize(to_colour(planes, part), large, {}, enlarged, enlarged, cv::INTER_NEAREST);
    parts.push_back(large);
    captions.push_back(caption);
  }
};

cv::Mat join(const Strip& strip) {
  const int width = strip.parts[0].cols, height = strip.parts[0].rows, count = static_cast<int>(strip.parts.size());
  cv::Mat all(height + kCaption, count * width + (count - 1) * kGap, CV_8UC3, cv::Scalar(255, 255, 255));
  for (int i = 0; i < count; ++i) {
    const int x = i * (width + kGap);
    strip.parts[static_cast<size_t>(i)].copyTo(all(cv::Rect(x, 0, width, height)));
    const std::string& caption = strip.captions[static_cast<size_t>(i)];
    int base = 0;
    double scale = 0.5;
    const int wide = cv::getTextSize(caption, cv::FONT_HERSHEY_SIMPLEX, scale, 1, &base).width;
    if (wide > width) scale *= static_cast<double>(width) / wide;
    cv::putText(all, caption, {x, height + 24}, cv::FONT_HERSHEY_SIMPLEX, scale, {40, 40, 40}, 1, cv::LINE_AA);
  }
  return all;
}

Result<std::string> caption(const std::string& name, const Plane8& high, const Plane8& made, int scale) {
  COCO_ASSIGN(const double psnr, quality::psnr(high, made, scale));
  char text[32];
  std::snprintf(text, sizeof text, "  %.2f dB", psnr);
  return name + text;
}

/// Pictures of every method; 3 planes, of which the luma differs.
Result<Strip> make_strip(const std::string& picture, const std::vector<NamedModel>& models,
                         const CropOptions& options) {
  const int scale = models.empty() ? 2 : models[0].model->card().scale;
  if (scale < 2) return make_error(ErrorCode::kInvalidArgument, "model '" + models[0].name + "' is no upscaler");
  COCO_ASSIGN(const Planes high, read_planes(picture, scale));
  const int width = high[0].width, height = high[0].height;
  if (std::min(width, height) <= 16 * scale) {
    return make_error(ErrorCode::kInvalidData, "image '" + picture + "' is too small to compare");
  }
  Planes low, made;
  for (size_t i = 0; i < 3; ++i) {
    low[i] = quality::resize_bicubic(high[i], width / scale, height / scale);
    made[i] = quality::resize_bicubic(low[i], width, height);
  }
  const cv::Rect part = find_detail(high[0], options.side);
  Strip strip;
  COCO_ASSIGN(const std::string bicubic, caption("bicubic", high[0], made[0], scale));
  strip.add(made, part, bicubic, options.enlarged);
  for (const NamedModel& named : models) {
    if (named.model->card().scale != scale) {
      return make_error(ErrorCode::kInvalidArgument, "model '" + named.name + "' is of another scale");
    }
    COCO_ASSIGN(made[0], upscale(named.model, low[0], width, height));
    COCO_ASSIGN(const std::string text, caption(named.name, high[0], made[0], scale));
    strip.add(made, part, text, options.enlarged);
  }
  strip.add(high, part, "original", options.enlarged);
  return strip;
}

}  // namespace

Result<std::vector<uint8_t>> compare_crops(const std::string& picture, const std::vector<NamedModel>& models,
                                           const CropOptions& options) {
  try {
    COCO_ASSIGN(const Strip strip, make_strip(picture, models, options));
    return encode_png(join(strip));
  } catch (const cv::Exception& e) {
    return make_error(ErrorCode::kInternal, "comparing '" + picture + "': " + e.err);
  }
}

}  // namespace coco::tune
