#include "tune/synth/contact_sheet.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace coco::synth {
namespace {

void tint(cv::Mat& image, const cv::Mat& mask, int channel) {
  if (mask.empty()) return;
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      uint8_t& value = image.at<cv::Vec3b>(y, x)[channel];
      value = cv::saturate_cast<uint8_t>(value + mask.at<uint8_t>(y, x) / 4);
    }
  }
}

}  // namespace

ContactSheet::ContactSheet(int count, cv::Size cell) : cell_(cell), count_(std::min(count, kMost)) {
  if (count_ == 0) return;
  const int columns = std::min(count_, kColumns), rows = (count_ + kColumns - 1) / kColumns;
  image_ = cv::Mat(rows * cell.height, columns * cell.width, CV_8UC3, cv::Scalar(0, 0, 0));
}

void ContactSheet::add(int index, const Picture& picture) {
  if (index >= count_) return;
  cv::Mat drawn = picture.image.clone();
  tint(drawn, picture.face, 1);
  tint(drawn, picture.occluder, 2);
  tint(drawn, picture.mouth, 0);
  // Even rows of cells show the picture alone.
  if (index / kColumns % 2 == 0) drawn = picture.image.clone();
  const double scale =
      std::min(static_cast<double>(cell_.width) / drawn.cols, static_cast<double>(cell_.height) / drawn.rows);
  cv::Mat small;
  cv::resize(drawn, small, {}, scale, scale, cv::INTER_AREA);
  if (index / kColumns % 2 == 1) {
    for (const HeadLabels& head : picture.heads) {
      for (size_t i = 0; i < head.landmarks.size(); ++i) {
        const cv::Scalar colour = head.covered[i]         ? cv::Scalar(0, 0, 255)
                                  : head.self_occluded[i] ? cv::Scalar(0, 255, 255)
                                                          : cv::Scalar(255, 255, 255);
        cv::circle(small, head.landmarks[i] * static_cast<float>(scale), 0, colour, -1);
      }
      const cv::Rect2f& box = head.box;
      cv::rectangle(small,
                    cv::Rect2f(box.x * static_cast<float>(scale), box.y * static_cast<float>(scale),
                               box.width * static_cast<float>(scale), box.height * static_cast<float>(scale)),
                    cv::Scalar(255, 160, 0));
    }
  }
  const cv::Rect place(index % kColumns * cell_.width, index / kColumns * cell_.height, small.cols, small.rows);
  small.copyTo(image_(place & cv::Rect(0, 0, image_.cols, image_.rows)));
}

}  // namespace coco::synth
