// Purpose: a low-resolution picture as users have it: a little blurred, with noise, out of a compressed stream. What
// the trainer learns from and what `cocopipe eval sr --crf` measures on. Ownership: planes are values. Threads: calls
// are independent; each works on the calling thread alone. Failure: what code_h264 says.
#pragma once

#include <cstdint>

#include "coco/status.h"
#include "quality/quality.h"

namespace coco::filejob {

/// Frames of the clip that a picture is coded in: I B B P.
inline constexpr int kClipFrames = 4;

struct Degradation {
  double blur = 0;   ///< standard deviation of a Gaussian, in pixels
  double noise = 0;  ///< standard deviation of Gaussian noise, in steps of 8 bits
  double crf = -1;   ///< of libx264; below 0: not coded
  int place = 3;     ///< which frame of the clip the picture is, 0 to 3
};

/// Blur, noise, rounding, and a round trip through H.264 inside a clip that pans over the picture: the other frames are
/// the picture moved by a few pixels, up to 3 a frame, at fractions of a pixel, with noise of their own. Size and
/// position of the picture stay. `seed` draws noise and motion; the same arguments give the same picture.
Result<quality::Plane8> degrade(const quality::Plane8& picture, const Degradation& how, uint64_t seed);

}  // namespace coco::filejob
