// Purpose: what a face network learns from a batch of crops.
#pragma once

#include <memory>

#include "tune/face/face_data.h"
#include "tune/training_task.h"

namespace coco::tune {

/// Both borrow the pictures and the network.
std::unique_ptr<TrainingTask> make_landmark_task(const Trainable& network, const TrainOptions& options,
                                                 const std::vector<FacePicture>& pictures,
                                                 const std::vector<FacePicture>& validation);
std::unique_ptr<TrainingTask> make_mask_task(const Trainable& network, const TrainOptions& options,
                                             const std::vector<FacePicture>& pictures,
                                             const std::vector<FacePicture>& validation);

/// A picture as the networks take it: three planes, red first, 0..1.
std::vector<float> planes_of(const cv::Mat& image);

}  // namespace coco::tune
