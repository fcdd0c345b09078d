#include "tune/synth/covers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "tune/synth/chance.h"

namespace coco::synth {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

/// A sheet of rows x columns points; `closed` joins the last column to the first.
template <typename Point>
void add_sheet(Mesh& mesh, int rows, int columns, bool closed, const Point& point) {
  const int first = static_cast<int>(mesh.vertices.size());
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) mesh.vertices.push_back(point(r, c));
  }
  for (int r = 0; r + 1 < rows; ++r) {
    for (int c = 0; c < columns - (closed ? 0 : 1); ++c) {
      const int next = (c + 1) % columns;
      const int a = first + r * columns + c, b = first + r * columns + next;
      const int d = first + (r + 1) * columns + c, e = first + (r + 1) * columns + next;
      mesh.triangles.emplace_back(a, b, d);
      mesh.triangles.emplace_back(b, e, d);
    }
  }
}

/// A tube along a path, round ends included.
void add_tube(Mesh& mesh, const std::vector<cv::Vec3f>& path, float radius, int sides = 8) {
  const int last = static_cast<int>(path.size()) - 1;
  // Four more rings close the ends.
  const auto ring = [&](int r, cv::Vec3f& centre, cv::Vec3f& along, float& size) {
    const int i = std::clamp(r - 2, 0, last);
    centre = path[static_cast<size_t>(i)];
    along =
        cv::normalize(path[static_cast<size_t>(std::min(i + 1, last))] - path[static_cast<size_t>(std::max(i - 1, 0))]);
    size = radius;
    const int beyond = r < 2 ? 2 - r : r > last + 2 ? r - last - 2 : 0;
    if (beyond == 0) return;
    const float angle = static_cast<float>(beyond) * kPi / 4;
    centre += along * (radius * std::sin(angle) * (r < 2 ? -1.0f : 1.0f));
    size = radius * std::cos(angle) + 1e-3f;
  };
  add_sheet(mesh, last + 5, sides, true, [&](int r, int c) {
    cv::Vec3f centre, along;
    float size = 0;
    ring(r, centre, along, size);
    const cv::Vec3f helper = std::abs(along[1]) < 0.8f ? cv::Vec3f(0, 1, 0) : cv::Vec3f(1, 0, 0);
    const cv::Vec3f u = cv::normalize(along.cross(helper)), v = along.cross(u);
    const float turn = 2 * kPi * static_cast<float>(c) / static_cast<float>(sides);
    return cv::Vec3f(centre + u * (size * std::cos(turn)) + v * (size * std::sin(turn)));
  });
}

void add_ellipsoid(Mesh& mesh, const cv::Vec3f& centre, const cv::Vec3f& radii) {
  add_sheet(mesh, 9, 14, true, [&](int r, int c) {
    const float up = kPi * (static_cast<float>(r) / 8 - 0.5f), turn = 2 * kPi * static_cast<float>(c) / 14;
    return cv::Vec3f(centre + cv::Vec3f(radii[0] * std::cos(up) * std::cos(turn), radii[1] * std::sin(up),
                                        radii[2] * std::cos(up) * std::sin(turn)));
  });
}

Colour random_cloth(Random& random) {
  const float light = std::exp(between(random, -3.5f, -0.3f));
  return {light * between(random, 0.5f, 1.3f), light * between(random, 0.5f, 1.3f),
          light * between(random, 0.5f, 1.3f)};
}

}  // namespace

