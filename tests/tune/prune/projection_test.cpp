#include "tune/prune/projection.h"

#include "catch.h"
#include "format/params.h"
#include "kernels/qconv/qconv_row.h"
#include "tune/prune/patterns.h"
#include "tune/random.h"

using namespace coco::tune;

namespace {

std::vector<float> random_weights(const KernelShape& shape, Random& random) {
  std::vector<float> weights(shape.size());
  for (float& w : weights) w = static_cast<float>(random.normal());
  return weights;
}

/// Where a weight stands, written down once more from the definition.
size_t entry_of(const KernelShape& s, int block_outputs, size_t index) {
  const auto kw = static_cast<size_t>(s.width), kh = static_cast<size_t>(s.height);
  const size_t x = index % kw, y = index / kw % kh, i = index / (kw * kh) % static_cast<size_t>(s.inputs);
  const size_t o = index / (kw * kh * static_cast<size_t>(s.inputs));
  const size_t words = (static_cast<size_t>(s.inputs) + 3) / 4;
  return (o / static_cast<size_t>(block_outputs) * words + i / 4) * kh * kw + y * kw + x;
}

/// Whether a set of entries is one that the spec allows, for any of its rules.
bool allowed(const PruneSpec& spec, const std::vector<Pattern>& patterns, uint64_t entries, size_t blocks,
             size_t positions) {
  const auto total = static_cast<size_t>(__builtin_popcountll(entries));
  if (spec.per_layer) return total <= kept_positions(spec.keep, blocks * positions);
  size_t used = 0;
  for (size_t b = 0; b < blocks; ++b) {
    const auto block = static_cast<uint32_t>(entries >> (b * positions) & ((1u << positions) - 1));
    if (block == 0) continue;
    ++used;
    const bool fits = spec.kind == PruneKind::kPattern
                          ? std::any_of(patterns.begin(), patterns.end(), [&](Pattern p) { return (block & ~p) == 0; })
                          : static_cast<size_t>(__builtin_popcount(block)) <= kept_positions(spec.keep, positions);
    if (!fits) return false;
  }
  return used <= kept_positions(spec.blocks, blocks);
}

/// The least squared distance over all members of the set.
double least_distance(const std::vector<float>& weights, const KernelShape& shape, const PruneSpec& spec,
                      const std::vector<Pattern>& patterns, size_t blocks, size_t positions) {
  std::vector<double> energy(blocks * positions);
  for (size_t i = 0; i < weights.size(); ++i) {
    energy[entry_of(shape, spec.block_outputs, i)] += static_cast<double>(weights[i]) * weights[i];
  }
  double least = 1e300;
  for (uint64_t set = 0; set < uint64_t{1} << energy.size(); ++set) {
    if (!allowed(spec, patterns, set, blocks, positions)) continue;
    double distance = 0;
    for (size_t e = 0; e < energy.size(); ++e) distance += (set >> e & 1) != 0 ? 0 : energy[e];
    least = std::min(least, distance);
  }
  return least;
}

void check_projection(const KernelShape& shape, const PruneSpec& spec, const std::vector<Pattern>& patterns,
                      uint64_t seed) {
  Random random(seed);
  const BlockGrid grid(shape, spec.block_outputs);
  REQUIRE(check_spec(spec, shape).ok());
  const std::vector<float> weights = random_weights(shape, random);
  std::vector<float> projected = weights;
  project(projected, shape, spec, patterns);
  double distance = 0;
  uint64_t left = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    REQUIRE((projected[i] == 0 || projected[i] == weights[i]));
    const double d = static_cast<double>(weights[i]) - projected[i];
    distance += d * d;
    if (projected[i] != 0) left |= uint64_t{1} << entry_of(shape, spec.block_outputs, i);
  }
  CHECK(allowed(spec, patterns, left, grid.blocks(), grid.positions()));
  CHECK(distance == Approx(least_distance(weights, shape, spec, patterns, grid.blocks(), grid.positions())));
  std::vector<float> again = projected;
  project(again, shape, spec, patterns);
  CHECK(again == projected);
}

PruneSpec punched(int height, double keep, double blocks = 1) {
  return {PruneKind::kPunched, height, keep, false, false, blocks};
}
PruneSpec pattern(int height, double keep, double blocks = 1) {
  return {PruneKind::kPattern, height, keep, false, false, blocks};
}

/// The weights as the engine's packer takes them: 0 stays 0.
std::vector<int8_t> to_integers(const std::vector<float>& weights) {
  std::vector<int8_t> integers;
  for (const float w : weights) integers.push_back(static_cast<int8_t>(w == 0 ? 0 : w > 0 ? 5 : -5));
  return integers;
}

size_t packed_entries(const std::vector<float>& weights, const KernelShape& s, int tile) {
  coco::format::QuantConv2dParams params;
  params.kernel = {s.height, s.width};
  std::vector<int8_t> integers = to_integers(weights);
  int inputs = s.inputs;
  if (s.gathered) {
    // The engine's form of a first layer: columns are the channels of a word.
    params.kernel = {s.height, 1};
    inputs = 4;
    std::vector<int8_t> words(static_cast<size_t>(s.outputs * 4 * s.height));
    for (int o = 0; o < s.outputs; ++o)
      for (int y = 0; y < s.height; ++y)
        for (int x = 0; x < s.width; ++x)
          words[static_cast<size_t>((o * 4 + x) * s.height + y)] =
              integers[static_cast<size_t>((o * s.height + y) * s.width + x)];
    integers = words;
  }
  const std::vector<int32_t> bias(static_cast<size_t>(s.outputs));
  const std::vector<float> scale(static_cast<size_t>(s.outputs), 1.f);
  return coco::kernels::pack_quant_conv(params, s.outputs, inputs, integers.data(), bias.data(), scale.data(), nullptr,
                                        tile)
      .entries.size();
}

}  // namespace

