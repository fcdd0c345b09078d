// Purpose: pictures as an H.264 stream delivers them: coded by libx264, decoded again, in memory.
// Ownership: planes are values.
// Threads: calls are independent; each works on the calling thread alone.
// Failure: an FFmpeg without libx264 is named.
#pragma once

#include <vector>

#include "coco/status.h"
#include "quality/quality.h"

namespace coco::filejob {

/// Frames of one size as the luma of 4:2:0 with grey chroma, coded at constant quality `crf` (0 to 51): one I frame,
/// then B B P in turns, the last one a P frame. The same input gives the same output.
Result<std::vector<quality::Plane8>> code_h264(const std::vector<quality::Plane8>& frames, double crf);

}  // namespace coco::filejob
