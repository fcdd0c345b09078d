// Purpose: somebody: a head's shape, skin, hair and eyes, drawn from a seed; and how they hold themselves.
#pragma once

#include "tune/synth/assets.h"

namespace coco::synth {

/// Linear light, red, green, blue.
using Colour = cv::Vec3f;

struct Hair {
  bool any = true;
  float thickness = 1;  ///< Centimetres above the scalp.
  float line = 0;       ///< Radians by which the hairline is higher than usual.
  float length = 0;     ///< Centimetres below the eyes that long hair hangs; 0: short.
  Colour colour;
  float beard = 0;  ///< 0..1
};

struct Person {
  uint64_t seed = 0;
  int head = 0;                 ///< Assets::head
  std::vector<float> identity;  ///< A weight for each of the head's identities.
  int skin = -1;                ///< Into Assets::skins; -1: one colour with procedural detail.
  Colour skin_colour;           ///< Of the procedural skin, or what the picture's colours are multiplied by.
  Colour lip_colour;
  int brow = 0;
  Colour brow_colour;
  Colour iris;
  float pupil = 0.2f;  ///< Radians.
  Hair hair;
  bool glasses = false;
  Colour cloth;
  Tone tone = Tone::kLight;
  Age age = Age::kYoung;
  Sex sex = Sex::kFemale;
};

/// The person of this number; the same assets and number give the same person.
Person random_person(const Assets& assets, uint64_t seed);

/// How a head is held. Angles in degrees, applied in the order roll * yaw * pitch.
struct HeadPose {
  float yaw = 0;                  ///< > 0: turned towards the viewer's right.
  float pitch = 0;                ///< > 0: looking down.
  float roll = 0;                 ///< > 0: tilted counterclockwise on the picture.
  cv::Vec3f position{0, 0, -60};  ///< Of the point between the eyes, centimetres: x right, y up, the camera at 0 looks
                                  ///< along -z.
  float gaze_yaw = 0, gaze_pitch = 0;  ///< Of the eyes in the head.
  std::vector<float> expression;       ///< Weights 0..1 in the order of the ICT head's expressions; empty: at rest.
};

cv::Matx33f rotation_of(const HeadPose& pose);

/// A random face: mostly one expression and some of others.
std::vector<float> random_expression(const Assets& assets, uint64_t seed);

/// Places of a face at rest that things are fitted to, head space.
struct FacePlaces {
  cv::Vec3f right_eye, left_eye, nose_bridge, nose_tip, mouth, chin, right_ear, left_ear;
};

/// A person's own head at rest: what all their pictures share.
struct HeadShape {
  std::vector<cv::Vec3f> vertices;  ///< Head space, hair lifted.
  std::vector<float> hair;          ///< 0..1: how much of the skin is under hair.
  FacePlaces places;
};
HeadShape shape_of(const Assets& assets, const Person& person);

/// The shape as they hold themselves.
struct PosedHead {
  std::vector<cv::Vec3f> vertices;  ///< In front of the camera, see HeadPose::position.
  std::vector<cv::Vec3f> normals;
};
PosedHead pose_head(const Assets& assets, const Person& person, const HeadShape& shape, const HeadPose& pose);

}  // namespace coco::synth
