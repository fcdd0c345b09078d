#include "tune/synth/assets.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "tune/synth/obj_file.h"
#include "tune/synth/raster.h"
#include "tune/synth/registration.h"

namespace coco::synth {
namespace {

namespace fs = std::filesystem;
constexpr int kAtlasSize = 1024;

Result<std::vector<fs::path>> files_of(const fs::path& folder, const std::vector<std::string>& extensions) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (std::find(extensions.begin(), extensions.end(), extension) != extensions.end()) files.push_back(entry.path());
  }
  if (error) return make_error(ErrorCode::kNotFound, folder.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

/// The groups are in the file's name: `old_darkskinned_male_diffuse.jpg`.
Result<SkinPicture> read_skin(const fs::path& path) {
  SkinPicture skin;
  skin.name = path.stem().string();
  const cv::Mat picture = cv::imread(path.string(), cv::IMREAD_COLOR);
  if (picture.empty()) return make_error(ErrorCode::kInvalidData, path.string() + " is no picture");
  cv::resize(picture, skin.atlas, {kAtlasSize, kAtlasSize}, 0, 0, cv::INTER_AREA);
  skin.tone = skin.name.find("dark") != std::string::npos ? Tone::kDark : Tone::kLight;
  skin.age = skin.name.starts_with("old") ? Age::kOld : skin.name.starts_with("middle") ? Age::kMiddle : Age::kYoung;
  skin.sex = skin.name.find("female") != std::string::npos ? Sex::kFemale : Sex::kMale;
  return skin;
}

/// Where the body's vertices lie in the atlas.
std::vector<cv::Vec2f> atlas_of_vertices(const ObjFile& body) {
  std::vector<cv::Vec2f> place(body.vertices.size(), cv::Vec2f(-1, -1));
  for (const ObjTriangle& t : body.triangles) {
    for (size_t k = 0; k < 3; ++k) {
      if (t.texture[k] < 0) continue;
      const cv::Vec2f& uv = body.texture[static_cast<size_t>(t.texture[k])];
      place[static_cast<size_t>(t.vertex[k])] = {uv[0], 1 - uv[1]};
    }
  }
  return place;
}

/// An eyebrow's mesh carries its picture over the skin; `.mhclo` says where on the body each of its vertices lies:
/// lines of three vertices and their weights. The result is the picture's opacity in the atlas.
Result<cv::Mat> bake_brow(const fs::path& mhclo, const std::vector<cv::Vec2f>& place) {
  fs::path obj = mhclo, png = mhclo;
  COCO_ASSIGN(const ObjFile mesh, read_obj(obj.replace_extension(".obj").string()));
  const cv::Mat picture = cv::imread(png.replace_extension(".png").string(), cv::IMREAD_UNCHANGED);
  if (picture.empty() || picture.channels() != 4) {
    return make_error(ErrorCode::kInvalidData, png.string() + " is no picture with opacity");
  }
  std::ifstream stream(mhclo);
  std::vector<ScreenVertex> screen;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    int vertex[3];
    float weight[3];
    if (!(words >> vertex[0] >> vertex[1] >> vertex[2] >> weight[0] >> weight[1] >> weight[2])) continue;
    cv::Vec2f uv(0, 0);
    for (int k = 0; k < 3; ++k) {
      if (vertex[k] < 0 || static_cast<size_t>(vertex[k]) >= place.size()) {
        return make_error(ErrorCode::kInvalidData, mhclo.string() + ": '" + line + "' names no vertex of the body");
      }
      uv += place[static_cast<size_t>(vertex[k])] * weight[k];
    }
    screen.push_back({uv[0] * kAtlasSize, uv[1] * kAtlasSize, 1});
  }
  if (screen.size() != mesh.vertices.size()) {
    return make_error(ErrorCode::kInvalidData, mhclo.string() + " does not place all vertices of its mesh");
  }
  std::vector<cv::Vec3i> triangles;
  for (const ObjTriangle& t : mesh.triangles) triangles.emplace_back(t.vertex[0], t.vertex[1], t.vertex[2]);
  VisibleImage visible(kAtlasSize, kAtlasSize);
  visible.draw(screen, triangles, 0, true);
  cv::Mat mask(kAtlasSize, kAtlasSize, CV_8U, cv::Scalar(0));
  for (int y = 0; y < kAtlasSize; ++y) {
    for (int x = 0; x < kAtlasSize; ++x) {
      const Seen& seen = visible.row(y)[x];
      if (seen.triangle == Seen::kNothing) continue;
      const auto& t = mesh.triangles[seen.triangle].texture;
      if (t[0] < 0 || t[1] < 0 || t[2] < 0) continue;
      const cv::Vec2f uv = mesh.texture[static_cast<size_t>(t[0])] * (1 - seen.second - seen.third) +
                           mesh.texture[static_cast<size_t>(t[1])] * seen.second +
                           mesh.texture[static_cast<size_t>(t[2])] * seen.third;
      // An area of the picture for a pixel of the atlas.
      const int px = static_cast<int>(uv[0] * static_cast<float>(picture.cols));
      const int py = static_cast<int>((1 - uv[1]) * static_cast<float>(picture.rows));
      const cv::Rect area = cv::Rect(px - 2, py - 2, 5, 5) & cv::Rect(0, 0, picture.cols, picture.rows);
      if (area.empty()) continue;
      mask.at<uint8_t>(y, x) = cv::saturate_cast<uint8_t>(cv::mean(picture(area))[3]);
    }
  }
  return mask;
}

Result<std::vector<cv::Mat>> read_backgrounds(const AssetPaths& paths) {
  std::vector<cv::Mat> pictures;
  if (paths.backgrounds.empty()) return pictures;
  COCO_ASSIGN(const auto files, files_of(paths.backgrounds, {".jpg", ".jpeg", ".png", ".webp"}));
  const size_t step = std::max<size_t>(1, files.size() / static_cast<size_t>(std::max(1, paths.background_limit)));
  for (size_t i = 0; i < files.size() && pictures.size() < static_cast<size_t>(paths.background_limit); i += step) {
    cv::Mat picture = cv::imread(files[i].string(), cv::IMREAD_REDUCED_COLOR_2);
    if (picture.empty()) continue;
    const double scale = 512.0 / std::max(picture.cols, picture.rows);
    if (scale < 1) cv::resize(picture, picture, {}, scale, scale, cv::INTER_AREA);
    pictures.push_back(picture);
  }
  return pictures;
}

}  // namespace

