#include "kernels/steps/steps_row.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/steps/steps_row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/qconv/requantize-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
#define COCO_STEPS_REF 1
#else
#undef COCO_STEPS_REF
#endif

void Join(const uint8_t* const (&planes)[4], int width, uint32_t* out) {
  int x = 0;
#if !defined(COCO_STEPS_REF)
  const hn::CappedTag<uint8_t, 16> d8;
  const int lanes = static_cast<int>(hn::Lanes(d8));
  const auto load = [&](int i, int at)
                        HWY_ATTR { return planes[i] != nullptr ? hn::LoadU(d8, planes[i] + at) : hn::Zero(d8); };
  for (; x + lanes <= width; x += lanes)
    hn::StoreInterleaved4(load(0, x), load(1, x), load(2, x), load(3, x), d8, reinterpret_cast<uint8_t*>(out + x));
#endif
  if (x == width) return;
  const uint8_t* rest[4];
  for (int i = 0; i < 4; ++i) rest[i] = planes[i] != nullptr ? planes[i] + x : nullptr;
  kStepsRowRef.join(rest, width - x, out + x);
}

void Split(const uint32_t* in, int width, uint8_t* const (&planes)[4]) {
  int x = 0;
#if !defined(COCO_STEPS_REF)
  const hn::CappedTag<uint8_t, 16> d8;
  const int lanes = static_cast<int>(hn::Lanes(d8));
  for (; x + lanes <= width; x += lanes) {
    hn::Vec<decltype(d8)> v[4];
    hn::LoadInterleaved4(d8, reinterpret_cast<const uint8_t*>(in + x), v[0], v[1], v[2], v[3]);
    for (int i = 0; i < 4; ++i) {
      if (planes[i] != nullptr) hn::StoreU(v[i], d8, planes[i] + x);
    }
  }
#endif
  if (x == width) return;
  uint8_t* rest[4];
  for (int i = 0; i < 4; ++i) rest[i] = planes[i] != nullptr ? planes[i] + x : nullptr;
  kStepsRowRef.split(in + x, width - x, rest);
}

void Max(const uint32_t* a, const uint32_t* b, int width, uint32_t* out) {
#if defined(COCO_STEPS_REF)
  kStepsRowRef.max(a, b, width, out);
#else
  const hn::ScalableTag<uint8_t> d8;
  const int lanes = static_cast<int>(hn::Lanes(d8)) / 4;
  for (int x = 0; x < width; x += lanes) {
    const auto va = hn::LoadU(d8, reinterpret_cast<const uint8_t*>(a + x));
    const auto vb = hn::LoadU(d8, reinterpret_cast<const uint8_t*>(b + x));
    hn::StoreU(hn::Max(va, vb), d8, reinterpret_cast<uint8_t*>(out + x));
  }
#endif
}

// A row of 16 bytes of the table after the other: x ^ 16 k is below 16 where x's upper half is k, and what is not gets
// its top bit set, which makes the look-up 0.
void Lookup(const uint8_t* table, const uint32_t* in, int width, uint32_t* out) {
#if defined(COCO_STEPS_REF)
  kStepsRowRef.lookup(table, in, width, out);
#else
  const hn::ScalableTag<uint8_t> d8;
  const int lanes = static_cast<int>(hn::Lanes(d8)) / 4;
  const auto beyond = hn::Set(d8, uint8_t{0x70});
  for (int x = 0; x < width; x += lanes) {
    const auto v = hn::LoadU(d8, reinterpret_cast<const uint8_t*>(in + x));
    auto result = hn::Zero(d8);
    for (int k = 0; k < 16; ++k) {
      const auto index = hn::SaturatedAdd(hn::Xor(v, hn::Set(d8, static_cast<uint8_t>(16 * k))), beyond);
      const auto row = hn::LoadDup128(d8, table + 16 * k);
      // Arm takes every index from 16 on as beyond the table, x86 the top bit alone.
      result = hn::Or(result, hn::TableLookupBytesOr0(row, hn::AndNot(beyond, index)));
    }
    hn::StoreU(result, d8, reinterpret_cast<uint8_t*>(out + x));
  }
#endif
}

