// Operators on u8 activations: values worked out by hand, and the row kernels of every target against the references.
#include <algorithm>
#include <array>
#include <random>

#include "catch.h"
#include "format/program.h"
#include "kernels/registry.h"
#include "kernels/resample_support.h"

namespace coco::kernels {
namespace {

struct Bytes {
  Shape shape;
  std::vector<uint8_t> data;
};

/// The result, computed unit by unit.
std::vector<uint8_t> run(const format::OpParams& params, const std::vector<Bytes>& inputs) {
  std::vector<std::optional<Shape>> shapes;
  std::vector<std::optional<DataType>> types(inputs.size(), DataType::kU8);
  std::vector<TensorView> in;
  for (const Bytes& input : inputs) {
    REQUIRE(static_cast<int64_t>(input.data.size()) == input.shape.element_count());
    shapes.push_back(input.shape);
    in.push_back({DataType::kU8, input.shape, input.data.data()});
  }
  const auto made = format::infer_shapes(params, shapes);
  INFO((made.ok() ? "" : made.error().message));
  REQUIRE(made.ok());
  REQUIRE(format::infer_types(params, types).value()[0] == DataType::kU8);
  std::vector<uint8_t> result(static_cast<size_t>(*(*made)[0].element_count()));
  const MutableTensorView out{DataType::kU8, (*made)[0], result.data()};
  const DenseKey key{&params, in, {&out, 1}};
  const auto* row = select_reference<DenseSlot>(key);
  REQUIRE(row != nullptr);
  for (int64_t unit = dense_units(key); unit-- > 0;) row->function(params, in, {&out, 1}, unit, unit + 1);
  return result;
}

using Result8 = std::vector<uint8_t>;

}  // namespace

TEST_CASE("a table gives each byte its result") {
  Bytes table{Shape{256}, Result8(256)};
  for (size_t i = 0; i < 256; ++i) table.data[i] = static_cast<uint8_t>(255 - i);
  CHECK(run(format::LookupParams{}, {{Shape{1, 3}, {0, 7, 255}}, table}) == Result8{255, 248, 0});
}

TEST_CASE("sums and products of integers are scaled and rounded once") {
  format::QuantBinaryParams p;
  p.a_zero_point = 10, p.b_zero_point = 100, p.out_zero_point = 3;
  p.a_factor = 2, p.b_factor = -1, p.scale = 0.25f;
  // 2 * (a - 10) - (b - 100): 6, 10, 14 and 2 quarters, ties to even: 2, 2, 4 and 0
  CHECK(run(p, {{Shape{4}, {13, 15, 17, 11}}, {Shape{1}, {100}}}) == Result8{5, 5, 7, 3});
  p.low = 4, p.high = 6;
  CHECK(run(p, {{Shape{4}, {13, 15, 17, 11}}, {Shape{1}, {100}}}) == Result8{5, 5, 6, 4});
  format::QuantBinaryParams product;
  product.kind = format::BinaryKind::kMul;
  product.a_zero_point = 128, product.b_zero_point = 1, product.out_zero_point = 128, product.scale = 0.5f;
  CHECK(run(product, {{Shape{2, 2}, {129, 127, 255, 0}}, {Shape{2, 1}, {4, 101}}}) == Result8{130, 126, 255, 0});
}

TEST_CASE("pools of integers keep the steps") {
  const Bytes x{Shape{1, 1, 2, 3}, {1, 2, 250, 4, 6, 9}};
  format::Pool2dParams p;
  p.kernel = {2, 2}, p.pads = {0, 0, 0, 1};
  CHECK(run(p, {x}) == Result8{6, 250, 250});
  p.kind = format::PoolKind::kAverage;
  // 13 / 4, 267 / 4, 259 / 2
  CHECK(run(p, {x}) == Result8{3, 67, 130});
  p.count_padding = true;
  CHECK_FALSE(format::infer_types(p, std::vector<std::optional<DataType>>{DataType::kU8}).ok());
}

TEST_CASE("interpolation of integers has weights in 1/128") {
  format::ResizeParams p;
  p.mode = format::ResizeMode::kLinear, p.scales = {1, 1, 1, 2};
  const Bytes x{Shape{1, 1, 1, 3}, {0, 100, 201}};
  // 0, 25, 75, 125.25, 175.75, 201
  CHECK(run(p, {x}) == Result8{0, 25, 75, 125, 176, 201});
  p.mode = format::ResizeMode::kNearest, p.coordinates = format::CoordinateMode::kAsymmetric;
  p.nearest = format::NearestMode::kFloor;
  CHECK(run(p, {x}) == Result8{0, 0, 100, 100, 201, 201});
}

TEST_CASE("rows of words of every target equal their references") {
  std::mt19937 random(5);
  constexpr int kMost = 150, kRoom = kMost + 2 * kStepsRowSlop;
  const auto words = [&] {
    std::vector<uint32_t> row(kRoom);
    for (uint32_t& w : row) w = static_cast<uint32_t>(random());
    return row;
  };
  for (int width : {1, 2, 7, 15, 16, 17, 33, kMost}) {
    const std::vector<uint32_t> a = words(), b = words();
    format::QuantBinaryParams sum;
    sum.a_zero_point = 7, sum.b_zero_point = 200, sum.out_zero_point = 90;
    sum.a_factor = 32767, sum.b_factor = -20001, sum.scale = 0.9f / 32767;
    format::QuantBinaryParams product = sum;
    product.kind = format::BinaryKind::kMul, product.scale = 0.011f, product.low = 20, product.high = 240;
    std::array<uint8_t, 256> table;
    for (uint8_t& v : table) v = static_cast<uint8_t>(random());
    std::vector<int32_t> first(kMost), second(kMost), weight(kMost);
    for (int x = 0; x < kMost; ++x) {
      first[x] = static_cast<int32_t>(random() % kMost), second[x] = static_cast<int32_t>(random() % kMost);
      weight[x] = static_cast<int32_t>(random() % 129);
    }
    const auto all = [&](const StepsRowKernel& kernel) {
      std::vector<std::vector<uint32_t>> results;
      const auto keep = [&](const auto& fill) {
        std::vector<uint32_t> out(kRoom);
        fill(out.data());
        out.resize(static_cast<size_t>(width));
        results.push_back(out);
      };
      keep([&](uint32_t* out) { kernel.max(a.data(), b.data(), width, out); });
      keep([&](uint32_t* out) { kernel.lookup(table.data(), a.data(), width, out); });
      for (const bool one : {false, true}) {
        keep([&](uint32_t* out) { kernel.binary(sum, a.data(), b.data(), one, width, out); });
        keep([&](uint32_t* out) { kernel.binary(product, a.data(), b.data(), one, width, out); });
      }
      std::vector<uint16_t> scratch(4 * kRoom);
      keep([&](uint32_t* out) {
        kernel.blend({a.data(), b.data(), kMost, 37, 91, first.data(), second.data(), weight.data(), width,
                      scratch.data(), out});
      });
      // Plain bytes: nothing past the row is touched.
      std::vector<uint8_t> planes(static_cast<size_t>(3 * width) + 1, 0xa5);
      uint8_t* const rows[4] = {planes.data(), planes.data() + width, nullptr, planes.data() + 2 * width};
      kernel.split(a.data(), width, rows);
      CHECK(planes.back() == 0xa5);
      keep([&](uint32_t* out) {
        const uint8_t* const from[4] = {rows[0], rows[1], nullptr, rows[3]};
        kernel.join(from, width, out);
      });
      for (int x = 0; x < width; ++x) CHECK(results.back()[x] == (a[x] & 0xff00ffffu));
      return results;
    };
    const auto expected = all(kStepsRowRef);
    for_each_target([&] {
      INFO("width " << width);
      CHECK(all(kStepsRowHwy) == expected);
    });
  }
}

}  // namespace coco::kernels
