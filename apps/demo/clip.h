// Purpose: the embedded demo clip: frames rendered at twice their size and shrunk with a sharp antialiasing filter, so
// that they hold detail up to what their size can carry.
// Ownership: owns its scenery; frames are the caller's.
// Threads: one thread at a time per object; work inside is spread over the process's pool.
// Failure: never fails; the same seed gives the same frames.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/demo/panorama.h"
#include "coco/buffer.h"

namespace coco::demo {

struct ClipSettings {
  int width = 1920, height = 1080;  ///< even
  int frames = 75;
  int frames_per_second = 25;
  uint64_t seed = 1;
};

class Clip {
 public:
  explicit Clip(const ClipSettings& settings);
  const ClipSettings& settings() const { return settings_; }
  /// Renders frame `index` as I420, BT.709 studio range, chroma sited left. The view is valid until the next call.
  FrameView render(int index);

 private:
  void copy_window(int index);
  void draw_wheel(int index);
  void draw_ticker(int index);
  void shrink_luma();
  void shrink_chroma(const std::vector<uint8_t>& from, std::vector<uint8_t>& to);

  ClipSettings settings_;
  Scenery scenery_;
  Scenery window_;  ///< the part in view with a margin, at twice the frame's size
  std::vector<int16_t> narrow_;
  std::vector<uint8_t> y_, u_, v_;
};

}  // namespace coco::demo