TEST_CASE("a projection is the nearest of all members of its set, and doing it again changes nothing") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    check_projection({8, 8, 1, 3}, punched(4, 1. / 3), {}, seed);
    check_projection({8, 8, 1, 3}, punched(4, 2. / 3, 0.5), {}, seed);
    check_projection({8, 6, 2, 3}, punched(8, 0.5), {}, seed);
    check_projection({6, 5, 2, 2}, punched(4, 0.5, 0.75), {}, seed);
    check_projection({16, 4, 3, 3}, punched(8, 1, 0.5), {}, seed);
    check_projection({8, 8, 1, 3}, {PruneKind::kPunched, 4, 0.4, true, false, 1}, {}, seed);
    check_projection({5, 3, 3, 3}, {PruneKind::kPunched, 4, 4. / 9, true, false, 1}, {}, seed);
    const std::vector<Pattern> patterns = {0b000111010, 0b010110010, 0b110011000 | kCentre};
    check_projection({8, 4, 3, 3}, pattern(4, 4. / 9), patterns, seed);
    check_projection({8, 8, 3, 3}, pattern(8, 4. / 9, 0.5), patterns, seed);
  }
}

TEST_CASE("the centre stays where that is asked for") {
  Random random(3);
  const KernelShape shape{8, 8, 3, 3};
  std::vector<float> weights = random_weights(shape, random);
  for (size_t i = 4; i < weights.size(); i += 9) weights[i] *= 1e-3f;
  PruneSpec spec = punched(8, 2. / 9);
  spec.centre = true;
  const auto entries = choose_entries(weights, shape, spec, {});
  for (size_t b = 0; b < 2; ++b) {
    CHECK(entries[b * 9 + 4] == 1);
    CHECK(std::count(entries.begin() + static_cast<ptrdiff_t>(b * 9),
                     entries.begin() + static_cast<ptrdiff_t>(b * 9 + 9), 1) == 2);
  }
}

TEST_CASE("the engine's packer finds as many entries as are counted here") {
  Random random(9);
  const KernelShape shapes[] = {{8, 8, 3, 3}, {16, 12, 3, 3}, {12, 6, 5, 5}, {4, 8, 3, 3}, {10, 3, 1, 1}};
  for (const KernelShape& shape : shapes) {
    for (const int tile : {4, 8}) {
      std::vector<float> weights = random_weights(shape, random);
      CHECK(count_entries(weights, shape, tile).kept == packed_entries(weights, shape, tile));
      CHECK(count_entries(weights, shape, tile).kept == count_entries(weights, shape, tile).dense);
      for (float& w : weights) w = random.below(12) == 0 ? w : 0;
      CHECK(count_entries(weights, shape, tile).kept == packed_entries(weights, shape, tile));
      if (shape.width > 1) CHECK(count_entries(weights, shape, tile).kept < count_entries(weights, shape, tile).dense);
    }
  }
  const KernelShape first{8, 1, 3, 3, true};
  std::vector<float> weights = random_weights(first, random);
  CHECK(packed_entries(weights, first, 8) == 3);
  CHECK(count_entries(weights, first, 8).kept == 3);
  project(weights, first, punched(8, 2. / 3), {});
  CHECK(packed_entries(weights, first, 8) == 2);
  CHECK(count_entries(weights, first, 4).kept == 4);
}

TEST_CASE("4 of 9 positions in 8x4 blocks are exactly 4/9 of the dense entries") {
  Random random(10);
  for (const KernelShape& shape : {KernelShape{8, 8, 3, 3}, KernelShape{16, 16, 3, 3}, KernelShape{32, 24, 3, 3}}) {
    for (const int height : {8, 4}) {
      std::vector<float> weights = random_weights(shape, random);
      const size_t dense = packed_entries(weights, shape, height);
      project(weights, shape, pattern(height, 4. / 9), learn_patterns(block_energies(weights, shape, height), 4, 8));
      CHECK(packed_entries(weights, shape, height) * 9 == dense * 4);
      CHECK(sparsity(weights) == Approx(5. / 9));
      // Connectivity on top of it: half the blocks.
      const auto patterns = learn_patterns(block_energies(weights, shape, height), 4, 8);
      project(weights, shape, pattern(height, 4. / 9, 0.5), patterns);
      CHECK(packed_entries(weights, shape, height) * 9 == dense * 2);
    }
    std::vector<float> weights = random_weights(shape, random);
    const size_t dense = packed_entries(weights, shape, 8);
    project(weights, shape, {PruneKind::kPunched, 8, 1. / 3, true, false, 1}, {});
    CHECK(packed_entries(weights, shape, 8) * 3 == dense);
  }
}

TEST_CASE("shapes that do not fit are refused with the reason") {
  const KernelShape three{8, 8, 3, 3}, one{8, 8, 1, 1};
  CHECK(check_spec(pattern(8, 4. / 9), one).error().message.find("punched") != std::string::npos);
  CHECK_FALSE(check_spec(punched(6, 0.5), three).ok());
  CHECK_FALSE(check_spec(punched(8, 0), three).ok());
  CHECK_FALSE(check_spec(punched(8, 0.5, 1.5), three).ok());
  CHECK_FALSE(check_spec({PruneKind::kPunched, 8, 0.5, true, false, 0.5}, three).ok());
  CHECK_FALSE(check_spec(punched(8, 0.5), {}).ok());
  CHECK(check_spec({}, one).ok());
}
