#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tune/synth/head_model.h"
#include "tune/synth/obj_file.h"

namespace coco::synth {
namespace {

namespace fs = std::filesystem;

constexpr float kCmPerUnit = 10;

const char* const kMacroNames[kMacros] = {"african-female-old",     "african-female-young", "african-male-old",
                                          "african-male-young",     "asian-female-old",     "asian-female-young",
                                          "asian-male-old",         "asian-male-young",     "caucasian-female-old",
                                          "caucasian-female-young", "caucasian-male-old",   "caucasian-male-young"};
const char* const kDetailFolders[] = {"asym", "cheek",    "chin", "ears",  "eyebrows",
                                      "eyes", "forehead", "head", "mouth", "nose"};

/// What an expression of the common names is among the body's targets. `side`: -1 the right half of it, 1 the left
/// half, 0 all.
struct ExpressionSource {
  const char* name;
  const char* target;
  int side;
};
constexpr ExpressionSource kExpressionSources[] = {{"eyeBlink_L", "eye-left-closure", 0},
                                                   {"eyeBlink_R", "eye-right-closure", 0},
                                                   {"eyeWide_L", "eye-left-opened-up", 0},
                                                   {"eyeWide_R", "eye-right-opened-up", 0},
                                                   {"eyeSquint_L", "eye-left-slit", 0},
                                                   {"eyeSquint_R", "eye-right-slit", 0},
                                                   {"browDown_L", "eyebrows-left-down", 0},
                                                   {"browDown_R", "eyebrows-right-down", 0},
                                                   {"browInnerUp_L", "eyebrows-left-inner-up", 0},
                                                   {"browInnerUp_R", "eyebrows-right-inner-up", 0},
                                                   {"browOuterUp_L", "eyebrows-left-extern-up", 0},
                                                   {"browOuterUp_R", "eyebrows-right-extern-up", 0},
                                                   {"jawOpen", "mouth-open", 0},
                                                   {"mouthPucker", "mouth-pursing", 0},
                                                   {"mouthFunnel", "mouth-eversion", 0},
                                                   {"mouthSmile_L", "mouth-corner-puller", 1},
                                                   {"mouthSmile_R", "mouth-corner-puller", -1},
                                                   {"mouthFrown_L", "mouth-depression", 1},
                                                   {"mouthFrown_R", "mouth-depression", -1},
                                                   {"mouthUpperUp_L", "mouth-upward-retraction", 1},
                                                   {"mouthUpperUp_R", "mouth-upward-retraction", -1},
                                                   {"mouthStretch_L", "mouth-retraction", 1},
                                                   {"mouthStretch_R", "mouth-retraction", -1},
                                                   {"mouthPress_L", "mouth-compression", 1},
                                                   {"mouthPress_R", "mouth-compression", -1},
                                                   {"noseSneer_L", "nose-left-elevation", 0},
                                                   {"noseSneer_R", "nose-right-elevation", 0}};

/// A target file: lines "vertex x y z", comments begin with '#'. Vertices that are not drawn are left out.
Result<Morph> read_target(const fs::path& path, const std::vector<int>& place) {
  std::ifstream stream(path);
  if (!stream) return make_error(ErrorCode::kNotFound, path.string() + " cannot be opened");
  Morph morph;
  morph.name = path.stem().string();
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#' || line[0] == '"') continue;
    std::istringstream words(line);
    int vertex = 0;
    cv::Vec3f offset;
    if (!(words >> vertex)) continue;  // An empty line with blanks or a carriage return.
    if (!(words >> offset[0] >> offset[1] >> offset[2]) || vertex < 0 || static_cast<size_t>(vertex) >= place.size()) {
      return make_error(ErrorCode::kInvalidData, path.string() + ": '" + line + "' is no vertex with an offset");
    }
    if (place[static_cast<size_t>(vertex)] < 0) continue;
    morph.vertex.push_back(place[static_cast<size_t>(vertex)]);
    morph.offset.push_back(offset * kCmPerUnit);
  }
  return morph;
}

/// One half of a morph; the halves sum to the whole.
Morph half_of(const Morph& morph, const std::string& name, int side, const std::vector<cv::Vec3f>& vertices) {
  constexpr float kBlend = 1.0f;  // Centimetres on either side of the middle.
  Morph half{name, {}, {}};
  for (size_t i = 0; i < morph.vertex.size(); ++i) {
    const float x = vertices[static_cast<size_t>(morph.vertex[i])][0];
    const float left = std::clamp(0.5f + 0.5f * x / kBlend, 0.0f, 1.0f), share = side > 0 ? left : 1 - left;
    if (share <= 0) continue;
    half.vertex.push_back(morph.vertex[i]);
    half.offset.push_back(morph.offset[i] * share);
  }
  return half;
}

/// The mean y of a group's vertices, in the file's units.
float height_of(const ObjFile& file, const std::string& group) {
  float sum = 0, count = 0;
  for (const ObjTriangle& t : file.triangles) {
    if (file.groups[static_cast<size_t>(t.group)] != group) continue;
    for (const int v : t.vertex) sum += file.vertices[static_cast<size_t>(v)][1];
    count += 3;
  }
  return count > 0 ? sum / count : 0;
}

/// Which part a group of the file is; nothing for helpers that are not drawn.
bool part_of_group(const std::string& group, Part& part) {
  if (group == "body")
    part = Part::kHead;
  else if (group == "helper-l-eye")
    part = Part::kEyeLeft;
  else if (group == "helper-r-eye")
    part = Part::kEyeRight;
  else if (group == "helper-upper-teeth" || group == "helper-lower-teeth")
    part = Part::kTeeth;
  else if (group == "helper-tongue")
    part = Part::kMouth;
  else
    return false;
  return true;
}

/// Mean of the first vertices that belong to the skin of the mouth's inside, by their place in the atlas.
bool is_inner_mouth(const AtlasTriangle& t) {
  return t[0][0] < 0.2f || (t[0][1] > 0.855f && t[0][0] > 0.72f && t[0][0] < 0.93f);
}

}  // namespace

