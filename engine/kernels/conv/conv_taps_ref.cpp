#include <algorithm>

#include "kernels/conv/conv_taps.h"

namespace coco::kernels {

double ConvTapsWeights::density() const {
  const size_t dense =
      size_t(shape.out_channels) * (shape.in_channels / shape.groups) * shape.kernel_h * shape.kernel_w;
  return dense > 0 ? static_cast<double>(weights.size()) / static_cast<double>(dense) : 1;
}

ConvTapsWeights make_conv_taps(const float* oihw, const ConvRowWeights& shape) {
  ConvTapsWeights w;
  w.shape = shape;
  w.shape.packed.clear();
  const int per_group = shape.out_channels / shape.groups, in_per_group = shape.in_channels / shape.groups;
  for (int group = 0; group < shape.groups; ++group)
    for (int first = 0, tile = 0; first < per_group; first += tile) {
      tile = conv_tile(shape.oc_tile, per_group - first);
      ConvTapsTile t;
      t.first = group * per_group + first, t.channels = tile, t.weight_begin = w.weights.size();
      const auto weight = [&](int o, int c, int ky, int kx) {
        return oihw[((size_t(t.first + o) * in_per_group + c) * shape.kernel_h + ky) * shape.kernel_w + kx];
      };
      for (int ky = 0; ky < shape.kernel_h; ++ky) {
        t.row_begin.push_back(w.taps.size());
        for (int c = 0; c < in_per_group; ++c)
          for (int kx = 0; kx < shape.kernel_w; ++kx) {
            bool used = false;
            for (int o = 0; o < tile; ++o) used = used || weight(o, c, ky, kx) != 0;
            if (!used) continue;
            w.taps.push_back({group * in_per_group + c, kx * shape.dilation_x});
            for (int o = 0; o < tile; ++o) w.weights.push_back(weight(o, c, ky, kx));
          }
      }
      t.row_begin.push_back(w.taps.size());
      w.tiles.push_back(std::move(t));
    }
  return w;
}

void conv_taps_ref(const ConvTapsArgs& args) {
  const ConvTapsWeights& w = *args.weights;
  for (const ConvTapsTile& tile : w.tiles)
    for (int o = 0; o < tile.channels; ++o) {
      const int channel = tile.first + o;
      for (int x = 0; x < args.width; ++x) {
        float sum = w.shape.bias[channel];
        for (int r = 0; r < args.row_count; ++r)
          for (size_t i = tile.row_begin[args.ky[r]]; i < tile.row_begin[args.ky[r] + 1]; ++i) {
            const ConvTap& tap = w.taps[i];
            const float weight = w.weights[tile.weight_begin + (i - tile.row_begin[0]) * tile.channels + o];
            sum += args.rows[r][tap.channel * args.in_channel_stride + tap.offset + x * w.shape.stride_x] * weight;
          }
        args.out[channel * args.out_channel_stride + x] = apply_epilogue(w.shape, channel, sum);
      }
    }
}

}  // namespace coco::kernels
