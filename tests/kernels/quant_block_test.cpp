// Integer kernels over blocks of channels: convolutions against the dense reference, the rest row by row against
// theirs.
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "catch.h"
#include "coco/device.h"
#include "kernels/registry.h"
#include "kernels/resample_support.h"
#include "kernels/steps/steps_row.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::kernels;

namespace {

constexpr uint8_t kCanary = 0xa5;

/// Every row of a slot that serves `key`, on every target.
template <typename Slot, typename Fn>
void for_each_row(const typename Slot::Key& key, const Fn& fn) {
  static const std::vector<std::string> targets = supported_targets();
  const auto serves = [&](const auto& row) {
    return std::any_of(targets.begin(), targets.end(),
                       [&](const std::string& target) { return row.matches(key, Capabilities{target}); });
  };
  for (const auto& row : kernel_rows<Slot>()) {
    if (!serves(row)) continue;
    INFO("kernel " << row.name);
    for_each_target([&] { fn(row.function); });
  }
}

/// A convolution of a small picture, drawn at random.
struct Layer {
  int in, out, height, width;
  format::QuantConv2dParams params;
  int pixel = kBlock;  // bytes of a pixel of the input
  std::vector<uint8_t> picture = {};
  std::vector<int8_t> weight = {};
  std::vector<int32_t> bias = {};
  std::vector<float> scale = {}, negative = {};

  int border() const { return static_cast<int>(params.pads[0]); }
  int out_side(int axis) const {
    const int64_t side = (axis == 0 ? height : width) + params.pads[axis] + params.pads[axis + 2];
    return static_cast<int>((side - (params.kernel[axis] - 1) * params.dilation[axis] - 1) / params.stride[axis] + 1);
  }
};

struct Draw {
  int64_t kernel = 3, stride = 1, dilation = 1, pad = 0;
  bool depthwise = false, dequantize = false, sloped = false, wide = false, relu = false;
  int zero_blocks = 0;  // of 16: those of 16 x 4 weights that are gone
};

Layer draw_layer(int in, int out, int height, int width, const Draw& d) {
  std::mt19937 random(static_cast<uint32_t>(in * 7919 + out * 31 + width));
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<uint32_t>(n)); };
  Layer layer{in, out, height, width, {}};
  format::QuantConv2dParams& p = layer.params;
  p.kernel = {d.kernel, d.kernel}, p.stride = {d.stride, d.stride}, p.dilation = {d.dilation, d.dilation};
  p.pads = {d.pad, d.pad, d.pad, d.pad};
  p.group = d.depthwise ? in : 1;
  p.in_zero_point = below(256), p.out_zero_point = below(256), p.dequantize = d.dequantize;
  if (below(2) == 0) p.low = below(100), p.high = 155 + below(100);
  for (int i = 0; i < in * height * width; ++i)
    layer.picture.push_back(static_cast<uint8_t>(below(3) == 0 ? 255 * below(2) : below(256)));
  const int reads = d.depthwise ? 1 : in, taps = static_cast<int>(d.kernel * d.kernel);
  std::vector<bool> gone(4096);
  for (size_t i = 0; i < gone.size(); ++i) gone[i] = below(16) < d.zero_blocks;
  for (int m = 0; m < out; ++m)
    for (int i = 0; i < reads * taps; ++i) {
      const size_t block = size_t(m / 16) * 64 + size_t(i / taps / 4);
      const int v = d.wide ? below(256) - 128 : below(129) - 64;  // |w0| + |w1| <= 128 unless wide
      layer.weight.push_back(static_cast<int8_t>(gone[block % gone.size()] ? 0 : v));
    }
  const float step = 0.6f / (64.0f * std::sqrt(static_cast<float>(reads * taps)));
  for (int m = 0; m < out; ++m) {
    layer.bias.push_back(below(40001) - 20000);
    layer.scale.push_back(step * (0.5f + static_cast<float>(below(100)) * 0.01f));
    if (d.sloped) layer.negative.push_back(layer.scale.back() * (static_cast<float>(below(250)) * 0.01f - 1.0f));
    if (d.relu) layer.negative.push_back(0);
  }
  return layer;
}

