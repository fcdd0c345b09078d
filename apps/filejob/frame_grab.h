// Purpose: single pictures of a video, plain and upscaled, as RGB.
// Ownership: results own their samples.
// Threads: calls are independent.
// Failure: a frame past the end is named with the number of frames there are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coco/model.h"
#include "coco/session.h"
#include "coco/status.h"

namespace coco::filejob {

/// Interleaved 8-bit RGB, row-major without padding.
struct RgbImage {
  int width = 0, height = 0;
  std::vector<uint8_t> data;
};

/// One way to upscale.
struct Method {
  std::shared_ptr<const Model> model;  ///< null: `filter`
  ResampleFilter filter = ResampleFilter::kBicubic;
};

/// Frame `index` (from 0) of a video, upscaled to out_width x out_height by each method, in order. A size of 0 is twice
/// the frame's own.
Result<std::vector<RgbImage>> grab_upscaled(const std::string& path, int64_t index, int out_width, int out_height,
                                            const std::vector<Method>& methods, const SessionOptions& session);

}  // namespace coco::filejob
