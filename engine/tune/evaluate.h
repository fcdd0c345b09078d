// Purpose: PSNR and SSIM of a network on folders of images, by the measuring protocol.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "coco/model.h"
#include "coco/status.h"
#include "tune/dataset.h"

namespace coco::tune {

struct Figures {
  double psnr_y = 0, ssim_y = 0;
  int images = 0;
};

/// What the engine makes of one luma plane.
Result<quality::Plane8> upscale(const std::shared_ptr<const Model>& model, const quality::Plane8& low, int width,
                                int height, int threads = 1);

/// Means over the images of the engine's output, `scale` pixels left out at every side.
Result<Figures> evaluate(const std::shared_ptr<const Model>& model, const std::vector<ImagePair>& images,
                         int threads = 1);

/// A serialised ONNX model, compiled to f32.
Result<std::shared_ptr<const Model>> compile_model(const std::string& onnx);

/// The scale of a model, and what its input's sides must be multiples of.
PairOptions pairs_for(const Model& model);

/// The folders of DIR/benchmarks, or of DIR when it holds no such folder, or DIR itself, with their images.
struct NamedSet {
  std::string name;
  std::vector<ImagePair> images;
};
Result<std::vector<NamedSet>> load_benchmarks(const std::string& folder, const PairOptions& options);

}  // namespace coco::tune
