// What a landmark network says about photographs: there are no labels, there is a picture to look at.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "tune/face/face_crop.h"
#include "tune/face/face_training.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;

constexpr int kColumns = 8, kMost = 64, kCell = 224;

/// OpenCV's I420 is BT.601 in studio range.
constexpr vision::FrameColour kColour{vision::FrameColour::Matrix::kBt601, false};

/// A picture as a frame; sides are made even.
struct PhotoFrame {
  cv::Mat image, yuv;
  FrameView view;

  explicit PhotoFrame(const cv::Mat& picture) {
    image = picture(cv::Rect(0, 0, picture.cols & ~1, picture.rows & ~1)).clone();
    cv::cvtColor(image, yuv, cv::COLOR_BGR2YUV_I420);
    const auto luma = static_cast<size_t>(image.cols) * static_cast<size_t>(image.rows);
    view.format = PixelFormat::kI420;
    view.width = image.cols;
    view.height = image.rows;
    view.data = {yuv.data, yuv.data + luma, yuv.data + luma + luma / 4};
    view.stride = {image.cols, image.cols / 2, image.cols / 2};
  }
};

cv::Mat draw(const PhotoFrame& photo, const vision::SquareCrop& crop, const vision::FaceLandmarks& found) {
  const cv::Matx23f move = crop_matrix(crop, kCell);
  cv::Mat cell;
  cv::warpAffine(photo.image, cell, move, {kCell, kCell}, cv::INTER_AREA, cv::BORDER_REPLICATE);
  for (size_t i = 0; i < found.points.size(); ++i) {
    const cv::Vec2f p = move * cv::Vec3f(found.points[i].x, found.points[i].y, 1);
    const cv::Scalar colour = found.visible[i] > 0.5f ? cv::Scalar(255, 255, 255) : cv::Scalar(0, 0, 255);
    cv::circle(cell, {static_cast<int>(p[0]), static_cast<int>(p[1])}, 1, colour, -1);
  }
  return cell;
}

/// Distances of the detector's five points from where the landmarks have them, over the root of the box's area.
void compare(const vision::DetectedFace& face, const vision::FaceLandmarks& found, std::vector<double>& apart) {
  const auto mean = [&](size_t first, size_t last) {
    vision::PointF sum;
    for (size_t i = first; i < last; ++i) {
      sum.x += found.points[i].x / static_cast<float>(last - first);
      sum.y += found.points[i].y / static_cast<float>(last - first);
    }
    return sum;
  };
  const std::array<vision::PointF, 5> ours = {mean(36, 42), mean(42, 48), found.points[30], found.points[48],
                                              found.points[54]};
  const double size = std::sqrt(static_cast<double>(face.width) * static_cast<double>(face.height));
  for (size_t i = 0; i < ours.size(); ++i) {
    apart.push_back(std::hypot(ours[i].x - face.points[i].x, ours[i].y - face.points[i].y) / size);
  }
}

}  // namespace

Result<PhotoFigures> draw_photos(const std::string& folder, const std::shared_ptr<const Model>& detector_model,
                                 const std::shared_ptr<const Model>& landmark_model, const std::string& path) {
  COCO_ASSIGN(const auto detector, vision::FaceDetector::create(detector_model, {0.7f, 0.3f, 0, kColour}));
  COCO_ASSIGN(const auto landmarker, vision::FaceLandmarker::create(landmark_model, 0, kColour));
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) files.push_back(entry.path());
  if (error) return make_error(ErrorCode::kNotFound, folder + ": " + error.message());
  std::sort(files.begin(), files.end());
  std::vector<cv::Mat> cells;
  std::vector<double> apart;
  for (const fs::path& file : files) {
    cv::Mat picture = cv::imread(file.string());
    if (picture.empty() || picture.cols < 64 || picture.rows < 64 || cells.size() >= kMost) continue;
    const PhotoFrame photo(picture);
    COCO_ASSIGN(const auto faces, detector->detect(photo.view));
    for (const vision::DetectedFace& face : faces) {
      if (face.width < 48 || cells.size() >= kMost) continue;
      // Twice: the second crop comes from the first landmarks, as in a stream.
      vision::SquareCrop crop = vision::crop_from_points(face.points);
      COCO_ASSIGN(const auto first, landmarker->locate(photo.view, crop));
      crop = vision::crop_from_landmarks(first.points);
      COCO_ASSIGN(const auto found, landmarker->locate(photo.view, crop));
      cells.push_back(draw(photo, crop, found));
      compare(face, found, apart);
    }
  }
  if (cells.empty())
    return make_error(ErrorCode::kNotFound, "no face of 48 pixels or more in the pictures of " + folder);
  const int count = static_cast<int>(cells.size()), rows = (count + kColumns - 1) / kColumns;
  cv::Mat sheet(rows * kCell, std::min(count, kColumns) * kCell, CV_8UC3, cv::Scalar(0, 0, 0));
  for (int i = 0; i < count; ++i) {
    cells[static_cast<size_t>(i)].copyTo(sheet(cv::Rect(i % kColumns * kCell, i / kColumns * kCell, kCell, kCell)));
  }
  std::vector<uint8_t> bytes;
  cv::imencode(".png", sheet, bytes, {cv::IMWRITE_PNG_COMPRESSION, 3});
  COCO_TRY(write_file_atomically(path, bytes));
  const auto half = apart.begin() + static_cast<ptrdiff_t>(apart.size() / 2);
  std::nth_element(apart.begin(), half, apart.end());
  return PhotoFigures{count, 100 * *half};
}

}  // namespace coco::tune
