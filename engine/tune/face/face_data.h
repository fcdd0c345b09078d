// Purpose: rendered faces in memory, and the crops of them that networks are trained on and judged by.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "tune/face/face_crop.h"
#include "tune/face/face_training.h"
#include "tune/random.h"
#include "tune/synth/scene.h"

namespace coco::tune {

/// A rendered portrait with one face.
struct FacePicture {
  cv::Mat image;           ///< CV_8UC3, BGR.
  cv::Mat face, occluder;  ///< CV_8U.
  synth::HeadLabels labels;
  float yaw = 0, pitch = 0, roll = 0;  ///< Degrees.
  synth::Tone tone = synth::Tone::kLight;
  synth::Age age = synth::Age::kYoung;
  synth::Sex sex = synth::Sex::kFemale;
  bool glasses = false, covered = false;
};

/// `count` portraits of `size` pixels a side, the same for the same seed whatever the number of threads. kCancelled
/// when `stop` (may be null) is set meanwhile.
Result<std::vector<FacePicture>> render_faces(const std::shared_ptr<const synth::Assets>& assets, int size, int count,
                                              uint64_t seed, const std::function<void(int done)>& progress,
                                              const std::atomic<bool>* stop);

/// A crop as a network gets it, and what is known about it. Crop coordinates run from -1 to 1 across the square.
struct FaceExample {
  cv::Mat image;           ///< CV_8UC3, BGR, size x size.
  cv::Mat face, occluder;  ///< CV_8U, size x size; only where asked for.
  std::array<cv::Point2f, 68> landmarks;
  std::array<bool, 68> visible{};
  float yaw = 0, pitch = 0, roll = 0;  ///< Degrees; roll against the crop's up.
};

/// The picture's crop without chance in it: what is measured.
FaceExample plain_example(const FacePicture& picture, int size, bool masks);

/// The same moved, sized, turned, mirrored, recoloured and partly covered at random: what is trained on.
FaceExample random_example(const FacePicture& picture, int size, bool masks, Random& random);

}  // namespace coco::tune
