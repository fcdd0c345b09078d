// Purpose: what people and scenes are drawn by.
#pragma once

#include "base/random.h"

namespace coco::synth {

inline float between(Random& random, float low, float high) {
  return low + (high - low) * static_cast<float>(random.uniform());
}
inline bool chance(Random& random, double share) { return random.uniform() < share; }

}  // namespace coco::synth
