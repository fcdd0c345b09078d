// Purpose: takes the picture of a scene. Deterministic: the same assets and scene give the same bytes.
// Threads: a Renderer keeps its buffers and is for one thread; several may share the assets.
#pragma once

#include <memory>

#include "tune/synth/scene.h"

namespace coco::synth {

class Renderer {
 public:
  /// Every pixel is the mean of `samples` x `samples`.
  explicit Renderer(std::shared_ptr<const Assets> assets, int samples = 2);
  ~Renderer();
  Renderer(const Renderer&) = delete;
  Renderer& operator=(const Renderer&) = delete;

  /// The scene's picture with everything known about it. The picture is as large as the scene says.
  Picture render(const Scene& scene);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coco::synth
