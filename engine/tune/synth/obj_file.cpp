#include "tune/synth/obj_file.h"

#include <tiny_obj_loader.h>

#include <filesystem>
#include <fstream>

namespace coco::synth {

Result<ObjFile> read_obj(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) return make_error(ErrorCode::kNotFound, path + " cannot be opened");
  tinyobj::attrib_t attributes;
  std::vector<tinyobj::shape_t> shapes;
  std::vector<tinyobj::material_t> materials;
  std::string warning, error;
  if (!tinyobj::LoadObj(&attributes, &shapes, &materials, &warning, &error, &stream)) {
    return make_error(ErrorCode::kInvalidData, path + " is no OBJ file: " + error);
  }
  ObjFile file;
  for (size_t i = 0; i + 2 < attributes.vertices.size(); i += 3) {
    file.vertices.emplace_back(attributes.vertices[i], attributes.vertices[i + 1], attributes.vertices[i + 2]);
  }
  for (size_t i = 0; i + 1 < attributes.texcoords.size(); i += 2) {
    file.texture.emplace_back(attributes.texcoords[i], attributes.texcoords[i + 1]);
  }
  for (const tinyobj::shape_t& shape : shapes) {
    const int group = static_cast<int>(file.groups.size());
    file.groups.push_back(shape.name);
    for (size_t i = 0; i + 2 < shape.mesh.indices.size(); i += 3) {
      ObjTriangle triangle{{}, {}, group};
      for (size_t k = 0; k < 3; ++k) {
        const tinyobj::index_t& index = shape.mesh.indices[i + k];
        const bool fits = index.vertex_index >= 0 && static_cast<size_t>(index.vertex_index) < file.vertices.size() &&
                          index.texcoord_index < static_cast<int>(file.texture.size());
        if (!fits) return make_error(ErrorCode::kInvalidData, path + ": a face names a vertex that is not there");
        triangle.vertex[k] = index.vertex_index;
        triangle.texture[k] = index.texcoord_index;
      }
      file.triangles.push_back(triangle);
    }
  }
  if (file.triangles.empty()) return make_error(ErrorCode::kInvalidData, path + " has no faces");
  return file;
}

}  // namespace coco::synth
