#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

#include "catch.h"
#include "coco/device.h"
#include "kernels/qconv/arm.h"
#include "kernels/registry.h"
#include "kernels/resample_support.h"

using namespace coco;
using namespace coco::kernels;

namespace {

constexpr uint32_t kCanary = 0xc0ffee11;

enum class Sparsity { kDense, kRandom, kPattern, kBlocks, kNothing };

struct Layer {
  format::QuantConv2dParams params;
  int in = 1, out = 1, width = 33;
  std::vector<int8_t> weight;
  std::vector<int32_t> bias;
  std::vector<float> scale, negative;  // negative may be empty
  std::vector<uint8_t> picture;        // [in][kHeight][in_width]

  static constexpr int kHeight = 4;
  int in_width() const { return (width - 1) * static_cast<int>(params.stride[1]) + reach(1) + 1 - pads(1); }
  int reach(int axis) const { return static_cast<int>((params.kernel[axis] - 1) * params.dilation[axis]); }
  int pads(int axis) const { return static_cast<int>(params.pads[axis] + params.pads[axis + 2]); }
  int rows() const { return kHeight + pads(0) - reach(0); }
};

int pick(std::mt19937& random, std::initializer_list<int> from) { return from.begin()[random() % from.size()]; }

bool keeps(Sparsity sparsity, std::mt19937& random, uint32_t pattern, int tap) {
  if (sparsity == Sparsity::kRandom) return random() % 3 == 0;
  if (sparsity == Sparsity::kPattern) return tap >= 9 || (pattern >> tap & 1) != 0;
  return sparsity == Sparsity::kDense || (sparsity == Sparsity::kBlocks && pattern % 2 == 0);
}

// Weights in blocks of 4 output by 4 input channels. `largest` decides how many entries 16 bits can hold.
void fill_weights(Layer& layer, Sparsity sparsity, int largest, std::mt19937& random) {
  const int channels = layer.in / static_cast<int>(layer.params.group);
  const int taps = static_cast<int>(layer.params.kernel[0] * layer.params.kernel[1]);
  constexpr uint32_t kPatterns[] = {0b010111000, 0b110110000, 0b000011011, 0b011010010};
  std::vector<uint32_t> patterns(256);
  for (uint32_t& p : patterns) p = sparsity == Sparsity::kPattern ? kPatterns[random() % 4] : random();
  for (int m = 0; m < layer.out; ++m)
    for (int c = 0; c < channels; ++c)
      for (int tap = 0; tap < taps; ++tap) {
        const int value = static_cast<int>(random() % (2 * largest + 1)) - largest;
        const bool kept = keeps(sparsity, random, patterns[(m / 4 * 16 + c / 4) % patterns.size()], tap);
        layer.weight.push_back(static_cast<int8_t>(kept ? value : 0));
      }
}

Layer random_layer(uint32_t seed) {
  std::mt19937 random(seed);
  Layer layer;
  const int kernel = pick(random, {1, 3, 3, 5}), dilation = kernel == 3 ? pick(random, {1, 1, 2}) : 1;
  layer.params.group = pick(random, {1, 1, 1, 2, 4});
  layer.in = pick(random, {1, 3, 4, 5, 8, 16, 20}), layer.out = pick(random, {1, 3, 4, 5, 8, 12, 16, 20});
  if (layer.in % layer.params.group != 0 || layer.out % layer.params.group != 0) layer.params.group = 1;
  layer.width = pick(random, {1, 2, 3, 15, 16, 17, 33, 70});
  layer.params.kernel = {kernel, kernel}, layer.params.dilation = {dilation, dilation};
  const int pad = (kernel - 1) / 2 * dilation;
  layer.params.pads = {pad, pad, pad, pad};
  layer.params.stride = {1, pick(random, {1, 1, 1, 2})};
  layer.params.in_zero_point = pick(random, {0, 3, 128, 255}), layer.params.out_zero_point = pick(random, {0, 77, 255});
  if (random() % 3 == 0) layer.params.low = layer.params.out_zero_point, layer.params.high = 255;
  if (random() % 4 == 0) layer.params.low = 20, layer.params.high = 200;
  layer.params.dequantize = random() % 4 == 0;
  fill_weights(layer, static_cast<Sparsity>(random() % 5), pick(random, {127, 127, 60, 30, 8}), random);
  const auto unit = [&] { return static_cast<float>(static_cast<int32_t>(random())) / 2147483648.0f; };
  const bool slopes = random() % 2 == 0, below = random() % 2 == 0;
  for (int m = 0; m < layer.out; ++m) {
    layer.bias.push_back(static_cast<int32_t>(random() % 60001) - 30000);
    layer.scale.push_back(random() % 16 == 0 ? 0.0f : unit() * (random() % 8 == 0 ? 64.0f : 0.01f));
    if (slopes) layer.negative.push_back(unit() * 0.005f);
    if (slopes && below) layer.negative.back() = layer.scale.back() - std::abs(layer.negative.back());
  }
  const bool extreme = random() % 8 == 0;
  layer.picture.resize(static_cast<size_t>(layer.in * Layer::kHeight * std::max(1, layer.in_width())));
  for (uint8_t& x : layer.picture) x = static_cast<uint8_t>(extreme ? 255 : random());
  return layer;
}

/// What quant_conv2d_ref makes of the layer: [out][rows][width] of bytes, or of floats.
std::vector<uint8_t> dense_result(const Layer& layer) {
  const Shape shape{1, layer.out, layer.rows(), layer.width};
  const DataType type = layer.params.dequantize ? DataType::kF32 : DataType::kU8;
  std::vector<uint8_t> result(static_cast<size_t>(*shape.element_count()) * byte_size(type));
  const Shape channels{layer.out};
  const Shape kernel{layer.out, layer.in / layer.params.group, layer.params.kernel[0], layer.params.kernel[1]};
  const TensorView in[] = {{DataType::kU8, {1, layer.in, Layer::kHeight, layer.in_width()}, layer.picture.data()},
                           {DataType::kS8, kernel, layer.weight.data()},
                           {DataType::kS32, channels, layer.bias.data()},
                           {DataType::kF32, channels, layer.scale.data()},
                           {DataType::kF32, channels, layer.negative.empty() ? nullptr : layer.negative.data()}};
  const MutableTensorView out{type, shape, result.data()};
  quant_conv2d_ref(layer.params, in, {&out, 1}, 0, static_cast<int64_t>(layer.out) * layer.rows());
  return result;
}

QuantConvRowWeights pack(const Layer& layer, int oc_tile) {
  return pack_quant_conv(layer.params, layer.out, layer.in, layer.weight.data(), layer.bias.data(), layer.scale.data(),
                         layer.negative.empty() ? nullptr : layer.negative.data(), oc_tile);
}

/// The rows a kernel reads: words with the padding around them and noise where no weight reads.
struct Words {
  int planes, pitch;
  std::vector<uint32_t> words;  // [padded row][plane][pitch]

