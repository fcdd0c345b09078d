// Entry lists: what is left of a kernel's weights, in the order the row kernels read them.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>

#include "kernels/qconv/qconv_row.h"

namespace coco::kernels {
namespace {

constexpr int kMaxTile = 16;
constexpr int kMaxSum16 = 128;       // 255 * 128 fits 16 bits
constexpr size_t kPairWindow = 128;  // entries looked at for a partner

struct Draft {
  QuantEntry entry;
  std::array<uint32_t, kMaxTile> words{};
  std::array<uint8_t, 4 * kMaxTile>
      sums{};       // per channel and half word: positive weights, and negative ones, up to 255
  int largest = 0;  // of the sums
};

int8_t byte_of(uint32_t word, int i) { return static_cast<int8_t>(word >> (8 * i) & 0xff); }

void add_up(Draft& draft, int oc_tile) {
  for (int o = 0; o < oc_tile; ++o)
    for (int half = 0; half < 2; ++half) {
      const int a = byte_of(draft.words[o], 2 * half), b = byte_of(draft.words[o], 2 * half + 1);
      const int positive = std::max(a, 0) + std::max(b, 0), negative = -std::min(a, 0) - std::min(b, 0);
      draft.sums[4 * o + 2 * half] = static_cast<uint8_t>(std::min(positive, 255));
      draft.sums[4 * o + 2 * half + 1] = static_cast<uint8_t>(std::min(negative, 255));
      draft.largest = std::max({draft.largest, std::min(positive, 255), std::min(negative, 255)});
    }
}

bool fit_together(const Draft& a, const Draft& b, int oc_tile) {
  for (int i = 0; i < 4 * oc_tile; ++i)
    if (a.sums[i] + b.sums[i] > kMaxSum16) return false;
  return true;
}

// Where a weight stands: [M][C/group][kh][kw].
struct Source {
  const int8_t* weight;
  int group_channels, group_results, in_channels, kernel_h, kernel_w, dilation_x;
  int8_t at(int m, int c, int ky, int kx) const {
    const int local = c - m / group_results * group_channels;
    if (c >= in_channels || local < 0 || local >= group_channels) return 0;
    return weight[((static_cast<ptrdiff_t>(m) * group_channels + local) * kernel_h + ky) * kernel_w + kx];
  }
};

// The entries of output channels [first, first + channels), in order.
std::vector<Draft> drafts_of(const Source& source, int first, int channels, int oc_tile, bool skip_zeros) {
  std::vector<Draft> drafts;
  const int first_in = first / source.group_results * source.group_channels;
  const int last_in = (first + channels - 1) / source.group_results * source.group_channels + source.group_channels - 1;
  for (int ky = 0; ky < source.kernel_h; ++ky)
    for (int plane = first_in / 4; plane <= last_in / 4; ++plane)
      for (int kx = 0; kx < source.kernel_w; ++kx) {
        Draft draft;
        draft.entry = {ky, plane, kx * source.dilation_x};
        for (int o = 0; o < channels; ++o)
          for (int b = 0; b < 4; ++b) {
            const auto byte = static_cast<uint8_t>(source.at(first + o, 4 * plane + b, ky, kx));
            draft.words[o] |= static_cast<uint32_t>(byte) << (8 * b);
          }
        const bool zero = std::all_of(draft.words.begin(), draft.words.end(), [](uint32_t word) { return word == 0; });
        if (zero && skip_zeros) continue;
        add_up(draft, oc_tile);
        drafts.push_back(draft);
      }
  return drafts;
}

// Pairs, narrow ones, wide ones (QuantTile). The heaviest looks for the heaviest partner that fits.
std::vector<Draft> arrange(std::vector<Draft> drafts, int oc_tile, QuantTile& tile) {
  const auto wide = std::stable_partition(drafts.begin(), drafts.end(),
                                          [](const Draft& draft) { return draft.largest <= kMaxSum16; });
  tile.wide_count = static_cast<size_t>(drafts.end() - wide);
  const auto count = static_cast<size_t>(wide - drafts.begin());
  std::vector<size_t> order(count);
  for (size_t i = 0; i < count; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return drafts[a].largest > drafts[b].largest; });
  std::vector<bool> taken(count);
  std::vector<std::array<size_t, 2>> pairs;
  for (size_t i = 0; i < count; ++i) {
    if (taken[order[i]]) continue;
    for (size_t j = i + 1; j < std::min(count, i + kPairWindow); ++j) {
      if (taken[order[j]] || !fit_together(drafts[order[i]], drafts[order[j]], oc_tile)) continue;
      taken[order[i]] = taken[order[j]] = true;
      pairs.push_back({std::min(order[i], order[j]), std::max(order[i], order[j])});
      break;
    }
  }
  std::sort(pairs.begin(), pairs.end());
  tile.pair_count = pairs.size();
  std::vector<Draft> result;
  for (const auto& [a, b] : pairs) result.push_back(drafts[a]), result.push_back(drafts[b]);
  for (size_t i = 0; i < count; ++i)
    if (!taken[i]) result.push_back(drafts[i]);
  result.insert(result.end(), wide, drafts.end());
  return result;
}

uint32_t halves(int8_t low, int8_t high) {
  return static_cast<uint16_t>(low) | static_cast<uint32_t>(static_cast<uint16_t>(high)) << 16;
}

void append(const std::vector<Draft>& drafts, QuantConvRowWeights& w, QuantTile& tile) {
  tile.entry_begin = w.entries.size(), tile.entry_count = drafts.size();
  tile.weight_begin = w.weights.size(), tile.wide_begin = w.wide.size();
  for (size_t i = 0; i < drafts.size(); ++i) {
    w.entries.push_back(drafts[i].entry);
    for (int o = 0; o < w.oc_tile; ++o) {
      const uint32_t word = drafts[i].words[o];
      w.weights.push_back(word);
      if (i + tile.wide_count < drafts.size()) continue;
      w.wide.push_back(halves(byte_of(word, 0), byte_of(word, 2)));
      w.wide.push_back(halves(byte_of(word, 1), byte_of(word, 3)));
    }
  }
  w.tiles.push_back(tile);
}

}  // namespace

