#include "tune/synth/person.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "tune/synth/chance.h"
#include "tune/synth/shading.h"

namespace coco::synth {
namespace {

constexpr float kRadians = std::numbers::pi_v<float> / 180;

float normal(Random& random, float limit) { return std::clamp(static_cast<float>(random.normal()), -limit, limit); }

constexpr float kHairColours[][3] = {{0.008f, 0.006f, 0.005f}, {0.016f, 0.011f, 0.008f}, {0.04f, 0.022f, 0.012f},
                                     {0.09f, 0.045f, 0.02f},   {0.28f, 0.17f, 0.075f},   {0.45f, 0.33f, 0.18f},
                                     {0.2f, 0.06f, 0.02f}};
constexpr float kGrey[] = {0.35f, 0.34f, 0.33f};
constexpr float kIrises[][3] = {{0.045f, 0.018f, 0.008f}, {0.09f, 0.04f, 0.015f}, {0.16f, 0.09f, 0.03f},
                                {0.1f, 0.13f, 0.06f},     {0.1f, 0.17f, 0.26f},   {0.2f, 0.25f, 0.27f}};

Colour colour(const float (&c)[3]) { return {c[0], c[1], c[2]}; }

/// Skin from pale to dark, linear.
Colour skin_ramp(float dark) {
  const Colour pale(0.62f, 0.40f, 0.30f), middle(0.36f, 0.19f, 0.115f), deep(0.07f, 0.034f, 0.02f);
  return dark < 0.5f ? pale + (middle - pale) * (2 * dark) : middle + (deep - middle) * (2 * dark - 1);
}

/// Weights of the twelve macro targets and some details.
std::vector<float> makehuman_identity(const HeadModel& head, const Person& person, Random& random) {
  std::vector<float> weights(head.identity.size(), 0.0f);
  float race[3];
  float sum = 0;
  const int main = person.tone == Tone::kDark && chance(random, 0.8) ? 0 : static_cast<int>(random.below(3));
  for (int r = 0; r < 3; ++r) sum += race[r] = (r == main ? 1.0f : 0.0f) + between(random, 0, 0.35f);
  const float male = person.sex == Sex::kMale ? between(random, 0.6f, 1) : between(random, 0, 0.4f);
  const float old = person.age == Age::kOld      ? between(random, 0.6f, 1)
                    : person.age == Age::kMiddle ? between(random, 0.2f, 0.5f)
                                                 : between(random, 0, 0.2f);
  for (int r = 0; r < 3; ++r) {
    for (int s = 0; s < 2; ++s) {
      for (int a = 0; a < 2; ++a) {  // In the order of the names: female before male, old before young.
        weights[static_cast<size_t>(r * 4 + s * 2 + a)] =
            race[r] / sum * (s == 1 ? male : 1 - male) * (a == 0 ? old : 1 - old);
      }
    }
  }
  for (size_t i = kMacros; i < weights.size(); ++i) {
    if (chance(random, 0.14)) weights[i] = between(random, 0.1f, 0.7f);
  }
  return weights;
}

/// The share of hair at a place of the head, before it is lifted.
float hair_at(const cv::Vec3f& p, const Hair& hair) {
  const cv::Vec3f from = p - cv::Vec3f(0, 1.5f, -9.5f);
  const float flat = std::sqrt(from[0] * from[0] + from[2] * from[2]);
  const float height = std::atan2(from[1], flat), side = std::abs(std::atan2(from[0], from[2]));
  // The line's height by the angle from the front: forehead, temples, over the ears, nape.
  constexpr float kSide[] = {0, 0.6f, 1.0f, 1.35f, 1.8f, 3.2f};
  constexpr float kLine[] = {0.5f, 0.42f, 0.16f, -0.02f, -0.5f, -0.68f};
  size_t i = 1;
  while (i + 1 < std::size(kSide) && side > kSide[i]) ++i;
  const float t = std::clamp((side - kSide[i - 1]) / (kSide[i] - kSide[i - 1]), 0.0f, 1.0f);
  const float line = kLine[i - 1] + (kLine[i] - kLine[i - 1]) * t + hair.line * std::max(0.0f, std::cos(side));
  const float x = std::clamp((height - line) / 0.16f + 0.5f, 0.0f, 1.0f);
  return x * x * (3 - 2 * x);
}

/// Where a ball's centre has gone with its vertices.
cv::Vec3f moved_centre(const HeadModel& head, const EyeBall& ball, const std::vector<cv::Vec3f>& vertices) {
  cv::Vec3f moved(0, 0, 0);
  for (const int v : ball.vertices) {
    moved += vertices[static_cast<size_t>(v)] - head.mesh.vertices[static_cast<size_t>(v)];
  }
  return ball.centre + moved / static_cast<float>(ball.vertices.size());
}

/// Turns the ball, and draws it back a little under a closing lid, which its cornea would break through.
void turn_eye(const HeadModel& head, const EyeBall& ball, const cv::Matx33f& turn, float blink,
              std::vector<cv::Vec3f>& vertices) {
  const cv::Vec3f centre = moved_centre(head, ball, vertices), back(0, 0, -0.18f * blink);
  for (const int v : ball.vertices) {
    cv::Vec3f& p = vertices[static_cast<size_t>(v)];
    p = centre + turn * (p - centre) + back;
  }
}

FacePlaces places_of(const HeadModel& head, const std::vector<cv::Vec3f>& vertices) {
  const auto mark = [&](size_t i) { return at(head.landmarks[i], vertices); };
  const auto mean = [&](size_t first, size_t last) {
    cv::Vec3f sum(0, 0, 0);
    for (size_t i = first; i < last; ++i) sum += mark(i);
    return cv::Vec3f(sum / static_cast<float>(last - first));
  };
  FacePlaces places;
  places.right_eye = mean(36, 42);
  places.left_eye = mean(42, 48);
  places.nose_bridge = mark(27);
  places.nose_tip = mark(30);
  places.mouth = mean(60, 68);
  places.chin = mark(8);
  places.right_ear = mark(0);
  places.left_ear = mark(16);
  return places;
}

cv::Matx33f turn_about_y(float degrees) {
  const float c = std::cos(degrees * kRadians), s = std::sin(degrees * kRadians);
  return {c, 0, s, 0, 1, 0, -s, 0, c};
}
cv::Matx33f turn_about_x(float degrees) {
  const float c = std::cos(degrees * kRadians), s = std::sin(degrees * kRadians);
  return {1, 0, 0, 0, c, -s, 0, s, c};
}
cv::Matx33f turn_about_z(float degrees) {
  const float c = std::cos(degrees * kRadians), s = std::sin(degrees * kRadians);
  return {c, -s, 0, s, c, 0, 0, 0, 1};
}

}  // namespace

Person random_person(const Assets& assets, uint64_t seed) {
  Random random(seed * 0x9E3779B97F4A7C15u + 1);
  Person person;
  person.seed = seed;
  person.head = chance(random, 0.35) ? 1 : 0;
  const bool painted = chance(random, 0.85);
  const auto skin = static_cast<int>(random.below(static_cast<uint32_t>(assets.skins.size())));
  if (painted) {
    const SkinPicture& picture = assets.skins[static_cast<size_t>(skin)];
    person.skin = skin;
    person.tone = picture.tone;
    person.age = picture.age;
    person.sex = picture.sex;
    // Brighter or darker, warmer or colder.
    const float light = std::exp(between(random, -0.35f, 0.25f)), warm = between(random, -0.08f, 0.08f);
    person.skin_colour = {light * (1 + warm), light, light * (1 - warm)};
  } else {
    const float dark = between(random, 0, 1);
    person.skin_colour = skin_ramp(dark);
    person.tone = dark > 0.55f ? Tone::kDark : Tone::kLight;
    person.age = static_cast<Age>(random.below(3));
    person.sex = static_cast<Sex>(random.below(2));
  }
  const HeadModel& head = assets.head(person.head);
  if (person.head == 1) {
    person.identity = makehuman_identity(head, person, random);
  } else {
    person.identity.resize(head.identity.size());
    for (float& w : person.identity) w = 0.75f * normal(random, 2);
  }
  const bool dark = person.tone == Tone::kDark;
  person.lip_colour = Colour(0.42f, 0.15f, 0.13f) * (dark ? 0.4f : 1.0f);
  const uint32_t hair = dark ? random.below(3) : random.below(static_cast<uint32_t>(std::size(kHairColours)));
  person.hair.colour = colour(kHairColours[hair]) * between(random, 0.7f, 1.3f);
  const float grey = person.age == Age::kOld ? between(random, 0.3f, 1) : chance(random, 0.1) ? 0.3f : 0.0f;
  person.hair.colour += (colour(kGrey) - person.hair.colour) * grey;
  person.brow_colour = person.hair.colour * 0.7f;
  person.brow = static_cast<int>(random.below(static_cast<uint32_t>(assets.brows.size())));
  person.iris = colour(kIrises[dark ? random.below(2) : random.below(static_cast<uint32_t>(std::size(kIrises)))]);
  person.pupil = between(random, 0.13f, 0.26f);
  const bool male = person.sex == Sex::kMale;
  person.hair.any = !chance(random, male ? 0.18 : 0.02);
  person.hair.thickness = between(random, 0.3f, 2.8f);
  person.hair.line = between(random, -0.12f, male ? 0.3f : 0.1f);
  person.hair.length = person.hair.any && chance(random, male ? 0.08 : 0.6) ? between(random, 8, 24) : 0;
  person.hair.beard = male && chance(random, 0.45) ? between(random, 0.25f, 1) : 0;
  person.glasses = chance(random, 0.2);
  const float cloth = std::exp(between(random, -3.5f, -0.3f));
  for (int c = 0; c < 3; ++c) person.cloth[c] = cloth * between(random, 0.5f, 1.3f);
  return person;
}

cv::Matx33f rotation_of(const HeadPose& pose) {
  return turn_about_z(pose.roll) * turn_about_y(pose.yaw) * turn_about_x(pose.pitch);
}

std::vector<float> random_expression(const Assets& assets, uint64_t seed) {
  Random random(seed * 0xD1B54A32D192ED03u + 7);
  const auto& names = assets.ict.expression;
  std::vector<float> weights(names.size(), 0.0f);
  const auto set = [&](const std::string& name, float value) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string& n = names[i].name;
      if (n == name || n == name + "_L" || n == name + "_R") weights[i] = std::max(weights[i], value);
    }
  };
  // Mouths are open, smile, pout or rest; eyes blink; and a little of anything on top.
  const double mouth = random.uniform();
  if (mouth < 0.3) set("jawOpen", between(random, 0.05f, 0.9f));
  if (mouth > 0.2 && mouth < 0.5) set("mouthSmile", between(random, 0.2f, 1));
  if (mouth > 0.5 && mouth < 0.6) set("mouthPucker", between(random, 0.2f, 0.9f));
  if (mouth > 0.6 && mouth < 0.7) set("mouthFunnel", between(random, 0.2f, 0.9f));
  if (mouth > 0.7 && mouth < 0.78) set("mouthFrown", between(random, 0.2f, 0.9f));
  if (mouth > 0.4 && mouth < 0.5) set("mouthUpperUp", between(random, 0.2f, 0.8f));
  if (chance(random, 0.15)) set("eyeBlink", between(random, 0.3f, 1));
  if (chance(random, 0.1)) set("eyeWide", between(random, 0.3f, 1));
  if (chance(random, 0.2)) set("browInnerUp", between(random, 0.2f, 1));
  if (chance(random, 0.2)) set("browDown", between(random, 0.2f, 1));
  if (chance(random, 0.15)) set("browOuterUp", between(random, 0.2f, 1));
  for (size_t i = 0; i < names.size(); ++i) {
    const bool eyes = names[i].name.starts_with("eyeLook") || names[i].name.starts_with("Pupil");
    if (!eyes && chance(random, 0.08)) weights[i] = std::max(weights[i], between(random, 0, 0.5f));
  }
  return weights;
}

