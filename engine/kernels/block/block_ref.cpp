#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/block/block.h"

namespace coco::kernels {
namespace {

/// Calls sum(channel, in, start) for every element, `in` at its first tap, and stores what comes of it.
template <typename Sum>
void each_element(const BlockConvArgs& args, const Sum& sum) {
  for (int b = 0; b < args.blocks; ++b)
    for (int y = 0; y < args.rows; ++y)
      for (int x = 0; x < args.pixels; ++x)
        for (int c = 0; c < kBlock; ++c) {
          const int channel = (args.first_block + b) * kBlock + c;
          const ptrdiff_t at = x * ptrdiff_t(kBlock) + c;
          float v = sum(channel, args.in + y * args.in_row + x * args.in_pixel, args.weights->bias[channel]);
          const float add = args.add == nullptr ? 0.0f : args.add[b * args.add_block + y * args.add_row + at];
          if (args.add != nullptr && args.add_first) v += add;
          v = apply_epilogue(*args.weights, channel, v);
          if (args.add != nullptr && !args.add_first) v += add;
          args.out[b * args.out_block + y * args.out_row + at] = v;
        }
}

}  // namespace

float* allocate_block_weights(BlockConvWeights& w, size_t floats) {
  auto memory = Buffer::allocate(floats * sizeof(float));
  if (!memory.ok()) return nullptr;
  w.packed = std::move(*memory);
  const size_t channels = static_cast<size_t>(channel_blocks(w.out_channels)) * kBlock;
  w.bias.resize(channels, 0.0f);
  if (!w.slope.empty()) w.slope.resize(channels, 1.0f);
  auto* values = static_cast<float*>(w.packed.data());
  w.values = values;
  return values;
}

bool pack_block_weights(const float* oihw, BlockConvWeights& w) {
  const int blocks = channel_blocks(w.out_channels), taps = w.kernel_h * w.kernel_w;
  float* out = allocate_block_weights(w, static_cast<size_t>(blocks) * static_cast<size_t>(w.panel()));
  if (out == nullptr) return false;
  const int in_channels = w.depthwise ? 1 : w.in_channels;
  for (int block = 0; block < blocks; ++block)
    for (int first = 0; first < in_channels; first += kBlock)
      for (int tap = 0; tap < taps; ++tap)
        for (int c = first; c < std::min(first + kBlock, in_channels); ++c)
          for (int m = block * kBlock; m < (block + 1) * kBlock; ++m)
            *out++ = m < w.out_channels ? oihw[(size_t(m) * in_channels + c) * taps + tap] : 0.0f;
  return true;
}

void block_conv_ref(const BlockConvArgs& args) {
  const BlockConvWeights& w = *args.weights;
  each_element(args, [&](int channel, const float* in, float v) {
    const float* k = w.data() + channel / kBlock * w.panel() + channel % kBlock;
    for (int first = 0; first < w.in_channels; first += kBlock, in += args.in_block)
      for (int ky = 0; ky < w.kernel_h; ++ky)
        for (int kx = 0; kx < w.kernel_w; ++kx)
          for (int c = 0; c < std::min(kBlock, w.in_channels - first); ++c, k += kBlock)
            v += in[ky * args.tap_row + kx * args.tap_column + c] * *k;
    return v;
  });
}

void block_depthwise_ref(const BlockConvArgs& args) {
  const BlockConvWeights& w = *args.weights;
  each_element(args, [&](int channel, const float* in, float v) {
    const float* k = w.data() + channel / kBlock * w.panel() + channel % kBlock;
    in += (channel / kBlock - args.first_block) * args.in_block + channel % kBlock;
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < w.kernel_w; ++kx, k += kBlock) v += in[ky * args.tap_row + kx * args.tap_column] * *k;
    return v;
  });
}

void block_pool_ref(const BlockPoolArgs& args) {
  for (int x = 0; x < args.pixels; ++x)
    for (int c = 0; c < kBlock; ++c) {
      float most = -std::numeric_limits<float>::infinity(), sum = 0;
      int seen = 0;
      for (int ky = 0; ky < args.rows; ++ky)
        for (int kx = 0; kx < args.kernel; ++kx) {
          const int column = args.first + x * args.stride + kx * args.dilation;
          if (column < 0 || column >= args.width) continue;
          const float v = args.in[ky * args.in_row + ptrdiff_t(column) * kBlock + c];
          most = v > most || v != v ? v : most;
          sum += v;
          ++seen;
        }
      args.out[x * ptrdiff_t(kBlock) + c] = args.most ? most : sum / static_cast<float>(seen);
    }
}

void block_resize_ref(const BlockResizeArgs& args) {
  const FilterTable& columns = *args.columns;
  for (int x = 0; x < columns.out; ++x)
    for (int c = 0; c < kBlock; ++c) {
      const float* in = args.in + ptrdiff_t(columns.first[static_cast<size_t>(x)]) * kBlock + c;
      float v = 0;
      for (int k = 0; k < columns.taps; ++k, in += kBlock) {
        float column = 0;
        for (int r = 0; r < args.rows; ++r) column += in[r * args.in_row] * args.row_weights[r];
        v += column * columns.weights[static_cast<size_t>(x * columns.taps + k)];
      }
      args.out[x * ptrdiff_t(kBlock) + c] = v;
    }
}

void block_norm_ref(const BlockNormArgs& args) {
  const double count = static_cast<double>(args.rows) * args.pixels;
  const auto each_pixel = [&](const auto& visit) {
    for (int y = 0; y < args.rows; ++y)
      for (int x = 0; x < args.pixels; ++x) visit(args.in + y * args.in_row + ptrdiff_t(x) * kBlock, y, x);
  };
  double mean[kBlock] = {}, squares[kBlock] = {};
  each_pixel([&](const float* in, int, int) {
    for (int c = 0; c < kBlock; ++c) mean[c] += in[c];
  });
  for (double& m : mean) m /= count;
  each_pixel([&](const float* in, int, int) {
    for (int c = 0; c < kBlock; ++c) squares[c] += (in[c] - mean[c]) * (in[c] - mean[c]);
  });
  float centre[kBlock], factor[kBlock];
  for (int c = 0; c < kBlock; ++c) {
    centre[c] = static_cast<float>(mean[c]);
    factor[c] = static_cast<float>(1 / std::sqrt(squares[c] / count + static_cast<double>(args.epsilon)));
  }
  each_pixel([&](const float* in, int y, int x) {
    float* out = args.out + y * args.out_row + ptrdiff_t(x) * kBlock;
    for (int c = 0; c < kBlock; ++c) out[c] = (in[c] - centre[c]) * factor[c] * args.scale[c] + args.bias[c];
  });
}

void block_load_ref(const BlockRowArgs& args, const float* planes, float* block) {
  for (int x = 0; x < args.width; ++x)
    for (int c = 0; c < args.pixel; ++c)
      block[ptrdiff_t(x) * args.pixel + c] = c < args.channels ? planes[c * args.plane + x] : 0.0f;
}

void block_store_ref(const BlockRowArgs& args, const float* block, float* planes) {
  for (int c = 0; c < args.channels; ++c)
    for (int x = 0; x < args.width; ++x) planes[c * args.plane + x] = block[ptrdiff_t(x) * kBlock + c];
}

}  // namespace coco::kernels
