// Shapes worked out by hand from ONNX's formulas.
#include <limits>

#include "catch.h"
#include "format/program.h"
#include "format/shape_rules.h"

using namespace coco;
using namespace coco::format;

namespace {

constexpr int64_t kAny = kDynamicDim;
constexpr int64_t kFarthest = std::numeric_limits<int64_t>::max();
constexpr int64_t kNearest = std::numeric_limits<int64_t>::min();

Result<std::vector<Shape>> infer(const OpParams& params, std::vector<std::optional<Shape>> inputs) {
  return infer_shapes(params, inputs);
}

std::string shape_text(const OpParams& params, std::vector<std::optional<Shape>> inputs) {
  const auto result = infer(params, std::move(inputs));
  if (!result.ok()) return "error: " + result.error().message;
  REQUIRE(result->size() == 1);
  return (*result)[0].to_string();
}

bool fails(const OpParams& params, std::vector<std::optional<Shape>> inputs) {
  const auto result = infer(params, std::move(inputs));
  return !result.ok() && !result.error().message.empty();
}

Conv2dParams conv(int64_t kernel, int64_t pad, int64_t stride = 1, int64_t dilation = 1, int64_t group = 1) {
  Conv2dParams p;
  p.kernel = {kernel, kernel};
  p.stride = {stride, stride};
  p.dilation = {dilation, dilation};
  p.pads = {pad, pad, pad, pad};
  p.group = group;
  return p;
}

}  // namespace

TEST_CASE("convolution shapes") {
  const Shape weight{8, 3, 3, 3};
  CHECK(shape_text(conv(3, 1), {Shape{1, 3, 9, 7}, weight, Shape{8}, std::nullopt}) == "[1, 8, 9, 7]");
  CHECK(shape_text(conv(3, 1), {Shape{1, 3, 9, 7}, weight}) == "[1, 8, 9, 7]");
  CHECK(shape_text(conv(3, 0, 2), {Shape{2, 3, 9, 8}, weight}) == "[2, 8, 4, 3]");
  CHECK(shape_text(conv(3, 2, 1, 2), {Shape{1, 3, 5, 6}, weight}) == "[1, 8, 5, 6]");
  CHECK(shape_text(conv(3, 1), {Shape{1, 3, kAny, 6}, weight}) == "[1, 8, ?, 6]");
  CHECK(shape_text(conv(3, 1, 1, 1, 4), {Shape{1, 4, 6, 6}, Shape{8, 1, 3, 3}}) == "[1, 8, 6, 6]");
  Conv2dParams uneven = conv(3, 0);
  uneven.pads = {1, 0, 0, 2};
  CHECK(shape_text(uneven, {Shape{1, 3, 5, 5}, weight}) == "[1, 8, 4, 5]");

  CHECK(fails(conv(3, 1), {Shape{1, 4, 9, 7}, weight}));
  CHECK(fails(conv(5, 1), {Shape{1, 3, 9, 7}, weight}));
  CHECK(fails(conv(3, 0), {Shape{1, 3, 2, 7}, weight}));
  CHECK(fails(conv(3, 1, 0), {Shape{1, 3, 9, 7}, weight}));
  CHECK(fails(conv(3, -1), {Shape{1, 3, 9, 7}, weight}));
  CHECK(fails(conv(3, 1, 1, 1, 3), {Shape{1, 3, 9, 7}, Shape{8, 1, 3, 3}}));
  CHECK(fails(conv(3, 1), {Shape{1, 3, 9, 7}, weight, Shape{7}}));
  CHECK(fails(conv(3, 1), {Shape{1, 3, 9, 7}, weight, std::nullopt, Shape{1}}));
  CHECK(fails(conv(3, 1), {Shape{3, 9, 7}, weight}));
  CHECK(fails(conv(3, 1), {Shape{1, 3, 9, 7}, std::nullopt}));
  CHECK(fails(conv(3, 1), {Shape{1, 3, 9, 7}}));
  CHECK(fails(conv(3, kFarthest), {Shape{1, 3, 9, 7}, weight}));
  CHECK(fails(conv(3, 1, 1, kFarthest), {Shape{1, 3, 9, 7}, weight}));
}