Result<HeadModel> load_makehuman_head(const std::string& folder) {
  const std::string obj = (fs::path(folder) / "base.obj").string();
  COCO_ASSIGN(const ObjFile file, read_obj(obj));
  const float neck = height_of(file, "joint-neck");
  if (neck == 0) return make_error(ErrorCode::kInvalidData, obj + " has no group joint-neck");
  HeadModel head;
  head.name = "makehuman";
  std::vector<int> place(file.vertices.size(), -1);
  for (const ObjTriangle& t : file.triangles) {
    Part part = Part::kHead;
    if (!part_of_group(file.groups[static_cast<size_t>(t.group)], part)) continue;
    bool near = true;
    AtlasTriangle atlas;
    for (size_t k = 0; k < 3; ++k) {
      const cv::Vec3f& v = file.vertices[static_cast<size_t>(t.vertex[k])];
      near = near && v[1] > neck - 2.2f && std::abs(v[0]) < 2.2f;
      const cv::Vec2f uv = t.texture[k] < 0 ? cv::Vec2f(-1, -1) : file.texture[static_cast<size_t>(t.texture[k])];
      atlas[k] = uv[0] < 0 ? uv : cv::Vec2f(uv[0], 1 - uv[1]);
    }
    if (!near) continue;
    if (part == Part::kHead && is_inner_mouth(atlas)) part = Part::kMouth;
    cv::Vec3i triangle;
    for (int k = 0; k < 3; ++k) {
      int& p = place[static_cast<size_t>(t.vertex[static_cast<size_t>(k)])];
      if (p < 0) {
        p = static_cast<int>(head.mesh.vertices.size());
        head.mesh.vertices.push_back(file.vertices[static_cast<size_t>(t.vertex[static_cast<size_t>(k)])] * kCmPerUnit);
      }
      triangle[k] = p;
    }
    head.mesh.triangles.push_back(triangle);
    head.parts.push_back(part);
    head.atlas.push_back(atlas);
  }

  // At rest: the mean of the young macro targets; the identities move away from it.
  Morph mean{"mean", {}, {}};
  std::vector<cv::Vec3f> sum(head.mesh.vertices.size(), cv::Vec3f(0, 0, 0));
  for (const char* name : kMacroNames) {
    COCO_ASSIGN(Morph morph,
                read_target(fs::path(folder) / "targets/macrodetails" / (std::string(name) + ".target"), place));
    apply(morph, 1.0f / kMacros, sum);
    head.identity.push_back(std::move(morph));
  }
  for (size_t v = 0; v < sum.size(); ++v) head.mesh.vertices[v] += sum[v];
  for (Morph& morph : head.identity) {
    std::vector<cv::Vec3f> dense(sum.size(), cv::Vec3f(0, 0, 0));
    apply(morph, 1, dense);
    morph.vertex.resize(dense.size());
    morph.offset.resize(dense.size());
    for (size_t v = 0; v < dense.size(); ++v) {
      morph.vertex[v] = static_cast<int>(v);
      morph.offset[v] = dense[v] - sum[v];
    }
  }
  for (const char* detail : kDetailFolders) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(fs::path(folder) / "targets" / detail, error)) {
      const bool torso = entry.path().stem().string().starts_with("asymm-");
      if (entry.path().extension() == ".target" && !torso) files.push_back(entry.path());
    }
    if (error) return make_error(ErrorCode::kNotFound, folder + "/targets/" + detail + ": " + error.message());
    std::sort(files.begin(), files.end());
    for (const fs::path& path : files) {
      COCO_ASSIGN(Morph morph, read_target(path, place));
      morph.name = std::string(detail) + "/" + morph.name;
      head.identity.push_back(std::move(morph));
    }
  }
  centre_on_eyes(head);
  for (const ExpressionSource& source : kExpressionSources) {
    const fs::path path =
        fs::path(folder) / "targets/expression/units/caucasian" / (std::string(source.target) + ".target");
    COCO_ASSIGN(Morph morph, read_target(path, place));
    if (source.side != 0) morph = half_of(morph, source.name, source.side, head.mesh.vertices);
    morph.name = source.name;
    head.expression.push_back(std::move(morph));
  }
  head.has_shoulders = true;
  // The face in front of the ears.
  for (size_t t = 0; t < head.parts.size(); ++t) {
    if (head.parts[t] != Part::kHead) continue;
    cv::Vec3f middle(0, 0, 0);
    for (int k = 0; k < 3; ++k) middle += head.mesh.vertices[static_cast<size_t>(head.mesh.triangles[t][k])] / 3.0f;
    if (middle[2] > -5.5f && middle[1] > -13.5f && middle[1] < 7.5f) head.parts[t] = Part::kFace;
  }
  sort_triangles(head);
  measure_openness(head);
  return head;
}

}  // namespace coco::synth