/// NCHW bytes, or those of floats.
std::vector<uint8_t> dense_result(const Layer& l) {
  const Shape shape{1, l.out, l.out_side(0), l.out_side(1)}, channels{l.out};
  const DataType type = l.params.dequantize ? DataType::kF32 : DataType::kU8;
  std::vector<uint8_t> result(static_cast<size_t>(*shape.element_count()) * byte_size(type));
  const Shape kernel{l.out, l.in / l.params.group, l.params.kernel[0], l.params.kernel[1]};
  const TensorView in[] = {{DataType::kU8, {1, l.in, l.height, l.width}, l.picture.data()},
                           {DataType::kS8, kernel, l.weight.data()},
                           {DataType::kS32, channels, l.bias.data()},
                           {DataType::kF32, channels, l.scale.data()},
                           {DataType::kF32, channels, l.negative.empty() ? nullptr : l.negative.data()}};
  const MutableTensorView out{type, shape, result.data()};
  quant_conv2d_ref(l.params, in, {&out, 1}, 0, int64_t{l.out} * l.out_side(0));
  return result;
}

/// The picture in blocks with a border of zero points; noise in the channels that are not there.
std::vector<uint8_t> in_blocks(const Layer& l) {
  const int border = l.border(), row = l.width + 2 * border, rows = l.height + 2 * border;
  std::vector<uint8_t> bytes(size_t(channel_blocks(l.in)) * rows * row * l.pixel, 0x5a);
  for (int c = 0; c < l.in; ++c)
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < row; ++x) {
        const int iy = y - border, ix = x - border;
        const bool inside = iy >= 0 && iy < l.height && ix >= 0 && ix < l.width;
        bytes[size_t((c / kBlock * rows + y) * row + x) * l.pixel + c % kBlock] =
            inside ? l.picture[size_t(c * l.height + iy) * l.width + ix] : static_cast<uint8_t>(l.params.in_zero_point);
      }
  return bytes;
}

void check_conv(Layer layer, bool skip_zeros = true) {
  const format::QuantConv2dParams& p = layer.params;
  QuantBlockWeights weights;
  REQUIRE(pack_quant_block(p, layer.out, layer.in, layer.weight.data(), layer.bias.data(), layer.scale.data(),
                           layer.negative.empty() ? nullptr : layer.negative.data(), skip_zeros, weights));
  const auto expected = dense_result(layer), input = in_blocks(layer);
  const ptrdiff_t row = ptrdiff_t(layer.width + 2 * layer.border()) * layer.pixel;
  const ptrdiff_t block = row * (layer.height + 2 * layer.border());
  const int blocks = channel_blocks(layer.out), height = layer.out_side(0), width = layer.out_side(1);
  const size_t bytes = p.dequantize ? 4 : 1;
  const ptrdiff_t out_row = ptrdiff_t(width + 2) * kBlock, out_block = out_row * height + 32;
  const auto offsets = quant_block_offsets(weights, block, row * p.dilation[0], layer.pixel * p.dilation[1]);
  for_each_row<QuantBlockSlot>(weights, [&](QuantBlockFn run) {
    std::vector<uint8_t> out(size_t(out_block * blocks) * bytes, kCanary);
    for (int first = 0; first < blocks; first += 2) {  // pair by pair
      QuantBlockArgs args;
      args.weights = &weights, args.offsets = offsets.data();
      args.first_block = first, args.blocks = std::min(2, blocks - first), args.rows = height, args.pixels = width;
      args.in = input.data() + (weights.depthwise ? first * block : 0), args.in_block = block;
      args.in_row = row * p.stride[0], args.in_pixel = layer.pixel * p.stride[1];
      args.tap_row = row * p.dilation[0], args.tap_column = layer.pixel * p.dilation[1];
      args.out = out.data() + size_t(first * out_block) * bytes, args.out_block = out_block, args.out_row = out_row;
      run(args);
    }
    bool right = true, kept = true;
    for (int b = 0; b < blocks; ++b)
      for (ptrdiff_t i = 0; i < out_block; ++i) {
        const uint8_t* at = out.data() + size_t(b * out_block + i) * bytes;
        const auto y = static_cast<int>(i / out_row), x = static_cast<int>(i % out_row / kBlock);
        const int m = b * kBlock + static_cast<int>(i % kBlock);
        if (y >= height || x >= width) {
          kept = kept && std::all_of(at, at + bytes, [](uint8_t v) { return v == kCanary; });
        } else if (m < layer.out) {
          const uint8_t* should = expected.data() + (size_t(m * height + y) * width + x) * bytes;
          right = right && std::equal(at, at + bytes, should);
        }
      }
    CHECK(right);
    CHECK(kept);
  });
}

}  // namespace

