// Purpose: pointwise, shuffling and sample-conversion row kernels of the line executor.
// All take and give f32 rows; vector versions may write kRowSlop floats past `count` into f32 results (never into the
// caller's samples) and read as far past their f32 inputs. Results equal the reference's bit for bit.
#pragma once

#include <cstddef>

#include "coco/buffer.h"
#include "format/params.h"

namespace coco::kernels {

/// out[i] = sample[i] / max_value(type), computed as a product with the reciprocal rounded to f32.
using LoadRowFn = void (*)(SampleType type, const void* samples, int count, float* out);
/// sample[i] = clamp(round_half_even(in[i] * max_value(type)), 0, max_value(type)); kF32 is copied. NaN gives 0.
using StoreRowFn = void (*)(SampleType type, const float* in, int count, void* samples);
using UnaryRowFn = void (*)(const format::UnaryParams& params, const float* in, int count, float* out);
using BinaryRowFn = void (*)(format::BinaryKind kind, const float* a, const float* b, int count, float* out);
/// The same with one operand a constant; `constant_first` tells which side it stands on.
using BinaryConstRowFn = void (*)(format::BinaryKind kind, const float* in, float constant, bool constant_first,
                                  int count, float* out);
/// out[i * block + b] = in[b][i]: one row of depth-to-space.
using InterleaveRowFn = void (*)(int block, const float* const* in, int count, float* out);

/// What ends a super-resolution network, in one go: sample[2j] and sample[2j + 1] are StoreRow of even[j] + base[2j]
/// and odd[j] + base[2j + 1] (pixel shuffle, residual, conversion).
using ShuffleStoreRowFn = void (*)(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                                   void* samples);

void load_row_ref(SampleType type, const void* samples, int count, float* out);
void load_row_hwy(SampleType type, const void* samples, int count, float* out);
void store_row_ref(SampleType type, const float* in, int count, void* samples);
void store_row_hwy(SampleType type, const float* in, int count, void* samples);
void unary_row_ref(const format::UnaryParams& params, const float* in, int count, float* out);
void unary_row_hwy(const format::UnaryParams& params, const float* in, int count, float* out);
void binary_row_ref(format::BinaryKind kind, const float* a, const float* b, int count, float* out);
void binary_row_hwy(format::BinaryKind kind, const float* a, const float* b, int count, float* out);
void binary_const_row_ref(format::BinaryKind kind, const float* in, float constant, bool constant_first, int count,
                          float* out);
void binary_const_row_hwy(format::BinaryKind kind, const float* in, float constant, bool constant_first, int count,
                          float* out);
void interleave_row_ref(int block, const float* const* in, int count, float* out);
void interleave_row_hwy(int block, const float* const* in, int count, float* out);
void shuffle_store_row_ref(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                           void* samples);
void shuffle_store_row_hwy(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                           void* samples);

}  // namespace coco::kernels