HeadShape shape_of(const Assets& assets, const Person& person) {
  const HeadModel& head = assets.head(person.head);
  HeadShape shape;
  shape.vertices = head.mesh.vertices;
  for (size_t i = 0; i < person.identity.size(); ++i) apply(head.identity[i], person.identity[i], shape.vertices);
  // Taller bodies carry their heads higher: back to between the eyes.
  cv::Vec3f middle(0, 0, 0);
  for (const EyeBall* ball : {&head.left, &head.right}) middle += (moved_centre(head, *ball, shape.vertices)) * 0.5f;
  for (cv::Vec3f& v : shape.vertices) v -= middle;
  shape.places = places_of(head, shape.vertices);
  shape.hair.assign(shape.vertices.size(), 0.0f);
  if (!person.hair.any) return shape;
  const std::vector<cv::Vec3f> normals = vertex_normals(shape.vertices, head.mesh.triangles);
  for (size_t v = 0; v < shape.hair.size(); ++v) {
    if (head.openness[v] < 0.3f) continue;
    const cv::Vec3f& rest = head.mesh.vertices[v];
    shape.hair[v] = hair_at(rest, person.hair);
    const float lock =
        noise_at(40 * std::atan2(rest[0], rest[2] + 9) + static_cast<float>(person.seed % 97), 4 * rest[1]);
    shape.vertices[v] += normals[v] * (shape.hair[v] * person.hair.thickness * (0.6f + 0.8f * lock));
  }
  return shape;
}

