// Purpose: integer-exact resampling of video planes (chroma), any sample type, interleaved or not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "coco/buffer.h"
#include "kernels/resample/filter.h"

namespace coco::kernels {

/// A plane job: `components` (1, or 2 for interleaved CbCr) of `columns` x `rows` samples in and out as the tables say.
///
/// The arithmetic, which every implementation reproduces bit for bit. Let B be the sample bits (8 or 10), F = 14 - B,
/// V and H the tables' fixed coefficients, v[r][x] the input values (10-bit low: word & 1023; 10-bit high: word >> 6):
///
///     t[x]   = sat16((sum over k of V[y][k] * v[first_v[y] + k][x] + (1 << (B - 1))) >> B)
///     out[i] = clamp((sum over k of H[i][k] * t[first_h[i] + k] + (1 << (13 + F))) >> (14 + F), 0, (1 << B) - 1)
///
/// with 32-bit sums and arithmetic shifts: t holds the vertically filtered value with F fractional bits, rounded half
/// up, and the output is rounded half up once more. A 10-bit high output is stored as value << 6.
struct PlaneJob {
  const FilterTable* horizontal = nullptr;
  const FilterTable* vertical = nullptr;
  SampleType type = SampleType::kU8;  ///< of both planes; not kF32
  int components = 1;
  const void* in = nullptr;  ///< row 0; strides in bytes, any sign
  ptrdiff_t in_stride = 0;
  void* out = nullptr;
  ptrdiff_t out_stride = 0;
};

/// Bytes of scratch one call of resample_plane needs for these tables; grows with the input width only.
size_t resample_scratch_bytes(const FilterTable& horizontal, int components);
/// Alignment of that scratch.
inline constexpr size_t kResampleScratchAlignment = 64;

/// Output rows [y0, y1). Rows do not depend on each other: any cut gives the same bytes. Nothing is read or written
/// beyond the planes' samples.
void resample_plane(const PlaneJob& job, int y0, int y1, void* scratch) noexcept;
/// Scalar reference: the specification.
void resample_plane_ref(const PlaneJob& job, int y0, int y1, void* scratch) noexcept;

}  // namespace coco::kernels
