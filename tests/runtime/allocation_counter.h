// Purpose: counts every operator new of a test program, for "run allocates nothing".
#pragma once

#include <cstddef>

namespace coco::testing {

/// Calls of operator new in this process so far, all threads.
size_t allocation_count();

}  // namespace coco::testing
