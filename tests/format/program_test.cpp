#include "format/program.h"

#include <cstring>
#include <limits>

#include "catch.h"
#include "format/weight_sizes.h"
#include "tests/format/programs.h"

using namespace coco;
using namespace coco::format;
using namespace coco::format::testing;

namespace {

std::string refusal(const Program& program) {
  const Status status = verify(program);
  if (status.ok()) return "";
  CHECK(status.error().code == ErrorCode::kInvalidData);
  return status.error().message;
}

bool names(const std::string& message, const char* part) { return message.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("good programs are accepted") {
  CHECK(refusal(small_network()) == "");
  CHECK(refusal(every_operator()) == "");
}

TEST_CASE("malformed programs are refused with the reason") {
  Program p = small_network();
  SECTION("value number out of range") {
    p.operators[0].inputs[1] = 1000;
    CHECK(names(refusal(p), "value 1000"));
    p.operators[0].inputs[1] = -7;
    CHECK(names(refusal(p), "value -7"));
  }
  SECTION("used before it is computed") {
    std::swap(p.operators[0], p.operators[1]);
    CHECK(names(refusal(p), "before it is computed"));
  }
  SECTION("computed twice") {
    p.operators[1].outputs = p.operators[0].outputs;
    CHECK(names(refusal(p), "second time"));
  }
  SECTION("a constant as input") {
    p.inputs.push_back(1);
    CHECK(names(refusal(p), "second time"));
  }
  SECTION("an input given twice") {
    p.inputs.push_back(p.inputs[0]);
    CHECK(names(refusal(p), "second time"));
  }
  SECTION("never computed") {
    p.values.push_back({"orphan", DataType::kF32, Shape{1}, {}});
    CHECK(names(refusal(p), "orphan"));
  }
  SECTION("no operator kind") {
    p.operators[0].params = {};
    CHECK(names(refusal(p), "no kind"));
  }
  SECTION("missing required input") {
    p.operators[0].inputs[1] = kNoValue;
    CHECK(names(refusal(p), "absent"));
    p.operators[0].inputs.resize(1);
    CHECK(names(refusal(p), "takes 2"));
  }
  SECTION("too many inputs") {
    p.operators[2].inputs.push_back(0);
    CHECK(names(refusal(p), "inputs"));
  }
  SECTION("two results") {
    p.operators[0].outputs.push_back(p.operators[1].outputs[0]);
    CHECK(names(refusal(p), "2 results"));
  }
  SECTION("parameters out of range") {
    std::get<Conv2dParams>(p.operators[0].params).stride[1] = 0;
    CHECK(names(refusal(p), "stride"));
  }
  SECTION("an enumerator that does not exist") {
    std::get<Conv2dParams>(p.operators[0].params).activation = static_cast<UnaryKind>(99);
    CHECK(names(refusal(p), "activation"));
  }
  SECTION("a parameter list too long") {
    p.operators[2].params = ReshapeParams{std::vector<int64_t>(Limits::kMaxListLength + 1, 1), false};
    CHECK(names(refusal(p), "shape"));
  }
  SECTION("constant of the wrong size") {
    p.values[1].constant = ramp(3);
    CHECK(names(refusal(p), "needs 72 bytes"));
  }
  SECTION("constant of unknown shape") {
    p.values[1].shape[0] = kDynamicDim;
    CHECK(names(refusal(p), "unknown shape"));
  }
  SECTION("declared shape contradicts the operator") {
    p.values[static_cast<size_t>(p.operators[0].outputs[0])].shape[1] = 3;
    CHECK(names(refusal(p), "declared"));
  }
  SECTION("mixed types") {
    p.values[0].type = DataType::kS32;
    CHECK(names(refusal(p), "mixes"));
  }
  SECTION("types and dimensions that do not exist") {
    p.values[0].type = static_cast<DataType>(50);
    CHECK(names(refusal(p), "type"));
    p.values[0].type = DataType::kF32;
    p.values[0].shape[2] = -2;
    CHECK(names(refusal(p), "-2"));
    p.values[0].shape = Shape{1 << 20, 1 << 20};
    CHECK(names(refusal(p), "too many elements"));
  }
  SECTION("no input, no output, an output twice or unknown") {
    Program q = p;
    q.outputs.clear();
    CHECK(names(refusal(q), "no output"));
    q = p;
    q.outputs.push_back(q.outputs[0]);
    CHECK(names(refusal(q), "twice"));
    q.outputs = {77};
    CHECK(names(refusal(q), "77"));
    q = Program{};
    CHECK(names(refusal(q), "no input"));
  }
  SECTION("card out of bounds") {
    p.card.scale = 0;
    CHECK(names(refusal(p), "scale"));
    p.card.scale = 1;
    p.card.description.assign(Limits::kMaxStringBytes + 1, 'x');
    CHECK(names(refusal(p), "card"));
  }
}

TEST_CASE("shapes of a program are resolved from its inputs") {
  const Program p = small_network();
  const std::vector<Shape> in{Shape{1, 1, 5, 7}};
  const auto shapes = resolve_shapes(p, in);
  REQUIRE(shapes.ok());
  CHECK((*shapes)[static_cast<size_t>(p.outputs[0])] == Shape{1, 1, 10, 14});
  for (const Shape& shape : *shapes) CHECK(shape.is_static());
  // 35 pixels, 2 * 9 + 4 * 2 * 9 products each
  CHECK(count_macs(p, *shapes) == 35 * (18 + 72));

  CHECK_FALSE(resolve_shapes(p, {}).ok());
  CHECK_FALSE(resolve_shapes(p, std::vector<Shape>{Shape{1, 2, 5, 7}}).ok());
  CHECK_FALSE(resolve_shapes(p, std::vector<Shape>{Shape{1, 1, kDynamicDim, 7}}).ok());
  CHECK_FALSE(resolve_shapes(p, std::vector<Shape>{Shape{1, 1, 1 << 22, 1 << 22}}).ok());
}

TEST_CASE("resolving names the operator that does not fit") {
  Builder b;
  const int32_t x = b.input(Shape{1, 2, kDynamicDim, kDynamicDim});
  b.output(b.add(SpaceToDepthParams{}, {x}));
  REQUIRE(verify(b.program).ok());
  const auto shapes = resolve_shapes(b.program, std::vector<Shape>{Shape{1, 2, 4, 5}});
  REQUIRE_FALSE(shapes.ok());
  CHECK(names(shapes.error().message, "operator 'op0'"));
}

TEST_CASE("transposed convolutions count the products of each input sample") {
  Builder b;
  const int32_t x = b.input(Shape{1, 4, 3, 5});
  ConvTranspose2dParams p;
  p.kernel = {2, 2};
  p.stride = {2, 2};
  b.output(b.add(p, {x, b.constant(Shape{4, 3, 2, 2})}));
  const auto shapes = resolve_shapes(b.program, std::vector<Shape>{Shape{1, 4, 3, 5}});
  REQUIRE(shapes.ok());
  CHECK(count_macs(b.program, *shapes) == 4 * 3 * 5 * 3 * 2 * 2);
}

TEST_CASE("optional inputs left off are completed") {
  Program p = small_network();
  p.operators[1].inputs.resize(2);
  CHECK(refusal(p) == "");
  complete_inputs(p);
  CHECK(p.operators[1].inputs.size() == 4);
  CHECK(p.operators[1].inputs[3] == kNoValue);
  CHECK(refusal(p) == "");
}

TEST_CASE("the listing shows operators, parameters, products and bytes") {
  Program p = small_network();
  p.values[0].name = "in\nput\x1b";
  const auto shapes = resolve_shapes(p, std::vector<Shape>{Shape{1, 1, 5, 7}});
  REQUIRE(shapes.ok());
  CHECK(
      to_text(p, *shapes) ==
      "program 'small' super-resolution x2\n"
      "macs   3150\n"
      "input  %0 'in\\x0aput\\x1b' f32 [1, 1, 5, 7]\n"
      "const  %1 'c1' f32 [2, 1, 3, 3]  72 bytes\n"
      "const  %2 'c2' f32 [2]  8 bytes\n"
      "const  %3 'c3' f32 [2]  8 bytes\n"
      "const  %5 'c5' f32 [4, 2, 3, 3]  288 bytes\n"
      "const  %6 'c6' f32 [4]  16 bytes\n"
      "%4 'v4' f32 [1, 2, 5, 7] = Conv2d(%0, %1, %2, %3) kernel=[3, 3] pads=[1, 1, 1, 1]  # op0, 630 macs, 280 bytes\n"
      "%7 'v7' f32 [1, 4, 5, 7] = Conv2d(%4, %5, %6, -) kernel=[3, 3] pads=[1, 1, 1, 1]  # op1, 2520 macs, 560 bytes\n"
      "%8 'v8' f32 [1, 1, 10, 14] = DepthToSpace(%7)  # op2, 0 macs, 560 bytes\n"
      "output %8 'v8' f32 [1, 1, 10, 14]\n");
  const std::string open = to_text(p, {});
  CHECK(names(open, "f32 [1, 2, ?, ?] = Conv2d"));
  CHECK_FALSE(names(open, "macs"));
  CHECK(names(to_text(every_operator(), {}),
              "mode=cubic coordinates=asymmetric nearest=ceil cubic_a=-0.5 "
              "exclude_outside=true scales=[1, 1, 1.5, 2]"));
}

TEST_CASE("sizes of weights: dense, CSR, in the file") {
  CHECK(csr_bytes(10, 4, 72) == 10 * 6 + 5 * 4);
  CHECK(csr_bytes(10, 4, 65536) == 80);
  CHECK(csr_bytes(10, 4, 65537) == 10 * 8 + 5 * 4);
  // conv [2, 1, 3, 3] with bias and slope, conv [4, 2, 3, 3] with bias; the first element of every constant is 0.
  const WeightSizes sizes = weight_sizes(small_network());
  CHECK(sizes.elements == 18 + 72);
  CHECK(sizes.zeros == 2);
  CHECK(sizes.dense_f32 == 4 * 90);
  CHECK(sizes.csr_f32 == 17 * 6 + 3 * 4 + 71 * 6 + 5 * 4);
  CHECK(sizes.file == 4 * (18 + 2 + 2 + 72 + 4));
  Builder b;
  const int32_t q = b.add(QuantizeParams{}, {b.input(Shape{1, 4, 5, 5})});
  const int32_t w = b.integers<int8_t>(Shape{2, 4, 1, 1}, DataType::kS8);
  const int32_t bias = b.integers<int32_t>(Shape{2}, DataType::kS32), scale = b.constant(Shape{2});
  b.output(b.add(QuantConv2dParams{}, {q, w, bias, scale, kNoValue}));
  b.output(b.add(QuantConv2dParams{}, {q, w, bias, scale, kNoValue}));
  CHECK(weight_sizes(b.program).file == 8 + 8 + 8);
  CHECK(weight_sizes(b.program).csr_f32 == 8 * 6 + 3 * 4);
  CHECK(to_text(weight_sizes(b.program)) ==
        "8, 0.0 % of them 0; 32 bytes dense in f32, 60 as CSR in f32, 24 in the file");
}

TEST_CASE("integer convolutions whose sums are not exact or whose scales are no numbers are refused") {
  const auto program = [] {
    Builder b;
    const int32_t q = b.add(QuantizeParams{}, {b.input(Shape{1, 1200, 5, 5})});
    const int32_t w = b.integers<int8_t>(Shape{2, 1200, 1, 1}, DataType::kS8);
    const int32_t bias = b.integers<int32_t>(Shape{2}, DataType::kS32);
    b.output(b.add(QuantConv2dParams{}, {q, w, bias, b.constant(Shape{2}), b.constant(Shape{2})}));
    return b.program;
  };
  REQUIRE(verify(program()).ok());
  const auto broken_at = [&](size_t slot, auto fill, size_t first) {
    Program broken = program();
    Value& value = broken.values[static_cast<size_t>(broken.operators.back().inputs[slot])];
    std::vector<uint8_t> bytes(value.constant.bytes.begin(), value.constant.bytes.end());
    for (size_t at = first * sizeof fill; at < bytes.size(); at += sizeof fill)
      std::memcpy(bytes.data() + at, &fill, sizeof fill);
    value.constant = ConstantData::copy_of(bytes);
    return refusal(broken);
  };
  // 1200 * 255 * 127 and more: beyond 2^24 in channel 1 alone.
  CHECK(names(broken_at(1, int8_t{127}, 1200), "sums of channel 1 can reach 38862"));
  CHECK(names(broken_at(2, int32_t{1 << 24}, 1), "sums of channel 1 can reach"));
  CHECK(names(broken_at(2, std::numeric_limits<int32_t>::min(), 0), "sums of channel 0 can reach"));
  CHECK(broken_at(2, int32_t{1 << 20}, 0).empty());
  CHECK(names(broken_at(3, std::numeric_limits<float>::quiet_NaN(), 1), "the scale of channel 1 is nan"));
  CHECK(names(broken_at(3, 65.0f, 0), "a finite number up to 64"));
  CHECK(names(broken_at(4, -std::numeric_limits<float>::infinity(), 1), "the negative scale of channel 1 is -inf"));
  CHECK(broken_at(3, -64.0f, 0).empty());
}
