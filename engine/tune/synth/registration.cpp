#include "tune/synth/registration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace coco::synth {
namespace {

constexpr float kFar = std::numeric_limits<float>::max();

bool is_skin(Part part) { return part == Part::kFace || part == Part::kHead; }

/// Vertices and triangles of a head's skin.
struct Skin {
  std::vector<int> vertices, triangles;
  std::vector<std::vector<int>> triangles_of;  ///< By vertex of the head.
};

Skin skin_of(const HeadModel& head) {
  Skin skin;
  skin.triangles_of.resize(head.mesh.vertices.size());
  for (size_t t = 0; t < head.parts.size(); ++t) {
    if (!is_skin(head.parts[t])) continue;
    skin.triangles.push_back(static_cast<int>(t));
    for (int k = 0; k < 3; ++k) {
      skin.triangles_of[static_cast<size_t>(head.mesh.triangles[t][k])].push_back(static_cast<int>(t));
    }
  }
  for (size_t v = 0; v < skin.triangles_of.size(); ++v) {
    if (!skin.triangles_of[v].empty()) skin.vertices.push_back(static_cast<int>(v));
  }
  return skin;
}

/// Nearest point of a triangle: weights of its corners (Ericson, Real-Time Collision Detection, section 5.1.5).
cv::Vec3f nearest_on(const cv::Vec3f& p, const cv::Vec3f& a, const cv::Vec3f& b, const cv::Vec3f& c) {
  const cv::Vec3f ab = b - a, ac = c - a, ap = p - a, bp = p - b, cp = p - c;
  const float d1 = ab.dot(ap), d2 = ac.dot(ap);
  if (d1 <= 0 && d2 <= 0) return {1, 0, 0};
  const float d3 = ab.dot(bp), d4 = ac.dot(bp);
  if (d3 >= 0 && d4 <= d3) return {0, 1, 0};
  const float vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return {1 - d1 / (d1 - d3), d1 / (d1 - d3), 0};
  const float d5 = ab.dot(cp), d6 = ac.dot(cp);
  if (d6 >= 0 && d5 <= d6) return {0, 0, 1};
  const float vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return {1 - d2 / (d2 - d6), 0, d2 / (d2 - d6)};
  const float va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const float w = (d4 - d3) / ((d4 - d3) + (d5 - d6));
    return {0, 1 - w, w};
  }
  const float sum = va + vb + vc;
  return {va / sum, vb / sum, vc / sum};
}

/// The target's surface, asked for nearest points.
class Surface {
 public:
  explicit Surface(const HeadModel& head)
      : head_(head), skin_(skin_of(head)), normals_(vertex_normals(head.mesh.vertices, head.mesh.triangles)) {}

  /// The nearest point whose surface looks the same way; triangle -1 where there is none within `reach`.
  Correspondence nearest(const cv::Vec3f& p, const cv::Vec3f& normal, float reach) const {
    Correspondence best;
    best.distance = reach;
    // Triangles around the few nearest vertices that look the same way.
    constexpr size_t kCandidates = 4;
    std::array<std::pair<float, int>, kCandidates> near;
    near.fill({kFar, -1});
    for (const int v : skin_.vertices) {
      const cv::Vec3f d = head_.mesh.vertices[static_cast<size_t>(v)] - p;
      const float square = d.dot(d);
      if (square >= near.back().first || normals_[static_cast<size_t>(v)].dot(normal) < 0.4f) continue;
      near.back() = {square, v};
      for (size_t i = kCandidates - 1; i > 0 && near[i] < near[i - 1]; --i) std::swap(near[i], near[i - 1]);
    }
    for (const auto& [square, v] : near) {
      if (v < 0) continue;
      for (const int t : skin_.triangles_of[static_cast<size_t>(v)]) {
        const cv::Vec3i& tri = head_.mesh.triangles[static_cast<size_t>(t)];
        const cv::Vec3f w = nearest_on(p, corner(tri, 0), corner(tri, 1), corner(tri, 2));
        const cv::Vec3f d = point(tri, w) - p;
        const auto distance = static_cast<float>(cv::norm(d));
        if (distance < best.distance) best = {t, w, distance};
      }
    }
    return best;
  }

  cv::Vec3f point(const Correspondence& c) const {
    return point(head_.mesh.triangles[static_cast<size_t>(c.triangle)], c.weight);
  }
  cv::Vec3f normal(const Correspondence& c) const {
    const cv::Vec3i& t = head_.mesh.triangles[static_cast<size_t>(c.triangle)];
    cv::Vec3f n(0, 0, 0);
    for (int k = 0; k < 3; ++k) n += normals_[static_cast<size_t>(t[k])] * c.weight[k];
    return cv::normalize(n);
  }

