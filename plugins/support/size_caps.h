// Purpose: caps of an element whose output may have another size than its input.
#pragma once

#include <gst/gst.h>

namespace coco::plugins {

/// `caps` (system memory only) with any size up to `max_size` and any pixel aspect ratio; every other field stays.
/// The caller owns the result.
GstCaps* any_size_caps(const GstCaps* caps, int max_size);

/// Chooses the size in `open`: as near to `scale` times that of `known` as `open` allows, with the display aspect ratio
/// kept, by the size first, by pixel-aspect-ratio where the size is given. `known` is fixed; takes `open`, returns it
/// fixed. `*distorted` tells that the aspect ratio could not be kept.
GstCaps* fixate_size(const GstCaps* known, GstCaps* open, double scale, bool* distorted);

}  // namespace coco::plugins
