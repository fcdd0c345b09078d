// One algorithm for every target and sample type; longer than the house's limit because splitting it would spread one
// kernel over several multiply-included files.
#include "kernels/resample/planes.h"

#include <algorithm>
#include <cstddef>

#include "kernels/resample/planes_access.h"
#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resample/planes_hwy.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#ifndef COCO_RESAMPLE_PLANES_ONCE
#define COCO_RESAMPLE_PLANES_ONCE
namespace coco::kernels {
/// Samples that may be read past the end of a line of t.
inline constexpr int kLinePadding = 64;

/// Scratch: a line of t (components interleaved) and, for two components, the same split in two.
struct Lines {
  int16_t* line;
  int16_t* split[2];
};
}  // namespace coco::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace coco::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

template <SampleType kType>
void rows(const PlaneJob& job, int y0, int y1, const Lines& lines) {
  for (int y = y0; y < y1; ++y) {
    PlaneRows<kType>::vertical(job, y, 0, job.horizontal->in * job.components, lines.line);
    PlaneRows<kType>::horizontal(job, y, 0, job.horizontal->out, lines.line);
  }
}

#else

using D16 = hn::ScalableTag<int16_t>;
using D32 = hn::ScalableTag<int32_t>;
using DU16 = hn::ScalableTag<uint16_t>;
using DU32 = hn::ScalableTag<uint32_t>;
using V16 = hn::Vec<D16>;
using V32 = hn::Vec<D32>;

HWY_INLINE int lanes16() { return static_cast<int>(hn::Lanes(D16())); }
HWY_INLINE int lanes32() { return static_cast<int>(hn::Lanes(D32())); }

// Sums of products of 16-bit pairs, one 32-bit sum a pair, in the order of the pairs.
struct PairSum {
  V32 sum0, sum1;

  HWY_INLINE PairSum() : sum0(hn::Zero(D32())), sum1(hn::Zero(D32())) {}
  HWY_INLINE void add(V16 values, V32 weights) {
    sum0 = hn::ReorderWidenMulAccumulate(D32(), values, hn::BitCast(D16(), weights), sum0, sum1);
  }
  template <int kShift>
  HWY_INLINE V32 rounded() const {
    const V32 sum = hn::RearrangeToOddPlusEven(sum0, sum1);
    return hn::ShiftRight<kShift>(hn::Add(sum, hn::Set(D32(), 1 << (kShift - 1))));
  }
};

template <SampleType kType>
struct Vectors {
  using Rows = PlaneRows<kType>;
  using Access = SampleAccess<kType>;
  using Word = typename Access::Word;
  static constexpr bool kBytes = sizeof(Word) == 1;
  static constexpr int kPosition = Access::kPosition;

  static HWY_INLINE V16 load(const Word* row) {
    if constexpr (kBytes) {
      return hn::PromoteTo(D16(), hn::LoadU(hn::Rebind<uint8_t, D16>(), row));
    } else {
      const auto value = hn::ShiftRight<kPosition>(hn::LoadU(DU16(), row));
      return hn::BitCast(D16(), hn::And(value, hn::Set(DU16(), static_cast<uint16_t>(Rows::kMax))));
    }
  }
  static HWY_INLINE V16 clamp(V16 v) {
    return hn::Min(hn::Max(v, hn::Zero(D16())), hn::Set(D16(), static_cast<int16_t>(Rows::kMax)));
  }
  static HWY_INLINE V32 clamp(V32 v) { return hn::Min(hn::Max(v, hn::Zero(D32())), hn::Set(D32(), Rows::kMax)); }

  // Vertical pass of one vector of samples. Rows are paired by interleaving lanes within 128-bit blocks; narrowing
  // within blocks restores their order.
  static HWY_INLINE void vertical_vector(const PlaneJob& job, int y, int x, int16_t* line) {
    const FilterTable& table = *job.vertical;
    const int first = table.first[static_cast<size_t>(y)], taps = table.taps;
    PairSum low, high;
    for (int p = 0; p < table.pairs(); ++p) {
      const V32 weights = hn::Set(D32(), table.fixed_pairs[static_cast<size_t>(p) * table.out + y]);
      const V16 a = load(Rows::in_row(job, first + 2 * p) + x);
      const V16 b = load(Rows::in_row(job, first + std::min(2 * p + 1, taps - 1)) + x);
      low.add(hn::InterleaveLower(D16(), a, b), weights);
      high.add(hn::InterleaveUpper(D16(), a, b), weights);
    }
    constexpr int kShift = Rows::kVerticalShift;
    const V32 low_sum = low.template rounded<kShift>(), high_sum = high.template rounded<kShift>();
    hn::StoreU(hn::ReorderDemote2To(D16(), low_sum, high_sum), D16(), line + x);
  }

