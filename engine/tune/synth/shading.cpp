#include "tune/synth/shading.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/random.h"

namespace coco::synth {
namespace {

constexpr int kTile = 256;

/// Noise of four sizes, smoothed around the edges so that it repeats.
std::vector<float> make_tile() {
  Random random(12345);
  cv::Mat sum(kTile, kTile, CV_32F, cv::Scalar(0));
  for (int size = 8; size <= 128; size *= 2) {
    cv::Mat coarse(size, size, CV_32F), wrapped, fine;
    for (int i = 0; i < size * size; ++i) coarse.at<float>(i / size, i % size) = static_cast<float>(random.uniform());
    cv::copyMakeBorder(coarse, wrapped, 2, 2, 2, 2, cv::BORDER_WRAP);
    const int scale = kTile / size;
    cv::resize(wrapped, fine, {}, scale, scale, cv::INTER_CUBIC);
    sum += fine(cv::Rect(2 * scale, 2 * scale, kTile, kTile)) * (4.0f / static_cast<float>(std::log2(size)));
  }
  cv::normalize(sum, sum, 0, 1, cv::NORM_MINMAX);
  return {sum.begin<float>(), sum.end<float>()};
}

Colour sample_atlas(const cv::Mat& atlas, const cv::Vec2f& uv) {
  const auto& linear = linear_of_code();
  const float x =
      std::clamp(uv[0] * static_cast<float>(atlas.cols) - 0.5f, 0.0f, static_cast<float>(atlas.cols) - 1.001f);
  const float y =
      std::clamp(uv[1] * static_cast<float>(atlas.rows) - 0.5f, 0.0f, static_cast<float>(atlas.rows) - 1.001f);
  const int column = static_cast<int>(x), row = static_cast<int>(y);
  const float u = x - static_cast<float>(column), v = y - static_cast<float>(row);
  const auto* above = atlas.ptr<cv::Vec3b>(row) + column;
  const auto* below = atlas.ptr<cv::Vec3b>(row + 1) + column;
  Colour result;
  for (int c = 0; c < 3; ++c) {
    const int bgr = 2 - c;
    const float upper = linear[above[0][bgr]] * (1 - u) + linear[above[1][bgr]] * u;
    const float lower = linear[below[0][bgr]] * (1 - u) + linear[below[1][bgr]] * u;
    result[c] = upper * (1 - v) + lower * v;
  }
  return result;
}

float sample_mask(const cv::Mat& mask, const cv::Vec2f& uv) {
  const float x =
      std::clamp(uv[0] * static_cast<float>(mask.cols) - 0.5f, 0.0f, static_cast<float>(mask.cols) - 1.001f);
  const float y =
      std::clamp(uv[1] * static_cast<float>(mask.rows) - 0.5f, 0.0f, static_cast<float>(mask.rows) - 1.001f);
  const int column = static_cast<int>(x), row = static_cast<int>(y);
  const float u = x - static_cast<float>(column), v = y - static_cast<float>(row);
  const uint8_t *above = mask.ptr(row) + column, *below = mask.ptr(row + 1) + column;
  const float upper = static_cast<float>(above[0]) * (1 - u) + static_cast<float>(above[1]) * u;
  const float lower = static_cast<float>(below[0]) * (1 - u) + static_cast<float>(below[1]) * u;
  return (upper * (1 - v) + lower * v) / 255;
}

Colour mix(const Colour& a, const Colour& b, float share) { return a + (b - a) * share; }

float smooth(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0f, 1.0f);
  return t * t * (3 - 2 * t);
}

/// Where a beard grows, on the head at rest: jaws, chin and the upper lip, not the lips.
float beard_at(const cv::Vec3f& p, float lips) {
  const float jaw = smooth(-4.2f - 0.35f * std::abs(p[0]), -6.5f - 0.1f * std::abs(p[0]), p[1]);
  return jaw * smooth(-6.5f, -4.0f, p[2]) * smooth(-13.5f, -11.5f, p[1]) * (1 - lips);
}

}  // namespace

const std::array<float, 256>& linear_of_code() {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> t{};
    for (size_t i = 0; i < t.size(); ++i) {
      const float c = static_cast<float>(i) / 255;
      t[i] = c <= 0.04045f ? c / 12.92f : std::pow((c + 0.055f) / 1.055f, 2.4f);
    }
    return t;
  }();
  return table;
}

uint8_t code_of_linear(float light) {
  constexpr int kSteps = 4096;
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> t(kSteps + 1);
    for (int i = 0; i <= kSteps; ++i) {
      // Steps of the square root, so that dark colours have enough of them.
      const float root = static_cast<float>(i) / kSteps, l = root * root;
      const float c = l <= 0.0031308f ? 12.92f * l : 1.055f * std::pow(l, 1 / 2.4f) - 0.055f;
      t[static_cast<size_t>(i)] = static_cast<uint8_t>(std::lround(255 * std::clamp(c, 0.0f, 1.0f)));
    }
    return t;
  }();
  if (!(light > 0)) return 0;
  return table[static_cast<size_t>(std::min(1.0f, std::sqrt(light)) * kSteps + 0.5f)];
}

float noise_at(float x, float y) {
  static const std::vector<float> tile = make_tile();
  const int column = static_cast<int>(std::floor(x)) & (kTile - 1), row = static_cast<int>(std::floor(y)) & (kTile - 1);
  return tile[static_cast<size_t>(row * kTile + column)];
}

