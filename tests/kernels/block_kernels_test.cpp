#include <algorithm>
#include <cmath>
#include <vector>

#include "catch.h"
#include "kernels/row_support.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::kernels;
using coco::testing::Noise;

namespace {

constexpr float kCanary = 1234.5f;

struct BlockCase {
  int in, out, kernel, stride, pixels, rows;
  bool depthwise;
  Epilogue epilogue;
  int add;  ///< 0: none, 1: after the activation, 2: before
};

void check_conv(const BlockCase& c) {
  Noise noise(c.in * 131 + c.out);
  BlockConvWeights weights;
  weights.out_channels = c.out, weights.in_channels = c.in;
  weights.kernel_h = c.kernel, weights.kernel_w = c.kernel;
  weights.depthwise = c.depthwise, weights.epilogue = c.epilogue;
  weights.a = c.epilogue == Epilogue::kClip ? -0.5f : 0.25f, weights.b = 0.75f;
  weights.bias = noise.many(c.out);
  if (c.epilogue == Epilogue::kPrelu) weights.slope = noise.many(c.out);
  const auto oihw = noise.many(size_t(c.out) * (c.depthwise ? 1 : c.in) * c.kernel * c.kernel);
  REQUIRE(pack_block_weights(oihw.data(), weights));
  const int blocks = channel_blocks(c.out);
  const ptrdiff_t in_width = (ptrdiff_t(c.pixels) - 1) * c.stride + c.kernel;
  const ptrdiff_t in_height = (ptrdiff_t(c.rows) - 1) * c.stride + c.kernel;
  const auto input = noise.many(size_t(channel_blocks(c.in) * in_width * in_height * kBlock));
  const ptrdiff_t out_row = ptrdiff_t(c.pixels + 3) * kBlock, out_block = out_row * c.rows + 64;
  const auto added = noise.many(size_t(out_block * blocks));
  const auto run = [&](BlockConvFn kernel, int first, int some) {
    std::vector<float> out(size_t(out_block * blocks), kCanary);
    BlockConvArgs args;
    args.weights = &weights;
    args.first_block = first, args.blocks = some, args.rows = c.rows, args.pixels = c.pixels;
    args.tap_row = in_width * kBlock, args.in_block = args.tap_row * in_height;
    args.in = input.data() + (c.depthwise ? first * args.in_block : 0);
    args.in_row = args.tap_row * c.stride, args.in_pixel = ptrdiff_t(c.stride) * kBlock;
    args.out = out.data() + first * out_block, args.out_block = out_block, args.out_row = out_row;
    if (c.add > 0) args.add = added.data() + first * out_block;
    args.add_block = out_block, args.add_row = out_row, args.add_first = c.add == 2;
    kernel(args);
    return out;
  };
  const auto expected = run(select_reference<BlockConvSlot>(weights)->function, 0, blocks);
  for_each_row<BlockConvSlot>(weights, [&](const KernelRow<BlockConvSlot>& row) {
    const auto whole = run(row.function, 0, blocks);
    CHECK(worst_error(whole, expected) <= row.tolerance);
    // One block at a time: the same bytes, and nothing written elsewhere.
    for (int b = 0; b < blocks; ++b) {
      const auto part = run(row.function, b, 1);
      const auto* from = part.data() + b * out_block;
      CHECK(std::equal(from, from + out_block, whole.data() + b * out_block));
      CHECK(std::all_of(part.data(), part.data() + b * out_block, [](float v) { return v == kCanary; }));
      CHECK(std::all_of(from + out_block, part.data() + part.size(), [](float v) { return v == kCanary; }));
    }
  });
}

}  // namespace

TEST_CASE("block: every convolution kernel agrees with the reference", "[kernels]") {
  for (const int pixels : {1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 20, 28, 29, 56})
    check_conv({24, 40, 1, 1, pixels, 1, false, Epilogue::kRelu, 0});
  for (const Epilogue epilogue :
       {Epilogue::kNone, Epilogue::kRelu, Epilogue::kLeakyRelu, Epilogue::kPrelu, Epilogue::kClip}) {
    check_conv({3, 16, 3, 2, 9, 2, false, epilogue, 0});
    check_conv({20, 50, 3, 1, 17, 3, false, epilogue, 1});
    check_conv({16, 33, 1, 2, 8, 2, false, epilogue, 2});
    check_conv({40, 40, 3, 1, 11, 2, true, epilogue, 0});
    check_conv({17, 17, 4, 2, 5, 2, true, epilogue, 1});
    check_conv({16, 16, 3, 2, 3, 2, true, epilogue, 2});
  }
  check_conv({64, 16, 7, 2, 4, 1, false, Epilogue::kNone, 0});
}

