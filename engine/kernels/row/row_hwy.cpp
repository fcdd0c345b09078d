#include <cstdint>
#include <cstring>

#include "kernels/row/row.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/row/row_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/row/shuffle_store-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Samples are read a vector at a time while whole vectors remain; the rest goes through the reference, which computes
// the same bits.
void LoadRow(SampleType type, const void* samples, int count, float* out) {
  const D d;
  const hn::RebindToSigned<D> di;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const V scale = hn::Set(d, 1.0f / static_cast<float>(max_value(type)));
  int i = 0;
  if (type == SampleType::kU8) {
    const hn::Rebind<uint8_t, D> d8;
    const auto* in = static_cast<const uint8_t*>(samples);
    for (; i + lanes <= count; i += lanes)
      hn::StoreU(hn::Mul(hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, in + i))), scale), d, out + i);
  } else if (type == SampleType::kU16Lsb10 || type == SampleType::kU16Msb10) {
    const hn::Rebind<uint16_t, D> d16;
    const auto* in = static_cast<const uint16_t*>(samples);
    const bool high = type == SampleType::kU16Msb10;
    for (; i + lanes <= count; i += lanes) {
      const auto word = hn::LoadU(d16, in + i);
      const auto value = high ? hn::ShiftRight<6>(word) : hn::And(word, hn::Set(d16, uint16_t{1023}));
      hn::StoreU(hn::Mul(hn::ConvertTo(d, hn::PromoteTo(di, value)), scale), d, out + i);
    }
  }
  load_row_ref(type, static_cast<const uint8_t*>(samples) + i * byte_size(type), count - i, out + i);
}

using shuffled::Code;

void StoreRow(SampleType type, const float* in, int count, void* samples) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const V peak = hn::Set(d, static_cast<float>(max_value(type)));
  int i = 0;
  if (type == SampleType::kU8) {
    const hn::Rebind<uint8_t, D> d8;
    auto* out = static_cast<uint8_t*>(samples);
    for (; i + lanes <= count; i += lanes) hn::StoreU(hn::DemoteTo(d8, Code(hn::LoadU(d, in + i), peak)), d8, out + i);
  } else if (type == SampleType::kU16Lsb10 || type == SampleType::kU16Msb10) {
    const hn::Rebind<uint16_t, D> d16;
    auto* out = static_cast<uint16_t*>(samples);
    const bool high = type == SampleType::kU16Msb10;
    for (; i + lanes <= count; i += lanes) {
      const auto code = Code(hn::LoadU(d, in + i), peak);
      hn::StoreU(hn::DemoteTo(d16, high ? hn::ShiftLeft<6>(code) : code), d16, out + i);
    }
  }
  store_row_ref(type, in + i, count - i, static_cast<uint8_t*>(samples) + i * byte_size(type));
}

void ShuffleStoreRow(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                     void* samples) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  const V peak = hn::Set(d, static_cast<float>(max_value(type)));
  const size_t bytes = byte_size(type);
  auto* out = static_cast<uint8_t*>(samples);
  int j = 0;
  if (type != SampleType::kF32) {
    for (; j + lanes <= pairs; j += lanes)
      shuffled::StorePairs(type, hn::LoadU(d, even + j), hn::LoadU(d, odd + j), base + 2 * j, peak,
                           out + 2 * static_cast<size_t>(j) * bytes);
  }
  shuffle_store_row_ref(type, even + j, odd + j, base + 2 * j, pairs - j, out + 2 * static_cast<size_t>(j) * bytes);
}

template <typename F>
HWY_INLINE void Map(int count, float* out, F f) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  for (int i = 0; i < count; i += lanes) hn::StoreU(f(i), d, out + i);
}

void UnaryRow(const format::UnaryParams& p, const float* in, int count, float* out) {
  const D d;
  const V a = hn::Set(d, p.a);
  const V b = hn::Set(d, p.b);
  switch (p.kind) {
    case format::UnaryKind::kRelu:
      return Map(count, out, [&](int i) HWY_ATTR {
        const V v = hn::LoadU(d, in + i);
        return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Zero(d), v);
      });
    case format::UnaryKind::kLeakyRelu:
      return Map(count, out, [&](int i) HWY_ATTR {
        const V v = hn::LoadU(d, in + i);
        return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Mul(v, a), v);
      });
    case format::UnaryKind::kClip:
      return Map(count, out, [&](int i) HWY_ATTR {
        const V v = hn::LoadU(d, in + i);
        const V low = hn::IfThenElse(hn::Lt(v, a), a, v);
        return hn::IfThenElse(hn::Lt(b, low), b, low);
      });
    default:
      return unary_row_ref(p, in, count, out);
  }
}

