#include <numeric>
#include <string>

#include "kernels/dense_support.h"

using namespace coco;
using namespace coco::kernels::testing;
using coco::format::ConcatParams;
using coco::format::DepthToSpaceMode;
using coco::format::DepthToSpaceParams;
using coco::format::PadMode;
using coco::format::PadParams;
using coco::format::ReshapeParams;
using coco::format::SliceParams;
using coco::format::SpaceToDepthParams;
using coco::format::TransposeParams;

namespace {

using Index = std::vector<int64_t>;

// Calls fn for every index of the shape, in memory order.
void for_each_index(const Shape& shape, const std::function<void(const Index&)>& fn) {
  const int64_t count = shape.element_count().value();
  for (int64_t linear = 0; linear < count; ++linear) {
    Index index(shape.rank());
    int64_t rest = linear;
    for (size_t i = shape.rank(); i-- > 0;) {
      index[i] = rest % shape[i];
      rest /= shape[i];
    }
    fn(index);
  }
}

int64_t linear_index(const Shape& shape, const Index& index) {
  int64_t sum = 0;
  for (size_t i = 0; i < shape.rank(); ++i) sum = sum * shape[i] + index[i];
  return sum;
}

// Result element by element: source(index) gives the input's index, or nothing for `fallback`.
Tensor gather(const Tensor& x, const Shape& shape, float fallback,
              const std::function<bool(const Index&, Index&)>& source) {
  Tensor y{shape, {}};
  for_each_index(shape, [&](const Index& index) {
    Index from(x.shape.rank());
    y.data.push_back(source(index, from) ? x.data[linear_index(x.shape, from)] : fallback);
  });
  return y;
}

}  // namespace

TEST_CASE("concat joins along any axis") {
  for (size_t rank = 1; rank <= 6; ++rank) {
    for (size_t axis = 0; axis < rank; ++axis) {
      INFO("rank " << rank << " axis " << axis);
      Shape base(std::vector<int64_t>(rank, 2)), joined = base;
      std::vector<Tensor> parts;
      joined[axis] = 0;
      for (const int64_t length : {3, 0, 1, 2}) {
        Shape shape = base;
        shape[axis] = length;
        joined[axis] += length;
        parts.push_back(iota(shape, 100.0f * static_cast<float>(parts.size())));
      }
      const Tensor y =
          run(ConcatParams{static_cast<int64_t>(axis)}, {&parts[0], &parts[1], &parts[2], &parts[3]}, joined);
      for_each_index(joined, [&](const Index& index) {
        Index from = index;
        size_t part = 0;
        while (from[axis] >= parts[part].shape[axis]) from[axis] -= parts[part++].shape[axis];
        REQUIRE(y.data[linear_index(joined, index)] == parts[part].data[linear_index(parts[part].shape, from)]);
      });
    }
  }
}

TEST_CASE("slice follows Python's rules") {
  const int64_t kFar = int64_t{1} << 40;
  for (const int64_t n : {1, 2, 7}) {
    for (const int64_t start :
         {-kFar, int64_t{-8}, int64_t{-3}, int64_t{-1}, int64_t{0}, int64_t{2}, int64_t{6}, kFar}) {
      for (const int64_t end : {-kFar, int64_t{-2}, int64_t{0}, int64_t{3}, int64_t{7}, kFar}) {
        for (const int64_t step : {-3, -1, 1, 2, 9}) {
          // The picked positions, as Python's slice.indices says.
          const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
          const int64_t first = std::clamp(start < 0 ? start + n : start, low, high);
          const int64_t stop = std::clamp(end < 0 ? end + n : end, low, high);
          std::vector<int64_t> picked;
          for (int64_t i = first; step > 0 ? i < stop : i > stop; i += step) picked.push_back(i);
          INFO(n << " [" << start << ":" << end << ":" << step << "]");
          const int64_t count = static_cast<int64_t>(picked.size());
          const Tensor x = iota({2, n, 3});
          const Tensor y = run(SliceParams{{1}, {start}, {end}, {step}}, {&x}, {2, count, 3});
          const Tensor last = iota({2, n});
          const Tensor z = run(SliceParams{{1}, {start}, {end}, {step}}, {&last}, {2, count});
          for (int64_t i = 0; i < count; ++i) {
            REQUIRE(y.at({1, i, 2}) == x.at({1, picked[i], 2}));
            REQUIRE(z.at({1, i}) == last.at({1, picked[i]}));
          }
        }
      }
    }
  }
}

