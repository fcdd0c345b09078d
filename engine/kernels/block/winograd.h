// Purpose: 3x3 convolutions with unit stride over pictures in blocks of channels, 4x4 results at once with a quarter of
// the products. Winograd's minimal filtering F(4x4, 3x3) (Winograd, Arithmetic Complexity of Computations, 1980; Lavin
// and Gray, Fast Algorithms for Convolutional Neural Networks, 2016):
//
//   d: 6x6 inputs of a tile; g: 3x3 weights;  U = G g G^T   V = B^T d B   M = sum over c of U[c] * V[c]   y = A^T M A
//
// A tile's bytes do not depend on which tiles are computed with it; tiles begin at multiples of 4 of rows and columns.
#pragma once

#include <cstddef>

#include "kernels/block/block.h"

namespace coco::kernels {

inline constexpr int kTileOut = 4, kTileIn = 6, kTilePlanes = kTileIn * kTileIn;

/// Strides in floats. `add` and `add_first` as in BlockConvArgs.
struct WinogradArgs {
  const BlockConvWeights* weights = nullptr;  ///< of pack_winograd_weights
  int height = 0, width = 0;                  ///< of the input and of the result
  int first_tile = 0, tiles = 0;              ///< row by row
  /// Pixel (0, 0) of block 0. Rows -1 and `height` and columns -1 and `width` are readable.
  const float* in = nullptr;
  ptrdiff_t in_block = 0, in_row = 0;
  float* out = nullptr;  ///< pixel (0, 0) of block 0
  ptrdiff_t out_block = 0, out_row = 0;
  const float* add = nullptr;
  ptrdiff_t add_block = 0, add_row = 0;
  bool add_first = false;
  float* scratch = nullptr;  ///< winograd_scratch() floats, 64-byte aligned
};
using WinogradFn = void (*)(const WinogradArgs&);

constexpr int winograd_tiles(int size) { return (size + kTileOut - 1) / kTileOut; }
size_t winograd_scratch(const BlockConvWeights& weights, int tiles);
/// Transforms 3x3 OIHW weights into weights.packed: [plane][out block][in channel][16]; else as pack_block_weights.
bool pack_winograd_weights(const float* oihw, BlockConvWeights& weights);

void winograd_ref(const WinogradArgs& args);
void winograd_hwy(const WinogradArgs& args);

}  // namespace coco::kernels