  static void vertical(const PlaneJob& job, int y, int16_t* line) {
    const int samples = job.horizontal->in * job.components, lanes = lanes16();
    if (samples < lanes) return Rows::vertical(job, y, 0, samples, line);
    for (int x = 0; x + lanes <= samples; x += lanes) vertical_vector(job, y, x, line);
    if (samples % lanes != 0) vertical_vector(job, y, samples - lanes, line);
  }

  // Four taps on one component: pairs of neighbours are whole 32-bit lanes of an unaligned load, so one load gives
  // every second output and the load one sample on gives the rest.
  static HWY_INLINE V16 four_taps(const int16_t* from, V32 weights01, V32 weights23) {
    PairSum even, odd;
    even.add(hn::LoadU(D16(), from), weights01);
    even.add(hn::LoadU(D16(), from + 2), weights23);
    odd.add(hn::LoadU(D16(), from + 1), weights01);
    odd.add(hn::LoadU(D16(), from + 3), weights23);
    constexpr int kShift = Rows::kHorizontalShift;
    const V32 odd_high = hn::ShiftLeft<16>(odd.template rounded<kShift>());
    return clamp(hn::OddEven(hn::BitCast(D16(), odd_high), hn::BitCast(D16(), even.template rounded<kShift>())));
  }

  // Four taps on interleaved components: neighbours of a component are two samples apart.
  static HWY_INLINE V16 four_taps_interleaved(const int16_t* from, V32 weights01, V32 weights23) {
    const V16 a = hn::LoadU(D16(), from), b = hn::LoadU(D16(), from + 2);
    const V16 c = hn::LoadU(D16(), from + 4), d = hn::LoadU(D16(), from + 6);
    PairSum low, high;
    low.add(hn::InterleaveLower(D16(), a, b), weights01);
    low.add(hn::InterleaveLower(D16(), c, d), weights23);
    high.add(hn::InterleaveUpper(D16(), a, b), weights01);
    high.add(hn::InterleaveUpper(D16(), c, d), weights23);
    constexpr int kShift = Rows::kHorizontalShift;
    const V32 low_sum = low.template rounded<kShift>(), high_sum = high.template rounded<kShift>();
    return clamp(hn::ReorderDemote2To(D16(), low_sum, high_sum));
  }

  template <class V>
  static HWY_INLINE void store_bytes(V v, Word* out) {
    const hn::ScalableTag<uint8_t> d;
    hn::StoreU(hn::BitCast(d, v), d, reinterpret_cast<uint8_t*>(out));
  }

  // even[0] odd[0] even[1] odd[1] ...
  static HWY_INLINE void store_doubled(V16 even, V16 odd, Word* out) {
    if constexpr (kBytes) {
      store_bytes(hn::Or(even, hn::ShiftLeft<8>(odd)), out);
    } else {
      const auto a = hn::BitCast(DU16(), hn::ShiftLeft<kPosition>(even));
      const auto b = hn::BitCast(DU16(), hn::ShiftLeft<kPosition>(odd));
      hn::StoreInterleaved2(a, b, DU16(), out);
    }
  }

  // Each 32-bit lane of `even` and `odd` holds one Cb and one Cr.
  static HWY_INLINE void store_doubled_interleaved(V16 even, V16 odd, Word* out) {
    const auto a = hn::BitCast(DU32(), hn::ShiftLeft<kPosition>(even));
    const auto b = hn::BitCast(DU32(), hn::ShiftLeft<kPosition>(odd));
    if constexpr (kBytes) {
      const auto mask = hn::Set(DU32(), 0xffffu);
      const auto low = hn::And(hn::Or(a, hn::ShiftRight<8>(a)), mask);
      const auto high = hn::ShiftLeft<16>(hn::Or(b, hn::ShiftRight<8>(b)));
      store_bytes(hn::Or(low, high), out);
    } else {
      hn::StoreInterleaved2(a, b, DU32(), reinterpret_cast<uint32_t*>(out));
    }
  }

