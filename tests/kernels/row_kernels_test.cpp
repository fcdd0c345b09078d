#include <cmath>
#include <limits>
#include <vector>

#include "catch.h"
#include "coco/buffer.h"
#include "kernels/row_support.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::kernels;
using coco::testing::Noise;

namespace {

constexpr float kCanary = 1234.5f;

bool same_bits(const std::vector<float>& a, const std::vector<float>& b, int count) {
  return std::memcmp(a.data(), b.data(), sizeof(float) * static_cast<size_t>(count)) == 0;
}

struct ConvCase {
  int in, out, groups, kh, kw, dilation, stride, rows;
  Epilogue epilogue;
};

void check_conv(const ConvCase& c) {
  Noise noise(c.in * 131 + c.out);
  const int pitch = 600, width_limit = 150;
  ConvRowWeights key;
  key.out_channels = c.out, key.in_channels = c.in, key.groups = c.groups, key.kernel_h = c.kh, key.kernel_w = c.kw;
  key.dilation_x = c.dilation, key.stride_x = c.stride, key.epilogue = c.epilogue;
  key.a = c.epilogue == Epilogue::kClip ? -0.5f : 0.25f, key.b = 0.75f;
  key.bias = noise.many(c.out), key.slope = noise.many(c.out);
  const auto oihw = noise.many(static_cast<size_t>(c.out) * c.in / c.groups * c.kh * c.kw);
  const auto input = noise.many(static_cast<size_t>(c.kh) * c.in * pitch);
  const auto run = [&](const ConvRowKernel& kernel, int width) {
    ConvRowWeights weights = key;
    weights.oc_tile = kernel.oc_tile();
    pack_conv_weights(oihw.data(), weights);
    std::vector<float> out(static_cast<size_t>(c.out) * pitch, kCanary);
    ConvRowArgs args;
    args.weights = &weights, args.in_channel_stride = pitch, args.out_channel_stride = pitch, args.width = width;
    args.out = out.data();
    // The last `rows` kernel rows lie inside the picture.
    for (int ky = c.kh - c.rows; ky < c.kh; ++ky) {
      args.ky[args.row_count] = ky;
      args.rows[args.row_count++] = input.data() + static_cast<ptrdiff_t>(ky) * c.in * pitch;
    }
    kernel.run(args);
    return out;
  };
  const auto expected = run(select_reference<ConvRowSlot>(key)->function, width_limit);
  for_each_row<ConvRowSlot>(key, [&](const KernelRow<ConvRowSlot>& row) {
    const auto whole = run(row.function, width_limit);
    for (int width : {1, 2, 7, 8, 9, 23, 24, 25, 63, width_limit}) {
      const auto result = run(row.function, width);
      double worst = 0;
      bool cut_changes_nothing = true, slop_kept = true;
      for (int m = 0; m < c.out; ++m)
        for (int x = 0; x < pitch; ++x) {
          const float value = result[static_cast<size_t>(m) * pitch + x];
          if (x < width) {
            const float reference = expected[static_cast<size_t>(m) * pitch + x];
            worst = std::max(worst, error_of(value, reference));
            cut_changes_nothing = cut_changes_nothing && value == whole[static_cast<size_t>(m) * pitch + x];
          }
          if (x >= width + kRowSlop) slop_kept = slop_kept && value == kCanary;
        }
      INFO("width " << width);
      CHECK(worst <= row.tolerance);
      CHECK(cut_changes_nothing);
      CHECK(slop_kept);
    }
  });
}

/// The first two rows of a picture of `height` rows, by pair kernels and by row kernels.
void check_conv_pair(int in, int out, int groups, int kw, int dilation, int height, Epilogue epilogue) {
  Noise noise(in * 17 + out);
  const int pitch = 600, width_limit = 250;
  ConvRowWeights key;
  key.out_channels = out, key.in_channels = in, key.groups = groups, key.kernel_h = 3, key.kernel_w = kw;
  key.dilation_x = dilation, key.epilogue = epilogue;
  key.a = epilogue == Epilogue::kClip ? -0.5f : 0.25f, key.b = 0.75f;
  key.bias = noise.many(out), key.slope = noise.many(out);
  const auto oihw = noise.many(static_cast<size_t>(out) * in / groups * 3 * kw);
  const auto input = noise.many(static_cast<size_t>(kPairRows) * in * pitch);
  // Rows 0 and 1 of the picture: the row above is outside, so may be the ones below.
  const auto row_of = [&](int y) {
    return y < 0 || y >= height ? nullptr : input.data() + static_cast<ptrdiff_t>(y + 1) * in * pitch;
  };
  const auto by_rows = [&](int y) {
    ConvRowWeights weights = key;
    const auto& kernel = select_reference<ConvRowSlot>(key)->function;
    weights.oc_tile = kernel.oc_tile();
    pack_conv_weights(oihw.data(), weights);
    std::vector<float> result(static_cast<size_t>(out) * pitch, kCanary);
    ConvRowArgs args;
    args.weights = &weights, args.in_channel_stride = args.out_channel_stride = pitch, args.width = width_limit;
    args.out = result.data();
    for (int ky = 0; ky < 3; ++ky) {
      if (row_of(y + ky - 1) == nullptr) continue;
      args.ky[args.row_count] = ky;
      args.rows[args.row_count++] = row_of(y + ky - 1);
    }
    kernel.run(args);
    return result;
  };
  const auto by_pair = [&](const ConvPairKernel& kernel, int width) {
    ConvRowWeights weights = key;
    weights.oc_tile = kernel.oc_tile();
    pack_conv_pair_weights(oihw.data(), weights);
    auto scratch = Buffer::allocate(conv_pair_scratch(weights) * sizeof(float));
    std::vector<std::vector<float>> result(2, std::vector<float>(static_cast<size_t>(out) * pitch, kCanary));
    ConvPairArgs args;
    args.weights = &weights, args.in_channel_stride = args.out_channel_stride = pitch, args.width = width;
    for (int r = 0; r < kPairRows; ++r) args.rows[r] = row_of(r - 1);
    args.out[0] = result[0].data(), args.out[1] = result[1].data();
    args.scratch = static_cast<float*>(scratch->data());
    kernel.run(args);
    return result;
  };
  for_each_row<ConvPairSlot>(key, [&](const KernelRow<ConvPairSlot>& row) {
    const auto whole = by_pair(row.function, width_limit);
    for (int y = 0; y < std::min(2, height); ++y) {
      const auto expected = by_rows(y);
      for (int width : {1, 2, 7, 8, 9, 23, 24, 25, 63, 145, width_limit}) {
        const auto result = by_pair(row.function, width)[y];
        double worst = 0;
        bool cut_changes_nothing = true, slop_kept = true;
        for (int m = 0; m < out; ++m)
          for (int x = 0; x < pitch; ++x) {
            const size_t at = static_cast<size_t>(m) * pitch + x;
            if (x < width) {
              const double error = std::abs(double(result[at]) - expected[at]);
              worst = std::max(worst, error / std::max(1.0, std::abs(double(expected[at]))));
              cut_changes_nothing = cut_changes_nothing && result[at] == whole[y][at];
            }
            if (x >= width + kRowSlop) slop_kept = slop_kept && result[at] == kCanary;
          }
        INFO("row " << y << ", width " << width);
        CHECK(worst <= 1e-5);
        CHECK(cut_changes_nothing);
        CHECK(slop_kept);
      }
    }
  });
}

}  // namespace

