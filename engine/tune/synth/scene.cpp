#include "tune/synth/scene.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "tune/synth/chance.h"

namespace coco::synth {
namespace {

/// Black body colours between candle and sky, roughly, of luminance one.
Colour warmth(float t) {
  const Colour warm(1.35f, 0.95f, 0.55f), cold(0.8f, 1.0f, 1.35f);
  return warm + (cold - warm) * t;
}

cv::Vec3f direction(Random& random, float around, float up_low, float up_high) {
  const float side = between(random, -around, around), up = between(random, up_low, up_high);
  return {std::sin(side) * std::cos(up), std::sin(up), std::cos(side) * std::cos(up)};
}

/// Mostly near the middle, up to the limit.
float angle(Random& random, float limit) {
  const float t = between(random, -1, 1);
  return limit * t * (0.45f + 0.55f * std::abs(t));
}

void hold(Random& random, const Assets& assets, const PortraitOptions& options, HeadPose& pose) {
  pose.yaw = angle(random, options.max_yaw);
  pose.pitch = angle(random, options.max_pitch);
  pose.roll = angle(random, options.max_roll);
  pose.gaze_yaw = std::clamp(-0.5f * pose.yaw + between(random, -18, 18), -35.0f, 35.0f);
  pose.gaze_pitch = std::clamp(-0.5f * pose.pitch + between(random, -10, 10), -22.0f, 22.0f);
  pose.expression = random_expression(assets, random.next());
}

void behind(Random& random, const Assets& assets, Scene& scene) {
  scene.background = assets.backgrounds.empty() || chance(random, 0.25)
                         ? -1
                         : static_cast<int>(random.below(static_cast<uint32_t>(assets.backgrounds.size())));
  scene.background_light = between(random, 0.4f, 1.2f);
  scene.background_blur = chance(random, 0.5) ? between(random, 0.5f, 6) * static_cast<float>(scene.width) / 256 : 0;
}

Sensor random_sensor(Random& random, float scale) {
  Sensor sensor;
  const float dark = between(random, 0, 1);
  sensor.noise = 0.001f + 0.008f * dark * dark;
  sensor.shot = 0.00005f + 0.002f * dark * dark;
  if (chance(random, 0.3)) {
    const float length = between(random, 0.5f, 7) * scale, turn = between(random, 0, 3.14159f);
    sensor.blur_x = length * std::cos(turn);
    sensor.blur_y = length * std::sin(turn);
  }
  if (chance(random, 0.4)) sensor.defocus = between(random, 0.3f, 1.8f) * scale;
  if (chance(random, 0.5)) sensor.jpeg = 35 + static_cast<int>(random.below(60));
  return sensor;
}

Cover random_cover(Random& random) {
  const double c = random.uniform();
  if (c < 0.14) return Cover::kHand;
  if (c < 0.21) return Cover::kScarf;
  if (c < 0.27) return Cover::kMicrophone;
  return Cover::kNone;
}

}  // namespace

void Light::add_soft(const cv::Vec3f& towards, const Colour& colour) {
  // max(0, cos) is 1/4 + cos / 2 + 5/32 (3 cos^2 - 1) in the first three bands.
  for (int c = 0; c < 3; ++c) {
    constant[c] += colour[c] * (0.25f - 5.0f / 32);
    const auto i = static_cast<size_t>(c);
    linear[i] += towards * (0.5f * colour[c]);
    for (int a = 0; a < 3; ++a) {
      for (int b = 0; b < 3; ++b) square[i](a, b) += colour[c] * (15.0f / 32) * towards[a] * towards[b];
    }
  }
}

Light random_light(uint64_t seed) {
  Random random(seed * 0xA24BAED4963EE407u + 3);
  Light light;
  const Colour sky = warmth(between(random, 0, 1)) * between(random, 0.15f, 0.5f);
  light.constant = sky;
  const int soft = 1 + static_cast<int>(random.below(3));
  for (int i = 0; i < soft; ++i) {
    light.add_soft(direction(random, 2.2f, -0.5f, 1.3f), warmth(between(random, 0, 1)) * between(random, 0.2f, 1.0f));
  }
  light.lamp = direction(random, 1.5f, -0.2f, 1.2f);
  if (chance(random, 0.65)) light.lamp_colour = warmth(between(random, 0, 1)) * between(random, 0.2f, 1.6f);
  // Exposure: what a surface that looks at the camera gets.
  const cv::Vec3f front(0, 0, 1);
  float lit = 0;
  for (int c = 0; c < 3; ++c) {
    const auto i = static_cast<size_t>(c);
    lit += (light.constant[c] + light.linear[i].dot(front) + light.square[i](2, 2) +
            light.lamp_colour[c] * 0.7f * std::max(0.1f, light.lamp[2])) /
           3;
  }
  const float gain = std::exp(between(random, -0.9f, 0.45f)) / std::max(0.05f, lit);
  light.constant *= gain;
  light.lamp_colour *= gain;
  for (size_t i = 0; i < 3; ++i) {
    light.linear[i] *= gain;
    light.square[i] *= gain;
  }
  return light;
}

Scene random_portrait(const Assets& assets, const PortraitOptions& options, uint64_t seed) {
  Random random(seed * 0x9FB21C651E98DF25u + 11);
  Scene scene;
  scene.width = scene.height = options.size;
  scene.seed = random.next();
  HeadInScene head;
  head.person = random_person(assets, random.next() >> 16);
  hold(random, assets, options, head.pose);
  // A face is about 19 cm high with its forehead, and its middle lies 3 cm below the eyes.
  const float size = static_cast<float>(options.size);
  scene.focal = size * std::exp(between(random, 0.0f, 1.2f));
  const float wanted = size * between(random, 0.5f, 0.85f);
  const float distance = scene.focal * 19 / wanted;
  const float shift_x = between(random, -0.1f, 0.1f), shift_y = between(random, -0.1f, 0.1f);
  const float per_cm = scene.focal / distance;
  head.pose.position = {shift_x * size / per_cm, 3 + shift_y * size / per_cm, -distance};
  if (options.covers) {
    head.cover = random_cover(random);
    head.cover_seed = random.next();
  } else {
    head.person.glasses = false;
  }
  scene.heads.push_back(std::move(head));
  scene.light = random_light(random.next());
  behind(random, assets, scene);
  if (options.sensor) scene.sensor = random_sensor(random, size / 256);
  return scene;
}

Scene random_crowd(const Assets& assets, int width, int height, int most, uint64_t seed) {
  Random random(seed * 0xC2B2AE3D27D4EB4Fu + 13);
  Scene scene;
  scene.width = width;
  scene.height = height;
  scene.seed = random.next();
  scene.focal = static_cast<float>(std::max(width, height)) * std::exp(between(random, -0.2f, 0.9f));
  const int count = static_cast<int>(random.below(static_cast<uint32_t>(most) + 1));
  std::vector<cv::Rect2f> taken;
  for (int i = 0; i < count; ++i) {
    // Sizes evenly by their logarithm; heads keep some distance on the picture.
    const float face = static_cast<float>(height) * std::exp(between(random, std::log(0.05f), std::log(0.7f)));
    const cv::Rect2f room(between(random, 0, static_cast<float>(width) - face * 0.5f) - face * 0.25f,
                          between(random, 0, static_cast<float>(height) - face * 0.6f) - face * 0.2f, face,
                          face * 1.3f);
    bool free = true;
    for (const cv::Rect2f& other : taken)
      free = free && (room & other).area() < 0.05f * std::min(room.area(), other.area());
    if (!free) continue;
    taken.push_back(room);
    HeadInScene head;
    head.person = random_person(assets, random.next() >> 16);
    PortraitOptions options;
    hold(random, assets, options, head.pose);
    const float distance = scene.focal * 19 / face, per_cm = scene.focal / distance;
    head.pose.position = {(room.x + face / 2 - static_cast<float>(width) / 2) / per_cm,
                          (static_cast<float>(height) / 2 - room.y - face * 0.45f) / per_cm, -distance};
    head.cover = random_cover(random);
    head.cover_seed = random.next();
    scene.heads.push_back(std::move(head));
  }
  scene.light = random_light(random.next());
  behind(random, assets, scene);
  scene.sensor = random_sensor(random, 1);
  return scene;
}

}  // namespace coco::synth
