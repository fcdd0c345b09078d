// Purpose: a head that needs no data: a sphere with a nose, eyes and a mouth, so that renderings can be tested
// anywhere.
#pragma once

#include <cmath>
#include <memory>

#include "tune/synth/assets.h"

namespace coco::synth::testing {

constexpr float kPi = 3.14159265f;

/// A closed ball of rows x columns quadrilaterals, wound so that its outside faces out.
inline void add_ball(HeadModel& head, const cv::Vec3f& centre, const cv::Vec3f& radii, int rows, int columns,
                     Part part) {
  const int first = static_cast<int>(head.mesh.vertices.size());
  for (int r = 0; r <= rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const float up = kPi * (static_cast<float>(r) / static_cast<float>(rows) - 0.5f);
      const float turn = 2 * kPi * static_cast<float>(c) / static_cast<float>(columns);
      head.mesh.vertices.push_back(centre + cv::Vec3f(radii[0] * std::cos(up) * std::sin(turn), radii[1] * std::sin(up),
                                                      radii[2] * std::cos(up) * std::cos(turn)));
    }
  }
  const auto add = [&](int a, int b, int c) {
    head.mesh.triangles.emplace_back(first + a, first + b, first + c);
    head.parts.push_back(part);
    head.atlas.push_back({cv::Vec2f(-1, -1), cv::Vec2f(-1, -1), cv::Vec2f(-1, -1)});
  };
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      const int d = (c + 1) % columns, here = r * columns, above = (r + 1) * columns;
      add(here + c, here + d, above + c);
      add(here + d, above + d, above + c);
    }
  }
}

/// Landmarks on the front of the ball: a jaw around it, the rest in rows, lips a centimetre apart.
inline HeadModel toy_head() {
  HeadModel head;
  head.name = "toy";
  add_ball(head, {0, -3, -8}, {7.5f, 10, 9}, 40, 64, Part::kFace);
  add_ball(head, {3.2f, 0, 0.2f}, {1.2f, 1.2f, 1.2f}, 12, 16, Part::kEyeLeft);
  add_ball(head, {-3.2f, 0, 0.2f}, {1.2f, 1.2f, 1.2f}, 12, 16, Part::kEyeRight);
  sort_triangles(head);
  centre_on_eyes(head);
  const auto nearest = [&](float x, float y) {
    int best = 0;
    float distance = 1e9f;
    for (size_t v = 0; v < head.mesh.vertices.size(); ++v) {
      const cv::Vec3f& p = head.mesh.vertices[v];
      const float d = std::hypot(p[0] - x, p[1] - y) + (p[2] < -8 ? 100.0f : 0.0f);
      if (d < distance) {
        distance = d;
        best = static_cast<int>(v);
      }
    }
    return SurfacePoint{{best, best, best}, {1, 0, 0}};
  };
  for (int i = 0; i < 68; ++i) {
    const float t = static_cast<float>(i);
    auto& mark = head.landmarks[static_cast<size_t>(i)];
    if (i < 17)
      mark = nearest(7.0f * std::sin((t - 8) / 8 * 1.4f), -3 - 8.5f * std::cos((t - 8) / 8 * 1.4f));
    else if (i < 27)
      mark = nearest(-5 + (t - 17) * 1.1f, 2);
    else if (i < 36)
      mark = nearest((t - 31) * 0.5f, -3);
    else if (i < 48)
      mark = nearest(i < 42 ? -3.2f : 3.2f, (t - 42) * 0.05f);
    else
      mark = nearest(2 * std::sin(t), i == 62 || i < 56 ? -6.0f : -7.0f);
  }
  head.lips.assign(head.mesh.vertices.size(), 0.0f);
  head.expression = {Morph{"jawOpen", {0}, {cv::Vec3f(0, -1, 0)}}};
  head.identity = {Morph{"wide", {}, {}}};
  for (size_t v = 0; v < head.mesh.vertices.size(); ++v) {
    head.identity[0].vertex.push_back(static_cast<int>(v));
    head.identity[0].offset.push_back({0.1f * head.mesh.vertices[v][0], 0, 0});
  }
  measure_openness(head);
  return head;
}

inline std::shared_ptr<const Assets> toy_assets() {
  auto assets = std::make_shared<Assets>();
  assets->ict = toy_head();
  assets->makehuman = assets->ict;
  while (assets->makehuman.identity.size() < static_cast<size_t>(kMacros)) {
    assets->makehuman.identity.push_back(Morph{"none", {}, {}});
  }
  assets->skins.push_back(
      {"young_dark_male", cv::Mat(64, 64, CV_8UC3, cv::Scalar(60, 80, 120)), Tone::kDark, Age::kYoung, Sex::kMale});
  assets->brows.push_back(cv::Mat(64, 64, CV_8U, cv::Scalar(0)));
  return assets;
}

}  // namespace coco::synth::testing
