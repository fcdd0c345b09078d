#include <algorithm>

#include "kernels/conv/conv_pair.h"

namespace coco::kernels {

void pack_conv_pair_weights(const float* oihw, ConvRowWeights& weights) {
  const int in_per_group = weights.in_channels / weights.groups;
  const int kw = weights.kernel_w;
  std::vector<float> transformed(size_t(weights.out_channels) * in_per_group * kPairRows * kw);
  for (size_t k = 0; k < size_t(weights.out_channels) * in_per_group; ++k)
    for (int kx = 0; kx < kw; ++kx) {
      const float* g = oihw + k * 3 * kw + kx;
      float* out = transformed.data() + k * kPairRows * kw + kx;
      // Rounded once: the sums of two floats and their halves are exact in double, or nearly.
      const double g0 = g[0], g1 = g[kw], g2 = g[2 * kw];
      out[0] = g[0];
      out[kw] = static_cast<float>((g0 + g2 + g1) / 2);
      out[2 * kw] = static_cast<float>((g0 + g2 - g1) / 2);
      out[3 * kw] = g[2 * kw];
    }
  weights.kernel_h = kPairRows;
  pack_conv_weights(transformed.data(), weights);
}

PairSpan pair_span(const ConvRowWeights& weights) {
  constexpr int kCacheFloats = 4096;  // half of the first-level cache: weights and results pass through as well
  constexpr int kBlock = 48;          // a whole number of every target's register tiles
  constexpr int kLine = 16;
  const int reach = (weights.kernel_w - 1) * weights.dilation_x;
  const int blocks = (kCacheFloats / (kPairRows * weights.in_channels) - reach) / kBlock;
  const int width = kBlock * std::clamp(blocks, 1, 8);
  return {width, (width + reach + 2 * kLine - 1) / kLine * kLine};
}

size_t conv_pair_scratch(const ConvRowWeights& weights) {
  return (size_t(kPairRows) * weights.in_channels + 1) * pair_span(weights).pitch;
}

void conv_pair_ref(const ConvPairArgs& args) {
  const ConvRowWeights& w = *args.weights;
  const int per_group = w.out_channels / w.groups;
  const int in_per_group = w.in_channels / w.groups;
  for (int group = 0; group < w.groups; ++group)
    for (int first = 0, tile = 0; first < per_group; first += tile) {
      tile = conv_tile(w.oc_tile, per_group - first);
      const float* packed =
          w.packed.data() + (size_t(group) * per_group + first) * in_per_group * kPairRows * w.kernel_w;
      for (int o = 0; o < tile; ++o) {
        const int channel = group * per_group + first + o;
        for (int x = 0; x < args.width; ++x) {
          float m[kPairRows] = {};
          for (int c = 0; c < in_per_group; ++c)
            for (int kx = 0; kx < w.kernel_w; ++kx) {
              float d[kPairRows];
              const ptrdiff_t at = (group * in_per_group + c) * args.in_channel_stride + x + kx * w.dilation_x;
              for (int r = 0; r < kPairRows; ++r) d[r] = args.rows[r] != nullptr ? args.rows[r][at] : 0.0f;
              const float moved[kPairRows] = {d[0] - d[2], d[1] + d[2], d[2] - d[1], d[3] - d[1]};
              for (int r = 0; r < kPairRows; ++r)
                m[r] += moved[r] * packed[((size_t(r) * in_per_group + c) * w.kernel_w + kx) * tile + o];
            }
          const ptrdiff_t at = channel * args.out_channel_stride + x;
          args.out[0][at] = apply_epilogue(w, channel, w.bias[channel] + m[1] + m[2] + m[0]);
          args.out[1][at] = apply_epilogue(w, channel, w.bias[channel] + m[1] - m[2] + m[3]);
        }
      }
    }
}

}  // namespace coco::kernels
