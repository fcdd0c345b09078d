#include <algorithm>

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

void GatherRow(const GatherRowArgs& args) {
#if HWY_TARGET == HWY_SCALAR
  gather_row_ref(args);
#else
  const hn::ScalableTag<uint8_t> d8;
  const int lanes = static_cast<int>(hn::Lanes(d8));
  const auto rest = [&](int from, int to) HWY_ATTR {
    if (from < to) gather_row_ref({args.in, args.columns, args.begin + from, to - from, args.out + from});
  };
  const auto block = [&](int j) HWY_ATTR {
    const uint8_t* in = args.in + args.begin + j - 1;
    hn::StoreInterleaved4(hn::LoadU(d8, in), hn::LoadU(d8, in + 1), hn::LoadU(d8, in + 2), hn::LoadU(d8, in + 3), d8,
                          reinterpret_cast<uint8_t*>(args.out + j));
  };
  // Words [first, last) have all their neighbours; the last block overlaps the one before.
  const int first = args.begin == 0 ? 1 : 0, last = std::min(args.width, args.columns - 2 - args.begin);
  if (last - first < lanes) return rest(0, args.width);
  rest(0, first);
  int j = first;
  for (; j + lanes <= last; j += lanes) block(j);
  if (j < last) block(last - lanes);
  rest(last, args.width);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
HWY_EXPORT(QuantizeRow);
HWY_EXPORT(GatherRow);
void gather_row_hwy(const GatherRowArgs& args) { HWY_DYNAMIC_DISPATCH(GatherRow)(args); }
void quantize_row_hwy(const QuantizeRowArgs& args) { HWY_DYNAMIC_DISPATCH(QuantizeRow)(args); }
}  // namespace coco::kernels
#endif