  explicit Words(const Layer& layer)
      : planes((layer.in + 3) / 4), pitch(layer.in_width() + layer.pads(1) + kQuantRowSlop) {
    const int height = Layer::kHeight + layer.pads(0), left = static_cast<int>(layer.params.pads[1]);
    const int top = static_cast<int>(layer.params.pads[0]);
    words.assign(static_cast<size_t>(height * planes * pitch), 0xa5a5a5a5);
    for (int y = 0; y < height; ++y)
      for (int c = 0; c < layer.in; ++c)
        for (int x = 0; x < layer.in_width() + layer.pads(1); ++x) {
          const int iy = y - top, ix = x - left;
          const bool inside = iy >= 0 && iy < Layer::kHeight && ix >= 0 && ix < layer.in_width();
          const auto value = inside ? layer.picture[(c * Layer::kHeight + iy) * layer.in_width() + ix]
                                    : static_cast<uint8_t>(layer.params.in_zero_point);
          reinterpret_cast<uint8_t*>(&words[(y * planes + c / 4) * pitch + x])[c % 4] = value;
        }
  }
};

/// Whether the kernel gives row `y` of the dense result and writes nothing else.
bool row_is_right(const Layer& layer, QuantConvRowFn run, const QuantConvRowWeights& weights, const Words& in, int y,
                  const std::vector<uint8_t>& expected) {
  const bool floats = layer.params.dequantize;
  const int planes = floats ? layer.out : (layer.out + 3) / 4, pitch = layer.width + kQuantRowSlop + 3;
  std::vector<uint32_t> out(static_cast<size_t>(planes * pitch), kCanary);
  QuantConvRowArgs args;
  args.weights = &weights, args.in_plane_stride = in.pitch, args.out_plane_stride = pitch, args.width = layer.width;
  args.out = out.data();
  for (int ky = 0; ky < layer.params.kernel[0]; ++ky)
    args.rows[ky] = in.words.data() + (y + ky * layer.params.dilation[0]) * in.planes * in.pitch;
  run(args);
  for (int p = 0; p < planes; ++p)
    for (int x = layer.width + kQuantRowSlop; x < pitch; ++x)
      if (out[p * pitch + x] != kCanary) return false;
  for (int m = 0; m < layer.out; ++m)
    for (int x = 0; x < layer.width; ++x) {
      const size_t i = static_cast<size_t>(m * layer.rows() + y) * layer.width + x;
      if (floats && std::memcmp(&out[m * pitch + x], &expected[4 * i], 4) != 0) return false;
      if (!floats && (out[m / 4 * pitch + x] >> (8 * (m % 4)) & 0xff) != expected[i]) return false;
    }
  return true;
}

/// Whether the kernel makes of row `y` what the dense result is as samples on a base, and writes nothing else.
bool shuffled_is_right(const Layer& layer, QuantConvRowFn run, const QuantConvRowWeights& weights, const Words& in,
                       int y, const std::vector<uint8_t>& expected) {
  const auto pairs = static_cast<size_t>(layer.width);
  std::mt19937 random(static_cast<uint32_t>(y));
  std::vector<float> base(2 * pairs + kQuantRowSlop);
  for (float& v : base) v = static_cast<float>(random() % 1500) / 1000.0f - 0.2f;
  for (const SampleType type : {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10, SampleType::kF32}) {
    const size_t bytes = 2 * pairs * byte_size(type);
    std::vector<uint8_t> rows[2], right(bytes + 8, 0x5a);
    for (auto& row : rows) row.assign(bytes + 8, 0x5a);
    const QuantShuffledRows to{type, {base.data(), base.data() + 8}, {rows[0].data(), rows[1].data()}};
    QuantConvRowArgs args;
    args.weights = &weights, args.in_plane_stride = in.pitch, args.width = layer.width, args.shuffled = &to;
    for (int ky = 0; ky < layer.params.kernel[0]; ++ky)
      args.rows[ky] = in.words.data() + (y + ky * layer.params.dilation[0]) * in.planes * in.pitch;
    run(args);
    for (int row = 0; row < 2; ++row) {
      const auto* sums = reinterpret_cast<const float*>(expected.data());
      const auto channel = [&](int c) { return sums + static_cast<size_t>(c * layer.rows() + y) * pairs; };
      shuffle_store_row_ref(type, channel(2 * row), channel(2 * row + 1), to.base[row], layer.width, right.data());
      if (right != rows[row]) return false;
    }
  }
  return true;
}

bool runs_here(const KernelRow<QuantConvRowSlot>& row, const QuantConvRowWeights& key) {
  static const std::vector<std::string> targets = supported_targets();
  return std::any_of(targets.begin(), targets.end(),
                     [&](const std::string& target) { return row.matches(key, Capabilities{target}); });
}

/// Every kernel on every target gives the dense reference's bytes.
void check(const Layer& layer) {
  INFO(layer.in << "->" << layer.out << " group " << layer.params.group << " kernel " << layer.params.kernel[0]
                << " dilation " << layer.params.dilation[0] << " stride " << layer.params.stride[1] << " width "
                << layer.width << " zero points " << layer.params.in_zero_point << ", " << layer.params.out_zero_point);
  const auto expected = dense_result(layer);
  const Words words(layer);
  QuantConvRowWeights key;
  key.stride_x = static_cast<int>(layer.params.stride[1]);
  for (const auto& row : kernel_rows<QuantConvRowSlot>()) {
    if (!runs_here(row, key)) continue;
    INFO("kernel " << row.name);
    for_each_target([&] {
      for (const int tile : std::set{row.function.oc_tile(), row.function.fine_tile()}) {
        const QuantConvRowWeights weights = pack(layer, tile);
        for (int y = 0; y < layer.rows(); ++y) {
          CHECK(row_is_right(layer, row.function.run, weights, words, y, expected));
          if (layer.params.dequantize && layer.out == 4)
            CHECK(shuffled_is_right(layer, row.function.run, weights, words, y, expected));
        }
      }
    });
  }
}

Layer plain_layer(int in, int out, int kernel, int width) {
  Layer layer;
  layer.in = in, layer.out = out, layer.width = width;
  layer.params.kernel = {kernel, kernel};
  layer.params.pads = {kernel / 2, kernel / 2, kernel / 2, kernel / 2};
  layer.bias.assign(static_cast<size_t>(out), 0);
  layer.scale.assign(static_cast<size_t>(out), 0.001f);
  layer.picture.assign(static_cast<size_t>(in * Layer::kHeight * width), 255);
  return layer;
}

}  // namespace

