// Purpose: many pictures on one, with what is known of them drawn over.
#pragma once

#include "tune/synth/scene.h"

namespace coco::synth {

/// Cells in rows of eight. add() may be called by several threads, for different cells.
class ContactSheet {
 public:
  static constexpr int kColumns = 8, kMost = 64;

  /// Of at most kMost pictures; none with a count of 0.
  ContactSheet(int count, cv::Size cell);

  /// Rows take turns: pictures as they are, and pictures with tinted masks (the face green, what stands before it red,
  /// the mouth blue), boxes and landmarks (white visible, yellow behind the head itself, red covered).
  void add(int index, const Picture& picture);
  const cv::Mat& image() const { return image_; }

 private:
  cv::Size cell_;
  int count_;
  cv::Mat image_;
};

}  // namespace coco::synth