 private:
  const cv::Vec3f& corner(const cv::Vec3i& t, int k) const { return head_.mesh.vertices[static_cast<size_t>(t[k])]; }
  cv::Vec3f point(const cv::Vec3i& t, const cv::Vec3f& w) const {
    return corner(t, 0) * w[0] + corner(t, 1) * w[1] + corner(t, 2) * w[2];
  }
  const HeadModel& head_;
  Skin skin_;
  std::vector<cv::Vec3f> normals_;
};

/// What brings the head to the target: p -> scale * p + offset (both look along +z, upright) after the identities.
struct Fit {
  cv::Vec3f scale{1, 1, 1}, offset{0, 0, 0};
  std::vector<float> identity;

  std::vector<cv::Vec3f> vertices(const HeadModel& head) const {
    std::vector<cv::Vec3f> result = head.mesh.vertices;
    for (size_t i = 0; i < identity.size(); ++i) apply(head.identity[i], identity[i], result);
    for (cv::Vec3f& v : result) v = v.mul(scale) + offset;
    return result;
  }
};

/// One step of least squares over scale, offset and identities: distances along the target's normals, identities held
/// small.
void improve(const HeadModel& head, const Surface& surface, const std::vector<int>& sample, float reach, Fit& fit) {
  const size_t modes = fit.identity.size(), unknowns = 6 + modes;
  const std::vector<cv::Vec3f> now = fit.vertices(head);
  const std::vector<cv::Vec3f> normals = vertex_normals(now, head.mesh.triangles);
  // Offsets of the sampled vertices, dense.
  std::vector<int> row_of(now.size(), -1);
  for (size_t i = 0; i < sample.size(); ++i) row_of[static_cast<size_t>(sample[i])] = static_cast<int>(i);
  std::vector<cv::Vec3f> basis(sample.size() * modes, cv::Vec3f(0, 0, 0));
  for (size_t m = 0; m < modes; ++m) {
    const Morph& morph = head.identity[m];
    for (size_t i = 0; i < morph.vertex.size(); ++i) {
      const int row = row_of[static_cast<size_t>(morph.vertex[i])];
      if (row >= 0) basis[static_cast<size_t>(row) * modes + m] = morph.offset[i];
    }
  }
  cv::Mat_<double> left = cv::Mat_<double>::zeros(static_cast<int>(unknowns), static_cast<int>(unknowns));
  cv::Mat_<double> right = cv::Mat_<double>::zeros(static_cast<int>(unknowns), 1);
  std::vector<double> row(unknowns);
  for (size_t i = 0; i < sample.size(); ++i) {
    const auto v = static_cast<size_t>(sample[i]);
    const Correspondence c = surface.nearest(now[v], normals[v], reach);
    if (c.triangle < 0) continue;
    const cv::Vec3f n = surface.normal(c),
                    raw = (now[v] - fit.offset).mul({1 / fit.scale[0], 1 / fit.scale[1], 1 / fit.scale[2]});
    for (int d = 0; d < 3; ++d) {
      row[static_cast<size_t>(d)] = n[d] * raw[d];
      row[static_cast<size_t>(3 + d)] = n[d];
    }
    for (size_t m = 0; m < modes; ++m) row[6 + m] = n.dot(basis[i * modes + m].mul(fit.scale));
    const double wanted = n.dot(surface.point(c) - now[v]);
    for (size_t a = 0; a < unknowns; ++a) {
      right(static_cast<int>(a)) += row[a] * wanted;
      for (size_t b = 0; b <= a; ++b) left(static_cast<int>(a), static_cast<int>(b)) += row[a] * row[b];
    }
  }
  cv::completeSymm(left, true);
  for (size_t a = 0; a < unknowns; ++a) {
    const auto k = static_cast<int>(a);
    left(k, k) += a < 3 ? 300.0 : a < 6 ? 1.0 : 4.0;
    if (a >= 6) right(k) -= 4.0 * static_cast<double>(fit.identity[a - 6]);
  }
  cv::Mat_<double> step;
  cv::solve(left, right, step, cv::DECOMP_CHOLESKY);
  for (int d = 0; d < 3; ++d) {
    fit.scale[d] += static_cast<float>(step(d));
    fit.offset[d] += static_cast<float>(step(3 + d));
  }
  for (size_t m = 0; m < modes; ++m) fit.identity[m] += static_cast<float>(step(static_cast<int>(6 + m)));
}

