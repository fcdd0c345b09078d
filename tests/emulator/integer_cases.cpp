// Integer rows and planes: the same bytes as the references.
#include <cstring>
#include <vector>

#include "kernels/qconv/qconv_row.h"
#include "kernels/resample/planes.h"
#include "kernels/row/row.h"
#include "tests/emulator/emulator.h"

namespace coco::emulator {
namespace {

using namespace kernels;

std::vector<int8_t> random_weights(Random& random, size_t count) {
  const int kept = random.one_in(4) ? 100 : 20 + random.below(80);
  const bool extreme = random.one_in(4);
  std::vector<int8_t> weights(count);
  for (int8_t& w : weights) {
    const int value = extreme ? (random.one_in(2) ? 127 : -127) : random.below(255) - 127;
    w = static_cast<int8_t>(random.below(100) < kept ? value : 0);
  }
  return weights;
}

struct Layer {
  format::QuantConv2dParams params;
  int in = 1, out = 1;
  QuantConvRowWeights packed;
};

Layer random_layer(Random& random) {
  Layer l;
  format::QuantConv2dParams& p = l.params;
  p.kernel = {1 + random.below(4), 1 + random.below(4)};
  p.dilation = {1 + random.below(2), 1 + random.below(2)};
  p.group = random.one_in(5) ? 2 : 1;
  const auto groups = static_cast<int>(p.group);
  l.in = groups * (1 + random.below(20)), l.out = groups * (1 + random.below(20));
  p.in_zero_point = random.below(256), p.out_zero_point = random.below(256);
  p.low = random.one_in(3) ? random.below(60) : 0, p.high = random.one_in(3) ? 255 - random.below(60) : 255;
  p.dequantize = random.one_in(3);
  const auto taps = static_cast<size_t>(p.kernel[0] * p.kernel[1]);
  const auto weights = random_weights(random, static_cast<size_t>(l.out * (l.in / groups)) * taps);
  std::vector<int32_t> bias;
  std::vector<float> scale, negative;
  for (int m = 0; m < l.out; ++m) {
    bias.push_back(random.below(200000) - 100000);
    scale.push_back(1e-4f * static_cast<float>(1 + random.below(300)));
    negative.push_back(scale.back() * 0.01f * static_cast<float>(random.below(300) - 100));
  }
  l.packed = pack_quant_conv(p, l.out, l.in, weights.data(), bias.data(), scale.data(),
                             random.one_in(3) ? nullptr : negative.data(),
                             random.one_in(2) ? qconv_row_hwy_tile() : qconv_row_hwy_fine_tile(), !random.one_in(5));
  return l;
}

bool quant_conv(Random& random) {
  const Layer l = random_layer(random);
  const auto rows = static_cast<int>(l.params.kernel[0]);
  const int width = 1 + random.below(150), in_planes = (l.in + 3) / 4, pitch = width + 32 + kQuantRowSlop;
  const bool floats = l.params.dequantize;
  const int out_planes = floats ? l.out : (l.out + 3) / 4, out_pitch = width + kQuantRowSlop;
  std::vector<uint32_t> input(static_cast<size_t>(rows * in_planes * pitch));
  for (uint32_t& word : input) word = random.bits();
  std::vector<uint32_t> expected(static_cast<size_t>((out_planes + 8) * out_pitch)), result = expected;
  QuantConvRowArgs args;
  args.weights = &l.packed;
  for (int y = 0; y < rows; ++y) args.rows[y] = input.data() + static_cast<ptrdiff_t>(y) * in_planes * pitch;
  args.in_plane_stride = pitch, args.out_plane_stride = out_pitch, args.width = width;
  args.out = expected.data();
  qconv_row_ref(args);
  args.out = result.data();
  qconv_row_hwy(args);
  for (int plane = 0; plane < out_planes; ++plane) {
    const int channels = floats ? 4 : std::min(4, l.out - 4 * plane);  // absent ones hold any byte
    const uint32_t mask = channels == 4 ? ~0u : (1u << 8 * channels) - 1;
    for (int x = 0; x < width; ++x) {
      const auto at = static_cast<size_t>(plane * out_pitch + x);
      if (((expected[at] ^ result[at]) & mask) != 0) return false;
    }
  }
  return true;
}

SampleType random_type(Random& random) {
  constexpr SampleType kTypes[] = {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10};
  return kTypes[random.below(3)];
}

bool quant_shuffled(Random& random) {
  Layer l = random_layer(random);
  while (l.packed.out_channels != 4 || !l.packed.dequantize) l = random_layer(random);
  const auto rows = static_cast<int>(l.params.kernel[0]);
  const int width = 1 + random.below(150), in_planes = (l.in + 3) / 4, pitch = width + 32 + kQuantRowSlop;
  std::vector<uint32_t> input(static_cast<size_t>(rows * in_planes * pitch));
  for (uint32_t& word : input) word = random.bits();
  std::vector<float> base(static_cast<size_t>(2 * width + kQuantRowSlop));
  for (float& v : base) v = 0.5f + random.sample();
  QuantConvRowArgs args;
  args.weights = &l.packed;
  for (int y = 0; y < rows; ++y) args.rows[y] = input.data() + static_cast<ptrdiff_t>(y) * in_planes * pitch;
  args.in_plane_stride = pitch, args.width = width;
  const SampleType type = random_type(random);
  std::vector<uint8_t> upper(static_cast<size_t>(2 * width) * byte_size(type)), lower = upper, upper_result = upper,
                                                                                lower_result = upper;
  QuantShuffledRows to{type, {base.data(), base.data() + 4}, {upper.data(), lower.data()}};
  args.shuffled = &to;
  qconv_row_ref(args);
  to.samples[0] = upper_result.data(), to.samples[1] = lower_result.data();
  qconv_row_hwy(args);
  return upper == upper_result && lower == lower_result;
}

bool quantize(Random& random) {
  const int channels = 1 + random.below(12), width = 1 + random.below(200), pitch = width + kQuantRowSlop;
  std::vector<float> input(static_cast<size_t>(channels * pitch));
  for (float& v : input) v = 2 * random.sample();
  std::vector<uint32_t> expected(static_cast<size_t>((channels + 3) / 4 * pitch)), result = expected;
  QuantizeRowArgs args{input.data(), pitch, expected.data(), pitch, channels, width, 255.f, random.below(256)};
  if (random.one_in(2)) args.multiplier = -30.f;
  quantize_row_ref(args);
  args.out = result.data();
  quantize_row_hwy(args);
  for (int plane = 0; plane < (channels + 3) / 4; ++plane) {
    const auto at = static_cast<size_t>(plane * pitch);
    if (std::memcmp(&expected[at], &result[at], sizeof(uint32_t) * static_cast<size_t>(width)) != 0) return false;
  }
  return true;
}

bool gather(Random& random) {
  const int columns = 1 + random.below(300), begin = random.below(columns), width = 1 + random.below(columns - begin);
  std::vector<uint8_t> samples(static_cast<size_t>(columns));
  for (uint8_t& s : samples) s = static_cast<uint8_t>(random.bits());
  std::vector<uint32_t> expected(static_cast<size_t>(width)), result = expected;
  gather_row_ref({samples.data(), columns, begin, width, expected.data()});
  gather_row_hwy({samples.data(), columns, begin, width, result.data()});
  return expected == result;
}

bool planes(Random& random) {
  const SampleType type = random_type(random);
  const int components = 1 + random.below(2), in_w = 1 + random.below(150), in_h = 1 + random.below(8);
  const bool doubled = random.one_in(2);
  FilterSpec h, v;
  h.in = in_w, h.out = doubled ? 2 * in_w : 1 + random.below(300), h.in_siting = h.out_siting = -random.below(2);
  v.in = in_h, v.out = doubled ? 2 * in_h : 1 + random.below(12);
  const FilterTable horizontal = make_filter(h), vertical = make_filter(v);
  const int bytes = type == SampleType::kU8 ? 1 : 2, in_stride = in_w * components * bytes;
  std::vector<uint8_t> input(static_cast<size_t>(in_stride * in_h));
  for (uint8_t& b : input) b = static_cast<uint8_t>(random.bits());
  const int out_stride = h.out * components * bytes;
  std::vector<uint8_t> expected(static_cast<size_t>(out_stride * v.out)), result = expected;
  std::vector<uint8_t> scratch(resample_scratch_bytes(horizontal, components) + kResampleScratchAlignment);
  PlaneJob job{&horizontal, &vertical, type, components, input.data(), in_stride, expected.data(), out_stride};
  resample_plane_ref(job, 0, v.out, scratch.data());
  job.out = result.data();
  resample_plane(job, 0, v.out, scratch.data());
  return expected == result;
}

bool store(Random& random) {
  const SampleType type = random_type(random);
  const int pairs = 1 + random.below(150);
  std::vector<float> even, odd, base;
  for (int i = 0; i < 2 * pairs; ++i) {
    even.push_back(random.sample());
    odd.push_back(random.sample());
    base.push_back(0.5f + random.sample());
  }
  std::vector<uint8_t> expected(static_cast<size_t>(4 * pairs)), result = expected;
  shuffle_store_row_ref(type, even.data(), odd.data(), base.data(), pairs, expected.data());
  shuffle_store_row_hwy(type, even.data(), odd.data(), base.data(), pairs, result.data());
  if (expected != result) return false;
  store_row_ref(type, base.data(), 2 * pairs, expected.data());
  store_row_hwy(type, base.data(), 2 * pairs, result.data());
  if (expected != result) return false;
  std::vector<float> loaded(static_cast<size_t>(2 * pairs)), again = loaded;
  load_row_ref(type, expected.data(), 2 * pairs, loaded.data());
  load_row_hwy(type, expected.data(), 2 * pairs, again.data());
  return std::memcmp(loaded.data(), again.data(), loaded.size() * sizeof(float)) == 0;
}

}  // namespace

const Check kIntegerChecks[] = {{"integer convolution rows", quant_conv},
                                {"integer convolution rows as samples", quant_shuffled},
                                {"quantized rows", quantize},
                                {"gathered rows", gather},
                                {"resampled planes", planes},
                                {"loaded and stored rows", store}};
const int kIntegerCheckCount = sizeof(kIntegerChecks) / sizeof(kIntegerChecks[0]);

}  // namespace coco::emulator
