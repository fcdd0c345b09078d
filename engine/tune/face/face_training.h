// Purpose: training and judging the face networks on rendered heads. Free of libtorch and OpenCV.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coco/compile.h"
#include "coco/model.h"
#include "tune/options.h"
#include "tune/trainer.h"

namespace coco::tune {

enum class FaceNetwork : uint8_t {
  kLandmarks,  ///< 68 points, their visibility, the head's pose
  kMask,       ///< which pixels are face, and which are something before it
};

struct FaceDataOptions {
  std::string faces;        ///< The folder that holds `ict-facekit` and `makehuman`.
  std::string backgrounds;  ///< A folder of pictures; empty: procedural.
  int count = 20000;        ///< Pictures to train on.
  int validation = 500;     ///< Pictures of other people, to judge on.
  int size = 160;           ///< Of the pictures, pixels a side; crops are cut from them.
};

struct FaceJob {
  FaceNetwork network = FaceNetwork::kLandmarks;
  FaceDataOptions data;
  TrainOptions options;
  int calibration = 64;  ///< Pictures, not of `validation`, that choose the integers.
};

/// A figure by name, for tables and model cards.
using FaceFigures = std::vector<std::pair<std::string, double>>;

/// The pictures of a job, rendered once: a minute for ten thousand.
class FacePictures;
Result<std::shared_ptr<const FacePictures>> render_job(const FaceJob& job, const TrainHooks& hooks);

/// Trains from nothing, or goes on from the checkpoint (options.resume); returns the averaged network as ONNX, f32.
/// Bit-identical for the same job with one thread.
Result<std::string> train_face(const FaceJob& job, const FacePictures& pictures, const TrainHooks& hooks);

/// Integers for the trained network, as ONNX with QuantizeLinear and DequantizeLinear. Layers that lose too much stay
/// f32; `report` may be null.
Result<std::string> quantize_face(const FaceJob& job, const FacePictures& pictures, const std::string& onnx,
                                  const ModelCard& card, QuantizeReport* report);

/// What the engine makes of the model on the held-out people.
/// Landmarks: "nme" (mean distance over the root of the box's area, percent), "nme_hidden" (of those not visible),
/// "nme_worst_group" and each group's ("nme_dark" ...), "visible" (share told right), "yaw", "pitch", "roll" (mean
/// error, degrees). Masks: "iou_face", "iou_occluder", "iou_face_worst_group" and each group's.
Result<FaceFigures> measure_face(const FaceJob& job, const FacePictures& pictures,
                                 const std::shared_ptr<const Model>& model);

/// A PNG of held-out crops with what the model says drawn in.
Status draw_face(const FaceJob& job, const FacePictures& pictures, const std::shared_ptr<const Model>& model,
                 const std::string& path);

/// What landmarks say about photographs, which have no labels: a second opinion is the detector's own five points.
struct PhotoFigures {
  int faces = 0;
  double apart = 0;  ///< median distance of the five points over the root of the box's area, percent
};
/// A PNG of the faces that a detector (coco/face.h) finds in a folder's photographs, with the landmarks in them.
/// kNotFound when there are none.
Result<PhotoFigures> draw_photos(const std::string& folder, const std::shared_ptr<const Model>& detector,
                                 const std::shared_ptr<const Model>& landmarks, const std::string& path);

/// Parameters and multiply-adds of the network.
std::pair<int64_t, int64_t> face_network_size(FaceNetwork network);

}  // namespace coco::tune
