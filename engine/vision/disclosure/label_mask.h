// Purpose: the label's letters, drawn from strokes, so that they are the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace coco::vision {

/// How much of each pixel the label covers, 0..255.
struct LabelMask {
  int width = 0, height = 0;
  std::vector<uint8_t> plate, letters;
};

/// Two lines whose capitals are `cap` pixels high, on a plate with rounded corners.
LabelMask draw_label(int cap);

}  // namespace coco::vision
