#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/dense/dense.h"
#include "kernels/row/row.h"

namespace coco::kernels {

namespace {

template <typename T, typename Encode>
void store_samples(const float* in, int count, void* samples, float peak, Encode encode) {
  T* out = static_cast<T*>(samples);
  for (int i = 0; i < count; ++i) {
    const float scaled = in[i] * peak;
    const float clamped = scaled > 0 ? std::min(scaled, peak) : 0.0f;
    out[i] = encode(static_cast<uint32_t>(std::nearbyint(clamped)));
  }
}

}  // namespace

void load_row_ref(SampleType type, const void* samples, int count, float* out) {
  const float scale = 1.0f / static_cast<float>(max_value(type));
  const auto* bytes = static_cast<const uint8_t*>(samples);
  const auto* words = static_cast<const uint16_t*>(samples);
  switch (type) {
    case SampleType::kU8:
      for (int i = 0; i < count; ++i) out[i] = static_cast<float>(bytes[i]) * scale;
      break;
    case SampleType::kU16Lsb10:
      for (int i = 0; i < count; ++i) out[i] = static_cast<float>(words[i] & 1023) * scale;
      break;
    case SampleType::kU16Msb10:
      for (int i = 0; i < count; ++i) out[i] = static_cast<float>(words[i] >> 6) * scale;
      break;
    case SampleType::kF32:
      std::memcpy(out, samples, sizeof(float) * count);
      break;
  }
}

void store_row_ref(SampleType type, const float* in, int count, void* samples) {
  const auto peak = static_cast<float>(max_value(type));
  switch (type) {
    case SampleType::kU8:
      store_samples<uint8_t>(in, count, samples, peak, [](uint32_t v) { return static_cast<uint8_t>(v); });
      break;
    case SampleType::kU16Lsb10:
      store_samples<uint16_t>(in, count, samples, peak, [](uint32_t v) { return static_cast<uint16_t>(v); });
      break;
    case SampleType::kU16Msb10:
      store_samples<uint16_t>(in, count, samples, peak, [](uint32_t v) { return static_cast<uint16_t>(v << 6); });
      break;
    case SampleType::kF32:
      std::memcpy(samples, in, sizeof(float) * count);
      break;
  }
}

void unary_row_ref(const format::UnaryParams& params, const float* in, int count, float* out) {
  for (int i = 0; i < count; ++i) {
    const float v = in[i];
    switch (params.kind) {
      case format::UnaryKind::kIdentity:
        out[i] = v;
        break;
      case format::UnaryKind::kRelu:
        out[i] = std::max(v, 0.0f);
        break;
      case format::UnaryKind::kLeakyRelu:
        out[i] = v < 0 ? v * params.a : v;
        break;
      case format::UnaryKind::kClip:
        out[i] = std::min(std::max(v, params.a), params.b);
        break;
      case format::UnaryKind::kSigmoid:
        out[i] = 1.0f / (1.0f + std::exp(-v));
        break;
      case format::UnaryKind::kTanh:
        out[i] = std::tanh(v);
        break;
      default:
        out[i] = apply_unary(params.kind, params.a, params.b, v);
    }
  }
}

void binary_row_ref(format::BinaryKind kind, const float* a, const float* b, int count, float* out) {
  for (int i = 0; i < count; ++i) switch (kind) {
      case format::BinaryKind::kAdd:
        out[i] = a[i] + b[i];
        break;
      case format::BinaryKind::kSub:
        out[i] = a[i] - b[i];
        break;
      case format::BinaryKind::kMul:
        out[i] = a[i] * b[i];
        break;
      case format::BinaryKind::kDiv:
        out[i] = a[i] / b[i];
        break;
      default:
        out[i] = apply_binary(kind, a[i], b[i]);
    }
}

void binary_const_row_ref(format::BinaryKind kind, const float* in, float constant, bool constant_first, int count,
                          float* out) {
  for (int i = 0; i < count; ++i) {
    const float a = constant_first ? constant : in[i];
    const float b = constant_first ? in[i] : constant;
    binary_row_ref(kind, &a, &b, 1, out + i);
  }
}

void interleave_row_ref(int block, const float* const* in, int count, float* out) {
  for (int i = 0; i < count; ++i)
    for (int b = 0; b < block; ++b) out[i * block + b] = in[b][i];
}

void shuffle_store_row_ref(SampleType type, const float* even, const float* odd, const float* base, int pairs,
                           void* samples) {
  const size_t bytes = byte_size(type);
  auto* out = static_cast<uint8_t*>(samples);
  for (int j = 0; j < pairs; ++j) {
    const float sums[2] = {even[j] + base[2 * j], odd[j] + base[2 * j + 1]};
    store_row_ref(type, sums, 2, out + 2 * static_cast<size_t>(j) * bytes);
  }
}

}  // namespace coco::kernels
