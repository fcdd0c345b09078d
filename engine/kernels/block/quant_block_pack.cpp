// Weights of integer convolutions for the kernels over blocks of channels.
#include <algorithm>
#include <array>
#include <numeric>
#include <span>

#include "kernels/block/quant_block.h"

namespace coco::kernels {
namespace {

constexpr int kMaxSum16 = 128;  // 255 * 128 fits 16 bits

uint32_t word_of(const std::array<int8_t, 4>& bytes) {
  uint32_t word = 0;
  for (int i = 0; i < 4; ++i) word |= uint32_t{static_cast<uint8_t>(bytes[static_cast<size_t>(i)])} << (8 * i);
  return word;
}

bool is_narrow(uint32_t word) {
  for (const int half : {0, 16}) {
    int positive = 0, negative = 0;
    for (const int byte : {half, half + 8}) {
      const auto v = static_cast<int8_t>(word >> byte & 255u);
      (v < 0 ? negative : positive) += std::abs(int{v});
    }
    if (positive > kMaxSum16 || negative > kMaxSum16) return false;
  }
  return true;
}

/// The 16 words of one block of the result for one entry.
using Step = std::array<uint32_t, kBlock>;

Step step_of(const QuantBlockWeights& w, const int8_t* oihw, int block, const QuantBlockEntry& e) {
  Step step{};
  const int taps = w.kernel_h * w.kernel_w;
  for (int i = 0; i < kBlock && block * kBlock + i < w.out_channels; ++i) {
    std::array<int8_t, 4> bytes{};
    for (int b = 0; b < kWordChannels && e.word * kWordChannels + b < w.in_channels; ++b) {
      const size_t row = size_t(block * kBlock + i) * w.in_channels + e.word * kWordChannels + b;
      bytes[b] = oihw[row * taps + e.row * w.kernel_w + e.column];
    }
    step[i] = word_of(bytes);
  }
  return step;
}

bool is_zero(const Step& step) {
  return std::all_of(step.begin(), step.end(), [](uint32_t v) { return v == 0; });
}

void append(const Step& step, QuantBlockWeights& w, std::vector<uint32_t>& words) {
  words.insert(words.end(), step.begin(), step.end());
  w.narrow = w.narrow && std::all_of(step.begin(), step.end(), is_narrow);
}

void pack_pair(const int8_t* oihw, int block, bool skip_zeros, QuantBlockWeights& w, std::vector<uint32_t>& words) {
  struct Draft {
    QuantBlockEntry entry;
    Step steps[2];
  };
  const bool single = block + 1 == channel_blocks(w.out_channels);
  std::vector<Draft> both, first, second;
  for (int word = 0; word * kWordChannels < w.in_channels; ++word)
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < w.kernel_w; ++kx) {
        Draft draft{{word, ky, kx}, {}};
        for (int b = 0; b < (single ? 1 : 2); ++b) draft.steps[b] = step_of(w, oihw, block + b, draft.entry);
        const bool in_first = !skip_zeros || !is_zero(draft.steps[0]);
        const bool in_second = !single && (!skip_zeros || !is_zero(draft.steps[1]));
        if (in_first || in_second) (in_first && in_second ? both : in_first ? first : second).push_back(draft);
      }
  w.pairs.push_back({w.entries.size(), both.size(), first.size(), second.size(), words.size()});
  for (const auto* part : {&both, &first, &second})
    for (const Draft& draft : *part) {
      w.entries.push_back(draft.entry);
      if (part != &second) append(draft.steps[0], w, words);
      if (part != &first) append(draft.steps[1], w, words);
    }
}

void pack_depthwise(const int8_t* weight, QuantBlockWeights& w, std::vector<uint32_t>& words) {
  for (int block = 0; block < channel_blocks(w.out_channels); ++block)
    for (int kx = 0; kx < w.kernel_w; ++kx)
      for (int row = 0; row < w.kernel_h; row += 4)
        for (int m = block * kBlock; m < (block + 1) * kBlock; ++m) {
          std::array<int8_t, 4> bytes{};
          for (int i = 0; i < 4 && row + i < w.kernel_h && m < w.out_channels; ++i)
            bytes[i] = weight[(size_t(m) * w.kernel_h + row + i) * w.kernel_w + kx];
          words.push_back(word_of(bytes));
          w.narrow = w.narrow && is_narrow(words.back());
        }
}

bool is_relu(const QuantBlockWeights& w) {
  return !w.dequantize && std::all_of(w.negative.begin(), w.negative.end(), [](float v) { return v == 0; }) &&
         std::all_of(w.scale.begin(), w.scale.end(), [](float v) { return v >= 0; });
}

}  // namespace

bool pack_quant_block(const format::QuantConv2dParams& params, int out_channels, int in_channels, const int8_t* weight,
                      const int32_t* bias, const float* scale, const float* negative, bool skip_zeros,
                      QuantBlockWeights& w) {
  w.out_channels = out_channels, w.in_channels = in_channels;
  w.kernel_h = static_cast<int>(params.kernel[0]), w.kernel_w = static_cast<int>(params.kernel[1]);
  w.depthwise = params.group > 1;
  w.out_zero_point = static_cast<int32_t>(params.out_zero_point);
  w.low = static_cast<int32_t>(params.low), w.high = static_cast<int32_t>(params.high);
  w.dequantize = params.dequantize;
  std::vector<uint32_t> words;
  if (w.depthwise) {
    pack_depthwise(weight, w, words);
  } else {
    for (int block = 0; block < channel_blocks(out_channels); block += 2)
      pack_pair(weight, block, skip_zeros, w, words);
  }
  auto memory = Buffer::allocate(std::max<size_t>(words.size(), 1) * sizeof(uint32_t));
  if (!memory.ok()) return false;
  w.packed = std::move(*memory);
  auto* packed = static_cast<uint32_t*>(w.packed.data());
  std::copy(words.begin(), words.end(), packed);
  w.words = packed;
  const int taps = (w.depthwise ? 1 : in_channels) * w.kernel_h * w.kernel_w;
  for (int m = 0; m < out_channels; ++m) {
    const int8_t* of = weight + ptrdiff_t(m) * taps;
    const int32_t sum = std::accumulate(of, of + taps, 0);
    w.bias.push_back(bias[m] - static_cast<int32_t>(params.in_zero_point) * sum);
    w.flipped_bias.push_back(w.bias.back() + 128 * sum);
  }
  w.scale.assign(scale, scale + out_channels);
  w.negative.assign(negative != nullptr ? negative : scale, (negative != nullptr ? negative : scale) + out_channels);
  w.linear = w.negative == w.scale || is_relu(w);
  // The bytes of a ReLU are those that the zero point bounds from below.
  if (w.linear && w.negative != w.scale) w.low = std::clamp(w.out_zero_point, w.low, w.high);
  const size_t channels = size_t(channel_blocks(out_channels)) * kBlock;
  w.bias.resize(channels), w.flipped_bias.resize(channels), w.scale.resize(channels), w.negative.resize(channels);
  return true;
}

std::vector<ptrdiff_t> quant_block_offsets(const QuantBlockWeights& weights, ptrdiff_t in_block, ptrdiff_t tap_row,
                                           ptrdiff_t tap_column) {
  constexpr int kWords = kBlock / kWordChannels;
  std::vector<ptrdiff_t> offsets;
  for (const QuantBlockEntry& e : weights.entries)
    offsets.push_back(e.word / kWords * in_block + e.word % kWords * kWordChannels + e.row * tap_row +
                      e.column * tap_column);
  return offsets;
}

}  // namespace coco::kernels
