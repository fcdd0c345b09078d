// Purpose: one sample of each type, and the scalar rows of the integer plane kernels: the whole of the reference, the
// edges of the vector version.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/resample/planes.h"

namespace coco::kernels {

/// 10-bit samples; kU8 below.
template <SampleType kType>
struct SampleAccess {
  using Word = uint16_t;
  static constexpr int kBits = 10;
  /// Where the value sits in the stored word.
  static constexpr int kPosition = kType == SampleType::kU16Msb10 ? 6 : 0;

  static int32_t load(const Word* row, int x) { return row[x] >> kPosition & ((1 << kBits) - 1); }
  static void store(Word* row, int x, int32_t value) { row[x] = static_cast<Word>(value << kPosition); }
};

template <>
struct SampleAccess<SampleType::kU8> {
  using Word = uint8_t;
  static constexpr int kBits = 8;
  static constexpr int kPosition = 0;

  static int32_t load(const Word* row, int x) { return row[x]; }
  static void store(Word* row, int x, int32_t value) { row[x] = static_cast<Word>(value); }
};

template <SampleType kType>
struct PlaneRows {
  using Access = SampleAccess<kType>;
  using Word = typename Access::Word;
  static constexpr int kBits = Access::kBits;
  static constexpr int kMax = (1 << kBits) - 1;
  /// Right shifts after the vertical and the horizontal sum.
  static constexpr int kVerticalShift = kBits;
  static constexpr int kHorizontalShift = 2 * kFixedBits - kBits;

  static const Word* in_row(const PlaneJob& job, int y) {
    return reinterpret_cast<const Word*>(static_cast<const char*>(job.in) + y * job.in_stride);
  }
  static Word* out_row(const PlaneJob& job, int y) {
    return reinterpret_cast<Word*>(static_cast<char*>(job.out) + y * job.out_stride);
  }

  /// t of output row y for samples [x0, x1) of the interleaved row.
  static void vertical(const PlaneJob& job, int y, int x0, int x1, int16_t* line) {
    const FilterTable& table = *job.vertical;
    const int16_t* weights = table.fixed.data() + static_cast<size_t>(y) * static_cast<size_t>(table.taps);
    for (int x = x0; x < x1; ++x) {
      int32_t sum = 1 << (kVerticalShift - 1);
      for (int k = 0; k < table.taps; ++k) sum += weights[k] * Access::load(in_row(job, table.first[y] + k), x);
      line[x] = static_cast<int16_t>(std::clamp(sum >> kVerticalShift, -32768, 32767));
    }
  }

  /// Outputs [i0, i1) of row y, all components.
  static void horizontal(const PlaneJob& job, int y, int i0, int i1, const int16_t* line) {
    const FilterTable& table = *job.horizontal;
    const int components = job.components;
    Word* out = out_row(job, y);
    for (int i = i0; i < i1; ++i) {
      const int16_t* weights = table.fixed.data() + static_cast<size_t>(i) * static_cast<size_t>(table.taps);
      for (int c = 0; c < components; ++c) {
        int32_t sum = 1 << (kHorizontalShift - 1);
        for (int k = 0; k < table.taps; ++k) sum += weights[k] * line[(table.first[i] + k) * components + c];
        Access::store(out, i * components + c, std::clamp(sum >> kHorizontalShift, 0, kMax));
      }
    }
  }
};

}  // namespace coco::kernels