TEST_CASE("integer convolution rows equal the dense reference, random layers") {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    INFO("seed " << seed);
    check(random_layer(seed));
  }
}

TEST_CASE("integer convolution rows as samples of a picture") {
  for (int width : {1, 2, 15, 16, 17, 31, 48, 95, 97, 200}) {
    std::mt19937 random(width);
    Layer layer = plain_layer(8, 4, 3, width);
    layer.params.dequantize = true;
    fill_weights(layer, static_cast<Sparsity>(width % 5), 127, random);
    for (uint8_t& x : layer.picture) x = static_cast<uint8_t>(random());
    layer.scale.assign(4, 0.00001f);
    if (width % 2 == 0) layer.negative = {0.000002f, 0.00003f, -0.00001f, 0.0f};
    check(layer);
  }
}

TEST_CASE("integer convolution rows, widths") {
  for (int width : {1, 2, 3, 15, 16, 17, 31, 33, 200, 1400}) {
    std::mt19937 random(width);
    Layer layer = plain_layer(8, 12, 3, width);
    fill_weights(layer, Sparsity::kDense, 127, random);
    for (uint8_t& x : layer.picture) x = static_cast<uint8_t>(random());
    check(layer);
  }
}

TEST_CASE("integer convolution rows, the largest sums and scales") {
  for (int value : {127, -127, -128})
    for (bool alternate : {false, true})
      for (float scale : {0.0f, 0.00002f, -0.00002f, 64.0f, -64.0f}) {
        Layer layer = plain_layer(16, 8, 5, 33);
        layer.params.in_zero_point = value > 0 ? 0 : 255, layer.params.out_zero_point = 100;
        layer.params.low = 5, layer.params.high = 250;
        for (int i = 0; i < 8 * 16 * 25; ++i)
          layer.weight.push_back(static_cast<int8_t>(alternate && i % 2 == 0 ? -std::max(value, -127) : value));
        layer.scale.assign(8, scale);
        layer.negative.assign(8, -scale);
        check(layer);
        layer.params.dequantize = true;
        check(layer);
      }
}