// Sums and products are integers below 2^24, which f32 computes exactly, fused or not.
void Binary(const format::QuantBinaryParams& p, const uint32_t* a, const uint32_t* b, bool one_b, int width,
            uint32_t* out) {
#if defined(COCO_STEPS_REF)
  kStepsRowRef.binary(p, a, b, one_b, width, out);
#else
  const requantize::DF df;
  const requantize::DI di;
  const int lanes = static_cast<int>(hn::Lanes(df));
  const bool product = p.kind == format::BinaryKind::kMul;
  const auto a_zero = hn::Set(df, static_cast<float>(p.a_zero_point));
  const auto b_zero = hn::Set(df, static_cast<float>(p.b_zero_point));
  const auto a_factor = hn::Set(df, static_cast<float>(p.a_factor));
  const auto b_factor = hn::Set(df, static_cast<float>(p.b_factor));
  const auto zero = hn::Set(df, static_cast<float>(p.a_zero_point * p.a_factor + p.b_zero_point * p.b_factor));
  const auto scale = hn::Set(df, p.scale);
  const requantize::Bounds bounds{static_cast<int32_t>(p.out_zero_point), static_cast<int32_t>(p.low),
                                  static_cast<int32_t>(p.high)};
  const auto low_byte = hn::Set(di, 255);
  const auto byte = [&](requantize::VI words) HWY_ATTR { return hn::ConvertTo(df, hn::And(words, low_byte)); };
  for (int x = 0; x < width; x += lanes) {
    auto wa = hn::LoadU(di, reinterpret_cast<const int32_t*>(a + x));
    auto wb = one_b ? hn::Set(di, static_cast<int32_t>(*b)) : hn::LoadU(di, reinterpret_cast<const int32_t*>(b + x));
    requantize::VI values[4];
    for (auto& value : values) {
      const auto va = byte(wa), vb = byte(wb);
      const auto acc = product ? hn::Mul(hn::Sub(va, a_zero), hn::Sub(vb, b_zero))
                               : hn::Sub(hn::Add(hn::Mul(va, a_factor), hn::Mul(vb, b_factor)), zero);
      value = requantize::Rounded(hn::Mul(acc, scale));
      wa = hn::ShiftRight<8>(wa), wb = hn::ShiftRight<8>(wb);
    }
    hn::StoreU(requantize::Words(values, bounds), di, reinterpret_cast<int32_t*>(out + x));
  }
#endif
}

void Blend(const StepsBlendArgs& args) {
#if defined(COCO_STEPS_REF)
  kStepsRowRef.blend(args);
#else
  const hn::ScalableTag<uint16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  const int lanes = static_cast<int>(hn::Lanes(d16));
  const auto *top = reinterpret_cast<const uint8_t*>(args.top), *bottom = reinterpret_cast<const uint8_t*>(args.bottom);
  const auto top_weight = hn::Set(d16, static_cast<uint16_t>(args.top_weight));
  const auto bottom_weight = hn::Set(d16, static_cast<uint16_t>(args.bottom_weight));
  for (int i = 0; i < 4 * args.columns; i += lanes) {
    const auto a = hn::Mul(hn::PromoteTo(d16, hn::LoadU(d8, top + i)), top_weight);
    const auto b = hn::Mul(hn::PromoteTo(d16, hn::LoadU(d8, bottom + i)), bottom_weight);
    hn::StoreU(hn::Add(a, b), d16, args.scratch + i);
  }
  const hn::FixedTag<int32_t, 4> d4;
  const hn::FixedTag<uint16_t, 4> h4;
  const hn::FixedTag<uint8_t, 4> b4;
  auto* out = reinterpret_cast<uint8_t*>(args.out);
  for (int x = 0; x < args.width; ++x) {
    const int32_t weight = args.second_weight[x];
    const auto first = hn::PromoteTo(d4, hn::LoadU(h4, args.scratch + 4 * args.first[x]));
    const auto second = hn::PromoteTo(d4, hn::LoadU(h4, args.scratch + 4 * args.second[x]));
    const auto sum = hn::Add(hn::Mul(first, hn::Set(d4, kStepTapsUnit - weight)), hn::Mul(second, hn::Set(d4, weight)));
    const auto odd = hn::And(hn::ShiftRight<kBothTaps>(sum), hn::Set(d4, 1));
    const auto rounded = hn::ShiftRight<kBothTaps>(hn::Add(sum, hn::Add(odd, hn::Set(d4, kBothTapsHalf - 1))));
    hn::StoreU(hn::DemoteTo(b4, rounded), b4, out + 4 * x);
  }
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
namespace {
HWY_EXPORT(Join);
HWY_EXPORT(Split);
HWY_EXPORT(Max);
HWY_EXPORT(Lookup);
HWY_EXPORT(Binary);
HWY_EXPORT(Blend);

void join(const uint8_t* const (&planes)[4], int width, uint32_t* out) {
  HWY_DYNAMIC_DISPATCH(Join)(planes, width, out);
}
void split(const uint32_t* in, int width, uint8_t* const (&planes)[4]) {
  HWY_DYNAMIC_DISPATCH(Split)(in, width, planes);
}
void max(const uint32_t* a, const uint32_t* b, int width, uint32_t* out) {
  HWY_DYNAMIC_DISPATCH(Max)(a, b, width, out);
}
void lookup(const uint8_t* table, const uint32_t* in, int width, uint32_t* out) {
  HWY_DYNAMIC_DISPATCH(Lookup)(table, in, width, out);
}
void binary(const format::QuantBinaryParams& params, const uint32_t* a, const uint32_t* b, bool one_b, int width,
            uint32_t* out) {
  HWY_DYNAMIC_DISPATCH(Binary)(params, a, b, one_b, width, out);
}
void blend(const StepsBlendArgs& args) { HWY_DYNAMIC_DISPATCH(Blend)(args); }
}  // namespace

const StepsRowKernel kStepsRowHwy{join, split, max, lookup, binary, blend};

}  // namespace coco::kernels
#endif
