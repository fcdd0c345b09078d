// Purpose: Wavefront OBJ files as indexed triangles.
#pragma once

#include <array>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::synth {

struct ObjTriangle {
  std::array<int, 3> vertex;
  std::array<int, 3> texture;  ///< Into `texture`; -1: none.
  int group;                   ///< Into `groups`.
};

struct ObjFile {
  std::vector<cv::Vec3f> vertices;
  std::vector<cv::Vec2f> texture;  ///< As in the file: v upwards.
  std::vector<std::string> groups;
  std::vector<ObjTriangle> triangles;
};

/// Reads a file (tinyobjloader); polygons become triangles. kNotFound, kInvalidData.
Result<ObjFile> read_obj(const std::string& path);

}  // namespace coco::synth