TEST_CASE("integer convolution rows, more entries than are resolved at once") {
  std::mt19937 random(5);
  for (const auto& [largest, width] : {std::pair{127, 19}, {127, 200}, {40, 19}, {5, 19}}) {
    Layer layer = plain_layer(100, 9, 5, width);
    fill_weights(layer, Sparsity::kDense, largest, random);
    for (int8_t& w : layer.weight) w = static_cast<int8_t>(random() % 4 == 0 ? w : w / 16);
    for (uint8_t& x : layer.picture) x = static_cast<uint8_t>(random());
    check(layer);
  }
}

TEST_CASE("a packed tile keeps every weight that is not zero") {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const Layer layer = random_layer(seed);
    for (int oc_tile : {1, 4, 8}) {
      const QuantConvRowWeights w = pack(layer, oc_tile);
      size_t kept = 0, nonzero = 0;
      for (int8_t value : layer.weight) nonzero += value != 0;
      for (const QuantTile& tile : w.tiles) {
        CHECK(2 * tile.pair_count + tile.wide_count <= tile.entry_count);
        for (size_t e = 0; e < tile.entry_count; ++e) {
          size_t here = 0;
          for (int o = 0; o < oc_tile; ++o)
            for (int b = 0; b < 4; ++b) here += (w.weights[tile.weight_begin + e * oc_tile + o] >> (8 * b) & 0xff) != 0;
          CHECK(here > 0);
          kept += here;
        }
      }
      CHECK(kept == nonzero);
      // With the zeros: an entry for every tap of every word plane the tile reads.
      const QuantConvRowWeights all = pack_quant_conv(layer.params, layer.out, layer.in, layer.weight.data(),
                                                      layer.bias.data(), layer.scale.data(), nullptr, oc_tile, false);
      const auto taps = static_cast<size_t>(all.kernel_h * all.kernel_w);
      if (layer.params.group == 1)
        CHECK(all.entries.size() == all.tiles.size() * taps * static_cast<size_t>((layer.in + 3) / 4));
      CHECK(w.scale.size() == w.tiles.size() * static_cast<size_t>(oc_tile));
    }
  }
}

