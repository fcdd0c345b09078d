#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "base/half.h"
#include "tune/synth/head_model.h"
#include "tune/synth/obj_file.h"

namespace coco::synth {
namespace {

namespace fs = std::filesystem;

struct VertexRange {
  int first, last;  ///< Both included.
  Part part;
};
/// The parts that are drawn (the model's list of parts; lashes and the fluids of the eye are left out).
constexpr VertexRange kRanges[] = {
    {0, 9408, Part::kFace},       {9409, 11247, Part::kHead},     {11248, 13293, Part::kMouth},
    {13294, 13677, Part::kFace},  {13678, 14061, Part::kFace},    {14062, 17038, Part::kMouth},
    {17039, 21450, Part::kTeeth}, {21451, 23020, Part::kEyeLeft}, {23021, 24590, Part::kEyeRight}};
constexpr int kVertices = 26719;
/// Identities move along the first of the model's directions; the later ones are small.
constexpr int kIdentities = 70, kExpressions = 57;

Status wrong(const std::string& path, const std::string& what) {
  return make_error(ErrorCode::kInvalidData, path + ": " + what + "; see the data's README for what is expected");
}

Result<std::vector<cv::Vec3f>> read_offsets(const std::string& path, int sets) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return make_error(ErrorCode::kNotFound, path + " cannot be opened");
  const size_t count = static_cast<size_t>(sets) * kVertices * 3;
  std::vector<uint16_t> halves(count);
  const int got = gzread(file, halves.data(), static_cast<unsigned>(count * 2));
  gzclose(file);
  if (got < 0 || static_cast<size_t>(got) != count * 2) return wrong(path, "ends early or is damaged").error();
  std::vector<cv::Vec3f> offsets(count / 3);
  for (size_t i = 0; i < count; ++i) offsets[i / 3][static_cast<int>(i % 3)] = half_to_float(halves[i]);
  return offsets;
}

std::vector<Morph> to_morphs(const std::vector<cv::Vec3f>& offsets, int sets, const std::vector<std::string>& names,
                             const std::vector<int>& place, const std::vector<Part>& part_of, bool with_eyes) {
  std::vector<Morph> morphs(static_cast<size_t>(sets));
  for (int s = 0; s < sets; ++s) {
    Morph& morph = morphs[static_cast<size_t>(s)];
    morph.name = static_cast<size_t>(s) < names.size() ? names[static_cast<size_t>(s)] : "identity" + std::to_string(s);
    for (int v = 0; v < kVertices; ++v) {
      const cv::Vec3f& o = offsets[static_cast<size_t>(s) * kVertices + static_cast<size_t>(v)];
      if (place[static_cast<size_t>(v)] < 0 || o.dot(o) < 1e-6f) continue;  // Less than a hundredth of a millimetre.
      const Part part = part_of[static_cast<size_t>(v)];
      if (!with_eyes && (part == Part::kEyeLeft || part == Part::kEyeRight)) continue;  // They turn: see posed().
      morph.vertex.push_back(place[static_cast<size_t>(v)]);
      morph.offset.push_back(o);
    }
  }
  return morphs;
}

Result<std::array<int, 68>> read_landmarks(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) return make_error(ErrorCode::kNotFound, path + " cannot be opened");
  const auto json = nlohmann::json::parse(stream, nullptr, false);
  if (json.is_discarded() || !json.contains("idx_to_landmark_verts")) return wrong(path, "no landmarks in it").error();
  const auto& list = json["idx_to_landmark_verts"];
  std::array<int, 68> landmarks{};
  if (!list.is_array() || list.size() != landmarks.size()) return wrong(path, "not 68 landmarks").error();
  for (size_t i = 0; i < landmarks.size(); ++i) {
    if (!list[i].is_number_integer() || list[i] < 0 || list[i] >= kVertices) return wrong(path, "a bad vertex").error();
    landmarks[i] = list[i];
  }
  return landmarks;
}

