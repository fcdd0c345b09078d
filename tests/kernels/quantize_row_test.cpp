#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "catch.h"
#include "kernels/registry.h"
#include "kernels/resample_support.h"

using namespace coco;
using namespace coco::kernels;

namespace {

constexpr uint32_t kCanary = 0xc0ffee11;

}  // namespace

TEST_CASE("quantized rows equal the dense reference") {
  std::mt19937 random(7);
  constexpr float kMultipliers[] = {255, 100, -30};
  constexpr int64_t kZeroPoints[] = {0, 9, 128, 255};
  for (int channels : {1, 2, 3, 4, 5, 8, 11})
    for (int width : {1, 2, 3, 15, 16, 17, 33, 200}) {
      const format::QuantizeParams params{kMultipliers[random() % 3], kZeroPoints[random() % 4]};
      const int pitch = width + kQuantRowSlop;
      std::vector<float> in(static_cast<size_t>(channels * pitch));
      for (float& v : in) v = static_cast<float>(static_cast<int32_t>(random() % 4001) - 2000) / 1000.0f;
      in[0] = std::numeric_limits<float>::infinity(), in[width / 2] = 1e30f, in[width - 1] = 0.5f / params.multiplier;
      const Shape shape{1, 1, channels, pitch};
      std::vector<uint8_t> expected(in.size());
      const TensorView view{DataType::kF32, shape, in.data()};
      const MutableTensorView result{DataType::kU8, shape, expected.data()};
      quantize_ref(params, {&view, 1}, {&result, 1}, 0, channels);
      for (const auto& row : kernel_rows<QuantizeRowSlot>())
        for_each_target([&] {
          INFO(row.name << " channels " << channels << " width " << width);
          const int planes = (channels + 3) / 4, out_pitch = pitch + 3;
          std::vector<uint32_t> out(static_cast<size_t>(planes * out_pitch), kCanary);
          row.function({in.data(), pitch, out.data(), out_pitch, channels, width, params.multiplier,
                        static_cast<int32_t>(params.zero_point)});
          bool same = true, slop_kept = true;
          for (int c = 0; c < 4 * planes; ++c)
            for (int x = 0; x < out_pitch; ++x) {
              const uint32_t word = out[c / 4 * out_pitch + x];
              if (x < width)
                same = same && (word >> (8 * (c % 4)) & 0xff) == (c < channels ? expected[c * pitch + x] : 0);
              if (x >= width + kQuantRowSlop) slop_kept = slop_kept && word == kCanary;
            }
          CHECK(same);
          CHECK(slop_kept);
        });
    }
}

TEST_CASE("gathered samples are the quantized rows of the same picture, and zeros outside") {
  std::mt19937 random(11);
  for (int columns : {1, 2, 3, 4, 17, 34, 35, 66, 67, 68, 131, 300})
    for (int round = 0; round < 6; ++round) {
      const int begin = round == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(columns));
      const int width =
          round < 2 ? columns - begin : 1 + static_cast<int>(random() % static_cast<unsigned>(columns - begin));
      std::vector<uint8_t> samples(static_cast<size_t>(columns));  // exactly: what reads outside is found
      std::vector<float> padded(static_cast<size_t>(columns + kQuantRowSlop), 0.f);
      for (int x = 0; x < columns; ++x) {
        samples[x] = static_cast<uint8_t>(random());
        load_row_ref(SampleType::kU8, &samples[x], 1, &padded[x + 1]);
      }
      std::vector<uint32_t> expected(static_cast<size_t>(width + kQuantRowSlop));
      quantize_row_ref({padded.data() + begin, 1, expected.data(), 0, 4, width, 255.f, 0});
      expected.resize(static_cast<size_t>(width));
      for (const auto& row : kernel_rows<GatherRowSlot>())
        for_each_target([&] {
          INFO(row.name << " columns " << columns << " begin " << begin << " width " << width);
          std::vector<uint32_t> out(static_cast<size_t>(width), kCanary);
          row.function({samples.data(), columns, begin, width, out.data()});
          CHECK(out == expected);
        });
    }
}

TEST_CASE("quantized rows: what is not a number is the least") {
  const std::vector<float> in(kQuantRowSlop + 5, std::nanf(""));
  for (const auto& row : kernel_rows<QuantizeRowSlot>())
    for_each_target([&] {
      std::vector<uint32_t> out(kQuantRowSlop + 5, kCanary);
      row.function({in.data(), 0, out.data(), 0, 1, 5, 255.0f, 40});
      for (int x = 0; x < 5; ++x) CHECK(out[x] == 0);
    });
}
