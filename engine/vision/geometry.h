// Purpose: planes of a frame and their checks, and how often a network has to be applied.
#pragma once

#include <string_view>

#include "coco/buffer.h"
#include "coco/model.h"
#include "coco/status.h"

namespace coco::vision {

/// Largest width or height of a frame.
inline constexpr int kMaxFrameSize = 16384;
/// A network is applied at most this often, and never to more than this many columns or rows of result.
inline constexpr int kMaxRepeats = 4;
inline constexpr int kMaxNetworkSize = 2 * kMaxFrameSize;

/// Bytes of samples in a row of plane `plane`, and its rows.
struct PlaneSize {
  int row_bytes = 0;
  int rows = 0;
};
PlaneSize plane_size(PixelFormat format, int plane, int width, int height);

/// The frame has this format and size, and planes that can hold it. `what` ("input", "output") starts the message.
Status check_frame(std::string_view what, const FrameView& frame, PixelFormat format, int width, int height);

/// Output size over input size of a network with one 1-channel input and output; 2..16, the same in both axes. The
/// figure is the network's own, not the card's.
Result<int> network_scale(const Model& model);

/// Smallest r with scale^r at least the ratio in both axes, 0 when neither axis grows; less where the bounds above are
/// met first, and the rest is resampled.
int network_repeats(int scale, int in_width, int in_height, int out_width, int out_height);

}  // namespace coco::vision