TEST_CASE("slices put together again are the input") {
  const Tensor x = random({3, 7, 4, 5}, 1);
  for (int64_t axis = 0; axis < 4; ++axis) {
    const int64_t n = x.shape[axis], cut = n / 2;
    Shape left_shape = x.shape, right_shape = x.shape;
    left_shape[axis] = cut, right_shape[axis] = n - cut;
    const Tensor left = run(SliceParams{{axis}, {0}, {cut}, {1}}, {&x}, left_shape);
    const Tensor right = run(SliceParams{{axis}, {cut}, {n}, {1}}, {&x}, right_shape);
    REQUIRE(run(ConcatParams{axis}, {&left, &right}, x.shape).data == x.data);
  }
}

TEST_CASE("transpose permutes indices") {
  const std::vector<std::pair<Shape, Index>> cases = {{Shape{4}, {0}},
                                                      {Shape{2, 5}, {1, 0}},
                                                      {Shape{2, 3, 4}, {2, 0, 1}},
                                                      {Shape{2, 3, 4, 5}, {0, 2, 3, 1}},
                                                      {Shape{1, 2, 2, 3, 2, 4}, {0, 1, 4, 2, 5, 3}},
                                                      {Shape{}, {}}};
  for (const auto& [shape, perm] : cases) {
    const Tensor x = iota(shape);
    Shape out(std::vector<int64_t>(perm.size()));
    for (size_t i = 0; i < perm.size(); ++i) out[i] = shape[perm[i]];
    const Tensor y = run(TransposeParams{perm}, {&x}, out);
    const Tensor wanted = gather(x, out, 0, [&p = perm](const Index& to, Index& from) {
      for (size_t i = 0; i < to.size(); ++i) from[p[i]] = to[i];
      return true;
    });
    REQUIRE(y.data == wanted.data);
  }
}

TEST_CASE("reshape keeps the order of the elements") {
  const Tensor x = iota({2, 3, 4});
  for (const Shape& shape : {Shape{24}, Shape{4, 6}, Shape{1, 2, 2, 3, 2, 1}}) {
    REQUIRE(run(ReshapeParams{shape.dims(), false}, {&x}, shape).data == x.data);
  }
}

TEST_CASE("pad mirrors, repeats, fills and crops") {
  const std::vector<std::array<int64_t, 4>> pads = {{0, 0, 0, 0}, {1, 2, 1, 2},   {2, 0, 0, 3}, {-1, 1, 1, -1},
                                                    {5, 7, 6, 9}, {-1, -2, 0, 0}, {0, -1, 2, 3}};
  const Tensor x = iota({2, 3, 4});
  for (const auto mode : {PadMode::kConstant, PadMode::kReflect, PadMode::kEdge}) {
    for (const auto& pad : pads) {
      const Shape shape{2, 3 + pad[0] + pad[2], 4 + pad[1] + pad[3]};
      const PadParams p{mode, {0, pad[0], pad[1], 0, pad[2], pad[3]}, -7.5f};
      INFO("mode " << int(mode) << " pads " << pad[0] << " " << pad[1] << " " << pad[2] << " " << pad[3]);
      const Tensor wanted = gather(x, shape, -7.5f, [&](const Index& to, Index& from) {
        from = {to[0], to[1] - pad[0], to[2] - pad[1]};
        for (size_t i = 0; i < 3; ++i) {
          const int64_t n = x.shape[i];
          if (mode == PadMode::kConstant && (from[i] < 0 || from[i] >= n)) return false;
          if (mode == PadMode::kEdge) from[i] = std::clamp<int64_t>(from[i], 0, n - 1);
          // Bounce off the edges until inside.
          while (from[i] < 0 || from[i] >= n) from[i] = from[i] < 0 ? -from[i] : 2 * (n - 1) - from[i];
        }
        return true;
      });
      REQUIRE(run(p, {&x}, shape).data == wanted.data);
    }
  }
}

TEST_CASE("pad by hand") {
  const Tensor x = iota({3}), one = iota({1});
  REQUIRE(run(PadParams{PadMode::kReflect, {2, 1}, 0}, {&x}, {6}).data == std::vector<float>{3, 2, 1, 2, 3, 2});
  REQUIRE(run(PadParams{PadMode::kEdge, {2, 1}, 0}, {&x}, {6}).data == std::vector<float>{1, 1, 1, 2, 3, 3});
  REQUIRE(run(PadParams{PadMode::kReflect, {2, 1}, 0}, {&one}, {4}).data == std::vector<float>{1, 1, 1, 1});
  const Tensor none{{0}, {}};
  REQUIRE(run(PadParams{PadMode::kConstant, {1, 2}, 4}, {&none}, {3}).data == std::vector<float>{4, 4, 4});
}