TEST_CASE("pruned convolution rows equal dense ones") {
  struct Case {
    int in, out, groups, kh, kw, dilation, rows;
    unsigned taps;  // kept of the first 9 of every 4 x 1 channels, turned from one to the next
    Epilogue epilogue;
  };
  for (const Case& c :
       {Case{8, 8, 1, 3, 3, 1, 3, 0b010111000, Epilogue::kPrelu}, Case{8, 4, 1, 3, 3, 1, 2, 0b1, Epilogue::kNone},
        Case{5, 13, 1, 3, 3, 2, 1, 0, Epilogue::kClip}, Case{12, 6, 3, 1, 7, 3, 1, 0b1010101, Epilogue::kLeakyRelu},
        Case{150, 9, 1, 3, 3, 1, 3, 0b111111110, Epilogue::kRelu}}) {
    Noise noise(c.in * 3 + c.out);
    const int pitch = 600, width_limit = 150;
    ConvRowWeights key;
    key.out_channels = c.out, key.in_channels = c.in, key.groups = c.groups, key.kernel_h = c.kh, key.kernel_w = c.kw;
    key.dilation_x = c.dilation, key.epilogue = c.epilogue;
    key.a = c.epilogue == Epilogue::kClip ? -0.5f : 0.25f, key.b = 0.75f;
    key.bias = noise.many(c.out), key.slope = noise.many(c.out);
    auto oihw = noise.many(static_cast<size_t>(c.out) * c.in / c.groups * c.kh * c.kw);
    const size_t taps = static_cast<size_t>(c.kh * c.kw), ins = static_cast<size_t>(c.in / c.groups);
    for (size_t i = 0; i < oihw.size(); ++i)
      if ((c.taps >> ((i % taps + i / taps % ins + i / taps / ins / 4) % 9) & 1) == 0) oihw[i] = 0;
    const auto input = noise.many(static_cast<size_t>(c.kh) * c.in * pitch);
    const auto run = [&](const auto& kernel, auto args, auto weights, int width) {
      std::vector<float> out(static_cast<size_t>(c.out) * pitch, kCanary);
      args.weights = &weights, args.in_channel_stride = args.out_channel_stride = pitch, args.width = width;
      args.out = out.data();
      for (int ky = c.kh - c.rows; ky < c.kh; ++ky) {
        args.ky[args.row_count] = ky;
        args.rows[args.row_count++] = input.data() + static_cast<ptrdiff_t>(ky) * c.in * pitch;
      }
      kernel.run(args);
      return out;
    };
    ConvRowWeights dense = key;
    const auto& reference = select_reference<ConvRowSlot>(key)->function;
    dense.oc_tile = reference.oc_tile();
    pack_conv_weights(oihw.data(), dense);
    const auto expected = run(reference, ConvRowArgs{}, dense, width_limit);
    for_each_row<ConvTapsSlot>(key, [&](const KernelRow<ConvTapsSlot>& row) {
      key.oc_tile = row.function.oc_tile();
      const ConvTapsWeights pruned = make_conv_taps(oihw.data(), key);
      CHECK(pruned.density() < 1);
      const auto whole = run(row.function, ConvTapsArgs{}, pruned, width_limit);
      for (int width : {1, 7, 8, 9, 23, 25, 63, width_limit}) {
        const auto result = run(row.function, ConvTapsArgs{}, pruned, width);
        double worst = 0;
        bool cut_changes_nothing = true, slop_kept = true;
        for (int m = 0; m < c.out; ++m)
          for (int x = 0; x < pitch; ++x) {
            const size_t at = static_cast<size_t>(m) * pitch + x;
            if (x < width) {
              worst = std::max(worst, error_of(result[at], expected[at]));
              cut_changes_nothing = cut_changes_nothing && result[at] == whole[at];
            }
            if (x >= width + kRowSlop) slop_kept = slop_kept && result[at] == kCanary;
          }
        INFO("width " << width);
        CHECK(worst <= (row.tolerance > 0 ? row.tolerance : 1e-6));
        CHECK(cut_changes_nothing);
        CHECK(slop_kept);
      }
    });
  }
}

