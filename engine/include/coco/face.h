// Purpose: faces in frames: where they are, their landmarks, and who is who from frame to frame.
// Ownership: objects share their model; frames are borrowed for the call.
// Threads: one call at a time per object.
// Failure: create() says what of a model does not fit; calls fail only for frames that do not.
//
// Points are pixels of the frame: (0, 0) is its upper left corner, pixel centres lie at halves. Left and right are the
// head's own.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "coco/buffer.h"
#include "coco/export.h"
#include "coco/model.h"
#include "coco/status.h"

namespace coco::vision {

struct PointF {
  float x = 0, y = 0;
};

/// How a frame's samples stand for colours (ITU-T H.273).
struct FrameColour {
  enum class Matrix : uint8_t { kBt601, kBt709, kBt2020 } matrix = Matrix::kBt709;
  bool full_range = false;
};

struct DetectedFace {
  PointF corner;  ///< The box's upper left.
  float width = 0, height = 0;
  /// Right eye, left eye, tip of the nose, right and left corner of the mouth.
  std::array<PointF, 5> points;
  float score = 0;  ///< 0..1
};

/// Intersection over union of two faces' boxes.
COCO_API float overlap_of(const DetectedFace& a, const DetectedFace& b);

struct DetectorConfig {
  float threshold = 0.7f;  ///< least score
  float overlap = 0.3f;    ///< of two faces whose boxes share more (intersection over union) the better one stays
  int threads = 0;
  FrameColour colour;
};

/// Finds faces with a network of YuNet's form: one input [1, 3, H, W] of BGR in 0..255, twelve outputs cls_, obj_,
/// bbox_ and kps_ for the strides 8, 16 and 32.
class COCO_API FaceDetector {
 public:
  /// kUnsupported names the input or output that is missing or of another shape.
  static Result<std::unique_ptr<FaceDetector>> create(std::shared_ptr<const Model> model, const DetectorConfig& config);
  ~FaceDetector();
  /// The best first. The frame is fitted into the network's input with its shape kept.
  Result<std::vector<DetectedFace>> detect(const FrameView& frame);

 private:
  struct State;
  explicit FaceDetector(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A square of the frame whose up direction is turned by `roll`.
struct SquareCrop {
  PointF centre;
  float side = 1;
  float roll = 0;  ///< degrees, counterclockwise on the picture
};
/// Half as large again as the box around the 68 landmarks, upright by the line between the eyes.
COCO_API SquareCrop crop_from_landmarks(std::span<const PointF> landmarks);
/// About the same square from a detector's five points.
COCO_API SquareCrop crop_from_points(std::span<const PointF> points);
/// From pixels of the frame to those of the crop at size x size: rows of a 2 x 3 matrix.
COCO_API std::array<float, 6> to_crop(const SquareCrop& crop, int size);

/// The square as the networks take it: three planes of size x size, red first (`bgr`: blue first), times `scale` of
/// 0..1. Outside the frame its nearest samples repeat.
COCO_API void sample_crop(const FrameView& frame, const FrameColour& colour, const SquareCrop& crop, int size, bool bgr,
                          float scale, float* planes);

struct FaceLandmarks {
  std::array<PointF, 68> points;       ///< in iBUG's order
  std::array<float, 68> visible{};     ///< probability, 0..1
  float yaw = 0, pitch = 0, roll = 0;  ///< degrees; turned to the viewer's right, looking down, tilted counterclockwise
};

/// Finds the 68 landmarks of a face with a network as `cocopipe-tune face` trains it.
class COCO_API FaceLandmarker {
 public:
  static Result<std::unique_ptr<FaceLandmarker>> create(std::shared_ptr<const Model> model, int threads,
                                                        const FrameColour& colour);
  ~FaceLandmarker();
  Result<FaceLandmarks> locate(const FrameView& frame, const SquareCrop& crop);

 private:
  struct State;
  explicit FaceLandmarker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct TrackerConfig {
  float least_overlap = 0.2f;  ///< of a face and where its track is expected (intersection over union)
  float least_size = 0;        ///< pixels; smaller boxes are no faces
  double dwell_seconds =
      0.3;  ///< a face counts when it has been seen for so long: pictures on walls that flash by do not
  double forget_seconds = 1;  ///< a track that was not seen for so long is dropped
};

struct TrackedFace {
  int id = 0;         ///< never given twice
  DetectedFace face;  ///< as last seen, moved on as it was moving
  double first_seen = 0, last_seen = 0;
  bool confirmed = false;  ///< seen for the dwell time
};

/// Who is who. Pure: what it is told in, what follows out.
class COCO_API FaceTracker {
 public:
  explicit FaceTracker(const TrackerConfig& config = {}) : config_(config) {}
  /// The tracks after the faces of a frame at `seconds`, oldest first. Frames without a detection are told by
  /// advance().
  const std::vector<TrackedFace>& update(std::span<const DetectedFace> faces, double seconds);
  const std::vector<TrackedFace>& advance(double seconds);

 private:
  struct Motion {
    PointF velocity;  ///< of the box's middle, pixels a second
  };
  void drop_old(double seconds);
  DetectedFace expected(size_t track, double seconds) const;

  TrackerConfig config_;
  std::vector<TrackedFace> tracks_;
  std::vector<Motion> motions_;
  int next_id_ = 1;
};

}  // namespace coco::vision