TEST_CASE("depth to space by hand") {
  const Tensor x = iota({1, 8, 1, 2}, 0);  // channel c holds 2c, 2c + 1
  REQUIRE(run(DepthToSpaceParams{2, DepthToSpaceMode::kDcr}, {&x}, {1, 2, 2, 4}).data ==
          std::vector<float>{0, 4, 1, 5, 8, 12, 9, 13, 2, 6, 3, 7, 10, 14, 11, 15});
  REQUIRE(run(DepthToSpaceParams{2, DepthToSpaceMode::kCrd}, {&x}, {1, 2, 2, 4}).data ==
          std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15});
}

TEST_CASE("depth to space inverts space to depth") {
  for (const int64_t block : {1, 2, 3}) {
    for (const int64_t c : {1, 3}) {
      const Tensor x = random({2, c, 4 * block, 5 * block}, 1);
      const Tensor deep = run(SpaceToDepthParams{block}, {&x}, {2, c * block * block, 4, 5});
      REQUIRE(run(DepthToSpaceParams{block, DepthToSpaceMode::kDcr}, {&deep}, x.shape).data == x.data);
    }
  }
}

TEST_CASE("depth to space is reshape, transpose, reshape") {
  const int64_t b = 3, c = 2, h = 4, w = 5;
  const Tensor x = random({2, c * b * b, h, w}, 2);
  for (const auto mode : {DepthToSpaceMode::kDcr, DepthToSpaceMode::kCrd}) {
    const bool dcr = mode == DepthToSpaceMode::kDcr;
    const Shape split = dcr ? Shape{2, b, b, c, h, w} : Shape{2, c, b, b, h, w};
    const Index perm = dcr ? Index{0, 3, 4, 1, 5, 2} : Index{0, 1, 4, 2, 5, 3};
    const Tensor parts = run(ReshapeParams{split.dims(), false}, {&x}, split);
    const Tensor moved = run(TransposeParams{perm}, {&parts}, {2, c, h, b, w, b});
    REQUIRE(run(DepthToSpaceParams{b, mode}, {&x}, {2, c, h * b, w * b}).data == moved.data);
  }
}

TEST_CASE("data movement takes every element type") {
  for (const auto type : {DataType::kU8, DataType::kS8, DataType::kBool, DataType::kF16, DataType::kU16, DataType::kS32,
                          DataType::kS64}) {
    INFO(to_string(type));
    const size_t size = byte_size(type);
    std::vector<uint8_t> bytes(6 * size);
    std::iota(bytes.begin(), bytes.end(), uint8_t{1});
    const TensorView x{type, Shape{2, 3}, bytes.data()};
    const auto element = [&](size_t i) {
      return std::vector<uint8_t>(bytes.begin() + static_cast<ptrdiff_t>(i * size),
                                  bytes.begin() + static_cast<ptrdiff_t>((i + 1) * size));
    };
    const auto joined = [&](std::initializer_list<int> elements) {
      std::vector<uint8_t> all;
      for (const int i : elements) {
        const std::vector<uint8_t> one = i < 0 ? std::vector<uint8_t>(size) : element(static_cast<size_t>(i));
        all.insert(all.end(), one.begin(), one.end());
      }
      return all;
    };
    const std::vector<TensorView> twice{x, x};
    REQUIRE(run_bytes(TransposeParams{{1, 0}}, {&x, 1}, type, {3, 2}) == joined({0, 3, 1, 4, 2, 5}));
    REQUIRE(run_bytes(SliceParams{{1}, {2}, {-4}, {-2}}, {&x, 1}, type, {2, 2}) == joined({2, 0, 5, 3}));
    REQUIRE(run_bytes(ConcatParams{1}, twice, type, {2, 6}) == joined({0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}));
    REQUIRE(run_bytes(ReshapeParams{{6}, false}, {&x, 1}, type, {6}) == joined({0, 1, 2, 3, 4, 5}));
    REQUIRE(run_bytes(PadParams{PadMode::kConstant, {0, 1, 0, 0}, 0}, {&x, 1}, type, {2, 4}) ==
            joined({-1, 0, 1, 2, -1, 3, 4, 5}));
  }
}

TEST_CASE("pad converts its value to the element type") {
  const uint8_t byte = 9;
  REQUIRE(run_bytes(PadParams{PadMode::kConstant, {1, 0}, 3.0f},
                    std::vector{TensorView{DataType::kU8, Shape{1}, &byte}}, DataType::kU8,
                    {2}) == std::vector<uint8_t>{3, 9});
  const format::OpParams p = PadParams{PadMode::kConstant, {1, 0}, 3.0f};
  const TensorView in{DataType::kF16, Shape{1}, nullptr};
  const MutableTensorView out{DataType::kF16, Shape{2}, nullptr};
  REQUIRE(kernels::select<kernels::DenseSlot>({&p, {&in, 1}, {&out, 1}}, {}) == nullptr);
}
