// Purpose: meshes that people wear or that stand before them: glasses, hands, scarfs, microphones, long hair,
// shoulders. All in head space.
#pragma once

#include "tune/synth/person.h"

namespace coco::synth {

/// A thing of one colour with a little pattern.
struct Thing {
  Mesh mesh;
  Part part = Part::kOccluder;
  Colour colour;
  float gloss = 0.1f;
  float stripes = 0;  ///< 0..1: strands of hair, knitting.
};

Thing glasses(const FacePlaces& places, uint64_t seed);
/// A hand over a part of the face: a palm and five fingers of capsules.
Thing hand(const FacePlaces& places, const Colour& skin, uint64_t seed);
Thing scarf(const FacePlaces& places, uint64_t seed);
Thing microphone(const FacePlaces& places, uint64_t seed);
Thing long_hair(const FacePlaces& places, const Hair& hair);
Thing shoulders(const FacePlaces& places, const Colour& cloth, uint64_t seed);

}  // namespace coco::synth