/// The lips: what lies between the outer and the inner ring of landmarks, softly.
std::vector<float> lips_of(const HeadModel& head) {
  const auto& v = head.mesh.vertices;
  std::vector<cv::Point2f> outer, inner;
  for (int i = kOuterLip.first; i < kInnerLip.last; ++i) {
    const cv::Vec3f p = at(head.landmarks[static_cast<size_t>(i)], v);
    (i < kInnerLip.first ? outer : inner).emplace_back(p[0], p[1]);
  }
  std::vector<float> lips(v.size(), 0);
  for (size_t t = 0; t < head.parts.size(); ++t) {
    if (head.parts[t] != Part::kFace) continue;
    for (int k = 0; k < 3; ++k) {
      const auto i = static_cast<size_t>(head.mesh.triangles[t][k]);
      if (v[i][2] < 0) continue;
      const auto inside = static_cast<float>(cv::pointPolygonTest(outer, {v[i][0], v[i][1]}, true));
      lips[i] = std::clamp(inside / 0.15f + 0.5f, 0.0f, 1.0f);
    }
  }
  return lips;
}

}  // namespace

Result<HeadModel> load_ict_head(const std::string& folder) {
  const std::string obj = (fs::path(folder) / "generic_neutral_mesh.obj").string();
  COCO_ASSIGN(const ObjFile file, read_obj(obj));
  if (file.vertices.size() != kVertices) return wrong(obj, "not the expected number of vertices").error();
  std::vector<int> place(kVertices, -1);
  std::vector<Part> part_of(kVertices, Part::kFace);
  HeadModel head;
  head.name = "ict";
  for (const VertexRange& range : kRanges) {
    for (int v = range.first; v <= range.last; ++v) {
      place[static_cast<size_t>(v)] = static_cast<int>(head.mesh.vertices.size());
      part_of[static_cast<size_t>(v)] = range.part;
      head.mesh.vertices.push_back(file.vertices[static_cast<size_t>(v)]);
    }
  }
  for (const ObjTriangle& t : file.triangles) {
    cv::Vec3i moved;
    for (int k = 0; k < 3; ++k) moved[k] = place[static_cast<size_t>(t.vertex[static_cast<size_t>(k)])];
    if (moved[0] < 0 || moved[1] < 0 || moved[2] < 0) continue;
    head.mesh.triangles.push_back(moved);
    head.parts.push_back(part_of[static_cast<size_t>(t.vertex[0])]);
  }
  head.atlas.assign(head.parts.size(), {cv::Vec2f(-1, -1), cv::Vec2f(-1, -1), cv::Vec2f(-1, -1)});

  std::vector<std::string> names;
  std::ifstream list(fs::path(folder) / "expression_names.txt");
  for (std::string line; std::getline(list, line);) {
    if (!line.empty()) names.push_back(line);
  }
  COCO_ASSIGN(const auto identities,
              read_offsets((fs::path(folder) / "identity_offsets.f16.gz").string(), kIdentities));
  COCO_ASSIGN(const auto expressions,
              read_offsets((fs::path(folder) / "expression_offsets.f16.gz").string(), kExpressions));
  if (names.size() != kExpressions) return wrong(folder + "/expression_names.txt", "not 57 names").error();
  head.identity = to_morphs(identities, kIdentities, {}, place, part_of, true);
  head.expression = to_morphs(expressions, kExpressions, names, place, part_of, false);
  COCO_ASSIGN(const auto landmarks, read_landmarks((fs::path(folder) / "vertex_indices.json").string()));
  for (size_t i = 0; i < landmarks.size(); ++i) {
    const int v = place[static_cast<size_t>(landmarks[i])];
    head.landmarks[i] = {{v, v, v}, {1, 0, 0}};
  }
  centre_on_eyes(head);
  head.lips = lips_of(head);
  sort_triangles(head);
  measure_openness(head);
  return head;
}

}  // namespace coco::synth
