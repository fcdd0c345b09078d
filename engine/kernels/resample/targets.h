// Purpose: the Highway targets of the resampling kernels, included before any Highway header.
// The integer kernels pair 16-bit lanes within 128-bit blocks, which has no meaning on scalable vectors; processors
// with SVE run the NEON code.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
