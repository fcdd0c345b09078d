// Purpose: which byte dot products of Arm the kernels of this binary hold besides plain NEON; what the processor has
// decides when it runs. GCC takes their instructions wherever they stand, clang only where it may use them itself.
#pragma once

#if defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_DOTPROD))
#define COCO_NEON_DOTPROD 1
#else
#define COCO_NEON_DOTPROD 0
#endif
#if defined(__aarch64__) && (!defined(__clang__) || defined(__ARM_FEATURE_MATMUL_INT8))
#define COCO_NEON_I8MM 1
#else
#define COCO_NEON_I8MM 0
#endif

namespace coco::kernels {
/// Names of the targets that have them, as active_target() gives them.
inline constexpr char kNeonDotprod[] = "NEON_DOTPROD", kNeonI8mm[] = "NEON_I8MM";
}  // namespace coco::kernels
