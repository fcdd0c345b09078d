#include <algorithm>

#include "kernels/block/winograd.h"

namespace coco::kernels {
namespace {

constexpr double kG[kTileIn][3] = {{1.0 / 4, 0, 0},
                                   {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                   {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                   {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                   {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                   {0, 0, 1}};
constexpr float kBt[kTileIn][kTileIn] = {{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                                         {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
constexpr float kAt[kTileOut][kTileIn] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

/// result = matrix * in * matrix^T
template <int kRows>
void transform(const float (&matrix)[kRows][kTileIn], const float (&in)[kTileIn][kTileIn],
               float (&result)[kRows][kRows]) {
  float half[kRows][kTileIn] = {};
  for (int i = 0; i < kRows; ++i)
    for (int x = 0; x < kTileIn; ++x)
      for (int k = 0; k < kTileIn; ++k) half[i][x] += matrix[i][k] * in[k][x];
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kRows; ++j) {
      result[i][j] = 0;
      for (int k = 0; k < kTileIn; ++k) result[i][j] += matrix[j][k] * half[i][k];
    }
}

}  // namespace

size_t winograd_scratch(const BlockConvWeights& w, int tiles) {
  return static_cast<size_t>(kTilePlanes) * static_cast<size_t>(tiles) * kBlock *
         static_cast<size_t>(channel_blocks(w.in_channels) + channel_blocks(w.out_channels));
}

bool pack_winograd_weights(const float* oihw, BlockConvWeights& w) {
  const int blocks = channel_blocks(w.out_channels);
  const size_t plane = static_cast<size_t>(blocks) * static_cast<size_t>(w.in_channels) * kBlock;
  float* out = allocate_block_weights(w, plane * kTilePlanes);
  if (out == nullptr) return false;
  for (int m = 0; m < w.out_channels; ++m)
    for (int c = 0; c < w.in_channels; ++c, oihw += 9) {
      double half[kTileIn][3] = {};
      for (int i = 0; i < kTileIn; ++i)
        for (int x = 0; x < 3; ++x)
          for (int k = 0; k < 3; ++k) half[i][x] += kG[i][k] * oihw[k * 3 + x];
      float* to = out + (size_t(m / kBlock) * w.in_channels + c) * kBlock + m % kBlock;
      for (int i = 0; i < kTileIn; ++i)
        for (int j = 0; j < kTileIn; ++j, to += plane) {
          double sum = 0;
          for (int k = 0; k < 3; ++k) sum += half[i][k] * kG[j][k];
          *to = static_cast<float>(sum);
        }
    }
  return true;
}

void winograd_ref(const WinogradArgs& args) {
  const BlockConvWeights& w = *args.weights;
  const int across = winograd_tiles(args.width), blocks = channel_blocks(w.out_channels);
  for (int tile = args.first_tile; tile < args.first_tile + args.tiles; ++tile) {
    const int y0 = tile / across * kTileOut, x0 = tile % across * kTileOut;
    for (int m = 0; m < blocks * kBlock; ++m) {
      float sums[kTileIn][kTileIn] = {};
      for (int c = 0; c < w.in_channels; ++c) {
        float d[kTileIn][kTileIn] = {}, v[kTileIn][kTileIn];
        for (int i = 0; i < kTileIn && y0 - 1 + i <= args.height; ++i)
          for (int j = 0; j < kTileIn && x0 - 1 + j <= args.width; ++j)
            d[i][j] = args.in[c / kBlock * args.in_block + (y0 - 1 + i) * args.in_row + ptrdiff_t(x0 - 1 + j) * kBlock +
                              c % kBlock];
        transform(kBt, d, v);
        for (int t = 0; t < kTilePlanes; ++t) {
          const size_t k = ((size_t(t) * blocks + m / kBlock) * w.in_channels + c) * kBlock + m % kBlock;
          sums[t / kTileIn][t % kTileIn] += w.data()[k] * v[t / kTileIn][t % kTileIn];
        }
      }
      float result[kTileOut][kTileOut];
      transform(kAt, sums, result);
      for (int i = 0; i < std::min(kTileOut, args.height - y0); ++i)
        for (int j = 0; j < std::min(kTileOut, args.width - x0); ++j) {
          const ptrdiff_t column = ptrdiff_t(x0 + j) * kBlock + m % kBlock;
          const float add =
              args.add == nullptr ? 0.0f : args.add[m / kBlock * args.add_block + (y0 + i) * args.add_row + column];
          float value = result[i][j] + w.bias[static_cast<size_t>(m)] + (args.add_first ? add : 0);
          value = apply_epilogue(w, m, value) + (args.add_first ? 0 : add);
          args.out[m / kBlock * args.out_block + (y0 + i) * args.out_row + column] = value;
        }
    }
  }
}

}  // namespace coco::kernels
