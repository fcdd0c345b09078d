// Purpose: PSNR and SSIM of a trained network on folders of images, by the measuring protocol.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "tune/architecture.h"
#include "tune/dataset.h"

namespace coco::tune {

struct Figures {
  double psnr_y = 0, ssim_y = 0;
  int images = 0;
};

/// The network on a whole plane, rounded to 8 bits.
quality::Plane8 upscale(const PlainNet& net, const quality::Plane8& lr);

/// Means over the images, `scale` pixels left out at every side.
Result<Figures> evaluate(const PlainNet& net, const std::vector<ImagePair>& images);

/// The folders of DIR/benchmarks, or of DIR when it holds no such folder, or DIR itself, with their images.
struct NamedSet {
  std::string name;
  std::vector<ImagePair> images;
};
Result<std::vector<NamedSet>> load_benchmarks(const std::string& folder, int scale);

}  // namespace coco::tune
