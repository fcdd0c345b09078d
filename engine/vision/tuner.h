// Purpose: the parts of tuning that need no clock: which plans to try, and which of them won.
#pragma once

#include <span>
#include <vector>

#include "coco/tuning.h"

namespace coco::vision {

/// Strip widths to try beside the planner's `strips` strips of a picture `width` columns wide; none twice, none the
/// planner's.
std::vector<int> strip_widths_to_try(int width, int strips);
/// Band heights to try beside the planner's of a band a thread: two, three and four of them.
std::vector<int> band_heights_to_try(int height, int threads);

/// Times of contender 0, the planner's choice, and of the others; round r of each ran within the same moments. The
/// contender that is clearly faster than all, or 0: its fastest round has to beat contender 0's by kTuningGain and by
/// more than either's fastest round is away from its second, and its typical round that of contender 0 by half of
/// kTuningGain, so that neither a lucky round nor a noisy neighbour decides.
size_t choose(std::span<const std::vector<double>> rounds);
inline constexpr double kTuningGain = 0.03;

}  // namespace coco::vision