QuantConvRowWeights pack_quant_conv(const format::QuantConv2dParams& params, int out_channels, int in_channels,
                                    const int8_t* weight, const int32_t* bias, const float* scale,
                                    const float* negative, int oc_tile, bool skip_zeros) {
  QuantConvRowWeights w;
  w.out_channels = out_channels, w.in_channels = in_channels;
  w.kernel_h = static_cast<int>(params.kernel[0]), w.kernel_w = static_cast<int>(params.kernel[1]);
  w.stride_x = static_cast<int>(params.stride[1]);
  w.oc_tile = oc_tile;
  w.in_zero_point = static_cast<int32_t>(params.in_zero_point);
  w.out_zero_point = static_cast<int32_t>(params.out_zero_point);
  w.low = static_cast<int32_t>(params.low), w.high = static_cast<int32_t>(params.high);
  w.dequantize = params.dequantize;
  const int group = static_cast<int>(params.group);
  const Source source{weight,
                      in_channels / group,
                      out_channels / group,
                      in_channels,
                      w.kernel_h,
                      w.kernel_w,
                      static_cast<int>(params.dilation[1])};
  for (int first = 0; first < out_channels; first += oc_tile) {
    QuantTile tile;
    tile.first = first, tile.channels = std::min(oc_tile, out_channels - first);
    const auto drafts = arrange(drafts_of(source, first, tile.channels, oc_tile, skip_zeros), oc_tile, tile);
    append(drafts, w, tile);
  }
  const auto padded = w.tiles.size() * static_cast<size_t>(oc_tile);
  const ptrdiff_t taps = static_cast<ptrdiff_t>(source.group_channels) * w.kernel_h * w.kernel_w;
  for (int m = 0; m < out_channels; ++m) {
    int32_t sum = 0;
    for (const int8_t tap : std::span(weight + m * taps, static_cast<size_t>(taps)))
      sum += tap, w.has_lowest = w.has_lowest || tap == -128;
    w.bias.push_back(bias[m] - w.in_zero_point * sum);
    w.flipped_bias.push_back(w.bias.back() + 128 * sum);
  }
  w.scale.assign(scale, scale + out_channels);
  const float* below = negative != nullptr ? negative : scale;
  w.negative.assign(below, below + out_channels);
  w.linear = w.negative == w.scale;
  w.bias.resize(padded), w.flipped_bias.resize(padded), w.scale.resize(padded), w.negative.resize(padded);
  for (QuantTile& tile : w.tiles)
    for (int o = 0; o < tile.channels; ++o)
      if (w.negative[tile.first + o] > w.scale[tile.first + o]) tile.concave |= 1U << o;
  return w;
}

QuantConvRowWeights pack_quant_conv_finest(const format::QuantConv2dParams& params, int out_channels, int in_channels,
                                           const int8_t* weight, const int32_t* bias, const float* scale,
                                           const float* negative, const QuantConvRowKernel& kernel, bool skip_zeros) {
  const auto packed = [&](int tile) {
    return pack_quant_conv(params, out_channels, in_channels, weight, bias, scale, negative, tile, skip_zeros);
  };
  QuantConvRowWeights whole = packed(kernel.oc_tile());
  if (kernel.fine_tile() == kernel.oc_tile()) return whole;
  QuantConvRowWeights fine = packed(kernel.fine_tile());
  return 10 * fine.weights.size() <= 9 * whole.weights.size() ? fine : whole;
}

}  // namespace coco::kernels
