// Purpose: the Highway targets of the kernels, included before any Highway header. Processors with SVE run the NEON
// code: register tiles are arrays of vectors and the integer kernels pair 16-bit lanes within 128-bit blocks, neither
// of which scalable vectors can do.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
