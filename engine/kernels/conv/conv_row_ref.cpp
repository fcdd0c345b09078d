#include "kernels/conv/conv_row.h"

namespace coco::kernels {

void pack_conv_weights(const float* oihw, ConvRowWeights& weights) {
  const int per_group = weights.out_channels / weights.groups;
  const int in_per_group = weights.in_channels / weights.groups;
  const int taps = weights.kernel_h * weights.kernel_w;
  weights.packed.resize(size_t(weights.out_channels) * in_per_group * taps);
  float* out = weights.packed.data();
  for (int group = 0; group < weights.groups; ++group)
    for (int first = 0, tile = 0; first < per_group; first += tile) {
      tile = conv_tile(weights.oc_tile, per_group - first);
      for (int ky = 0; ky < weights.kernel_h; ++ky)
        for (int c = 0; c < in_per_group; ++c)
          for (int kx = 0; kx < weights.kernel_w; ++kx)
            for (int o = 0; o < tile; ++o) {
              const size_t channel = size_t(group) * per_group + first + o;
              *out++ = oihw[(channel * in_per_group + c) * taps + ky * weights.kernel_w + kx];
            }
    }
}

void conv_row_ref(const ConvRowArgs& args) {
  const ConvRowWeights& w = *args.weights;
  const int per_group = w.out_channels / w.groups;
  const int in_per_group = w.in_channels / w.groups;
  for (int group = 0; group < w.groups; ++group)
    for (int first = 0, tile = 0; first < per_group; first += tile) {
      tile = conv_tile(w.oc_tile, per_group - first);
      const float* packed =
          w.packed.data() + (size_t(group) * per_group + first) * in_per_group * w.kernel_h * w.kernel_w;
      for (int o = 0; o < tile; ++o) {
        const int channel = group * per_group + first + o;
        float* out = args.out + channel * args.out_channel_stride;
        for (int x = 0; x < args.width; ++x) {
          float sum = w.bias[channel];
          for (int r = 0; r < args.row_count; ++r)
            for (int c = 0; c < in_per_group; ++c) {
              const float* in = args.rows[r] + (group * in_per_group + c) * args.in_channel_stride + x * w.stride_x;
              const float* k = packed + (size_t(args.ky[r]) * in_per_group + c) * w.kernel_w * tile + o;
              for (int kx = 0; kx < w.kernel_w; ++kx) sum += in[kx * w.dilation_x] * k[kx * tile];
            }
          out[x] = apply_epilogue(w, channel, sum);
        }
      }
    }
}

}  // namespace coco::kernels