TEST_CASE("two convolution rows at once equal the rows one by one") {
  check_conv_pair(1, 8, 1, 3, 1, 3, Epilogue::kPrelu);
  check_conv_pair(8, 8, 1, 3, 1, 2, Epilogue::kPrelu);
  check_conv_pair(8, 4, 1, 3, 1, 1, Epilogue::kNone);
  check_conv_pair(5, 7, 1, 3, 2, 3, Epilogue::kRelu);
  check_conv_pair(3, 13, 1, 3, 1, 3, Epilogue::kLeakyRelu);
  check_conv_pair(12, 6, 3, 3, 3, 2, Epilogue::kClip);
  check_conv_pair(40, 9, 1, 3, 1, 3, Epilogue::kPrelu);
}

TEST_CASE("convolution rows") {
  check_conv({1, 8, 1, 3, 3, 1, 1, 3, Epilogue::kPrelu});
  check_conv({8, 8, 1, 3, 3, 1, 1, 2, Epilogue::kPrelu});
  check_conv({8, 4, 1, 3, 3, 1, 1, 1, Epilogue::kNone});
  check_conv({5, 7, 1, 3, 3, 2, 1, 3, Epilogue::kRelu});
  check_conv({3, 13, 1, 5, 1, 1, 1, 4, Epilogue::kLeakyRelu});
  check_conv({12, 6, 3, 1, 7, 3, 1, 1, Epilogue::kClip});
  check_conv({9, 9, 9, 3, 3, 1, 1, 3, Epilogue::kPrelu});
  check_conv({4, 6, 2, 3, 3, 1, 2, 3, Epilogue::kRelu});
  check_conv({2, 3, 1, 3, 3, 2, 3, 2, Epilogue::kNone});
}

