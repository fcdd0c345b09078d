// Purpose: what the weights of a program's convolutions take, in the file and in the forms others store them in.
#pragma once

#include <cstddef>
#include <string>

#include "format/program.h"

namespace coco::format {

struct WeightSizes {
  size_t elements = 0, zeros = 0;
  size_t dense_f32 = 0;  ///< 4 bytes an element
  size_t csr_f32 = 0;    ///< csr_bytes of every convolution: a row is an output channel, the rest are its columns
  size_t file = 0;       ///< the constants of the convolutions as the file holds them: weights, biases, scales, slopes
};

/// Compressed sparse rows with f32 values: 4 bytes a value that is not 0 and 2 (beyond 65536 columns 4) for its column,
/// and 4 for the start of each row and the end of the last.
size_t csr_bytes(size_t nonzero, size_t rows, size_t columns);

/// Of all Conv2d and QuantConv2d with constant weights. A constant that several read counts once.
WeightSizes weight_sizes(const Program& program);

/// "2844, 12.5 % of them 0; 11376 bytes dense in f32, 15000 as CSR in f32, 3100 in the file"
std::string to_text(const WeightSizes& sizes);

}  // namespace coco::format
