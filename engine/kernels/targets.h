// Purpose: the Highway targets of the kernels, included before any Highway header. Processors with SVE run the NEON
// code: register tiles are arrays of vectors and the integer kernels pair 16-bit lanes within 128-bit blocks, neither
// of which scalable vectors can do. Sanitized builds leave the targets of 128-bit vectors out (COCO_FEW_TARGETS): they
// are the same source, and the kernels are most of what such a build compiles.
#pragma once

#ifndef HWY_DISABLED_TARGETS
#define COCO_NO_SVE (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#if defined(COCO_FEW_TARGETS)
#define HWY_DISABLED_TARGETS (COCO_NO_SVE | HWY_SSSE3 | HWY_SSE4)
#else
#define HWY_DISABLED_TARGETS COCO_NO_SVE
#endif
#endif