Thing glasses(const FacePlaces& places, uint64_t seed) {
  Random random(seed + 17);
  Thing thing;
  const bool sun = random.uniform() < 0.25;
  thing.colour = sun || random.uniform() < 0.6 ? Colour(0.01f, 0.01f, 0.012f) : random_cloth(random);
  thing.gloss = 0.5f;
  const float width = between(random, 2.3f, 2.9f), height = between(random, 1.6f, 2.4f);
  const float thick = between(random, 0.07f, 0.22f), square = between(random, 2, 4);
  const float z = std::max(places.left_eye[2], places.right_eye[2]) + 1.6f;
  std::vector<cv::Vec3f> hinges;
  for (const cv::Vec3f& eye : {places.right_eye, places.left_eye}) {
    const cv::Vec3f centre(eye[0] * 1.02f, eye[1] - 0.3f, z);
    const auto rim = [&](float turn, float size) {
      const float c = std::cos(turn), s = std::sin(turn);
      const float r = size / std::pow(std::pow(std::abs(c), square) + std::pow(std::abs(s), square), 1 / square);
      return cv::Vec3f(centre + cv::Vec3f(width * r * c, height * r * s, -0.06f * std::pow(width * r * c, 2.0f)));
    };
    std::vector<cv::Vec3f> path;
    for (int i = 0; i <= 24; ++i) path.push_back(rim(2 * kPi * static_cast<float>(i) / 24, 1));
    add_tube(thing.mesh, path, thick, 6);
    if (sun) {
      add_sheet(thing.mesh, 4, 24, true,
                [&](int r, int c) { return rim(2 * kPi * static_cast<float>(c) / 24, static_cast<float>(r) / 3); });
    }
    const float outer = eye[0] < 0 ? kPi : 0;
    hinges.push_back(rim(outer, 1));
  }
  const cv::Vec3f ears[] = {places.right_ear, places.left_ear};
  for (size_t i = 0; i < 2; ++i) {
    const cv::Vec3f ear(ears[i][0] * 1.06f, hinges[i][1] - 0.4f, ears[i][2] - 2.5f);
    add_tube(thing.mesh, {hinges[i], hinges[i] * 0.5f + ear * 0.5f, ear}, thick, 6);
  }
  const cv::Vec3f bridge(0, places.nose_bridge[1] - 0.1f, z);
  add_tube(thing.mesh,
           {cv::Vec3f(places.right_eye[0] + width, bridge[1], z - 0.2f), bridge,
            cv::Vec3f(places.left_eye[0] - width, bridge[1], z - 0.2f)},
           thick, 6);
  return thing;
}

Thing hand(const FacePlaces& places, const Colour& skin, uint64_t seed) {
  Random random(seed + 19);
  Thing thing;
  thing.colour = skin;
  const float side = random.uniform() < 0.5 ? -1.0f : 1.0f;
  // The fingertips end somewhere on the face; the palm comes from below or the side.
  const cv::Vec3f tip(side * between(random, -1, 5), between(random, -10, 3),
                      places.nose_tip[2] + between(random, 0.3f, 2));
  const float turn = between(random, -0.9f, 0.9f) + (side > 0 ? -0.5f : 0.5f);
  const cv::Vec3f along(std::sin(turn), std::cos(turn), 0), across(along[1], -along[0], 0);
  const float spread = between(random, 1.6f, 2.3f);
  for (int f = 0; f < 4; ++f) {
    const float place = static_cast<float>(f) - 1.5f;
    const cv::Vec3f end = tip + across * (spread * place) - along * (0.5f * place * place);
    const cv::Vec3f root = tip + across * (1.9f * place) - along * 8.0f + cv::Vec3f(0, 0, 0.8f);
    const cv::Vec3f knuckle = (end + root) * 0.5f + cv::Vec3f(0, 0, between(random, 0.2f, 1.2f));
    add_tube(thing.mesh, {end, knuckle, root, root - along * 4.0f}, 0.85f);
  }
  const cv::Vec3f palm = tip - along * 11.0f + cv::Vec3f(0, 0, 0.8f);
  add_ellipsoid(thing.mesh, palm, {4.2f, 4.6f, 1.5f});
  add_tube(thing.mesh, {palm - across * (side * 3.5f), palm - across * (side * 6.0f) + along * 3.5f}, 1.0f);
  add_tube(thing.mesh, {palm, palm - along * 9.0f, palm - along * 24.0f + cv::Vec3f(0, 0, 3)}, 3.0f, 12);
  return thing;
}