TEST_CASE("transposed convolution shapes") {
  ConvTranspose2dParams p;
  p.kernel = {3, 3};
  p.stride = {2, 2};
  const Shape weight{4, 5, 3, 3};
  CHECK(shape_text(p, {Shape{1, 4, 3, 5}, weight}) == "[1, 5, 7, 11]");
  p.pads = {1, 1, 1, 1};
  p.output_padding = {1, 0};
  CHECK(shape_text(p, {Shape{1, 4, 3, 5}, weight, Shape{5}}) == "[1, 5, 6, 9]");
  CHECK(shape_text(p, {Shape{1, 4, kAny, kAny}, weight}) == "[1, 5, ?, ?]");
  p.group = 2;
  CHECK(shape_text(p, {Shape{1, 4, 3, 5}, weight, Shape{10}}) == "[1, 10, 6, 9]");
  CHECK(fails(p, {Shape{1, 4, 3, 5}, weight, Shape{5}}));
  CHECK(fails(p, {Shape{1, 3, 3, 5}, weight}));
  p.pads = {4, 4, 4, 4};
  CHECK(fails(p, {Shape{1, 4, 1, 1}, weight}));
}

TEST_CASE("pointwise shapes") {
  CHECK(shape_text(UnaryParams{}, {Shape{2, kAny, 3}}) == "[2, ?, 3]");
  CHECK(shape_text(UnaryParams{}, {Shape{}}) == "[]");
  CHECK(shape_text(PreluParams{}, {Shape{1, 8, kAny, 4}, Shape{8, 1, 1}}) == "[1, 8, ?, 4]");
  CHECK(fails(PreluParams{}, {Shape{1, 8, 4, 4}, Shape{7, 1, 1}}));
  CHECK(fails(PreluParams{}, {Shape{4}, Shape{1, 4}}));
  CHECK(shape_text(BinaryParams{}, {Shape{3, 1, 5}, Shape{4, 1}}) == "[3, 4, 5]");
  CHECK(shape_text(BinaryParams{}, {Shape{1, 8, kAny, kAny}, Shape{1, 1, kAny, 1}}) == "[1, 8, ?, ?]");
  CHECK(shape_text(BinaryParams{}, {Shape{kAny, kAny}, Shape{1, 7}}) == "[?, 7]");
  CHECK(shape_text(BinaryParams{}, {Shape{0, 1}, Shape{1, 7}}) == "[0, 7]");
  CHECK(shape_text(BinaryParams{}, {Shape{}, Shape{2}}) == "[2]");
  CHECK(fails(BinaryParams{}, {Shape{3}, Shape{4}}));
  CHECK(fails(BinaryParams{}, {Shape{0}, Shape{4}}));
}

TEST_CASE("concatenation shapes") {
  ConcatParams p;
  CHECK(shape_text(p, {Shape{1, 2, 3}, Shape{1, 5, 3}, Shape{1, 1, 3}}) == "[1, 8, 3]");
  CHECK(shape_text(p, {Shape{1, 2, kAny}, Shape{1, kAny, 3}}) == "[1, ?, 3]");
  p.axis = 0;
  CHECK(shape_text(p, {Shape{4}}) == "[4]");
  CHECK(fails(p, {Shape{}, Shape{}}));
  CHECK(fails(p, {Shape{1, 2}, Shape{1, 3}}));
  CHECK(fails(p, {Shape{1, 2}, Shape{2}}));
  CHECK(fails(p, {Shape{1, 2}, std::nullopt}));
  CHECK(fails(p, {}));
  p.axis = -1;
  CHECK(fails(p, {Shape{1, 2}}));
}

