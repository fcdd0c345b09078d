#include <algorithm>
#include <cmath>

#include "kernels/block/quant_block.h"
#include "kernels/steps/steps_row.h"

namespace coco::kernels {
namespace {

/// A word's four bytes of u8 times those of s8.
int32_t dot4(const uint8_t* in, uint32_t weights) {
  int32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += in[i] * static_cast<int8_t>(weights >> (8 * i) & 255u);
  return sum;
}

void store(const QuantBlockWeights& w, int channel, int32_t acc, void* out, ptrdiff_t at) {
  const float s = static_cast<float>(acc) * (acc < 0 ? w.negative[channel] : w.scale[channel]);
  if (w.dequantize) {
    static_cast<float*>(out)[at] = s;
  } else {
    const int32_t rounded = static_cast<int32_t>(std::nearbyint(s)) + w.out_zero_point;
    static_cast<uint8_t*>(out)[at] = static_cast<uint8_t>(std::clamp(rounded, w.low, w.high));
  }
}

/// Calls sum(block, channel of the block, where the pixel's first tap lies) for every element and stores what comes of
/// it.
template <typename Sum>
void each_element(const QuantBlockArgs& args, const Sum& sum) {
  for (int b = 0; b < args.blocks; ++b)
    for (int y = 0; y < args.rows; ++y)
      for (int x = 0; x < args.pixels; ++x)
        for (int c = 0; c < kBlock; ++c) {
          const int block = args.first_block + b;
          const int32_t acc = args.weights->bias[size_t(block) * kBlock + size_t(c)] +
                              sum(block, c, args.in + y * args.in_row + x * args.in_pixel);
          store(*args.weights, block * kBlock + c, acc, args.out,
                b * args.out_block + y * args.out_row + x * ptrdiff_t(kBlock) + c);
        }
}

}  // namespace

void quant_block_conv_ref(const QuantBlockArgs& args) {
  const QuantBlockWeights& w = *args.weights;
  each_element(args, [&](int block, int c, const uint8_t* in) {
    const QuantBlockPair& pair = w.pairs[size_t(block / 2)];
    const ptrdiff_t* offset = args.offsets + pair.entry;
    const uint32_t* words = w.words + pair.word + c;
    int32_t acc = 0;
    const auto part = [&](size_t count, bool counts, ptrdiff_t at, ptrdiff_t step) {
      for (size_t i = 0; i < count; ++i, ++offset, words += step) acc += counts ? dot4(in + *offset, words[at]) : 0;
    };
    part(pair.both, true, block % 2 * kBlock, 2 * kBlock);
    part(pair.first, block % 2 == 0, 0, kBlock);
    part(pair.second, block % 2 == 1, 0, kBlock);
    return acc;
  });
}

void quant_block_depthwise_ref(const QuantBlockArgs& args) {
  const QuantBlockWeights& w = *args.weights;
  const int groups = (w.kernel_h + 3) / 4;
  each_element(args, [&](int block, int c, const uint8_t* in) {
    const uint32_t* words = w.words + ptrdiff_t(block) * w.kernel_w * groups * kBlock + c;
    in += (block - args.first_block) * args.in_block + c;
    int32_t acc = 0;
    for (int kx = 0; kx < w.kernel_w; ++kx)
      for (int ky = 0; ky < w.kernel_h; ++ky) {
        const uint32_t word = words[(kx * groups + ky / 4) * kBlock];
        acc += in[ky * args.tap_row + kx * args.tap_column] * static_cast<int8_t>(word >> (ky % 4 * 8) & 255u);
      }
    return acc;
  });
}

void quant_block_max_ref(const QuantBlockMaxArgs& args) {
  for (int x = 0; x < args.pixels; ++x)
    for (int c = 0; c < kBlock; ++c) {
      uint8_t most = 0;
      for (int t = 0; t < args.taps; ++t) most = std::max(most, args.in[x * args.in_pixel + args.offsets[t] + c]);
      args.out[x * ptrdiff_t(kBlock) + c] = most;
    }
}

void quant_block_blend_ref(const QuantBlockBlendArgs& args) {
  for (int i = 0; i < kBlock * args.columns; ++i)
    args.scratch[i] =
        static_cast<uint16_t>((kStepTapsUnit - args.bottom_weight) * args.top[i] + args.bottom_weight * args.bottom[i]);
  for (int x = 0; x < args.pixels; ++x) {
    const int32_t weight = args.second_weight[x];
    for (int c = 0; c < kBlock; ++c) {
      const int32_t sum = (kStepTapsUnit - weight) * args.scratch[kBlock * args.first[x] + c] +
                          weight * args.scratch[kBlock * args.second[x] + c];
      args.out[kBlock * x + c] = static_cast<uint8_t>((sum + kBothTapsHalf - 1 + (sum >> kBothTaps & 1)) >> kBothTaps);
    }
  }
}

void quantize_block_ref(const QuantizeBlockArgs& args) {
  const auto zero = static_cast<float>(args.zero_point);
  for (int i = 0; i < kBlock * args.pixels; ++i) {
    const float v = args.in[i] * args.multiplier;
    const float bounded = v > -zero ? std::min(v, 255.0f - zero) : -zero;  // NaN becomes the least
    args.out[i] = static_cast<uint8_t>(static_cast<int32_t>(std::nearbyint(bounded)) + args.zero_point);
  }
}

}  // namespace coco::kernels