Thing scarf(const FacePlaces& places, uint64_t seed) {
  Random random(seed + 23);
  Thing thing;
  thing.colour = random_cloth(random);
  thing.stripes = between(random, 0.1f, 0.8f);
  const float top = places.mouth[1] + between(random, -3.5f, 2.2f), front = places.nose_tip[2] + 0.5f;
  const float wide = places.left_ear[0] + 1.0f;
  add_sheet(thing.mesh, 9, 28, true, [&](int r, int c) {
    const float down = static_cast<float>(r) / 8, turn = 2 * kPi * static_cast<float>(c) / 28;
    const float bulge = 1 + 0.18f * std::sin(kPi * down) + 0.03f * std::sin(5 * turn + 9 * down);
    const float centre_z = -8, deep = front - centre_z;
    return cv::Vec3f(wide * bulge * std::sin(turn), top - 11 * down - 1.5f * (1 - std::cos(turn)) * (1 - down),
                     centre_z + deep * (1 - 0.12f * down) * bulge * std::cos(turn));
  });
  return thing;
}

Thing microphone(const FacePlaces& places, uint64_t seed) {
  Random random(seed + 29);
  Thing thing;
  thing.colour = random.uniform() < 0.7 ? Colour(0.02f, 0.02f, 0.022f) : random_cloth(random);
  thing.gloss = 0.4f;
  const cv::Vec3f grille =
      places.mouth + cv::Vec3f(between(random, -4, 4), between(random, -4.5f, -0.5f), between(random, 3, 7));
  const cv::Vec3f end = grille + cv::Vec3f(between(random, -8, 8), -18, between(random, 0, 8));
  add_ellipsoid(thing.mesh, grille, {2.5f, 2.8f, 2.5f});
  add_tube(thing.mesh, {grille, end}, 1.3f, 10);
  return thing;
}

Thing long_hair(const FacePlaces& places, const Hair& hair) {
  Thing thing;
  thing.part = Part::kHair;
  thing.colour = hair.colour;
  thing.stripes = 0.8f;
  thing.gloss = 0.15f;
  const float wide = places.left_ear[0] + 1.2f + 0.6f * hair.thickness, front = 1.35f + 0.02f * hair.length;
  add_sheet(thing.mesh, 12, 40, false, [&](int r, int c) {
    const float down = static_cast<float>(r) / 11;
    const float turn = front + (2 * kPi - 2 * front) * static_cast<float>(c) / 39;
    const float flare = 1 + 0.25f * down * down + 0.02f * std::sin(7 * turn) * down;
    const float lift = down < 0.25f ? 0.86f + 0.56f * down : 1.0f;  // It leaves the scalp under the cap.
    return cv::Vec3f(wide * flare * lift * std::sin(turn),
                     6 - (6 + hair.length) * down + 1.2f * std::sin(3 * turn) * down,
                     -9 + 10.5f * flare * lift * std::cos(turn));
  });
  return thing;
}

Thing shoulders(const FacePlaces& places, const Colour& cloth, uint64_t seed) {
  Random random(seed + 31);
  Thing thing;
  thing.part = Part::kBody;
  thing.colour = cloth;
  thing.stripes = between(random, 0, 0.3f);
  const float wide = between(random, 18, 24), top = places.chin[1] - 7;
  add_sheet(thing.mesh, 12, 36, true, [&](int r, int c) {
    const float out = static_cast<float>(r) / 11, turn = 2 * kPi * static_cast<float>(c) / 36;
    const float flat = std::sqrt(out);
    return cv::Vec3f((6.2f + (wide - 6.2f) * flat) * std::sin(turn),
                     top - 2 - 10 * out * out - 14 * std::pow(out, 6.0f), -9 + (6.2f + 5.5f * flat) * std::cos(turn));
  });
  return thing;
}

}  // namespace coco::synth