// Winograd's tiles against the direct reference.
TEST_CASE("winograd: every kernel agrees with the convolution", "[kernels]") {
  struct Size {
    int in, out, height, width, add;
    Epilogue epilogue;
  };
  for (const Size& s : {Size{16, 16, 4, 4, 0, Epilogue::kNone},
                        {40, 24, 9, 14, 1, Epilogue::kRelu},
                        {64, 48, 7, 23, 2, Epilogue::kPrelu},
                        {33, 32, 1, 1, 0, Epilogue::kClip},
                        {32, 20, 13, 5, 2, Epilogue::kLeakyRelu}}) {
    Noise noise(s.in + s.width);
    BlockConvWeights direct;
    direct.in_channels = s.in, direct.out_channels = s.out, direct.kernel_h = direct.kernel_w = 3;
    direct.epilogue = s.epilogue, direct.a = s.epilogue == Epilogue::kClip ? -0.5f : 0.25f, direct.b = 0.75f;
    direct.bias = noise.many(s.out);
    if (s.epilogue == Epilogue::kPrelu) direct.slope = noise.many(s.out);
    BlockConvWeights weights = direct;
    const auto oihw = noise.many(size_t(s.out) * s.in * 9);
    REQUIRE(pack_block_weights(oihw.data(), direct));
    REQUIRE(pack_winograd_weights(oihw.data(), weights));
    // A border of zeros, and what must not be read behind it.
    const ptrdiff_t row = ptrdiff_t(s.width + 2) * kBlock, block = row * (s.height + 2), blocks = channel_blocks(s.in);
    std::vector<float> input(size_t(blocks * block) + 4096, std::nanf(""));
    std::fill_n(input.begin(), blocks * block, 0.0f);
    for (int b = 0; b < blocks; ++b)
      for (int y = 0; y < s.height; ++y)
        for (int i = 0; i < s.width * kBlock; ++i) input[size_t(b * block + (y + 1) * row + kBlock + i)] = noise.next();
    const ptrdiff_t out_row = ptrdiff_t(s.width) * kBlock, out_block = out_row * s.height;
    const auto added = noise.many(size_t(out_block * channel_blocks(s.out)));
    std::vector<float> expected(added.size());
    BlockConvArgs conv;
    conv.weights = &direct, conv.blocks = channel_blocks(s.out), conv.rows = s.height, conv.pixels = s.width;
    conv.in = input.data(), conv.in_block = block, conv.in_row = conv.tap_row = row;
    conv.out = expected.data(), conv.out_block = out_block, conv.out_row = out_row;
    conv.add = s.add > 0 ? added.data() : nullptr, conv.add_block = out_block, conv.add_row = out_row;
    conv.add_first = s.add == 2;
    block_conv_ref(conv);
    const int all = winograd_tiles(s.height) * winograd_tiles(s.width);
    for_each_row<WinogradSlot>({}, [&](const KernelRow<WinogradSlot>& kernel) {
      const auto run = [&](int step) {
        std::vector<float> out(expected.size(), kCanary);
        auto scratch = Buffer::allocate(winograd_scratch(weights, step) * sizeof(float));
        WinogradArgs args;
        args.weights = &weights, args.height = s.height, args.width = s.width;
        args.in = input.data() + row + kBlock, args.in_block = block, args.in_row = row;
        args.out = out.data(), args.out_block = out_block, args.out_row = out_row;
        args.add = conv.add, args.add_block = out_block, args.add_row = out_row, args.add_first = conv.add_first;
        args.scratch = static_cast<float*>(scratch->data());
        for (int tile = 0; tile < all; tile += step) {
          args.first_tile = tile, args.tiles = std::min(step, all - tile);
          kernel.function(args);
        }
        return out;
      };
      const auto whole = run(all);
      CHECK(worst_error(whole, expected) <= kernel.tolerance);
      CHECK(run(1) == whole);
      CHECK(run(5) == whole);
    });
  }
}

TEST_CASE("block: taps side by side", "[kernels]") {
  Noise noise(3);
  const int pixels = 15, stride = 2, width = (pixels - 1) * stride + 3;
  BlockConvWeights weights;
  weights.in_channels = 3, weights.out_channels = 20, weights.kernel_h = weights.kernel_w = 3;
  weights.bias = noise.many(20);
  REQUIRE(pack_block_weights(noise.many(20 * 27).data(), weights));
  const auto input = noise.many(size_t(width) * 3 * 3);
  BlockConvArgs args;
  args.weights = &weights, args.blocks = 2, args.pixels = pixels;
  args.in = input.data(), args.in_pixel = 3 * stride, args.tap_column = 3, args.tap_row = 3 * width;
  args.out_block = ptrdiff_t(pixels) * kBlock;
  std::vector<float> expected(size_t(args.out_block) * 2), result(expected.size());
  args.out = expected.data();
  block_conv_ref(args);
  args.out = result.data();
  for_each_row<BlockConvSlot>(weights, [&](const KernelRow<BlockConvSlot>& row) {
    row.function(args);
    CHECK(worst_error(result, expected) <= row.tolerance);
  });
}