  // The doubling's outputs [table.x2_begin, returned end), two for each input sample.
  static int doubled(const FilterTable& table, int components, const int16_t* line, Word* out) {
    const int begin = table.x2_begin, inputs = (table.x2_end - begin) / 2, step = lanes16() / components;
    if (inputs < step || table.taps != 4) return begin;
    const size_t pitch = static_cast<size_t>(table.out), even = static_cast<size_t>(begin);
    const V32 even01 = hn::Set(D32(), table.fixed_pairs[even]);
    const V32 even23 = hn::Set(D32(), table.fixed_pairs[pitch + even]);
    const V32 odd01 = hn::Set(D32(), table.fixed_pairs[even + 1]);
    const V32 odd23 = hn::Set(D32(), table.fixed_pairs[pitch + even + 1]);
    const int16_t* even_from = line + static_cast<size_t>(table.first[even]) * components;
    const int16_t* odd_from = line + static_cast<size_t>(table.first[even + 1]) * components;
    for (int j = 0; j < inputs; j += step) {
      const int at = std::min(j, inputs - step);  // the last vector overlaps the one before
      Word* to = out + static_cast<size_t>(begin + 2 * at) * components;
      if (components == 1) {
        store_doubled(four_taps(even_from + at, even01, even23), four_taps(odd_from + at, odd01, odd23), to);
      } else {
        store_doubled_interleaved(four_taps_interleaved(even_from + 2 * at, even01, even23),
                                  four_taps_interleaved(odd_from + 2 * at, odd01, odd23), to);
      }
    }
    return begin + 2 * inputs;
  }

  // Neighbouring outputs from samples within two vectors of 16-bit lanes: the pairs that start at even offsets are
  // lanes of one load, those at odd offsets lanes of the load one sample on; one index and one mask serve all taps.
  static HWY_INLINE V32 any_ratio(const FilterTable& table, int i, const int16_t* line) {
    const D32 d;
    const int base = table.first[static_cast<size_t>(i)];
    const V32 offsets = hn::Sub(hn::LoadU(d, &table.first[static_cast<size_t>(i)]), hn::Set(d, base));
    const auto index = hn::IndicesFromVec(d, hn::ShiftRight<1>(offsets));
    const auto is_odd = hn::TestBit(offsets, hn::Set(d, 1));
    PairSum sum;
    for (int p = 0; p < table.pairs(); ++p) {
      const int16_t* from = line + base + 2 * p;
      const V32 even = hn::TableLookupLanes(hn::BitCast(d, hn::LoadU(D16(), from)), index);
      const V32 odd = hn::TableLookupLanes(hn::BitCast(d, hn::LoadU(D16(), from + 1)), index);
      const V32 weights = hn::LoadU(d, &table.fixed_pairs[static_cast<size_t>(p) * table.out + i]);
      sum.add(hn::BitCast(D16(), hn::IfThenElse(is_odd, odd, even)), weights);
    }
    return clamp(sum.template rounded<Rows::kHorizontalShift>());
  }

  static HWY_INLINE void store_single(V32 v, Word* out) {
    const hn::Rebind<Word, D32> d;
    hn::StoreU(hn::DemoteTo(d, hn::ShiftLeft<kPosition>(v)), d, out);
  }
  static HWY_INLINE void store_pair(V32 cb, V32 cr, Word* out) {
    if constexpr (kBytes) {
      const hn::Rebind<uint16_t, D32> d;
      const auto both = hn::DemoteTo(d, hn::Or(cb, hn::ShiftLeft<8>(cr)));
      const hn::Repartition<uint8_t, decltype(d)> d8;
      hn::StoreU(hn::BitCast(d8, both), d8, out);
    } else {
      const V32 both = hn::ShiftLeft<kPosition>(hn::Or(cb, hn::ShiftLeft<16>(cr)));
      hn::StoreU(hn::BitCast(DU16(), both), DU16(), out);
    }
  }

