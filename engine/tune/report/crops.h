// Purpose: parts of pictures side by side: bicubic, models, original.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coco/model.h"
#include "coco/status.h"

namespace coco::tune {

struct NamedModel {
  std::string name;
  std::shared_ptr<const Model> model;
};

struct CropOptions {
  int side = 120;    ///< of the part, in pixels of the original
  int enlarged = 2;  ///< pixels of the PNG per pixel
};

/// The part of the picture with most detail, in colour: shrunk as the measuring protocol does, enlarged by bicubic and
/// by each model (luma; chroma by bicubic), and as it was. PNG, each part with its name and its own PSNR-Y below.
Result<std::vector<uint8_t>> compare_crops(const std::string& picture, const std::vector<NamedModel>& models,
                                           const CropOptions& options);

}  // namespace coco::tune
