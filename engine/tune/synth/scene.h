// Purpose: a picture to be taken: people, light, what stands before and behind them, and the camera; and what is
// exactly known about the picture once it is taken.
#pragma once

#include "tune/synth/person.h"

namespace coco::synth {

/// Light from everywhere, as irradiance over the normal: constant + linear . n + n' square n (spherical harmonics of
/// order two; Ramamoorthi and Hanrahan 2001), and one lamp with shadows.
struct Light {
  Colour constant{0, 0, 0};
  std::array<cv::Vec3f, 3> linear{};  ///< One a colour channel.
  std::array<cv::Matx33f, 3> square{};
  cv::Vec3f lamp{0, 0, 1};  ///< Towards it, unit length.
  Colour lamp_colour{0, 0, 0};

  /// Adds a soft light from a direction.
  void add_soft(const cv::Vec3f& towards, const Colour& colour);
};

enum class Cover : uint8_t { kNone, kHand, kScarf, kMicrophone };

struct HeadInScene {
  Person person;
  HeadPose pose;
  Cover cover = Cover::kNone;
  uint64_t cover_seed = 0;
};

struct Sensor {
  float noise = 0.005f;          ///< Standard deviation of black, linear.
  float shot = 0.0005f;          ///< Variance over light.
  float blur_x = 0, blur_y = 0;  ///< Pixels the picture moves while it is taken.
  float defocus = 0;             ///< Standard deviation, pixels.
  int jpeg = 0;                  ///< Quality; 0: none.
};

struct Scene {
  int width = 256, height = 256;
  float focal = 400;  ///< Pixels.
  Light light;
  std::vector<HeadInScene> heads;
  int background = -1;  ///< Into Assets::backgrounds; -1: procedural.
  float background_light = 1, background_blur = 0;
  Sensor sensor;
  uint64_t seed = 0;  ///< Of the background's detail and the noise.
};

/// What is known of a head in a picture. Pixels: (0, 0) is the picture's upper left corner, pixel centres lie at
/// halves.
struct HeadLabels {
  std::array<cv::Point2f, 68> landmarks;
  std::array<bool, 68> self_occluded{};  ///< Behind the head's own surface.
  std::array<bool, 68> covered{};        ///< Behind something else.
  cv::Rect2f box;  ///< Around the landmarks, and a quarter of their height above them for the forehead.
};

struct Picture {
  cv::Mat image;     ///< CV_8UC3, BGR.
  cv::Mat face;      ///< CV_8U, 255: the pixel shows a face (eyes, mouth and teeth included) and nothing before it.
  cv::Mat occluder;  ///< CV_8U, 255: something stands before a head here.
  cv::Mat mouth;     ///< CV_8U, 255: inside a mouth, teeth included.
  std::vector<HeadLabels> heads;  ///< One for each of Scene::heads.
};

/// A scene with one face that fills most of the picture: what landmark and mask networks see.
struct PortraitOptions {
  int size = 256;
  float max_yaw = 60, max_pitch = 30, max_roll = 30;
  bool covers = true, sensor = true;
};
Scene random_portrait(const Assets& assets, const PortraitOptions& options, uint64_t seed);

/// A scene with up to `most` faces of any size on a wide canvas: what detectors see. May be empty of faces.
Scene random_crowd(const Assets& assets, int width, int height, int most, uint64_t seed);

Light random_light(uint64_t seed);

}  // namespace coco::synth
