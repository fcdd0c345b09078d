// Purpose: gradients towards the pictures and towards another network's results at the same time.
#pragma once

#include "tune/gradient.h"

namespace coco::tune {

/// The loss of the student's output against (1 - share) * picture + share * teacher's output. For squared loss that has
/// the gradient of both losses, weighed so. Both networks must outlive the result.
std::unique_ptr<GradientSource> make_distilling_source(const Trainable& student, const Trainable& teacher,
                                                       double share);

}  // namespace coco::tune