TEST_CASE("slices clamp as ONNX says") {
  const auto count = [](int64_t start, int64_t end, int64_t step, int64_t dim) {
    return slice_range(start, end, step, dim).count;
  };
  CHECK(count(0, 10, 1, 10) == 10);
  CHECK(count(1, kFarthest, 1, 10) == 9);
  CHECK(count(-3, kFarthest, 1, 10) == 3);
  CHECK(count(0, -1, 1, 10) == 9);
  CHECK(count(0, 10, 3, 10) == 4);
  CHECK(count(1000, kFarthest, 1, 10) == 0);
  CHECK(count(5, 2, 1, 10) == 0);
  CHECK(count(-1, kNearest, -1, 10) == 10);
  CHECK(count(20, 0, -4, 20) == 5);  // 19, 15, 11, 7, 3
  CHECK(count(kFarthest, kNearest, kNearest, 10) == 1);
  CHECK(count(kNearest, kFarthest, kFarthest, 10) == 1);
  CHECK(count(0, 5, 1, 0) == 0);
  CHECK(count(0, -5, -1, 0) == 0);
  CHECK(slice_range(-2, kFarthest, 1, 7).start == 5);
  CHECK(slice_range(100, kNearest, -2, 7).start == 6);

  SliceParams p;
  p.axes = {2, 0};
  p.starts = {1, 0};
  p.ends = {3, 1};
  p.steps = {1, 1};
  CHECK(shape_text(p, {Shape{5, 6, 7}}) == "[1, 6, 2]");
  CHECK(shape_text(p, {Shape{kAny, 6, 7}}) == "[?, 6, 2]");
  p.axes = {2, 2};
  CHECK(fails(p, {Shape{5, 6, 7}}));
  p.axes = {2, 3};
  CHECK(fails(p, {Shape{5, 6, 7}}));
  p.axes = {2};
  CHECK(fails(p, {Shape{5, 6, 7}}));
  p.axes = {2, 0};
  p.steps = {1, 0};
  CHECK(fails(p, {Shape{5, 6, 7}}));
}

TEST_CASE("padding shapes") {
  PadParams p;
  p.pads = {0, 1, 2, 0};
  CHECK(shape_text(p, {Shape{3, 4}}) == "[5, 5]");
  CHECK(shape_text(p, {Shape{kAny, 4}}) == "[?, 5]");
  p.pads = {-1, 0, -2, 3};
  CHECK(shape_text(p, {Shape{3, 4}}) == "[0, 7]");
  CHECK(fails(p, {Shape{2, 4}}));
  CHECK(fails(p, {Shape{3}}));
  p.mode = PadMode::kReflect;
  p.pads = {0, 3, 0, 3};
  CHECK(shape_text(p, {Shape{3, 4}}) == "[3, 10]");
  CHECK(fails(p, {Shape{3, 3}}));
  p.mode = PadMode::kEdge;
  CHECK(shape_text(p, {Shape{3, 1}}) == "[3, 7]");
  CHECK(fails(p, {Shape{3, 0}}));
  p.pads = {0, kFarthest, 0, kFarthest};
  CHECK(fails(p, {Shape{3, 4}}));
}