TEST_CASE("quant block: every convolution kernel gives the dense reference's bytes", "[kernels]") {
  for (const int width : {1, 2, 3, 5, 6, 7, 12, 13, 14, 15, 17, 28, 29})
    check_conv(draw_layer(24, 40, 3, width, {.kernel = 1, .sloped = width % 3 == 0, .relu = width % 3 == 1}));
  for (const bool dequantize : {false, true})
    for (const bool wide : {false, true}) {
      check_conv(draw_layer(20, 50, 5, 9, {.pad = 1, .dequantize = dequantize, .wide = wide}));
      check_conv(draw_layer(33, 16, 6, 17, {.stride = 2, .dequantize = dequantize, .sloped = true, .wide = wide}));
      check_conv(draw_layer(16, 33, 9, 16, {.dilation = 2, .pad = 2, .dequantize = dequantize, .wide = wide}));
    }
  check_conv(draw_layer(64, 64, 7, 7, {.pad = 1, .zero_blocks = 8}));
  check_conv(draw_layer(64, 48, 7, 30, {.pad = 1, .sloped = true, .zero_blocks = 12}));
  check_conv(draw_layer(64, 48, 4, 30, {.pad = 1, .zero_blocks = 16}));
  check_conv(draw_layer(64, 48, 4, 30, {.pad = 1, .zero_blocks = 12}), false);
}

TEST_CASE("quant block: pixels of one word", "[kernels]") {
  for (const int64_t stride : {1, 2}) {
    Layer layer = draw_layer(3, 40, 9, 21, {.stride = stride, .pad = 1, .sloped = true});
    layer.pixel = kWordChannels;
    check_conv(layer);
  }
}

TEST_CASE("quant block: every depthwise kernel gives the dense reference's bytes", "[kernels]") {
  for (const int64_t stride : {1, 2, 3})
    for (const int64_t kernel : {1, 2, 3, 4, 7}) {
      const bool sloped = kernel % 2 == 0;
      check_conv(
          draw_layer(40, 40, 11, 23,
                     {.kernel = kernel, .stride = stride, .pad = kernel / 2, .depthwise = true, .sloped = sloped}));
      check_conv(draw_layer(17, 17, 8, 9, {.kernel = kernel, .stride = stride, .depthwise = true, .wide = true}));
    }
  check_conv(draw_layer(33, 33, 9, 20, {.dilation = 2, .pad = 2, .depthwise = true, .dequantize = true}));
  check_conv(draw_layer(48, 48, 7, 7, {.kernel = 7, .depthwise = true}));
}

TEST_CASE("quant block: every maximum, interpolation and rounding gives the reference's bytes", "[kernels]") {
  std::mt19937 random(3);
  const int columns = 13, pixels = 22;
  std::vector<uint8_t> a(size_t(columns) * 3 * kBlock), b(a.size());
  for (uint8_t& v : a) v = static_cast<uint8_t>(random());
  for (uint8_t& v : b) v = static_cast<uint8_t>(random());
  const auto same = [&](auto slot, auto args, auto run_ref, size_t count) {
    std::vector<uint8_t> expected(count + 64, kCanary), result = expected;
    args.out = expected.data();
    run_ref(args);
    args.out = result.data();
    for_each_row<decltype(slot)>({}, [&](auto run) {
      std::fill(result.begin(), result.end(), kCanary);
      run(args);
      CHECK(result == expected);
    });
  };
  const std::vector<ptrdiff_t> offsets{0, kBlock, ptrdiff_t(columns) * kBlock, ptrdiff_t(columns + 1) * kBlock};
  for (const int taps : {1, 4})
    same(QuantBlockMaxSlot{}, QuantBlockMaxArgs{a.data(), offsets.data(), taps, 5, 2 * kBlock, nullptr},
         quant_block_max_ref, size_t(5 * kBlock));
  std::vector<int32_t> first, second, weight;
  for (int x = 0; x < pixels; ++x) {
    first.push_back(static_cast<int32_t>(random() % columns)),
        second.push_back(static_cast<int32_t>(random() % columns));
    weight.push_back(x % 3 == 0 ? 64 : static_cast<int32_t>(random() % 128));
  }
  std::vector<uint16_t> scratch(size_t(columns) * kBlock);
  for (const int bottom : {0, 32, 64, 127})
    same(QuantBlockBlendSlot{},
         QuantBlockBlendArgs{a.data(), b.data(), columns, bottom, first.data(), second.data(), weight.data(), pixels,
                             scratch.data(), nullptr},
         quant_block_blend_ref, size_t(pixels * kBlock));
  std::vector<float> samples = testing::Noise(4).many(size_t(7) * kBlock, 1.5f);
  samples[3] = std::nanf(""), samples[4] = INFINITY, samples[5] = -INFINITY, samples[6] = 0.5f / 128;
  for (const int count : {1, 2, 3, 4, 7})
    for (const int zero : {0, 77, 255})
      same(QuantizeBlockSlot{}, QuantizeBlockArgs{samples.data(), nullptr, count, 128.0f, zero}, quantize_block_ref,
           size_t(count * kBlock));
}
