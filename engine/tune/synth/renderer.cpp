#include "tune/synth/renderer.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/random.h"
#include "tune/synth/backdrop.h"
#include "tune/synth/covers.h"
#include "tune/synth/raster.h"
#include "tune/synth/sensor.h"
#include "tune/synth/shading.h"

namespace coco::synth {
namespace {

/// One mesh in front of the camera: a head or a thing.
struct Drawn {
  std::vector<ShadedVertex> vertices;
  std::vector<ScreenVertex> screen;
  const std::vector<cv::Vec3i>* triangles = nullptr;
  uint32_t first = 0;                ///< Number of its first triangle.
  int head = 0;                      ///< Of the scene.
  const HeadModel* model = nullptr;  ///< A head's; null: a thing.
  Thing thing;
  bool both_sides = false;
  bool mouth_open = true;  ///< A closed one hides what is in it.
};

constexpr int kShadowSize = 384;

/// The lamp's view of the scene.
struct Shadow {
  cv::Matx33f look;
  cv::Vec3f middle;
  float scale = 1;

  ScreenVertex project(const cv::Vec3f& p) const {
    const cv::Vec3f q = look * (p - middle);
    return {kShadowSize * 0.5f + scale * q[0], kShadowSize * 0.5f - scale * q[1], q[2]};
  }
};

bool is_face_here(Part part, const SurfaceSample& point) {
  if (part == Part::kEyeLeft || part == Part::kEyeRight || part == Part::kTeeth || part == Part::kMouth) return true;
  const cv::Vec3f& p = point.rest;
  const float edge = -5.0f - 0.06f * std::max(0.0f, p[1] + 4) * std::max(0.0f, p[1] + 4);
  return (part == Part::kFace || part == Part::kHead) && p[2] > edge && p[1] > -11.8f + 0.25f * (-p[2] - 2) &&
         p[1] < 6.2f && point.hair < 0.5f;
}

/// Below the collar of a head that has shoulders.
bool is_clothed(const HeadModel& model, const SurfaceSample& point) {
  return model.has_shoulders && point.rest[1] < -19.0f - 0.18f * std::max(0.0f, point.rest[2] + 8);
}

/// A pixel's samples on one part of one mesh: coloured once.
struct Group {
  const Drawn* drawn;
  Part part;
  const Seen* seen;  ///< The first of them.
  int count;
};

}  // namespace

struct Renderer::State {
  State(std::shared_ptr<const Assets> a, int s)
      : assets(std::move(a)), samples(s), shadow_depth(kShadowSize, kShadowSize) {}

  std::shared_ptr<const Assets> assets;
  int samples;
  std::unique_ptr<VisibleImage> visible;
  DepthImage shadow_depth;
  Shadow shadow;
  std::vector<Drawn> drawn;

