// Purpose: the trainer's pseudo random numbers.
#pragma once

#include "base/random.h"

namespace coco::tune {
using coco::Random;
}  // namespace coco::tune