TEST_CASE("sample loads and stores equal the reference bit for bit") {
  Noise noise(1);
  for (const SampleType type : {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10, SampleType::kF32}) {
    for (int count : {1, 3, 8, 31, 100, 1100}) {
      std::vector<uint8_t> samples(static_cast<size_t>(count) * byte_size(type));
      const int peak = max_value(type);
      for (int i = 0; i < count; ++i) {
        const int value = i % (peak + 1);
        if (type == SampleType::kU8) samples[i] = static_cast<uint8_t>(value);
        const auto word = static_cast<uint16_t>(type == SampleType::kU16Msb10 ? value << 6 : value);
        if (byte_size(type) == 2) std::memcpy(&samples[2 * i], &word, 2);
        const float number = noise.next();
        if (type == SampleType::kF32) std::memcpy(&samples[4 * i], &number, 4);
      }
      std::vector<float> expected(count + kRowSlop);
      load_row_ref(type, samples.data(), count, expected.data());
      if (type != SampleType::kF32 && count > peak) CHECK(expected[peak] == Approx(1.0f));
      for_each_row<LoadRowSlot>({}, [&](const auto& row) {
        std::vector<float> loaded(count + kRowSlop);
        row.function(type, samples.data(), count, loaded.data());
        CHECK(same_bits(loaded, expected, count));
      });
      // Stored again, every code value returns; out of range and NaN are clamped.
      for_each_row<StoreRowSlot>({}, [&](const auto& row) {
        std::vector<uint8_t> stored(samples.size() + 64, 0xa5);
        row.function(type, expected.data(), count, stored.data());
        CHECK(std::equal(samples.begin(), samples.end(), stored.begin()));
        CHECK(stored[samples.size()] == 0xa5);
      });
    }
  }
  std::vector<float> odd(40, 0.5f / 255.0f);
  odd[1] = 1.5f / 255.0f, odd[2] = -1, odd[3] = 2, odd[4] = std::nanf("");
  odd[5] = std::numeric_limits<float>::infinity(), odd[6] = -odd[5], odd[7] = 2.5f / 255.0f;
  std::vector<uint8_t> expected(odd.size());
  store_row_ref(SampleType::kU8, odd.data(), static_cast<int>(odd.size()), expected.data());
  CHECK(expected[1] == 2);
  CHECK(expected[2] == 0);
  CHECK(expected[3] == 255);
  CHECK(expected[4] == 0);
  CHECK(expected[5] == 255);
  for_each_row<StoreRowSlot>({}, [&](const auto& row) {
    std::vector<uint8_t> stored(odd.size());
    row.function(SampleType::kU8, odd.data(), static_cast<int>(odd.size()), stored.data());
    CHECK(stored == expected);
  });
}

