// f32 rows: within the tolerance that kernels.def states.
#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/conv/conv_pair.h"
#include "kernels/conv/conv_row.h"
#include "kernels/conv/conv_taps.h"
#include "kernels/resample/rows.h"
#include "tests/emulator/emulator.h"

namespace coco::emulator {
namespace {

using namespace kernels;

constexpr int kPitch = 400;

bool near(const std::vector<float>& expected, const std::vector<float>& result, int planes, int width) {
  for (int plane = 0; plane < planes; ++plane) {
    for (int x = 0; x < width; ++x) {
      const auto at = static_cast<size_t>(plane * kPitch + x);
      const float size = expected[at] < 0 ? -expected[at] : expected[at], away = result[at] - expected[at];
      if (!((away < 0 ? -away : away) <= 1e-5f * std::max(1.f, size))) return false;
    }
  }
  return true;
}

std::vector<float> noise(Random& random, int count) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(random.sample());
  return values;
}

/// 3x3, or what `size` says, with everything random but what is packed.
ConvRowWeights random_shape(Random& random, int size) {
  ConvRowWeights w;
  w.groups = random.one_in(5) ? 2 : 1;
  w.in_channels = w.groups * (1 + random.below(12)), w.out_channels = w.groups * (1 + random.below(20));
  w.kernel_h = w.kernel_w = size;
  w.epilogue = static_cast<Epilogue>(random.below(5));
  w.a = w.epilogue == Epilogue::kClip ? -0.5f : 0.25f, w.b = 0.75f;
  w.bias = noise(random, w.out_channels), w.slope = noise(random, w.out_channels);
  return w;
}

/// Pruned to blocks of a tile's channels, by any share.
std::vector<float> random_oihw(Random& random, const ConvRowWeights& w) {
  const int inputs = w.in_channels / w.groups, taps = w.kernel_h * w.kernel_w, kept = 1 + random.below(10);
  std::vector<float> oihw = noise(random, w.out_channels * inputs * taps);
  for (size_t i = 0; i < oihw.size(); ++i) {
    const size_t block = i / static_cast<size_t>(8 * inputs * taps) * 31 + i % static_cast<size_t>(inputs * taps) * 17;
    if (static_cast<int>(block % 10) >= kept) oihw[i] = 0;
  }
  return oihw;
}

template <typename Args>
void add_rows(Args& args, const std::vector<float>& input, const ConvRowWeights& w, int from) {
  for (int ky = from; ky < w.kernel_h; ++ky) {
    args.ky[args.row_count] = ky;
    args.rows[args.row_count++] = input.data() + static_cast<ptrdiff_t>(ky) * w.in_channels * kPitch;
  }
  args.in_channel_stride = args.out_channel_stride = kPitch;
}

bool conv_rows(Random& random) {
  ConvRowWeights w = random_shape(random, 1 + random.below(5));
  const auto oihw = random_oihw(random, w);
  const auto input = noise(random, w.kernel_h * w.in_channels * kPitch);
  std::vector<float> expected(static_cast<size_t>(w.out_channels * kPitch)), result = expected;
  ConvRowArgs args;
  add_rows(args, input, w, random.below(w.kernel_h));
  args.weights = &w, args.width = 1 + random.below(200);
  pack_conv_weights(oihw.data(), w);
  args.out = expected.data();
  conv_row_ref(args);
  w.oc_tile = conv_row_hwy_tile();
  pack_conv_weights(oihw.data(), w);
  args.out = result.data();
  conv_row_hwy(args);
  return near(expected, result, w.out_channels, args.width);
}

bool conv_taps(Random& random) {
  ConvRowWeights w = random_shape(random, 1 + random.below(4));
  const auto oihw = random_oihw(random, w);
  const auto input = noise(random, w.kernel_h * w.in_channels * kPitch);
  std::vector<float> expected(static_cast<size_t>(w.out_channels * kPitch)), result = expected;
  ConvTapsArgs args;
  add_rows(args, input, w, random.below(w.kernel_h));
  args.width = 1 + random.below(200);
  const ConvTapsWeights single = make_conv_taps(oihw.data(), w);
  args.weights = &single, args.out = expected.data();
  conv_taps_ref(args);
  w.oc_tile = conv_row_hwy_tile();
  const ConvTapsWeights tiled = make_conv_taps(oihw.data(), w);
  args.weights = &tiled, args.out = result.data();
  conv_taps_hwy(args);
  return near(expected, result, w.out_channels, args.width);
}

bool conv_pairs(Random& random) {
  ConvRowWeights single = random_shape(random, 3), tiled = single;
  const auto oihw = random_oihw(random, single);
  const auto input = noise(random, kPairRows * single.in_channels * kPitch);
  std::vector<float> expected(static_cast<size_t>(2 * single.out_channels * kPitch)), result = expected;
  pack_conv_pair_weights(oihw.data(), single);
  tiled.oc_tile = conv_row_hwy_tile();
  pack_conv_pair_weights(oihw.data(), tiled);
  ConvPairArgs args;
  for (int row = 0; row < kPairRows; ++row) {
    const bool outside = row != 1 && random.one_in(6);
    args.rows[row] = outside ? nullptr : input.data() + static_cast<ptrdiff_t>(row) * single.in_channels * kPitch;
  }
  args.in_channel_stride = args.out_channel_stride = kPitch, args.width = 1 + random.below(300);
  std::vector<float> scratch(std::max(conv_pair_scratch(single), conv_pair_scratch(tiled)));
  args.scratch = scratch.data();
  const auto run = [&](const ConvRowWeights& w, ConvPairFn fn, std::vector<float>& out) {
    args.weights = &w;
    args.out[0] = out.data(), args.out[1] = out.data() + static_cast<ptrdiff_t>(w.out_channels) * kPitch;
    fn(args);
  };
  run(single, conv_pair_ref, expected);
  run(tiled, conv_pair_hwy, result);
  return near(expected, result, 2 * single.out_channels, args.width);
}

bool resampled_rows(Random& random) {
  FilterSpec spec;
  spec.in = 1 + random.below(120), spec.out = random.one_in(2) ? 2 * spec.in : 1 + random.below(240);
  const FilterTable table = make_filter(spec);
  const auto input = noise(random, std::max(kPitch, table.taps * kPitch));
  std::vector<float> expected(kPitch), result(kPitch);
  const int from = random.below(spec.out), to = from + 1 + random.below(spec.out - from);
  resample_row_h_ref(table, input.data(), 0, spec.in, from, to, expected.data());
  resample_row_h(table, input.data(), 0, spec.in, from, to, result.data());
  if (!near(expected, result, 1, to - from)) return false;
  std::vector<const float*> rows;
  for (int k = 0; k < table.taps; ++k) rows.push_back(input.data() + static_cast<ptrdiff_t>(k) * kPitch);
  const int width = 1 + random.below(300);
  resample_row_v_ref(table, from, rows.data(), width, expected.data());
  resample_row_v(table, from, rows.data(), width, result.data());
  return near(expected, result, 1, width);
}

}  // namespace

const Check kFloatChecks[] = {{"f32 convolution rows", conv_rows},
                              {"f32 pruned rows", conv_taps},
                              {"f32 pairs of rows", conv_pairs},
                              {"f32 resampled rows", resampled_rows}};
const int kFloatCheckCount = sizeof(kFloatChecks) / sizeof(kFloatChecks[0]);

}  // namespace coco::emulator