PosedHead pose_head(const Assets& assets, const Person& person, const HeadShape& shape, const HeadPose& pose) {
  const HeadModel& head = assets.head(person.head);
  PosedHead posed;
  posed.vertices = shape.vertices;
  for (size_t i = 0; i < pose.expression.size() && i < assets.ict.expression.size(); ++i) {
    if (pose.expression[i] == 0) continue;
    if (person.head == 0) {
      apply(head.expression[i], pose.expression[i], posed.vertices);
      continue;
    }
    for (const Morph& morph : head.expression) {
      if (morph.name == assets.ict.expression[i].name) apply(morph, pose.expression[i], posed.vertices);
    }
  }
  const cv::Matx33f gaze = turn_about_y(pose.gaze_yaw) * turn_about_x(pose.gaze_pitch);
  const auto weight = [&](const char* name) {
    for (size_t i = 0; i < pose.expression.size() && i < assets.ict.expression.size(); ++i) {
      if (assets.ict.expression[i].name == name) return std::clamp(pose.expression[i], 0.0f, 1.0f);
    }
    return 0.0f;
  };
  turn_eye(head, head.left, gaze, weight("eyeBlink_L"), posed.vertices);
  turn_eye(head, head.right, gaze, weight("eyeBlink_R"), posed.vertices);

  const cv::Matx33f turn = rotation_of(pose);
  for (cv::Vec3f& v : posed.vertices) v = turn * v + pose.position;
  posed.normals = vertex_normals(posed.vertices, head.mesh.triangles);
  return posed;
}

}  // namespace coco::synth