TEST_CASE("shuffled sums are stored as sums, shuffles and stores would") {
  Noise noise(4);
  for (const SampleType type : {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10, SampleType::kF32})
    for (const int pairs : {0, 1, 3, 8, 31, 100}) {
      const size_t count = 2 * static_cast<size_t>(pairs);
      const auto even = noise.many(count + kRowSlop, 0.7f), odd = noise.many(count + kRowSlop, 0.7f);
      auto base = noise.many(count + kRowSlop, 0.7f);
      if (pairs > 3) base[3] = std::nanf(""), base[6] = 1e30f;
      std::vector<float> shuffled(count + kRowSlop);
      const float* planes[2] = {even.data(), odd.data()};
      interleave_row_ref(2, planes, pairs, shuffled.data());
      for (size_t i = 0; i < count; ++i) shuffled[i] += base[i];
      std::vector<uint8_t> expected(count * byte_size(type) + 8, 0xa5);
      store_row_ref(type, shuffled.data(), static_cast<int>(count), expected.data());
      for_each_row<ShuffleStoreRowSlot>({}, [&](const auto& row) {
        std::vector<uint8_t> stored(expected.size(), 0xa5);
        row.function(type, even.data(), odd.data(), base.data(), pairs, stored.data());
        CHECK(stored == expected);
      });
    }
}

TEST_CASE("pointwise rows equal the reference bit for bit") {
  Noise noise(2);
  const int count = 77;
  const auto a = noise.many(count + kRowSlop), b = noise.many(count + kRowSlop);
  const auto check = [&](const auto& expected_of, const auto& result_of) {
    std::vector<float> expected(count + kRowSlop), result(count + 2 * kRowSlop, kCanary);
    expected_of(expected.data());
    result_of(result.data());
    CHECK(same_bits(result, expected, count));
    CHECK(result[count + kRowSlop] == kCanary);
  };
  for (int kind = 0; kind < static_cast<int>(format::UnaryKind::kNot); ++kind) {
    const format::UnaryParams params{static_cast<format::UnaryKind>(kind), kind == 3 ? -0.5f : 0.3f, 0.6f};
    for_each_row<UnaryRowSlot>({}, [&](const auto& row) {
      check([&](float* out) { unary_row_ref(params, a.data(), count, out); },
            [&](float* out) { row.function(params, a.data(), count, out); });
    });
  }
  for (int kind = 0; kind < static_cast<int>(format::BinaryKind::kEqual); ++kind) {
    const auto binary = static_cast<format::BinaryKind>(kind);
    for_each_row<BinaryRowSlot>({}, [&](const auto& row) {
      check([&](float* out) { binary_row_ref(binary, a.data(), b.data(), count, out); },
            [&](float* out) { row.function(binary, a.data(), b.data(), count, out); });
    });
    for (bool first : {false, true})
      for_each_row<BinaryConstRowSlot>({}, [&](const auto& row) {
        check([&](float* out) { binary_const_row_ref(binary, a.data(), 0.7f, first, count, out); },
              [&](float* out) { row.function(binary, a.data(), 0.7f, first, count, out); });
      });
  }
  for (int block : {1, 2, 3, 4, 5})
    for (int length : {1, 7, 8, 33}) {
      const auto planes = noise.many(static_cast<size_t>(block) * 200);
      std::vector<const float*> rows;
      for (int i = 0; i < block; ++i) rows.push_back(planes.data() + i * 200);
      std::vector<float> expected(static_cast<size_t>(block) * length);
      interleave_row_ref(block, rows.data(), length, expected.data());
      for_each_row<InterleaveRowSlot>({}, [&](const auto& row) {
        std::vector<float> result(static_cast<size_t>(block) * length + kRowSlop);
        row.function(block, rows.data(), length, result.data());
        CHECK(same_bits(result, expected, block * length));
      });
    }
}

TEST_CASE("selection is best first, reference last") {
  ConvRowWeights key;
  CHECK(select<ConvRowSlot>(key, Capabilities{"AVX2"})->name == "conv_row_hwy");
  CHECK(select<ConvRowSlot>(key, Capabilities{})->name == "conv_row_ref");
  key.stride_x = 2;
  CHECK(select<ConvRowSlot>(key, Capabilities{"AVX2"})->name == "conv_row_ref");
  CHECK(select_reference<ConvRowSlot>(key)->name == "conv_row_ref");
}
