// Purpose: what every kernel with a register tile needs: COCO_UNROLL before a loop over registers, and slopes for
// negative values. Included once a target, at the top.
#if defined(COCO_SLOPED_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef COCO_SLOPED_INL_H
#undef COCO_SLOPED_INL_H
#else
#define COCO_SLOPED_INL_H
#endif

#include <hwy/highway.h>

#ifndef COCO_UNROLL
#if defined(__clang__)
#define COCO_UNROLL _Pragma("clang loop unroll(full)")
#else
#define COCO_UNROLL _Pragma("GCC unroll 16")
#endif
#endif

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// v < 0 ? v * slope : v. Highway 1.0's IfNegativeThenElse looks at every bit of the mask where there is no blend by
// sign (before SSE4.1).
template <typename Vector>
HWY_INLINE Vector Sloped(Vector v, Vector slope) {
#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, hn::Zero(hn::DFromV<Vector>())), hn::Mul(v, slope), v);
#else
  return hn::IfNegativeThenElse(v, hn::Mul(v, slope), v);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();
#endif