Result<std::shared_ptr<const Assets>> load_assets(const AssetPaths& paths) {
  auto assets = std::make_shared<Assets>();
  const fs::path faces = paths.faces;
  COCO_ASSIGN(assets->ict, load_ict_head((faces / "ict-facekit").string()));
  COCO_ASSIGN(assets->makehuman, load_makehuman_head((faces / "makehuman").string()));
  const auto matches = match_heads(assets->ict, assets->makehuman);
  transfer_atlas(matches, assets->makehuman, assets->ict);
  COCO_ASSIGN(const auto skins, files_of(faces / "makehuman/skins", {".jpg", ".png"}));
  for (const fs::path& path : skins) {
    COCO_ASSIGN(assets->skins.emplace_back(), read_skin(path));
  }
  COCO_ASSIGN(const ObjFile body, read_obj((faces / "makehuman/base.obj").string()));
  const auto place = atlas_of_vertices(body);
  COCO_ASSIGN(const auto brows, files_of(faces / "makehuman/eyebrows", {".mhclo"}));
  for (const fs::path& path : brows) {
    COCO_ASSIGN(assets->brows.emplace_back(), bake_brow(path, place));
  }
  settle_brows(assets->brows, assets->ict);
  transfer_landmarks(matches, assets->ict, assets->makehuman);
  COCO_ASSIGN(assets->backgrounds, read_backgrounds(paths));
  if (assets->skins.empty() || assets->brows.empty()) {
    return make_error(ErrorCode::kNotFound, paths.faces + "/makehuman holds no skins or no eyebrows");
  }
  return std::shared_ptr<const Assets>(assets);
}

}  // namespace coco::synth