  static void split(const int16_t* line, int columns, const Lines& lines) {
    V16 cb, cr;
    for (int x = 0; x < columns; x += lanes16()) {  // up to one vector past the end: the lines are padded
      hn::LoadInterleaved2(D16(), line + 2 * static_cast<size_t>(x), cb, cr);
      hn::StoreU(cb, D16(), lines.split[0] + x);
      hn::StoreU(cr, D16(), lines.split[1] + x);
    }
  }

  static void horizontal(const PlaneJob& job, int y, const Lines& lines) {
    const FilterTable& table = *job.horizontal;
    const int components = job.components, lanes = lanes32();
    Word* out = Rows::out_row(job, y);
    const int doubled_end = doubled(table, components, lines.line, out);
    if (doubled_end > table.x2_begin) {
      Rows::horizontal(job, y, 0, table.x2_begin, lines.line);
      Rows::horizontal(job, y, doubled_end, table.out, lines.line);
      return;
    }
    if (components == 2) split(lines.line, table.in, lines);
    int i = 0;
    for (; i + lanes <= table.out; i += lanes) {
      const int spread = table.first[static_cast<size_t>(i + lanes - 1)] - table.first[static_cast<size_t>(i)];
      if (spread >= 2 * lanes) {
        Rows::horizontal(job, y, i, i + lanes, lines.line);
      } else if (components == 1) {
        store_single(any_ratio(table, i, lines.line), out + i);
      } else {
        store_pair(any_ratio(table, i, lines.split[0]), any_ratio(table, i, lines.split[1]), out + 2 * i);
      }
    }
    Rows::horizontal(job, y, i, table.out, lines.line);
  }
};

template <SampleType kType>
void rows(const PlaneJob& job, int y0, int y1, const Lines& lines) {
  for (int y = y0; y < y1; ++y) {
    Vectors<kType>::vertical(job, y, lines.line);
    Vectors<kType>::horizontal(job, y, lines);
  }
}

#endif

void rows_u8(const PlaneJob& job, int y0, int y1, const Lines& lines) { rows<SampleType::kU8>(job, y0, y1, lines); }
void rows_lsb10(const PlaneJob& job, int y0, int y1, const Lines& lines) {
  rows<SampleType::kU16Lsb10>(job, y0, y1, lines);
}
void rows_msb10(const PlaneJob& job, int y0, int y1, const Lines& lines) {
  rows<SampleType::kU16Msb10>(job, y0, y1, lines);
}

}  // namespace coco::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::kernels {
namespace {

HWY_EXPORT(rows_u8);
HWY_EXPORT(rows_lsb10);
HWY_EXPORT(rows_msb10);

size_t padded(int samples) {
  return (static_cast<size_t>(samples) + 2 * kLinePadding - 1) / kLinePadding * kLinePadding;
}

// Cuts the scratch in lines and clears what may be read past their ends.
Lines cut(void* scratch, int columns, int components) {
  auto* at = static_cast<int16_t*>(scratch);
  const auto take = [&](int samples) {
    int16_t* line = at;
    at += padded(samples);
    std::fill(line + samples, at, int16_t{0});
    return line;
  };
  Lines lines{take(columns * components), {nullptr, nullptr}};
  if (components == 2) lines.split[0] = take(columns), lines.split[1] = take(columns);
  return lines;
}

}  // namespace

size_t resample_scratch_bytes(const FilterTable& horizontal, int components) {
  const size_t split = components == 2 ? 2 * padded(horizontal.in) : 0;
  return (padded(horizontal.in * components) + split) * sizeof(int16_t);
}

void resample_plane(const PlaneJob& job, int y0, int y1, void* scratch) noexcept {
  const Lines lines = cut(scratch, job.horizontal->in, job.components);
  switch (job.type) {
    case SampleType::kU8:
      return HWY_DYNAMIC_DISPATCH(rows_u8)(job, y0, y1, lines);
    case SampleType::kU16Lsb10:
      return HWY_DYNAMIC_DISPATCH(rows_lsb10)(job, y0, y1, lines);
    case SampleType::kU16Msb10:
      return HWY_DYNAMIC_DISPATCH(rows_msb10)(job, y0, y1, lines);
    case SampleType::kF32:
      break;
  }
}

}  // namespace coco::kernels
#endif
