// Purpose: the scenery of the demo clip, painted once at twice the clip's resolution.
// Ownership: owns its planes.
// Threads: built by one; read by any.
// Failure: never fails.
#pragma once

#include <cstdint>
#include <vector>

namespace coco::demo {

struct Colour {
  float r = 0, g = 0, b = 0;  ///< 0..1, BT.709 transfer
};

/// Three full-size planes, BT.709 studio range.
struct Scenery {
  int width = 0, height = 0;
  std::vector<uint8_t> y, u, v;
  void blend(int x, int y, Colour colour, float coverage);
};

/// Sky, clouds, cables, bricks, leaves, a facade, a poster with text and a zone plate. The same seed, the same picture.
Scenery paint_scenery(int width, int height, uint64_t seed);

}  // namespace coco::demo