Material skin_material(const Assets& assets, const Person& person, const HeadModel& head, const SurfaceSample& point) {
  Material material{{}, 0.12f, 18, 0.25f};
  const bool mapped = point.atlas[0] >= 0;
  const cv::Vec3f& p = point.rest;
  const float grain = noise_at(p[0] * 21 + p[2] * 13, p[1] * 21 + p[2] * 7);
  const float patch = noise_at(p[0] * 3.1f + 40, p[1] * 3.1f + p[2] * 2);
  if (person.skin >= 0 && mapped) {
    material.albedo =
        sample_atlas(assets.skins[static_cast<size_t>(person.skin)].atlas, point.atlas).mul(person.skin_colour);
  } else {
    Colour base = person.skin_colour;
    if (person.skin >= 0) {  // A painted skin without a place here: the colour of its cheek.
      const cv::Vec2f cheek(0.862f, 0.44f);
      base = sample_atlas(assets.skins[static_cast<size_t>(person.skin)].atlas, cheek).mul(person.skin_colour);
    }
    material.albedo = base * (0.82f + 0.36f * patch);
    material.albedo[0] *= 0.94f + 0.12f * grain;
    material.albedo = mix(material.albedo, person.lip_colour, 0.8f * point.lips);
  }
  material.albedo *= 0.92f + 0.16f * grain;
  if (mapped && head.parts.size() > 0) {
    const float brow = sample_mask(assets.brows[static_cast<size_t>(person.brow)], point.atlas);
    material.albedo = mix(material.albedo, person.brow_colour, 0.9f * std::min(1.0f, 1.3f * brow));
  }
  if (person.hair.beard > 0) {
    const float beard = beard_at(p, point.lips) * person.hair.beard;
    const float strand = noise_at(p[0] * 40, p[1] * 16 + p[2] * 25);
    material.albedo = mix(material.albedo, person.hair.colour, beard * (0.35f + 0.65f * smooth(0.3f, 0.6f, strand)));
  }
  if (point.hair > 0) {
    const float angle = std::atan2(p[0], p[2] + 9) * 60, strand = noise_at(angle, p[1] * 2.5f + p[2] * 1.5f);
    const float share = smooth(0.3f, 0.62f, point.hair + 0.25f * (strand - 0.5f));
    material.albedo = mix(material.albedo, person.hair.colour * (0.45f + 1.1f * strand), share);
    material.soft *= 1 - share;
  }
  return material;
}

Material eye_material(const Person& person, const EyeBall& ball, const SurfaceSample& point) {
  const cv::Vec3f d = cv::normalize(point.rest - ball.centre);
  const float angle = std::acos(std::clamp(d[2], -1.0f, 1.0f)), turn = std::atan2(d[1], d[0]);
  constexpr float kIris = 0.5f;
  const float veins = noise_at(d[0] * 60, d[1] * 60);
  Colour white(0.62f, 0.56f, 0.52f);
  white[0] *= 0.95f + 0.1f * veins;
  white *= 0.85f + 0.2f * veins;
  const float fibre = noise_at(turn * 20, angle * 30);
  Colour iris = person.iris * (0.6f + 0.8f * fibre);
  iris = mix(iris, person.iris * 0.25f, smooth(kIris - 0.1f, kIris, angle));
  iris = mix(Colour(0.004f, 0.004f, 0.004f), iris, smooth(person.pupil - 0.03f, person.pupil + 0.03f, angle));
  return {mix(iris, white, smooth(kIris - 0.03f, kIris + 0.04f, angle)), 1.2f, 160, 0};
}

Material mouth_material(Part part, const SurfaceSample& point) {
  const float patch = noise_at(point.rest[0] * 25, point.rest[1] * 25);
  if (part == Part::kTeeth) return {Colour(0.62f, 0.56f, 0.46f) * (0.85f + 0.2f * patch), 0.35f, 60, 0.1f};
  return {Colour(0.3f, 0.075f, 0.065f) * (0.8f + 0.4f * patch), 0.3f, 40, 0.1f};
}

Material thing_material(const Colour& colour, float gloss, float stripes, const SurfaceSample& point) {
  const cv::Vec3f& p = point.rest;
  const float strand = noise_at(std::atan2(p[0], p[2] + 9) * 70, p[1] * 1.2f);
  return {colour * (1 + stripes * 1.4f * (strand - 0.5f)), gloss, 30, 0};
}

Colour shade(const Light& light, const Material& material, const SurfaceSample& point, float lamp_seen) {
  const cv::Vec3f& n = point.normal;
  const float facing = n.dot(light.lamp);
  Colour sent;
  for (int c = 0; c < 3; ++c) {
    const auto i = static_cast<size_t>(c);
    const cv::Matx33f& m = light.square[i];
    const float quadratic = n[0] * (m(0, 0) * n[0] + 2 * m(0, 1) * n[1] + 2 * m(0, 2) * n[2]) +
                            n[1] * (m(1, 1) * n[1] + 2 * m(1, 2) * n[2]) + n[2] * m(2, 2) * n[2];
    const float around = std::max(0.0f, light.constant[c] + light.linear[i].dot(n) + quadratic) * point.openness;
    const float wrap = c == 0 ? material.soft : material.soft * 0.3f;
    const float lamp = std::max(0.0f, (facing + wrap) / (1 + wrap)) * lamp_seen;
    sent[c] = material.albedo[c] * (around + light.lamp_colour[c] * lamp);
  }
  if (facing > 0 && lamp_seen > 0 && material.gloss > 0) {
    const cv::Vec3f half = cv::normalize(light.lamp - cv::normalize(point.place));
    const float shine = material.gloss * std::pow(std::max(0.0f, n.dot(half)), material.sharpness) * lamp_seen;
    sent += light.lamp_colour * shine;
  }
  return sent;
}

}  // namespace coco::synth
