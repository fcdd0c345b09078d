// Purpose: what colour a point of a head or thing sends to the camera. Linear light.
#pragma once

#include "tune/synth/scene.h"

namespace coco::synth {

/// A vertex as shading needs it.
struct ShadedVertex {
  cv::Vec3f place;  ///< In front of the camera.
  cv::Vec3f normal;
  cv::Vec3f rest;  ///< On the head at rest: what painted detail sticks to.
  float openness = 1, lips = 0, hair = 0;
};

/// A pixel's point: the vertices' mean by the pixel's weights.
struct SurfaceSample {
  cv::Vec3f place, normal, rest;
  float openness, lips, hair;
  cv::Vec2f atlas;  ///< Negative: no skin there.
};

/// What a point is made of.
struct Material {
  Colour albedo;
  float gloss = 0;       ///< Strength of the highlight.
  float sharpness = 20;  ///< Its exponent.
  float soft = 0;        ///< How far red light runs beyond the shadow's edge: skin.
};

/// A tile of smooth noise, 0..1, that repeats.
float noise_at(float x, float y);

/// sRGB code values to linear light.
const std::array<float, 256>& linear_of_code();
/// Linear light to an sRGB code value, clamped.
uint8_t code_of_linear(float light);

Material skin_material(const Assets& assets, const Person& person, const HeadModel& head, const SurfaceSample& point);
/// `centre` is the eye ball's at rest.
Material eye_material(const Person& person, const EyeBall& ball, const SurfaceSample& point);
Material mouth_material(Part part, const SurfaceSample& point);
Material thing_material(const Colour& colour, float gloss, float stripes, const SurfaceSample& point);

/// The light a point sends back; `lamp_seen` 0..1 is the shadow.
Colour shade(const Light& light, const Material& material, const SurfaceSample& point, float lamp_seen);

}  // namespace coco::synth