  void add_heads(const Scene& scene);
  void add_thing(const Scene& scene, int index, Thing thing);
  void add_things(const Scene& scene, int index, const FacePlaces& places);
  void project(const Scene& scene, Drawn& d) const;
  void cast_shadows(const Scene& scene);
  const Drawn& owner(uint32_t triangle) const;
  SurfaceSample sample(const Drawn& d, const Seen& seen) const;
  float lamp_seen(const SurfaceSample& point) const;
  Colour colour_of(const Scene& scene, const Drawn& d, Part part, SurfaceSample& point) const;
  void gather_groups(int x, int y, std::vector<Group>& groups) const;
  void resolve(const Scene& scene, cv::Mat& light, Picture& picture) const;
  HeadLabels labels(const Scene& scene, int index) const;
};

void Renderer::State::project(const Scene& scene, Drawn& d) const {
  const auto scale = static_cast<float>(samples);
  const float middle_x = 0.5f * static_cast<float>(scene.width), middle_y = 0.5f * static_cast<float>(scene.height);
  d.screen.resize(d.vertices.size());
  for (size_t v = 0; v < d.vertices.size(); ++v) {
    const cv::Vec3f& p = d.vertices[v].place;
    const float nearness = p[2] < -1 ? -1 / p[2] : 0;
    d.screen[v] = {scale * (middle_x + scene.focal * p[0] * nearness),
                   scale * (middle_y - scene.focal * p[1] * nearness), nearness};
  }
}

void Renderer::State::add_heads(const Scene& scene) {
  drawn.clear();
  for (size_t h = 0; h < scene.heads.size(); ++h) {
    const HeadInScene& head = scene.heads[h];
    const HeadModel& model = assets->head(head.person.head);
    const HeadShape shape = shape_of(*assets, head.person);
    const PosedHead posed = pose_head(*assets, head.person, shape, head.pose);
    Drawn d;
    d.head = static_cast<int>(h);
    d.model = &model;
    d.triangles = &model.mesh.triangles;
    d.vertices.resize(posed.vertices.size());
    for (size_t v = 0; v < d.vertices.size(); ++v) {
      d.vertices[v] = {posed.vertices[v], posed.normals[v], model.mesh.vertices[v],
                       model.openness[v], model.lips[v],    shape.hair[v]};
    }
    // Between the middles of the lips' inner edges.
    d.mouth_open = cv::norm(at(model.landmarks[62], posed.vertices) - at(model.landmarks[66], posed.vertices)) > 0.12;
    project(scene, d);
    drawn.push_back(std::move(d));
    add_things(scene, static_cast<int>(h), shape.places);
  }
  uint32_t first = 0;
  for (Drawn& d : drawn) {
    if (d.model == nullptr) d.triangles = &d.thing.mesh.triangles;
    d.first = first;
    first += static_cast<uint32_t>(d.triangles->size());
  }
}

void Renderer::State::add_thing(const Scene& scene, int index, Thing thing) {
  const HeadPose& pose = scene.heads[static_cast<size_t>(index)].pose;
  const cv::Matx33f turn = rotation_of(pose);
  Drawn d;
  d.head = index;
  d.both_sides = true;
  const std::vector<cv::Vec3f> normals = vertex_normals(thing.mesh.vertices, thing.mesh.triangles);
  d.vertices.resize(thing.mesh.vertices.size());
  for (size_t v = 0; v < d.vertices.size(); ++v) {
    const cv::Vec3f& rest = thing.mesh.vertices[v];
    d.vertices[v] = {turn * rest + pose.position, turn * normals[v], rest, 0.9f, 0, 0};
  }
  d.thing = std::move(thing);
  project(scene, d);
  drawn.push_back(std::move(d));
}

void Renderer::State::add_things(const Scene& scene, int index, const FacePlaces& places) {
  const HeadInScene& head = scene.heads[static_cast<size_t>(index)];
  if (!assets->head(head.person.head).has_shoulders)
    add_thing(scene, index, shoulders(places, head.person.cloth, head.person.seed));
  if (head.person.hair.length > 0) add_thing(scene, index, long_hair(places, head.person.hair));
  if (head.person.glasses) add_thing(scene, index, glasses(places, head.person.seed));
  switch (head.cover) {
    case Cover::kHand: {
      Colour skin = head.person.skin_colour;
      if (head.person.skin >= 0) {
        skin = (head.person.tone == Tone::kDark ? Colour(0.13f, 0.06f, 0.035f) : Colour(0.5f, 0.3f, 0.22f)).mul(skin);
      }
      add_thing(scene, index, hand(places, skin, head.cover_seed));
      break;
    }
    case Cover::kScarf:
      add_thing(scene, index, scarf(places, head.cover_seed));
      break;
    case Cover::kMicrophone:
      add_thing(scene, index, microphone(places, head.cover_seed));
      break;
    case Cover::kNone:
      break;
  }
}

void Renderer::State::cast_shadows(const Scene& scene) {
  if (scene.light.lamp_colour.dot({1, 1, 1}) <= 0 || scene.heads.empty()) return;
  cv::Vec3f low(1e9f, 1e9f, 1e9f), high = -low;
  for (const HeadInScene& head : scene.heads) {
    for (int d = 0; d < 3; ++d) {
      low[d] = std::min(low[d], head.pose.position[d]);
      high[d] = std::max(high[d], head.pose.position[d]);
    }
  }
  shadow.look = look_along(scene.light.lamp);
  shadow.middle = (low + high) * 0.5f - cv::Vec3f(0, 3, 4);
  shadow.scale = kShadowSize / (36 + static_cast<float>(cv::norm(high - low)));
  shadow_depth.clear();
  std::vector<ScreenVertex> screen;
  for (const Drawn& d : drawn) {
    screen.resize(d.vertices.size());
    for (size_t v = 0; v < screen.size(); ++v) screen[v] = shadow.project(d.vertices[v].place);
    const std::span<const cv::Vec3i> all(*d.triangles);
    shadow_depth.draw(screen, d.model != nullptr ? all.first(d.model->skin) : all, d.both_sides);
  }
}

float Renderer::State::lamp_seen(const SurfaceSample& point) const {
  const ScreenVertex s = shadow.project(point.place + point.normal * 0.12f);
  const float bias = s.nearness + 0.2f + 1.2f / shadow.scale;
  float seen = 0;
  for (const float dy : {-0.7f, 0.7f}) {
    for (const float dx : {-0.7f, 0.7f}) seen += bias >= shadow_depth.at(s.x + dx, s.y + dy) ? 0.25f : 0.0f;
  }
  return seen;
}

const Drawn& Renderer::State::owner(uint32_t triangle) const {
  size_t i = drawn.size() - 1;
  while (drawn[i].first > triangle) --i;
  return drawn[i];
}

SurfaceSample Renderer::State::sample(const Drawn& d, const Seen& seen) const {
  const size_t t = seen.triangle - d.first;
  const cv::Vec3i& triangle = (*d.triangles)[t];
  const ShadedVertex& a = d.vertices[static_cast<size_t>(triangle[0])];
  const ShadedVertex& b = d.vertices[static_cast<size_t>(triangle[1])];
  const ShadedVertex& c = d.vertices[static_cast<size_t>(triangle[2])];
  const float wb = seen.second, wc = seen.third, wa = 1 - wb - wc;
  SurfaceSample s;
  for (int k = 0; k < 3; ++k) {
    s.place[k] = wa * a.place[k] + wb * b.place[k] + wc * c.place[k];
    s.normal[k] = wa * a.normal[k] + wb * b.normal[k] + wc * c.normal[k];
    s.rest[k] = wa * a.rest[k] + wb * b.rest[k] + wc * c.rest[k];
  }
  s.openness = wa * a.openness + wb * b.openness + wc * c.openness;
  s.lips = wa * a.lips + wb * b.lips + wc * c.lips;
  s.hair = wa * a.hair + wb * b.hair + wc * c.hair;
  const float length = std::sqrt(s.normal.dot(s.normal));
  if (length > 0) s.normal *= 1 / length;
  if (d.model != nullptr) {
    const AtlasTriangle& atlas = d.model->atlas[t];
    s.atlas = atlas[0] * wa + atlas[1] * wb + atlas[2] * wc;
  } else {
    s.atlas = {-1, -1};
    if (s.normal.dot(s.place) > 0) s.normal = -s.normal;  // Seen from behind.
  }
  return s;
}

Colour Renderer::State::colour_of(const Scene& scene, const Drawn& d, Part part, SurfaceSample& point) const {
  const Person& person = scene.heads[static_cast<size_t>(d.head)].person;
  Material material;
  if (d.model == nullptr) {
    material = thing_material(d.thing.colour, d.thing.gloss, d.thing.stripes, point);
  } else {
    switch (part) {
      case Part::kEyeLeft:
      case Part::kEyeRight: {
        const EyeBall& ball = part == Part::kEyeLeft ? d.model->left : d.model->right;
        material = eye_material(person, ball, point);
        point.openness = 0.25f + 0.6f * point.openness;  // Lids are open where the eye is seen.
        break;
      }
      case Part::kTeeth:
      case Part::kMouth: {
        material = mouth_material(part, point);
        // Measured on closed lips: what is seen is open, less so further back.
        point.openness = std::clamp(0.75f + 0.16f * (point.rest[2] - 2.0f), 0.1f, 0.75f);
        break;
      }
      default:
        material = is_clothed(*d.model, point) ? thing_material(person.cloth, 0.05f, 0.2f, point)
                                               : skin_material(*assets, person, *d.model, point);
    }
  }
  const bool lamp = scene.light.lamp_colour.dot({1, 1, 1}) > 0 && point.normal.dot(scene.light.lamp) > -0.3f;
  return shade(scene.light, material, point, lamp ? lamp_seen(point) : 0);
}

void Renderer::State::resolve(const Scene& scene, cv::Mat& light, Picture& picture) const {
  const cv::Size size(scene.width, scene.height);
  picture.face = cv::Mat(size, CV_8U, cv::Scalar(0));
  picture.occluder = cv::Mat(size, CV_8U, cv::Scalar(0));
  picture.mouth = cv::Mat(size, CV_8U, cv::Scalar(0));
  const float share = 1.0f / static_cast<float>(samples * samples);
  std::vector<Group> groups;
  for (int y = 0; y < scene.height; ++y) {
    auto* row = light.ptr<Colour>(y);
    for (int x = 0; x < scene.width; ++x) {
      gather_groups(x, y, groups);
      if (groups.empty()) continue;
      Colour sum(0, 0, 0);
      int covered = 0, face = 0, occluder = 0, mouth = 0;
      for (const Group& g : groups) {
        SurfaceSample point = sample(*g.drawn, *g.seen);
        covered += g.count;
        if (g.drawn->model == nullptr) {
          occluder += g.part == Part::kOccluder ? g.count : 0;
        } else {
          mouth += g.part == Part::kMouth || g.part == Part::kTeeth ? g.count : 0;
          face += is_face_here(g.part, point) ? g.count : 0;
        }
        sum += colour_of(scene, *g.drawn, g.part, point) * static_cast<float>(g.count);
      }
      row[x] = row[x] * (1 - share * static_cast<float>(covered)) + sum * share;
      const auto level = [&](int count) {
        return static_cast<uint8_t>(std::lround(255 * share * static_cast<float>(count)));
      };
      picture.face.at<uint8_t>(y, x) = level(face);
      picture.occluder.at<uint8_t>(y, x) = level(occluder);
      picture.mouth.at<uint8_t>(y, x) = level(mouth);
    }
  }
}

void Renderer::State::gather_groups(int x, int y, std::vector<Group>& groups) const {
  groups.clear();
  for (int j = 0; j < samples; ++j) {
    const Seen* seen = visible->row(y * samples + j) + x * samples;
    for (int i = 0; i < samples; ++i) {
      if (seen[i].triangle == Seen::kNothing) continue;
      const Drawn& d = owner(seen[i].triangle);
      const Part part = d.model == nullptr ? d.thing.part : d.model->parts[seen[i].triangle - d.first];
      const auto same = [&](const Group& g) { return g.drawn == &d && g.part == part; };
      const auto group = std::find_if(groups.begin(), groups.end(), same);
      if (group == groups.end())
        groups.push_back({&d, part, &seen[i], 1});
      else
        ++group->count;
    }
  }
}

HeadLabels Renderer::State::labels(const Scene& scene, int index) const {
  HeadLabels labels;
  const Drawn* head = nullptr;
  for (const Drawn& d : drawn) {
    if (d.head == index && d.model != nullptr) head = &d;
  }
  std::vector<cv::Point2f> points;
  for (size_t i = 0; i < labels.landmarks.size(); ++i) {
    const SurfacePoint& mark = head->model->landmarks[i];
    cv::Vec3f p(0, 0, 0);
    for (int k = 0; k < 3; ++k) p += head->vertices[static_cast<size_t>(mark.vertex[k])].place * mark.weight[k];
    const float nearness = -1 / p[2];
    labels.landmarks[i] = {0.5f * static_cast<float>(scene.width) + scene.focal * p[0] * nearness,
                           0.5f * static_cast<float>(scene.height) - scene.focal * p[1] * nearness};
    points.push_back(labels.landmarks[i]);
    const int x = static_cast<int>(std::floor(labels.landmarks[i].x * static_cast<float>(samples)));
    const int y = static_cast<int>(std::floor(labels.landmarks[i].y * static_cast<float>(samples)));
    if (x < 0 || y < 0 || x >= visible->width() || y >= visible->height()) continue;
    const Seen& seen = visible->row(y)[x];
    if (seen.triangle == Seen::kNothing) continue;
    const float before = -p[2] - 1 / visible->nearness(x, y);  // Centimetres between the point and what is seen.
    constexpr float kSlack = 0.5f;
    if (before < kSlack) continue;
    const Drawn& d = owner(seen.triangle);
    const bool self = d.head == index && d.model != nullptr;
    (self ? labels.self_occluded : labels.covered)[i] = true;
  }
  const cv::Rect2f tight = cv::boundingRect(points);
  labels.box = {tight.x, tight.y - 0.25f * tight.height, tight.width, 1.25f * tight.height};
  return labels;
}

Renderer::Renderer(std::shared_ptr<const Assets> assets, int samples)
    : state_(std::make_unique<State>(std::move(assets), samples)) {}
Renderer::~Renderer() = default;

Picture Renderer::render(const Scene& scene) {
  State& s = *state_;
  const int width = scene.width * s.samples, height = scene.height * s.samples;
  if (s.visible == nullptr || s.visible->width() != width || s.visible->height() != height) {
    s.visible = std::make_unique<VisibleImage>(width, height);
  }
  s.visible->clear();
  s.add_heads(scene);
  for (const Drawn& d : s.drawn) {
    const std::span<const cv::Vec3i> all(*d.triangles);
    s.visible->draw(d.screen, d.model != nullptr && !d.mouth_open ? all.first(d.model->outer) : all, d.first,
                    d.both_sides);
  }
  s.cast_shadows(scene);
  Picture picture;
  cv::Mat light = backdrop(*s.assets, scene);
  if (!s.drawn.empty()) s.resolve(scene, light, picture);
  for (size_t h = 0; h < scene.heads.size(); ++h) picture.heads.push_back(s.labels(scene, static_cast<int>(h)));
  picture.image = expose(light, scene.sensor, scene.seed);
  return picture;
}

}  // namespace coco::synth
