// Purpose: polyphase filter tables for resampling one axis by any ratio, with exact siting.
#pragma once

#include <cstdint>
#include <vector>

namespace coco::kernels {

/// Interpolation kernels. Both are widened by the ratio when shrinking, so that they do not alias.
enum class ResampleKernel : uint8_t {
  kBicubic,   ///< Keys cubic, a = -0.5 (Catmull-Rom), 4 taps
  kLanczos3,  ///< sinc(x) sinc(x/3), 6 taps
};

/// One axis of a resampling. Sample j of a plane sits at (j + 0.5 + siting/4) in units of that plane's samples; siting
/// is 0 for luma and centred chroma, -1 for chroma co-sited with the first luma sample of its pair (a chroma sample is
/// two luma samples wide, and the first one's centre is a quarter of it left of the middle). Output sample i
/// therefore reads the input around
///
///     x(i) = (i + 0.5 + out_siting/4) * ratio_in / ratio_out - 0.5 - in_siting/4
///
/// The ratio is that of the pictures, not of the planes: with odd sizes the two differ by the chroma's rounding.
struct FilterSpec {
  int in = 0;         ///< input samples, >= 1
  int out = 0;        ///< output samples, >= 1
  int ratio_in = 0;   ///< picture size in, >= 1; 0: `in`
  int ratio_out = 0;  ///< picture size out, >= 1; 0: `out`
  int in_siting = 0;  ///< quarters of a sample
  int out_siting = 0;
  ResampleKernel kernel = ResampleKernel::kBicubic;
};

/// Scale of the integer coefficients: every output's sum to exactly 1 << kFixedBits.
inline constexpr int kFixedBits = 14;

/// Output i is the sum over k < taps of weights[i * taps + k] * input[first[i] + k]. Indices are folded at the edges
/// (samples beyond them repeat the edge sample), so that 0 <= first[i] <= in - taps always holds and no padding is
/// read; first never falls from one output to the next.
struct FilterTable {
  int in = 0, out = 0, taps = 0;
  std::vector<int> first;      ///< out
  std::vector<float> weights;  ///< out x taps, each row sums to 1 within rounding
  std::vector<float> columns;  ///< taps x out: the same, transposed
  std::vector<int16_t> fixed;  ///< out x taps, each row sums to exactly 1 << kFixedBits
  /// taps rounded up to pairs x out: {fixed tap 2p, fixed tap 2p + 1} of output i at [p * out + i], the missing odd
  /// tap 0; low half first.
  std::vector<int32_t> fixed_pairs;
  /// Outputs [x2_begin, x2_end) are an exact doubling: x2_begin is even, first[i] =
  /// first[x2_begin + i % 2] + (i - x2_begin) / 2, and the weights depend on i % 2 only. Empty for other ratios.
  int x2_begin = 0, x2_end = 0;

  int pairs() const { return (taps + 1) / 2; }
};

/// Sets x2_begin and x2_end from the other members (those of the fixed point may be empty).
void find_doubling(FilterTable& table);

/// Builds the table. Deterministic for kBicubic on every machine (IEEE double arithmetic only); the positions are
/// exact rationals, so equal phases have equal weights.
FilterTable make_filter(const FilterSpec& spec);
/// The same for a plane of its own (luma): no siting.
FilterTable make_filter(int in, int out, ResampleKernel kernel);

}  // namespace coco::kernels
