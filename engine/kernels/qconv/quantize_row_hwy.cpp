#include "kernels/qconv/qconv_row.h"
#include "kernels/qconv/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/qconv/quantize_row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/qconv/requantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Words of round_half_even(clamp(v * multiplier, -zero_point, 255 - zero_point)) + zero_point; NaN becomes the least.
void QuantizeRow(const QuantizeRowArgs& args) {
#if HWY_TARGET == HWY_SCALAR
  quantize_row_ref(args);
#else
  const requantize::DF df;
  const requantize::DI di;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const auto zero = static_cast<float>(args.zero_point);
  const auto multiplier = hn::Set(df, args.multiplier), low = hn::Set(df, -zero), high = hn::Set(df, 255.0f - zero);
  const requantize::Bounds bounds{args.zero_point, 0, 255};
  for (int first = 0; first < args.channels; first += 4) {
    auto* out = reinterpret_cast<int32_t*>(args.out + first / 4 * args.out_plane_stride);
    for (int x = 0; x < args.width; x += lanes) {
      requantize::VI values[4];
      for (int i = 0; i < 4; ++i) {
        values[i] = hn::Set(di, -args.zero_point);
        if (first + i >= args.channels) continue;
        const auto v = hn::Mul(hn::LoadU(df, args.in + (first + i) * args.in_channel_stride + x), multiplier);
        values[i] = requantize::Rounded(hn::Min(hn::IfThenElse(hn::Gt(v, low), v, low), high));
      }
      hn::StoreU(requantize::Words(values, bounds), di, out + x);
    }
  }
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(QuantizeRow);
void quantize_row_hwy(const QuantizeRowArgs& args) { HWY_DYNAMIC_DISPATCH(QuantizeRow)(args); }
}  // namespace coco::kernels
#endif