TEST_CASE("block: a cut row gives the same bytes", "[kernels]") {
  Noise noise(5);
  const int pixels = 37;
  for (const bool depthwise : {false, true}) {
    BlockConvWeights weights;
    weights.out_channels = weights.in_channels = 32;
    weights.depthwise = depthwise, weights.kernel_w = 3;
    weights.bias = noise.many(32);
    REQUIRE(pack_block_weights(noise.many(32 * 32 * 3).data(), weights));
    const auto input = noise.many(size_t(pixels + 2) * 2 * kBlock);
    for_each_row<BlockConvSlot>(weights, [&](const KernelRow<BlockConvSlot>& row) {
      const auto run = [&](int begin, int end, float* out) {
        BlockConvArgs args;
        args.weights = &weights, args.blocks = 2, args.pixels = end - begin;
        args.in = input.data() + begin * kBlock, args.in_block = ptrdiff_t(pixels + 2) * kBlock;
        args.out = out + begin * kBlock, args.out_block = ptrdiff_t(pixels) * kBlock;
        row.function(args);
      };
      std::vector<float> whole(size_t(pixels) * 2 * kBlock), cut(whole.size());
      run(0, pixels, whole.data());
      for (int x = 0, size = 1; x < pixels; x += size++) run(x, std::min(x + size, pixels), cut.data());
      CHECK(whole == cut);
    });
  }
}

TEST_CASE("block: every resize kernel agrees with the reference", "[kernels]") {
  Noise noise(6);
  const int width = 9, rows = 3;
  const auto input = noise.many(size_t(width) * rows * kBlock), weights = noise.many(rows);
  for (const int out : {4, 9, 18, 23}) {
    const FilterTable columns = make_filter(width, out, ResampleKernel::kBicubic);
    BlockResizeArgs args;
    args.in = input.data(), args.in_row = ptrdiff_t(width) * kBlock, args.rows = rows;
    args.row_weights = weights.data(), args.columns = &columns;
    std::vector<float> expected(size_t(out) * kBlock), result(expected.size());
    args.out = expected.data();
    block_resize_ref(args);
    args.out = result.data();
    for_each_row<BlockResizeSlot>({}, [&](const KernelRow<BlockResizeSlot>& row) {
      std::fill(result.begin(), result.end(), kCanary);
      row.function(args);
      CHECK(worst_error(result, expected) <= row.tolerance);
    });
  }
}

TEST_CASE("block: every load and store kernel gives the reference's bytes", "[kernels]") {
  Noise noise(8);
  const int pitch = 40;
  const auto planes = noise.many(size_t(pitch) * kBlock);
  for (const int channels : {1, 3, 4, 7, 16})
    for (const int width : {1, 3, 4, 9, 32})
      for (const int pixel : {channels <= 4 ? channels : kBlock, kBlock}) {
        BlockRowArgs args{channels, width, pitch, pixel};
        std::vector<float> expected(size_t(width + 1) * kBlock, kCanary), back(planes.size(), kCanary), first = back;
        block_load_ref(args, planes.data(), expected.data());
        if (pixel == kBlock) block_store_ref(args, expected.data(), first.data());
        for_each_row<BlockLoadSlot>({}, [&](const KernelRow<BlockLoadSlot>& row) {
          std::vector<float> result(expected.size(), kCanary);
          row.function(args, planes.data(), result.data());
          CHECK(result == expected);
        });
        if (pixel != kBlock) continue;
        for_each_row<BlockStoreSlot>({}, [&](const KernelRow<BlockStoreSlot>& row) {
          std::fill(back.begin(), back.end(), kCanary);
          row.function(args, expected.data(), back.data());
          CHECK(back == first);
        });
      }
}

TEST_CASE("block: every pool kernel gives the reference's bytes", "[kernels]") {
  Noise noise(9);
  const int width = 19, rows = 3;
  auto input = noise.many(size_t(width) * rows * kBlock);
  input[size_t(5 * kBlock) + 2] = std::nanf("");
  for (const bool most : {true, false})
    for (const int stride : {1, 2, 3}) {
      BlockPoolArgs args;
      args.most = most, args.in = input.data(), args.in_row = ptrdiff_t(width) * kBlock;
      args.rows = rows, args.width = width, args.first = -1, args.stride = stride, args.kernel = 3;
      args.dilation = stride == 1 ? 2 : 1;
      args.pixels = (width + 2 - args.dilation * 2 - 1) / stride + 1;
      std::vector<float> expected(size_t(args.pixels) * kBlock), result(expected.size());
      args.out = expected.data();
      block_pool_ref(args);
      args.out = result.data();
      for_each_row<BlockPoolSlot>({}, [&](const KernelRow<BlockPoolSlot>& row) {
        std::fill(result.begin(), result.end(), kCanary);
        row.function(args);
        int apart = 0;  // NaNs may have any sign
        for (size_t i = 0; i < result.size(); ++i)
          apart += result[i] == expected[i] || (std::isnan(result[i]) && std::isnan(expected[i])) ? 0 : 1;
        CHECK(apart == 0);
      });
    }
}
