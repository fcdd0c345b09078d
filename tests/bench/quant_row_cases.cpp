#include <algorithm>
#include <cmath>
#include <random>

#include "bench/cases.h"
#include "coco/device.h"
#include "kernels/registry.h"

namespace coco::bench {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace)

constexpr int kWidth = 512;  // columns: a strip of the line executor

struct QuantShape {
  int in, out, size;
  bool pattern;  // 4 of 9 positions in blocks of 8 output by 4 input channels
  bool dequantize;
};

// Bell-shaped weights, the largest of each output channel 127, as a quantizer makes them.
std::vector<int8_t> bell_weights(const QuantShape& shape) {
  constexpr uint32_t kPatterns[] = {0b000011011, 0b000110110, 0b011011000, 0b110110000};
  std::mt19937 random(1);
  const int taps = shape.size * shape.size, per_channel = shape.in * taps;
  std::vector<int8_t> weights;
  for (int m = 0; m < shape.out; ++m) {
    std::vector<double> values;
    double largest = 0;
    for (int i = 0; i < per_channel; ++i) {
      const int block = m / 8 + i / taps / 4;
      double value = 0;
      for (int k = 0; k < 8; ++k) value += static_cast<double>(random() % 2001) - 1000;
      if (shape.pattern && (kPatterns[block % 4] >> (i % taps) & 1) == 0) value = 0;
      values.push_back(value);
      largest = std::max(largest, std::abs(value));
    }
    for (double value : values) weights.push_back(static_cast<int8_t>(std::lround(127 * value / largest)));
  }
  return weights;
}

void add_conv(std::vector<Case>& cases, const QuantShape& shape, const std::string& name) {
  const std::vector<int8_t> taps = bell_weights(shape);
  const auto out = static_cast<size_t>(shape.out);
  const std::vector<int32_t> bias(out, 1000);
  const std::vector<float> scale(out, 0.001f), negative(out, 0.0002f);
  format::QuantConv2dParams params;
  params.kernel = {shape.size, shape.size};
  params.dequantize = shape.dequantize;
  params.in_zero_point = 10, params.out_zero_point = 20;
  for (const auto& row : kernel_rows<QuantConvRowSlot>()) {
    if (!row.matches({}, {active_target()})) continue;
    const auto weights = std::make_shared<QuantConvRowWeights>(
        pack_quant_conv_finest(params, shape.out, shape.in, taps.data(), bias.data(), scale.data(),
                               shape.dequantize ? nullptr : negative.data(), row.function));
    const int planes = (shape.in + 3) / 4, stride = kWidth + 2 * kQuantRowSlop;
    const auto input = std::make_shared<std::vector<uint32_t>>(static_cast<size_t>(stride * planes * shape.size));
    std::mt19937 random(2);
    for (uint32_t& word : *input) word = random();
    const auto output = std::make_shared<std::vector<uint32_t>>(static_cast<size_t>(stride) * out);
    QuantConvRowArgs args;
    args.weights = weights.get();
    for (int ky = 0; ky < shape.size; ++ky) args.rows[ky] = input->data() + ky * planes * stride;
    args.in_plane_stride = args.out_plane_stride = stride;
    args.out = output->data();
    args.width = kWidth;
    // Of the weights that are left.
    const double kept = static_cast<double>(std::count_if(taps.begin(), taps.end(), [](int8_t w) { return w != 0; }));
    const double result_bytes = shape.dequantize ? 4.0 * shape.out : shape.out;
    cases.push_back({std::string(row.name), name, 2 * kept * kWidth,
                     kWidth * (static_cast<double>(shape.in * shape.size) + result_bytes),
                     [run = row.function.run, args, weights, input, output] { run(args); }, true});
  }
}

void add_quantize(std::vector<Case>& cases, int channels) {
  const int stride = kWidth + kQuantRowSlop;
  const auto input = std::make_shared<std::vector<float>>(static_cast<size_t>(channels * stride), 0.3f);
  const auto output = std::make_shared<std::vector<uint32_t>>(static_cast<size_t>((channels + 3) / 4 * stride));
  const QuantizeRowArgs args{input->data(), stride, output->data(), stride, channels, kWidth, 255, 3};
  for (const auto& row : kernel_rows<QuantizeRowSlot>()) {
    if (!row.matches({}, {active_target()})) continue;
    cases.push_back({std::string(row.name), std::to_string(channels) + " channels", 0, 5.0 * channels * kWidth,
                     [run = row.function, args, input, output] { run(args); }, true});
  }
}

void add_gather(std::vector<Case>& cases) {
  const auto input = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(kWidth + 64), uint8_t{77});
  const auto output = std::make_shared<std::vector<uint32_t>>(static_cast<size_t>(kWidth));
  const GatherRowArgs args{input->data(), kWidth + 64, 32, kWidth, output->data()};
  for (const auto& row : kernel_rows<GatherRowSlot>()) {
    if (!row.matches({}, {active_target()})) continue;
    cases.push_back({std::string(row.name), "8-bit samples", 0, 5.0 * kWidth,
                     [run = row.function, args, input, output] { run(args); }, true});
  }
}

/// Rows of u8 outside convolutions.
void add_steps(std::vector<Case>& cases) {
  const auto words = [] {
    auto row = std::make_shared<std::vector<uint32_t>>(static_cast<size_t>(kWidth + kStepsRowSlop));
    std::mt19937 random(3);
    for (uint32_t& word : *row) word = random();
    return row;
  };
  const auto a = words(), b = words(), out = words();
  const auto table = std::make_shared<std::vector<uint8_t>>(256, uint8_t{9});
  const format::QuantBinaryParams sum{format::BinaryKind::kAdd, 3, 5, 7, 20000, 10000, 1.0f / 32768};
  for (const auto& row : kernel_rows<StepsRowSlot>()) {
    if (!row.matches({}, {active_target()})) continue;
    const StepsRowKernel& kernel = *row.function;
    const auto add = [&](const char* name, double bytes, std::function<void()> run) {
      cases.push_back({std::string(row.name), name, 0, bytes * kWidth, std::move(run), true});
    };
    add("max", 12, [&kernel, a, b, out] { kernel.max(a->data(), b->data(), kWidth, out->data()); });
    add("table", 8, [&kernel, a, table, out] { kernel.lookup(table->data(), a->data(), kWidth, out->data()); });
    add("sum", 12, [&kernel, sum, a, b, out] { kernel.binary(sum, a->data(), b->data(), false, kWidth, out->data()); });
  }
}

}  // namespace

std::vector<Case> quant_row_cases() {
  std::vector<Case> cases;
  add_steps(cases);
  add_conv(cases, {1, 8, 3, false, false}, "1->8 3x3 prelu");
  add_conv(cases, {8, 8, 3, false, false}, "8->8 3x3 prelu");
  add_conv(cases, {8, 8, 3, true, false}, "8->8 3x3 prelu, 4 of 9");
  add_conv(cases, {8, 4, 3, false, true}, "8->4 3x3 to f32");
  add_conv(cases, {16, 16, 3, false, false}, "16->16 3x3 prelu");
  add_conv(cases, {16, 16, 3, true, false}, "16->16 3x3 prelu, 4 of 9");
  add_conv(cases, {32, 32, 3, false, false}, "32->32 3x3 prelu");
  add_conv(cases, {32, 32, 3, true, false}, "32->32 3x3 prelu, 4 of 9");
  add_quantize(cases, 1);
  add_quantize(cases, 8);
  add_gather(cases);
  return cases;
}

}  // namespace coco::bench
