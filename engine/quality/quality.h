// Purpose: the measuring protocol of the super-resolution literature, shared by the trainer, `cocopipe eval` and tests:
// luma of BT.601 studio range, MATLAB-style antialiased bicubic, PSNR and SSIM on the cropped luma plane.
#pragma once

#include <cstdint>
#include <vector>

#include "coco/status.h"

namespace coco::quality {

/// A plane of 8-bit samples, row-major without padding.
struct Plane8 {
  int width = 0, height = 0;
  std::vector<uint8_t> data;
};

/// Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255, rounded. `rgb` is interleaved, width * height * 3. Grey images are
/// not to be passed through this: their values are Y.
Plane8 luma_from_rgb(const uint8_t* rgb, int width, int height);

/// The top-left part whose sides are multiples of `multiple`.
Plane8 crop_to_multiple(const Plane8& plane, int multiple);

/// MATLAB imresize(..., 'bicubic'): a = -0.5, the kernel widened when shrinking (antialiasing), edges clamped, result
/// rounded half up and clamped to 0..255. Any size >= 1.
Plane8 resize_bicubic(const Plane8& plane, int out_width, int out_height);

/// Peak 255, `border` pixels left out on every side. Identical planes give +infinity. Sizes must match and exceed
/// 2 * border.
Result<double> psnr(const Plane8& a, const Plane8& b, int border);

/// Mean SSIM (Wang et al. 2004): 11x11 Gaussian window, sigma 1.5, K1 0.01, K2 0.03, L 255, valid windows only, after
/// leaving out `border` pixels.
Result<double> ssim(const Plane8& a, const Plane8& b, int border);

}  // namespace coco::quality