void BinaryRow(format::BinaryKind kind, const float* a, const float* b, int count, float* out) {
  const D d;
  switch (kind) {
    case format::BinaryKind::kAdd:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
    case format::BinaryKind::kSub:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Sub(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
    case format::BinaryKind::kMul:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
    case format::BinaryKind::kDiv:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Div(hn::LoadU(d, a + i), hn::LoadU(d, b + i)); });
    case format::BinaryKind::kMax:  // as the reference: a NaN on either side comes through
      return Map(count, out, [&](int i) HWY_ATTR {
        const V x = hn::LoadU(d, a + i), y = hn::LoadU(d, b + i);
        return hn::IfThenElse(hn::Or(hn::Gt(y, x), hn::Ne(y, y)), y, x);
      });
    default:
      return binary_row_ref(kind, a, b, count, out);
  }
}

void BinaryConstRow(format::BinaryKind kind, const float* in, float constant, bool constant_first, int count,
                    float* out) {
  const D d;
  const V c = hn::Set(d, constant);
  switch (kind) {
    case format::BinaryKind::kAdd:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Add(hn::LoadU(d, in + i), c); });
    case format::BinaryKind::kMul:
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Mul(hn::LoadU(d, in + i), c); });
    case format::BinaryKind::kSub:
      if (constant_first) return Map(count, out, [&](int i) HWY_ATTR { return hn::Sub(c, hn::LoadU(d, in + i)); });
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Sub(hn::LoadU(d, in + i), c); });
    case format::BinaryKind::kDiv:
      if (constant_first) return Map(count, out, [&](int i) HWY_ATTR { return hn::Div(c, hn::LoadU(d, in + i)); });
      return Map(count, out, [&](int i) HWY_ATTR { return hn::Div(hn::LoadU(d, in + i), c); });
    default:
      return binary_const_row_ref(kind, in, constant, constant_first, count, out);
  }
}

void InterleaveRow(int block, const float* const* in, int count, float* out) {
  const D d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  int i = 0;
  if (block == 2) {
    for (; i + lanes <= count; i += lanes)
      hn::StoreInterleaved2(hn::LoadU(d, in[0] + i), hn::LoadU(d, in[1] + i), d, out + 2 * i);
  } else if (block == 3) {
    for (; i + lanes <= count; i += lanes)
      hn::StoreInterleaved3(hn::LoadU(d, in[0] + i), hn::LoadU(d, in[1] + i), hn::LoadU(d, in[2] + i), d, out + 3 * i);
  } else if (block == 4) {
    for (; i + lanes <= count; i += lanes)
      hn::StoreInterleaved4(hn::LoadU(d, in[0] + i), hn::LoadU(d, in[1] + i), hn::LoadU(d, in[2] + i),
                            hn::LoadU(d, in[3] + i), d, out + 4 * i);
  }
  for (; i < count; ++i)
    for (int b = 0; b < block; ++b) out[i * block + b] = in[b][i];
}

}  // namespace HWY_NAMESPACE
}  // namespace coco::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {

HWY_EXPORT(LoadRow);
HWY_EXPORT(StoreRow);
HWY_EXPORT(UnaryRow);
HWY_EXPORT(BinaryRow);
HWY_EXPORT(BinaryConstRow);
HWY_EXPORT(InterleaveRow);
HWY_EXPORT(ShuffleStoreRow);

void load_row_hwy(SampleType type, const void* samples, int count, float* out) {
  HWY_DYNAMIC_DISPATCH(LoadRow)(type, samples, count, out);
}
void store_row_hwy(SampleType type, const float* in, int count, void* samples) {
  HWY_DYNAMIC_DISPATCH(StoreRow)(type, in, count, samples);
}
void unary_row_hwy(const format::UnaryParams& params, const float* in, int count, float* out) {
  HWY_DYNAMIC_DISPATCH(UnaryRow)(params, in, count, out);
}
void binary_row_hwy(format::BinaryKind kind, const float* a, const float* b, int count, float* out) {
  HWY_DYNAMIC_DISPATCH(BinaryRow)(kind, a, b, count, out);
}
void binary_const_row_hwy(format::BinaryKind kind, const float* in, float constant, bool constant_first, int count,
                          float* out) {
  HWY_DYNAMIC_DISPATCH(BinaryConstRow)(kind, in, constant, constant_first, count, out);
}
void interleave_row_hwy(int block, const float* const* in, int count, float* out) {
  HWY_DYNAMIC_DISPATCH(InterleaveRow)(block, in, count, out);
}
void shuffle_store_row_hwy(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                           void* samples) {
  HWY_DYNAMIC_DISPATCH(ShuffleStoreRow)(type, even, odd, base, pairs, samples);
}

}  // namespace coco::kernels
#endif
