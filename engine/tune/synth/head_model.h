// Purpose: a head that can be anybody: a mesh with its parts, the directions in which identities and expressions move
// it, the 68 landmarks, and where its skin lies in the skins' atlas. Immutable once loaded.
//
// Head space: centimetres; the origin lies between the eyes, x towards the head's left (a viewer's right), y up, z out
// of the face.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::synth {

/// What a triangle belongs to.
enum class Part : uint8_t {
  kFace,   ///< Skin in front of the ears, lids and lips included.
  kHead,   ///< The rest of the skin: scalp, ears, neck.
  kMouth,  ///< The mouth's inner wall, gums and tongue.
  kTeeth,
  kEyeLeft,  ///< The head's own left.
  kEyeRight,
  kBody,      ///< Clothes.
  kHair,      ///< Hair that is a mesh of its own.
  kOccluder,  ///< What stands before a face: hands, glasses, scarfs, microphones.
};

/// A direction in which vertices move: offsets of the vertices it touches.
struct Morph {
  std::string name;
  std::vector<int> vertex;
  std::vector<cv::Vec3f> offset;  ///< Centimetres at weight one.
};

/// Adds `weight` times the morph.
void apply(const Morph& morph, float weight, std::span<cv::Vec3f> vertices);

/// A place on a mesh: a weighted mean of three vertices.
struct SurfacePoint {
  cv::Vec3i vertex;
  cv::Vec3f weight;
};
cv::Vec3f at(const SurfacePoint& point, std::span<const cv::Vec3f> vertices);

/// Indexed triangles.
struct Mesh {
  std::vector<cv::Vec3f> vertices;
  std::vector<cv::Vec3i> triangles;
};

/// Three corners in the skins' atlas, (0, 0) its upper left, (1, 1) its lower right; negative: no skin there.
using AtlasTriangle = std::array<cv::Vec2f, 3>;

struct EyeBall {
  cv::Vec3f centre;
  float radius = 1.2f;
  std::vector<int> vertices;
};

struct HeadModel {
  std::string name;
  Mesh mesh;                         ///< The average face at rest.
  std::vector<Part> parts;           ///< One a triangle.
  std::vector<AtlasTriangle> atlas;  ///< One a triangle.
  std::vector<float> openness;       ///< One a vertex, 0..1: the share of the surroundings it sees.
  std::vector<float> lips;           ///< One a vertex, 0..1.
  std::vector<Morph> identity, expression;
  std::array<SurfacePoint, 68> landmarks{};  ///< In the order of iBUG's 68.
  EyeBall left, right;
  bool has_shoulders = false;
  /// Triangles in this order: skin, eye balls, what is in the mouth; so many are skin, and so many are one of the first
  /// two.
  size_t skin = 0, outer = 0;
};

/// The 68 landmarks' groups, first and one past the last.
struct LandmarkRange {
  int first, last;
};
inline constexpr LandmarkRange kJaw{0, 17}, kRightBrow{17, 22}, kLeftBrow{22, 27}, kNose{27, 36}, kRightEye{36, 42},
    kLeftEye{42, 48}, kOuterLip{48, 60}, kInnerLip{60, 68};

/// Reads the ICT head (`generic_neutral_mesh.obj` and its offsets) of `folder`. Its skin has no place in the atlas
/// until transfer_atlas gave it one. kNotFound, kInvalidData: the message names the file.
Result<HeadModel> load_ict_head(const std::string& folder);

/// Reads the head of the MakeHuman body (`base.obj` and its targets) of `folder`: its identities are twelve macro
/// targets (`african-female-old` ...), to be mixed with weights that sum to one, and then details. It has no landmarks
/// until transfer_landmarks gave it some. kNotFound, kInvalidData.
Result<HeadModel> load_makehuman_head(const std::string& folder);
inline constexpr int kMacros = 12;

/// Fills `openness`: what each vertex sees of its surroundings, from renderings of the depth in many directions.
void measure_openness(HeadModel& head);

/// Brings the triangles into their order.
void sort_triangles(HeadModel& head);

/// Finds the eye balls among the parts and moves the head so that the origin lies between them.
void centre_on_eyes(HeadModel& head);

/// A turn that brings the unit vector `direction` to +z.
cv::Matx33f look_along(const cv::Vec3f& direction);

/// Unit vectors, one a vertex: the triangles' normals weighted by area.
std::vector<cv::Vec3f> vertex_normals(std::span<const cv::Vec3f> vertices, std::span<const cv::Vec3i> triangles);

}  // namespace coco::synth