/// Moves single vertices to the target: a membrane over the mesh, ever less stiff.
void relax(const HeadModel& head, const Skin& skin, const Surface& surface, std::vector<cv::Vec3f>& vertices) {
  const size_t count = vertices.size();
  std::vector<std::vector<int>> neighbours(count);
  for (const int t : skin.triangles) {
    const cv::Vec3i& tri = head.mesh.triangles[static_cast<size_t>(t)];
    for (int k = 0; k < 3; ++k) neighbours[static_cast<size_t>(tri[k])].push_back(tri[(k + 1) % 3]);
  }
  std::vector<cv::Vec3f> pull(count), moved(count, cv::Vec3f(0, 0, 0));
  std::vector<float> hold(count);
  for (const float stiffness : {40.0f, 20.0f, 10.0f, 5.0f, 3.0f, 2.0f, 1.0f}) {
    const std::vector<cv::Vec3f> normals = vertex_normals(vertices, head.mesh.triangles);
    std::fill(hold.begin(), hold.end(), 0.0f);
    for (const int v : skin.vertices) {
      const auto i = static_cast<size_t>(v);
      const Correspondence c = surface.nearest(vertices[i], normals[i], 1.5f);
      if (c.triangle < 0) continue;
      hold[i] = 1;
      pull[i] = surface.point(c) - vertices[i];
    }
    std::fill(moved.begin(), moved.end(), cv::Vec3f(0, 0, 0));
    for (int round = 0; round < 60; ++round) {
      for (const int v : skin.vertices) {
        const auto i = static_cast<size_t>(v);
        cv::Vec3f sum(0, 0, 0);
        for (const int n : neighbours[i]) sum += moved[static_cast<size_t>(n)];
        const float share = stiffness / static_cast<float>(neighbours[i].size());
        moved[i] = (sum * share + pull[i] * hold[i]) * (1 / (stiffness + hold[i]));
      }
    }
    for (const int v : skin.vertices) vertices[static_cast<size_t>(v)] += moved[static_cast<size_t>(v)];
  }
}

/// The edge of an upper lid is what a blink moves most: the landmarks there go to it.
void snap_lids(HeadModel& head) {
  constexpr float kReach = 0.7f;
  for (const Morph& blink : head.expression) {
    const bool left = blink.name == "eyeBlink_L";
    if (!left && blink.name != "eyeBlink_R") continue;
    for (const size_t i : left ? std::array<size_t, 2>{43, 44} : std::array<size_t, 2>{37, 38}) {
      const cv::Vec3f place = at(head.landmarks[i], head.mesh.vertices);
      float most = 0;
      for (size_t k = 0; k < blink.vertex.size(); ++k) {
        const int v = blink.vertex[k];
        const cv::Vec3f from = head.mesh.vertices[static_cast<size_t>(v)] - place;
        // Sideways the landmark stays where it is, or the two of a lid would become one.
        if (std::abs(from[0]) > 0.25f || cv::norm(from) > static_cast<double>(kReach)) continue;
        const auto moved = static_cast<float>(cv::norm(blink.offset[k]));
        if (moved <= most) continue;
        most = moved;
        head.landmarks[i] = {{v, v, v}, {1, 0, 0}};
      }
    }
  }
}

/// The foremost point of the skin near the middle between two heights.
cv::Vec3f foremost(const HeadModel& head, float low, float high) {
  cv::Vec3f best(0, 0, -kFar);
  for (const cv::Vec3f& v : head.mesh.vertices) {
    if (std::abs(v[0]) < 0.6f && v[1] > low && v[1] < high && v[2] > best[2]) best = v;
  }
  return best;
}

}  // namespace

std::vector<Correspondence> match_heads(const HeadModel& head, const HeadModel& target) {
  const Surface surface(target);
  const Skin skin = skin_of(head);
  Fit fit;
  fit.identity.assign(std::min<size_t>(head.identity.size(), 40), 0.0f);
  // To begin with: the eyes' distance gives the size, the tips of the noses where it stands.
  const float size =
      cv::norm(target.left.centre - target.right.centre) / cv::norm(head.left.centre - head.right.centre);
  const cv::Vec3f from = foremost(head, -6, -2), to = foremost(target, -6, -2);
  fit.scale = {size, to[1] / from[1], size};
  fit.offset = {0, 0, to[2] - size * from[2]};
  std::vector<int> sample;
  for (size_t i = 0; i < skin.vertices.size(); i += 3) {
    const cv::Vec3f& v = head.mesh.vertices[static_cast<size_t>(skin.vertices[i])];
    if (v[2] > -8 && v[1] > -13) sample.push_back(skin.vertices[i]);
  }
  for (int round = 0; round < 24; ++round) improve(head, surface, sample, round < 8 ? 3.0f : 1.5f, fit);

  std::vector<cv::Vec3f> vertices = fit.vertices(head);
  relax(head, skin, surface, vertices);
  const std::vector<cv::Vec3f> normals = vertex_normals(vertices, head.mesh.triangles);
  std::vector<Correspondence> matches(vertices.size());
  for (const int v : skin.vertices) {
    const auto i = static_cast<size_t>(v);
    matches[i] = surface.nearest(vertices[i], normals[i], 1.0f);
  }
  return matches;
}

