#include <algorithm>

#include "kernels/dense/dense.h"
#include "kernels/steps/steps_row.h"

namespace coco::kernels {
namespace {

void join(const uint8_t* const (&planes)[4], int width, uint32_t* out) {
  for (int x = 0; x < width; ++x) {
    out[x] = 0;
    for (int i = 0; i < 4; ++i) out[x] |= planes[i] != nullptr ? uint32_t{planes[i][x]} << (8 * i) : 0;
  }
}

void split(const uint32_t* in, int width, uint8_t* const (&planes)[4]) {
  for (int i = 0; i < 4; ++i) {
    for (int x = 0; planes[i] != nullptr && x < width; ++x) planes[i][x] = static_cast<uint8_t>(in[x] >> (8 * i));
  }
}

// fn(byte of a, byte of b) for every byte.
template <typename Fn>
void each_byte(const uint32_t* a, const uint32_t* b, bool one_b, int width, uint32_t* out, Fn fn) {
  for (int x = 0; x < width; ++x) {
    const uint32_t wa = a[x], wb = b[one_b ? 0 : x];
    uint32_t word = 0;
    for (int shift = 0; shift < 32; shift += 8)
      word |= static_cast<uint32_t>(fn(wa >> shift & 255u, wb >> shift & 255u)) << shift;
    out[x] = word;
  }
}

void max(const uint32_t* a, const uint32_t* b, int width, uint32_t* out) {
  each_byte(a, b, false, width, out, [](uint32_t va, uint32_t vb) { return std::max(va, vb); });
}

void lookup(const uint8_t* table, const uint32_t* in, int width, uint32_t* out) {
  each_byte(in, in, false, width, out, [&](uint32_t v, uint32_t) { return table[v]; });
}

void binary(const format::QuantBinaryParams& params, const uint32_t* a, const uint32_t* b, bool one_b, int width,
            uint32_t* out) {
  each_byte(a, b, one_b, width, out, [&](uint32_t va, uint32_t vb) {
    return quant_binary(params, static_cast<int32_t>(va), static_cast<int32_t>(vb));
  });
}

void blend(const StepsBlendArgs& args) {
  const auto *top = reinterpret_cast<const uint8_t*>(args.top), *bottom = reinterpret_cast<const uint8_t*>(args.bottom);
  for (int i = 0; i < 4 * args.columns; ++i)
    args.scratch[i] = static_cast<uint16_t>(args.top_weight * top[i] + args.bottom_weight * bottom[i]);
  auto* out = reinterpret_cast<uint8_t*>(args.out);
  for (int x = 0; x < args.width; ++x) {
    const int32_t weight = args.second_weight[x];
    const uint16_t *first = args.scratch + 4 * args.first[x], *second = args.scratch + 4 * args.second[x];
    for (int i = 0; i < 4; ++i) {
      const int32_t sum = (kStepTapsUnit - weight) * first[i] + weight * second[i];
      out[4 * x + i] = static_cast<uint8_t>((sum + kBothTapsHalf - 1 + (sum >> kBothTaps & 1)) >> kBothTaps);
    }
  }
}

}  // namespace

const StepsRowKernel kStepsRowRef{join, split, max, lookup, binary, blend};

}  // namespace coco::kernels