TEST_CASE("fine tiles are taken where they leave fewer multiplications") {
  const QuantConvRowKernel two{qconv_row_ref, [] { return 8; }, [] { return 4; }};
  const QuantConvRowKernel one{qconv_row_ref, [] { return 8; }, [] { return 8; }};
  Layer layer = plain_layer(4, 8, 3, 16);
  layer.weight.assign(static_cast<size_t>(8 * 4 * 9), 1);
  const auto tile_for = [&](const QuantConvRowKernel& kernel) {
    return pack_quant_conv_finest(layer.params, layer.out, layer.in, layer.weight.data(), layer.bias.data(),
                                  layer.scale.data(), nullptr, kernel)
        .oc_tile;
  };
  CHECK(tile_for(two) == 8);
  // The first four channels keep one tap, the others all of them.
  for (size_t i = 0; i < 4 * 4 * 9; ++i) layer.weight[i] = i % 9 == 4 ? 1 : 0;
  CHECK(tile_for(two) == 4);
  CHECK(tile_for(one) == 8);
  // The same tap is gone everywhere: nothing to win.
  layer.weight.assign(layer.weight.size(), 1);
  for (size_t i = 0; i < layer.weight.size(); i += 9) layer.weight[i] = 0;
  CHECK(tile_for(two) == 8);
}

TEST_CASE("selection of integer rows") {
  QuantConvRowWeights key;
  CHECK(select<QuantConvRowSlot>(key, Capabilities{"AVX2"})->name == "qconv_row_hwy");
  CHECK(select<QuantConvRowSlot>(key, Capabilities{})->name == "qconv_row_ref");
  key.stride_x = 2;
  CHECK(select<QuantConvRowSlot>(key, Capabilities{"AVX2"})->name == "qconv_row_ref");
}

#if COCO_NEON_DOTPROD && COCO_NEON_I8MM
TEST_CASE("selection of integer rows on Arm") {
  QuantConvRowWeights key;
  CHECK(select<QuantConvRowSlot>(key, Capabilities{kNeonI8mm})->name == "qconv_row_i8mm");
  CHECK(select<QuantConvRowSlot>(key, Capabilities{kNeonDotprod})->name == "qconv_row_dotprod");
  CHECK(select<QuantConvRowSlot>(key, Capabilities{"NEON"})->name == "qconv_row_hwy");
  key.stride_x = 2;
  CHECK(select<QuantConvRowSlot>(key, Capabilities{kNeonI8mm})->name == "qconv_row_ref");
}
#endif