void transfer_atlas(const std::vector<Correspondence>& matches, const HeadModel& target, HeadModel& head) {
  constexpr float kSeam = 0.03f;  // Neighbours are nearer than this in the atlas, unless a seam runs between them.
  for (size_t t = 0; t < head.parts.size(); ++t) {
    if (!is_skin(head.parts[t])) continue;
    AtlasTriangle place;
    bool whole = true;
    for (int k = 0; k < 3 && whole; ++k) {
      const Correspondence& c = matches[static_cast<size_t>(head.mesh.triangles[t][k])];
      whole = c.triangle >= 0;
      if (!whole) break;
      const AtlasTriangle& there = target.atlas[static_cast<size_t>(c.triangle)];
      const cv::Vec2f uv = there[0] * c.weight[0] + there[1] * c.weight[1] + there[2] * c.weight[2];
      whole = there[0][0] >= 0 && (k == 0 || cv::norm(uv - place[0]) < kSeam);
      place[static_cast<size_t>(k)] = uv;
    }
    if (whole) head.atlas[t] = place;
  }
}

void settle_brows(std::span<const cv::Mat> brows, HeadModel& head) {
  struct Candidate {
    size_t triangle;
    cv::Vec3f place;
    float paint;
  };
  std::vector<Candidate> candidates;
  for (size_t t = 0; t < head.skin; ++t) {
    const AtlasTriangle& atlas = head.atlas[t];
    if (atlas[0][0] < 0) continue;
    Candidate candidate{t, {0, 0, 0}, 0};
    for (int k = 0; k < 3; ++k)
      candidate.place += head.mesh.vertices[static_cast<size_t>(head.mesh.triangles[t][k])] / 3.0f;
    const cv::Vec2f uv = (atlas[0] + atlas[1] + atlas[2]) / 3.0f;
    for (const cv::Mat& brow : brows) {
      const int x = static_cast<int>(uv[0] * static_cast<float>(brow.cols)),
                y = static_cast<int>(uv[1] * static_cast<float>(brow.rows));
      candidate.paint +=
          static_cast<float>(brow.at<uint8_t>(std::clamp(y, 0, brow.rows - 1), std::clamp(x, 0, brow.cols - 1)));
    }
    candidates.push_back(candidate);
  }
  for (int i = kRightBrow.first; i < kLeftBrow.last; ++i) {
    SurfacePoint& mark = head.landmarks[static_cast<size_t>(i)];
    const cv::Vec3f place = at(mark, head.mesh.vertices);
    double height = 0, paint = 0;
    for (const Candidate& c : candidates) {
      if (std::abs(c.place[0] - place[0]) > 0.3f || std::abs(c.place[1] - place[1]) > 1.6f || c.place[2] < place[2] - 2)
        continue;
      height += static_cast<double>(c.paint * c.place[1]);
      paint += static_cast<double>(c.paint);
    }
    if (paint <= 0) continue;
    const auto wanted = static_cast<float>(height / paint);
    float best = kFar;
    for (const Candidate& c : candidates) {
      const float distance =
          std::hypot(c.place[0] - place[0], c.place[1] - wanted) + (c.place[2] < place[2] - 2 ? 10.0f : 0.0f);
      if (distance >= best) continue;
      best = distance;
      mark = {head.mesh.triangles[c.triangle], {1.0f / 3, 1.0f / 3, 1.0f / 3}};
    }
  }
}

void transfer_landmarks(const std::vector<Correspondence>& matches, const HeadModel& head, HeadModel& target) {
  for (size_t i = 0; i < head.landmarks.size(); ++i) {
    // The nearest of the landmark's corners: heads' triangles are small.
    const SurfacePoint& mark = head.landmarks[i];
    const int corner = mark.weight[0] >= mark.weight[1] && mark.weight[0] >= mark.weight[2] ? 0
                       : mark.weight[1] >= mark.weight[2]                                   ? 1
                                                                                            : 2;
    const Correspondence& c = matches[static_cast<size_t>(mark.vertex[corner])];
    if (c.triangle < 0) continue;
    target.landmarks[i] = {target.mesh.triangles[static_cast<size_t>(c.triangle)], c.weight};
  }
  snap_lids(target);
  target.lips.assign(target.mesh.vertices.size(), 0.0f);
  for (size_t v = 0; v < matches.size(); ++v) {
    if (matches[v].triangle < 0 || head.lips[v] <= 0) continue;
    const cv::Vec3i& t = target.mesh.triangles[static_cast<size_t>(matches[v].triangle)];
    for (int k = 0; k < 3; ++k) {
      if (matches[v].weight[k] < 0.4f) continue;
      float& lips = target.lips[static_cast<size_t>(t[k])];
      lips = std::max(lips, head.lips[v]);
    }
  }
}

}  // namespace coco::synth
