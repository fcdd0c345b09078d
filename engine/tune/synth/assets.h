// Purpose: what people are made from: head models, skins, eyebrows, and pictures to stand before. Immutable, shared by
// threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tune/synth/head_model.h"

namespace coco::synth {

/// The groups by which figures are told apart.
enum class Tone : uint8_t { kLight, kDark };
enum class Age : uint8_t { kYoung, kMiddle, kOld };
enum class Sex : uint8_t { kFemale, kMale };

struct SkinPicture {
  std::string name;
  cv::Mat atlas;  ///< CV_8UC3, BGR, sRGB, square.
  Tone tone = Tone::kLight;
  Age age = Age::kYoung;
  Sex sex = Sex::kFemale;
};

struct Assets {
  HeadModel ict, makehuman;
  std::vector<SkinPicture> skins;
  std::vector<cv::Mat> brows;        ///< CV_8U masks in the atlas.
  std::vector<cv::Mat> backgrounds;  ///< CV_8UC3, at most 512 pixels a side; may be empty.

  const HeadModel& head(int index) const { return index == 0 ? ict : makehuman; }
};
inline constexpr int kHeads = 2;

struct AssetPaths {
  std::string faces;        ///< Holds `ict-facekit` and `makehuman`.
  std::string backgrounds;  ///< A folder of pictures; empty: backgrounds are procedural.
  int background_limit = 96;
};

/// Reads everything and matches the heads with each other; some seconds. kNotFound, kInvalidData: names the file.
Result<std::shared_ptr<const Assets>> load_assets(const AssetPaths& paths);

}  // namespace coco::synth
