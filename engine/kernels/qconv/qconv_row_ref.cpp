// The integer rows as they are defined; every other kernel gives the same bytes.
#include <algorithm>
#include <cmath>

#include "kernels/qconv/qconv_row.h"
#include "kernels/row/row.h"

namespace coco::kernels {
namespace {

int32_t dot4(uint32_t x, uint32_t w) {
  int32_t sum = 0;
  for (int shift = 0; shift < 32; shift += 8)
    sum += static_cast<int32_t>(x >> shift & 0xff) * static_cast<int8_t>(w >> shift & 0xff);
  return sum;
}

uint32_t byte_at(uint32_t value, int channel) { return value << (8 * (channel % 4)); }

// acc = bias[m] + sum over the tile's entries e of the 4 products of word x * stride + e.offset with its weights;
// float(acc) * (acc < 0 ? negative[m] : scale[m])
float scaled_sum(const QuantConvRowArgs& args, const QuantTile& tile, int o, int x) {
  const QuantConvRowWeights& w = *args.weights;
  const int m = tile.first + o;
  int32_t acc = w.bias[m];
  for (size_t e = 0; e < tile.entry_count; ++e) {
    const QuantEntry& entry = w.entries[tile.entry_begin + e];
    const uint32_t* in = args.rows[entry.row] + entry.plane * args.in_plane_stride + entry.offset;
    acc += dot4(in[static_cast<ptrdiff_t>(x) * w.stride_x], w.weights[tile.weight_begin + e * w.oc_tile + o]);
  }
  return static_cast<float>(acc) * (acc < 0 ? w.negative[m] : w.scale[m]);
}

void store_shuffled(const QuantConvRowArgs& args) {
  const QuantShuffledRows& to = *args.shuffled;
  const QuantTile& tile = args.weights->tiles[0];
  for (int row = 0; row < 2; ++row)
    for (int x = 0; x < args.width; ++x) {
      const float even = scaled_sum(args, tile, 2 * row, x), odd = scaled_sum(args, tile, 2 * row + 1, x);
      const ptrdiff_t at = 2 * static_cast<ptrdiff_t>(x);
      shuffle_store_row_ref(to.type, &even, &odd, to.base[row] + at, 1,
                            static_cast<uint8_t*>(to.samples[row]) + at * static_cast<ptrdiff_t>(byte_size(to.type)));
    }
}

}  // namespace

void qconv_row_ref(const QuantConvRowArgs& args) {
  if (args.shuffled != nullptr) return store_shuffled(args);
  const QuantConvRowWeights& w = *args.weights;
  const auto zero = static_cast<float>(w.out_zero_point);
  const float low = static_cast<float>(w.low) - zero, high = static_cast<float>(w.high) - zero;
  for (const QuantTile& tile : w.tiles)
    for (int o = 0; o < tile.channels; ++o) {
      const int m = tile.first + o;
      for (int x = 0; x < args.width; ++x) {
        const float s = scaled_sum(args, tile, o, x);
        if (w.dequantize) {
          static_cast<float*>(args.out)[m * args.out_plane_stride + x] = s;
          continue;
        }
        const auto rounded = static_cast<int32_t>(std::nearbyint(std::clamp(s, low, high)));
        uint32_t& word = static_cast<uint32_t*>(args.out)[m / 4 * args.out_plane_stride + x];
        if (m % 4 == 0) word = 0;
        word |= byte_at(static_cast<uint32_t>(rounded + w.out_zero_point), m);
      }
    }
}

void quantize_row_ref(const QuantizeRowArgs& args) {
  const auto zero = static_cast<float>(args.zero_point);
  for (int c = 0; c < args.channels; ++c) {
    const float* in = args.in + c * args.in_channel_stride;
    uint32_t* out = args.out + c / 4 * args.out_plane_stride;
    for (int x = 0; x < args.width; ++x) {
      const float v = in[x] * args.multiplier;
      // Ordered so that NaN becomes the least.
      const float bounded = v > -zero ? std::min(v, 255.0f - zero) : -zero;
      const auto rounded = static_cast<int32_t>(std::nearbyint(bounded));
      if (c % 4 == 0) out[x] = 0;
      out[x] |= byte_at(static_cast<uint32_t>(rounded + args.zero_point), c);
    }
  }
}

void gather_row_ref(const GatherRowArgs& args) {
  for (int j = 0; j < args.width; ++j) {
    args.out[j] = 0;
    for (int i = 0; i < 4; ++i) {
      const int column = args.begin + j - 1 + i;
      if (column >= 0 && column < args.columns) args.out[j] |= byte_at(args.in[column], i);
    }
  }
}

}  // namespace coco::kernels
