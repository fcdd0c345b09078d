#include "tune/synth/head_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tune/synth/raster.h"

namespace coco::synth {

void apply(const Morph& morph, float weight, std::span<cv::Vec3f> vertices) {
  if (weight == 0) return;
  for (size_t i = 0; i < morph.vertex.size(); ++i) {
    cv::Vec3f& v = vertices[static_cast<size_t>(morph.vertex[i])];
    const cv::Vec3f& o = morph.offset[i];
    v[0] += weight * o[0];
    v[1] += weight * o[1];
    v[2] += weight * o[2];
  }
}

cv::Vec3f at(const SurfacePoint& point, std::span<const cv::Vec3f> vertices) {
  cv::Vec3f sum(0, 0, 0);
  for (int k = 0; k < 3; ++k) sum += vertices[static_cast<size_t>(point.vertex[k])] * point.weight[k];
  return sum;
}

std::vector<cv::Vec3f> vertex_normals(std::span<const cv::Vec3f> vertices, std::span<const cv::Vec3i> triangles) {
  std::vector<cv::Vec3f> normals(vertices.size(), cv::Vec3f(0, 0, 0));
  for (const cv::Vec3i& t : triangles) {
    const cv::Vec3f& a = vertices[static_cast<size_t>(t[0])];
    const cv::Vec3f u = vertices[static_cast<size_t>(t[1])] - a, v = vertices[static_cast<size_t>(t[2])] - a;
    const float x = u[1] * v[2] - u[2] * v[1], y = u[2] * v[0] - u[0] * v[2], z = u[0] * v[1] - u[1] * v[0];
    for (int k = 0; k < 3; ++k) {
      cv::Vec3f& n = normals[static_cast<size_t>(t[k])];
      n[0] += x;
      n[1] += y;
      n[2] += z;
    }
  }
  for (cv::Vec3f& n : normals) {
    const float length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    if (length > 0) n *= 1 / length;
  }
  return normals;
}

cv::Matx33f look_along(const cv::Vec3f& direction) {
  const cv::Vec3f helper = std::abs(direction[1]) < 0.9f ? cv::Vec3f(0, 1, 0) : cv::Vec3f(1, 0, 0);
  const cv::Vec3f x = cv::normalize(helper.cross(direction)), y = direction.cross(x);
  return {x[0], x[1], x[2], y[0], y[1], y[2], direction[0], direction[1], direction[2]};
}

namespace {

EyeBall ball_of(const HeadModel& head, Part part) {
  constexpr float kMuch = 1e9f;
  cv::Vec3f low(kMuch, kMuch, kMuch), high = -low;
  std::vector<int> vertices;
  for (size_t t = 0; t < head.parts.size(); ++t) {
    if (head.parts[t] != part) continue;
    for (int k = 0; k < 3; ++k) {
      vertices.push_back(head.mesh.triangles[t][k]);
      const cv::Vec3f& v = head.mesh.vertices[static_cast<size_t>(vertices.back())];
      for (int d = 0; d < 3; ++d) {
        low[d] = std::min(low[d], v[d]);
        high[d] = std::max(high[d], v[d]);
      }
    }
  }
  std::sort(vertices.begin(), vertices.end());
  vertices.erase(std::unique(vertices.begin(), vertices.end()), vertices.end());
  // The cornea bulges forwards: the sphere is what width and height say, and it ends at the back.
  const float radius = (high[0] - low[0] + high[1] - low[1]) / 4;
  return {{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2] + radius}, radius, std::move(vertices)};
}

}  // namespace

void sort_triangles(HeadModel& head) {
  const auto rank = [](Part part) {
    return part == Part::kFace || part == Part::kHead ? 0 : part == Part::kEyeLeft || part == Part::kEyeRight ? 1 : 2;
  };
  std::vector<size_t> order(head.parts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rank(head.parts[a]) < rank(head.parts[b]); });
  HeadModel sorted = head;
  for (size_t i = 0; i < order.size(); ++i) {
    sorted.mesh.triangles[i] = head.mesh.triangles[order[i]];
    sorted.parts[i] = head.parts[order[i]];
    sorted.atlas[i] = head.atlas[order[i]];
  }
  head = std::move(sorted);
  head.skin = head.outer = 0;
  for (const Part part : head.parts) {
    head.skin += rank(part) == 0 ? 1 : 0;
    head.outer += rank(part) <= 1 ? 1 : 0;
  }
}

void centre_on_eyes(HeadModel& head) {
  head.left = ball_of(head, Part::kEyeLeft);
  head.right = ball_of(head, Part::kEyeRight);
  const cv::Vec3f origin = (head.left.centre + head.right.centre) * 0.5f;
  for (cv::Vec3f& v : head.mesh.vertices) v -= origin;
  head.left.centre -= origin;
  head.right.centre -= origin;
}

void measure_openness(HeadModel& head) {
  constexpr int kSize = 256, kDirections = 96;
  constexpr float kPixelsPerCm = 6.0f, kSlack = 0.25f;
  const auto& vertices = head.mesh.vertices;
  const std::vector<cv::Vec3f> normals = vertex_normals(vertices, head.mesh.triangles);
  std::vector<float> seen(vertices.size(), 0), all(vertices.size(), 0);
  std::vector<ScreenVertex> screen(vertices.size());
  DepthImage depth(kSize, kSize);
  for (int i = 0; i < kDirections; ++i) {
    // A spiral over the sphere: even areas.
    const float z = 1 - (2 * static_cast<float>(i) + 1) / kDirections, turn = 2.39996f * static_cast<float>(i);
    const float r = std::sqrt(1 - z * z);
    const cv::Vec3f direction(r * std::cos(turn), r * std::sin(turn), z);
    const cv::Matx33f look = look_along(direction);
    for (size_t v = 0; v < vertices.size(); ++v) {
      const cv::Vec3f p = look * vertices[v];
      screen[v] = {kSize * 0.5f + kPixelsPerCm * p[0], kSize * 0.5f - kPixelsPerCm * p[1], p[2]};
    }
    depth.clear();
    depth.draw(screen, head.mesh.triangles, true);
    for (size_t v = 0; v < vertices.size(); ++v) {
      const float cosine = normals[v].dot(direction);
      if (cosine <= 0) continue;
      all[v] += cosine;
      if (screen[v].nearness + kSlack >= depth.at(screen[v].x, screen[v].y)) seen[v] += cosine;
    }
  }
  head.openness.resize(vertices.size());
  for (size_t v = 0; v < vertices.size(); ++v) head.openness[v] = all[v] > 0 ? seen[v] / all[v] : 0;
}

}  // namespace coco::synth