TEST_CASE("resize shapes") {
  ResizeParams p;
  p.scales = {1, 1, 0.6f, 2.5f};
  CHECK(shape_text(p, {Shape{1, 1, 4, 5}}) == "[1, 1, 2, 12]");
  CHECK(shape_text(p, {Shape{1, 1, kAny, 5}}) == "[1, 1, ?, 12]");
  CHECK(fails(p, {Shape{1, 1, 1, 5}}));
  CHECK(fails(p, {Shape{1, 4, 5}}));
  p.scales[2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(fails(p, {Shape{1, 1, 4, 5}}));
  p.scales[2] = 1e30f;
  CHECK(fails(p, {Shape{1, 1, 4, 5}}));
  p.scales.clear();
  CHECK(fails(p, {Shape{1, 1, 4, 5}}));
  p.sizes = {1, 1, 9, 8};
  CHECK(shape_text(p, {Shape{1, 1, kAny, 5}}) == "[1, 1, 9, 8]");
  p.sizes[3] = 0;
  CHECK(fails(p, {Shape{1, 1, 4, 5}}));
}

TEST_CASE("pixel rearrangement shapes") {
  DepthToSpaceParams d;
  CHECK(shape_text(d, {Shape{1, 8, 3, 5}}) == "[1, 2, 6, 10]");
  CHECK(shape_text(d, {Shape{1, 8, kAny, 5}}) == "[1, 2, ?, 10]");
  CHECK(fails(d, {Shape{1, 6, 3, 5}}));
  d.block = 0;
  CHECK(fails(d, {Shape{1, 8, 3, 5}}));
  d.block = kFarthest;
  CHECK(fails(d, {Shape{1, 8, 3, 5}}));
  SpaceToDepthParams s;
  CHECK(shape_text(s, {Shape{1, 2, 6, 10}}) == "[1, 8, 3, 5]");
  CHECK(fails(s, {Shape{1, 2, 5, 10}}));
  TransposeParams t;
  t.perm = {2, 0, 1};
  CHECK(shape_text(t, {Shape{4, kAny, 6}}) == "[6, 4, ?]");
  CHECK(fails(t, {Shape{4, 5}}));
  t.perm = {2, 0, 0};
  CHECK(fails(t, {Shape{4, 5, 6}}));
  t.perm = {3, 0, 1};
  CHECK(fails(t, {Shape{4, 5, 6}}));
}

TEST_CASE("reshape shapes") {
  ReshapeParams p;
  p.shape = {2, 0, 1, -1};
  CHECK(shape_text(p, {Shape{2, 3, 4}}) == "[2, 3, 1, 4]");
  p.shape = {0, 2, 2, -1, 0};
  CHECK(fails(p, {Shape{1, 8, 6}}));
  p.shape = {0, 2, 2, 2, -1};
  CHECK(shape_text(p, {Shape{kAny, 8, 6}}) == "[?, 2, 2, 2, 6]");
  CHECK(shape_text(p, {Shape{1, 8, kAny}}) == "[1, 2, 2, 2, ?]");
  p.shape = {-1};
  CHECK(shape_text(p, {Shape{}}) == "[1]");
  CHECK(shape_text(p, {Shape{3, kAny}}) == "[?]");
  p.shape = {-1, -1};
  CHECK(fails(p, {Shape{4}}));
  p.shape = {3, -1};
  CHECK(fails(p, {Shape{4}}));
  p.shape = {4, 0};
  CHECK(fails(p, {Shape{4}}));
  p.allow_zero = true;
  p.shape = {3, 4, 0};
  CHECK(shape_text(p, {Shape{0, 3, 4}}) == "[3, 4, 0]");
  p.shape = {0, -1};
  CHECK(fails(p, {Shape{0, 3}}));
  p.allow_zero = false;
  CHECK(shape_text(p, {Shape{5, 3, 2}}) == "[5, 6]");
  p.shape = {1 << 24, 1 << 24, 1 << 24, 1 << 24, -1};
  CHECK(fails(p, {Shape{4}}));
}

TEST_CASE("results are bounded") {
  CHECK(fails(UnaryParams{}, {Shape{1, Limits::kMaxDim + 1}}));
  CHECK(fails(UnaryParams{}, {Shape{-2}}));
  CHECK(fails(UnaryParams{}, {Shape{1 << 20, 1 << 20}}));
  CHECK(fails(UnaryParams{}, {Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}}));
  CHECK(fails(BinaryParams{}, {Shape{1 << 20, 1}, Shape{1, 1 << 20}}));
  DepthToSpaceParams d;
  d.block = 1024;
  CHECK(fails(d, {Shape{1, 1 << 20, 1 << 20, kAny}}));
  CHECK(fails(OpParams{}, {Shape{1}}));
}

TEST_CASE("messages name operator and figures") {
  const auto result = infer(conv(3, 1), {Shape{1, 4, 9, 7}, Shape{8, 3, 3, 3}});
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == ErrorCode::kInvalidArgument);
  CHECK(result.error().message.find("Conv2d") != std::string::npos);
  CHECK(result.error().message.find("[1, 4, 9, 7]") != std::string::npos);
}
