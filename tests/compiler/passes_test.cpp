#include "compiler/passes/passes.h"

#include "catch.h"
#include "compiler/shuffle_pattern.h"
#include "graph/text.h"

using namespace coco;

namespace {

graph::Graph parsed(const std::string& text) {
  auto result = graph::parse(text);
  if (!result.ok()) FAIL(result.error().message + " in\n" + text);
  return std::move(result).value();
}

/// Constants renamed %k0, %k1, ... by position: passes are free in how they name what they make.
std::string canonical(const graph::Graph& graph) {
  std::string text = graph::print(graph);
  int number = 0;
  for (const graph::Value& value : graph.values()) {
    if (!value.is_constant()) continue;
    const std::string from = "%" + value.name(), to = "%k" + std::to_string(number++);
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1)) {
      const char end = text[at + from.size()];
      if (end == ':' || end == ',' || end == ')') text.replace(at, from.size(), to);
    }
  }
  return text;
}

std::string normal(const std::string& text) { return canonical(parsed("graph {" + text + "}")); }

/// The graph after the named passes, in text form.
std::string after(const std::vector<std::string>& passes, const std::string& text) {
  graph::Graph graph = parsed("graph {" + text + "}");
  for (const std::string& name : passes) {
    const compiler::Pass* pass = compiler::find_pass(name);
    REQUIRE(pass != nullptr);
    REQUIRE(pass->run(graph).ok());
    const Status sound = graph::verify(graph);
    INFO((sound.ok() ? "" : sound.error().message));
    REQUIRE(sound.ok());
  }
  graph.erase_unused_constants();
  return canonical(graph);
}

}  // namespace

TEST_CASE("every pass can be found by name, and dead code goes last") {
  REQUIRE(compiler::pass_list().size() == 11);
  for (const compiler::Pass& pass : compiler::pass_list()) REQUIRE(compiler::find_pass(pass.name) == &pass);
  REQUIRE(compiler::pass_list().back().name == "remove_dead");
  REQUIRE(compiler::find_pass("no such pass") == nullptr);
}

TEST_CASE("drop_identities") {
  REQUIRE(after({"drop_identities"}, R"(
    input %x: f32[1, 4, 6, 6]
    %a = Unary(%x) {kind = identity}
    %b = Slice(%a) {axes = [2], starts = [0], ends = [99], steps = [1]}
    %c = Pad(%b) {pads = [0, 0, 0, 0, 0, 0, 0, 0]}
    %d = Resize(%c) {scales = [1, 1, 1, 1]}
    %e = Transpose(%d) {perm = [0, 1, 2, 3]}
    %f = Reshape(%e) {shape = [1, 4, -1, 6]}
    %g = Concat(%f) {axis = 1}
    %h = DepthToSpace(%g) {block = 1}
    %i = Unary(%h) {kind = relu}
    output %i
  )") == normal(R"(
    input %x: f32[1, 4, 6, 6]
    %i = Unary(%x) {kind = relu}
    output %i
  )"));
}

TEST_CASE("drop_identities keeps what changes something") {
  const std::string text = R"(
    input %x: f32[1, 4, 6, ?]
    %b = Slice(%x) {axes = [3], starts = [0], ends = [99], steps = [1]}
    %c = Pad(%b) {pads = [0, 0, 0, 0, 0, 0, 0, 1]}
    %d = Resize(%c) {scales = [1, 1, 1, 2]}
    %e = Slice(%d) {axes = [3], starts = [0], ends = [9223372036854775807], steps = [2]}
    output %e
  )";
  REQUIRE(after({"drop_identities"}, text) == normal(text));
}

TEST_CASE("recognize_pixel_shuffle") {
  REQUIRE(after({"recognize_pixel_shuffle"}, R"(
    input %x: f32[1, 12, 5, 7]
    %a = Reshape(%x) {shape = [1, 3, 2, 2, 5, 7]}
    %b = Transpose(%a) {perm = [0, 1, 4, 2, 5, 3]}
    %y = Reshape(%b) {shape = [1, 3, 10, 14]}
    output %y
  )") == normal(R"(
    input %x: f32[1, 12, 5, 7]
    %y = DepthToSpace(%x) {block = 2, mode = crd}
    output %y
  )"));
  const std::string other = R"(
    input %x: f32[1, 12, 5, 7]
    %a = Reshape(%x) {shape = [1, 3, 2, 2, 5, 7]}
    %b = Transpose(%a) {perm = [0, 1, 4, 3, 5, 2]}
    %y = Reshape(%b) {shape = [1, 3, 10, 14]}
    output %y
  )";
  REQUIRE(after({"recognize_pixel_shuffle"}, other) == normal(other));
}

TEST_CASE("recognize_pixel_shuffle leaves a chain that someone else reads") {
  const std::string text = R"(
    input %x: f32[1, 4, 5, 7]
    %a = Reshape(%x) {shape = [1, 2, 2, 1, 5, 7]}
    %b = Transpose(%a) {perm = [0, 3, 4, 1, 5, 2]}
    %y = Reshape(%b) {shape = [1, 1, 10, 14]}
    output %y
    output %b
  )";
  REQUIRE(after({"recognize_pixel_shuffle"}, text) == normal(text));
}

TEST_CASE("pixel shuffle patterns") {
  using format::DepthToSpaceMode;
  auto block = [](const format::OpParams& p) -> int64_t {
    if (const auto* d = std::get_if<format::DepthToSpaceParams>(&p)) {
      return d->mode == DepthToSpaceMode::kDcr ? d->block : 100 + d->block;
    }
    if (const auto* s = std::get_if<format::SpaceToDepthParams>(&p)) return 200 + s->block;
    return 0;
  };
  using compiler::match_shuffle;
  REQUIRE(block(match_shuffle({2, 18, 5, 7}, {2, 3, 3, 2, 5, 7}, {0, 3, 4, 1, 5, 2}, {2, 2, 15, 21})) == 3);
  REQUIRE(block(match_shuffle({2, 18, 5, 7}, {2, 2, 3, 3, 5, 7}, {0, 1, 4, 2, 5, 3}, {2, 2, 15, 21})) == 103);
  REQUIRE(block(match_shuffle({1, 3, 4, 6}, {1, 3, 2, 2, 3, 2}, {0, 3, 5, 1, 2, 4}, {1, 12, 2, 3})) == 202);
  REQUIRE(block(match_shuffle({1, 1, 4, 6}, {1, 1, 2, 2, 3, 2}, {0, 1, 3, 5, 2, 4}, {1, 4, 2, 3})) == 202);
  // With several channels this order of channels is not SpaceToDepth's.
  REQUIRE(block(match_shuffle({1, 3, 4, 6}, {1, 3, 2, 2, 3, 2}, {0, 1, 3, 5, 2, 4}, {1, 12, 2, 3})) == 0);
  REQUIRE(block(match_shuffle({1, 4, 5, 5}, {1, 2, 2, 1, 5, 5}, {0, 3, 4, 1, 5, 2}, {1, 1, 5, 20})) == 0);
  REQUIRE(block(match_shuffle({1, 6, 5, 5}, {1, 2, 3, 1, 5, 5}, {0, 3, 4, 1, 5, 2}, {1, 1, 10, 15})) == 0);
}

TEST_CASE("fold_constants") {
  REQUIRE(after({"fold_constants"}, R"(
    input %x: f32[2, 2]
    const %a: f32[2, 2] = [1, 2, 3, 4]
    const %b: f32[2] = [10, 100]
    %m = Binary(%a, %b) {kind = mul}
    %t = Transpose(%m) {perm = [1, 0]}
    %s = Slice(%t) {axes = [1, 0], starts = [-1, 0], ends = [-9, 2], steps = [-1, 1]}
    %u = Unary(%s) {kind = clip, a = 0, b = 250}
    %c = Concat(%u, %a) {axis = 1}
    %r = Reshape(%c) {shape = [4, -1]}
    %p = Slice(%r) {axes = [0], starts = [0], ends = [2], steps = [1]}
    %y = Binary(%x, %p) {kind = add}
    output %y
  )") == normal(R"(
    input %x: f32[2, 2]
    const %p.folded: f32[2, 2] = [30, 10, 1, 2]
    %y = Binary(%x, %p.folded) {kind = add}
    output %y
  )"));
}

TEST_CASE("recognize_steps") {
  const std::string steps = R"(
    input %x: f32[1, 2, ?, ?]
    const %half: f32[] = [0.5]
    const %quarter: f32[] = [0.25]
    const %zero: s32[1] = [7]
    %q = Quantize(%x) {multiplier = 1, zero_point = 7}
    %a = Dequantize(%q, %half, %zero)
    %b = Dequantize(%q, %quarter)
  )";
  const std::vector<std::string> passes{"recognize_steps", "remove_dead"};
  const std::string input = R"(
    input %x: f32[1, 2, ?, ?]
    %q = Quantize(%x) {multiplier = 1, zero_point = 7}
  )";
  CHECK(after(passes, steps + R"(
    %s = Binary(%a, %b) {kind = sub}
    %c = Unary(%s) {kind = clip, a = -1, b = 30}
    %d = Binary(%c, %half) {kind = div}
    %y = Quantize(%d) {multiplier = 1, zero_point = 9}
    output %y
  )") == normal(input + R"(
    %y = QuantBinary(%q, %q) {a_zero_point = 7, out_zero_point = 9, a_factor = 16384, b_factor = -8192, scale = 6.1035156e-05, low = 7, high = 69}
    output %y
  )"));
  CHECK(after(passes, steps + R"(
    %s = Binary(%a, %b) {kind = mul}
    %d = Binary(%s, %half) {kind = div}
    %y = Quantize(%d) {multiplier = 1, zero_point = 9}
    output %y
  )") == normal(input + R"(
    %y = QuantBinary(%q, %q) {kind = mul, a_zero_point = 7, out_zero_point = 9, scale = 0.25}
    output %y
  )"));
  // Another reader of the sum: it is computed in f32.
  const std::string both = steps + R"(
    %s = Binary(%a, %b)
    %d = Binary(%s, %half) {kind = div}
    %y = Quantize(%d) {multiplier = 1, zero_point = 9}
    output %y
    output %s
  )";
  CHECK(after({"recognize_steps"}, both) == normal(both));
}

TEST_CASE("recognize_integers") {
  const std::string quantized = R"(
    input %x: f32[1, 2, ?, ?]
    const %one: f32[] = [0.5]
    const %two: f32[] = [0.25]
    const %zero: s32[1] = [7]
    const %w: s8[2, 2, 1, 1] = fill 3
    const %ws: f32[2] = [1, 2]
    const %b: s32[2] = [10, -20]
    const %bs: f32[2] = [0.5, 1]
    const %slope: f32[2, 1, 1] = [0.5, -2]
    %x1 = Binary(%x, %one) {kind = div}
    %xq = Quantize(%x1) {multiplier = 1, zero_point = 7}
    %xd = Dequantize(%xq, %one, %zero)
    %wd = Dequantize(%w, %ws) {axis = 0}
    %bd = Dequantize(%b, %bs) {axis = 0}
    %c = Conv2d(%xd, %wd, %bd)
  )";
  const std::string integers = R"(
    input %x: f32[1, 2, ?, ?]
    const %w: s8[2, 2, 1, 1] = fill 3
    const %b: s32[2] = [10, -20]
  )";
  const std::vector<std::string> passes{"recognize_integers", "remove_dead"};
  CHECK(after(passes, quantized + R"(
    %p = Prelu(%c, %slope)
    %y1 = Binary(%p, %two) {kind = div}
    %y = Quantize(%y1) {multiplier = 1, zero_point = 9}
    output %y
  )") == normal(integers + R"(
    const %scale: f32[2] = [2, 4]
    const %negative: f32[2] = [1, -8]
    %xq = Quantize(%x) {multiplier = 2, zero_point = 7}
    %c = QuantConv2d(%xq, %w, %b, %scale, %negative) {in_zero_point = 7, out_zero_point = 9}
    output %c "y"
  )"));
  // Another reader of the sums: they leave in f32.
  CHECK(after(passes, quantized + R"(
    %p = Unary(%c) {kind = relu}
    %y1 = Binary(%p, %two) {kind = div}
    %y = Quantize(%y1) {multiplier = 1, zero_point = 9}
    output %y
    output %p
  )") == normal(R"(
    input %x: f32[1, 2, ?, ?]
    const %two: f32[] = [0.25]
    const %w: s8[2, 2, 1, 1] = fill 3
    const %b: s32[2] = [10, -20]
    const %scale: f32[2] = [0.5, 1]
    const %negative: f32[2] = [0, 0]
    %xq = Quantize(%x) {multiplier = 2, zero_point = 7}
    %c = QuantConv2d(%xq, %w, %b, %scale, %negative) {in_zero_point = 7, dequantize = true}
    %y1 = Binary(%c, %two) {kind = div}
    %y = Quantize(%y1) {multiplier = 1, zero_point = 9}
    output %y
    output %c "p"
  )"));
}

TEST_CASE("recognize_integers leaves sums that are too large, and weights that are no s8, to f32") {
  for (const char* weight : {"const %w: s8[1, 1200, 1, 1] = fill 127", "const %w: u8[1, 1200, 1, 1] = fill 1"}) {
    const std::string text = R"(
      input %x: u8[1, 1200, 4, 4]
      const %s: f32[] = [0.5]
      )" + std::string(weight) +
                             R"(
      %xd = Dequantize(%x, %s)
      %wd = Dequantize(%w, %s)
      %c = Conv2d(%xd, %wd)
      output %c
    )";
    CHECK(after({"recognize_integers"}, text) == normal(text));
  }
}

TEST_CASE("fold_constants dequantizes what integers are left") {
  CHECK(after({"fold_constants"}, R"(
    input %x: f32[2]
    const %w: s8[2] = [-3, 4]
    const %s: f32[2] = [0.5, 2]
    const %z: s32[1] = [1]
    %d = Dequantize(%w, %s, %z) {axis = 0}
    %y = Binary(%x, %d) {kind = mul}
    output %y
  )") == normal(R"(
    input %x: f32[2]
    const %d: f32[2] = [-2, 6]
    %y = Binary(%x, %d) {kind = mul}
    output %y
  )"));
}

TEST_CASE("fold_pad") {
  REQUIRE(after({"fold_pad"}, R"(
    input %x: f32[1, 1, ?, ?]
    const %w: f32[1, 1, 3, 3] = fill 1
    %p = Pad(%x) {pads = [0, 0, 1, 2, 0, 0, 3, 4]}
    %y = Conv2d(%p, %w) {kernel = [3, 3], pads = [1, 1, 1, 1]}
    output %y
  )") == normal(R"(
    input %x: f32[1, 1, ?, ?]
    const %w: f32[1, 1, 3, 3] = fill 1
    %y = Conv2d(%x, %w) {kernel = [3, 3], pads = [2, 3, 4, 5]}
    output %y
  )"));
  for (const char* pad : {"pads = [0, 0, 1, 2, 0, 0, 3, 4], value = 1", "pads = [0, 0, 1, 2, 0, 0, 3, 4], mode = edge",
                          "pads = [0, 1, 0, 0, 0, 0, 0, 0]", "pads = [0, 0, -1, 0, 0, 0, 0, 0]"}) {
    const std::string text = std::string(R"(
      input %x: f32[1, ?, 8, 8]
      const %w: f32[1, 2, 3, 3] = fill 1
      %p = Pad(%x) {)") + pad +
                             R"(}
      %y = Conv2d(%p, %w) {kernel = [3, 3]}
      output %y
    )";
    REQUIRE(after({"fold_pad"}, text) == normal(text));
  }
}

TEST_CASE("fold_affine puts a batch normalisation into the convolution") {
  REQUIRE(after({"fold_affine"}, R"(
    input %x: f32[1, 1, ?, ?]
    const %w: f32[2, 1, 1, 2] = [1, 2, 3, 4]
    const %b: f32[2] = [5, 6]
    const %m: f32[2, 1, 1] = [10, 100]
    const %a: f32[1, 2, 1, 1] = [1, 2]
    const %h: f32[] = [2]
    %c = Conv2d(%x, %w, %b) {kernel = [1, 2]}
    %p = Binary(%c, %m) {kind = mul}
    %s = Binary(%p, %a) {kind = add}
    %y = Binary(%s, %h) {kind = div}
    output %y
  )") == normal(R"(
    input %x: f32[1, 1, ?, ?]
    const %w.new: f32[2, 1, 1, 2] = [5, 10, 150, 200]
    const %c.bias: f32[2] = [25.5, 301]
    %c = Conv2d(%x, %w.new, %c.bias) {kernel = [1, 2]}
    output %c "y"
  )"));
}

TEST_CASE("halve_weights rounds what halves can hold, and weights alone") {
  graph::Graph graph = parsed(R"(graph {
    input %x: f32[1, 1, ?, ?]
    const %w: f32[2, 1, 1, 2] = [0.1, -2, 2049, 3]
    const %b: f32[2] = [0.1, 6]
    const %big: f32[1, 2, 1, 1] = [0.1, 70000]
    %c = Conv2d(%x, %w, %b) {kernel = [1, 2]}
    %y = Conv2d(%c, %big)
    output %y
  })");
  REQUIRE(compiler::halve_weights(graph).ok());
  REQUIRE(graph::verify(graph).ok());
  REQUIRE(canonical(graph) == normal(R"(
    input %x: f32[1, 1, ?, ?]
    const %b: f32[2] = [0.1, 6]
    const %big: f32[1, 2, 1, 1] = [0.1, 70000]
    const %w: f32[2, 1, 1, 2] = [0.0999755859375, -2, 2048, 3]
    %c = Conv2d(%x, %w, %b) {kernel = [1, 2]}
    %y = Conv2d(%c, %big)
    output %y
  )"));
}
TEST_CASE("fold_affine on grouped transposed convolutions and reversed subtraction") {
  REQUIRE(after({"fold_affine"}, R"(
    input %x: f32[1, 2, ?, ?]
    const %w: f32[2, 2, 1, 1] = [1, 2, 3, 4]
    const %m: f32[4, 1, 1] = [1, 10, 100, 1000]
    %c = ConvTranspose2d(%x, %w) {group = 2}
    %y = Binary(%m, %c) {kind = mul}
    %z = Binary(%m, %y) {kind = sub}
    output %z
  )") == normal(R"(
    input %x: f32[1, 2, ?, ?]
    const %w.new: f32[2, 2, 1, 1] = [-1, -20, -300, -4000]
    const %c.bias: f32[4] = [1, 10, 100, 1000]
    %c = ConvTranspose2d(%x, %w.new, %c.bias) {group = 2}
    output %c "z"
  )"));
}

TEST_CASE("fold_affine leaves what it must not touch") {
  for (const char* tail : {"%y = Binary(%c, %row) {kind = add}\n output %y",            // per column, not per channel
                           "%y = Binary(%m, %c) {kind = div}\n output %y",              // not affine
                           "%y = Binary(%c, %m) {kind = mul}\n output %y\n output %c",  // someone else reads it
                           "%y = Binary(%c, %c) {kind = add}\n output %y"}) {
    const std::string text = std::string(R"(
      input %x: f32[1, 1, 4, 2]
      const %w: f32[2, 1, 1, 1] = [1, 2]
      const %m: f32[2, 1, 1] = [10, 100]
      const %row: f32[2] = [1, 2]
      %c = Conv2d(%x, %w)
      )") + tail + "\n";
    graph::Graph graph = parsed("graph {" + text + "}");
    graph.erase_unused_constants();
    REQUIRE(after({"fold_affine"}, text) == canonical(graph));
  }
}

TEST_CASE("fuse_activations") {
  REQUIRE(after({"fuse_activations"}, R"(
    input %x: f32[1, 1, ?, ?]
    const %w: f32[2, 1, 1, 1] = [1, 2]
    const %v: f32[2, 2, 1, 1] = fill 1
    const %s: f32[2, 1, 1] = [0.25, 0.5]
    const %one: f32[1] = [0.125]
    %a = Conv2d(%x, %w)
    %b = Prelu(%a, %s)
    %c = Conv2d(%b, %v)
    %d = Prelu(%c, %one)
    %e = Conv2d(%d, %v)
    %f = Unary(%e) {kind = clip, a = 0, b = 6}
    %g = Unary(%f) {kind = tanh}
    output %g
  )") == normal(R"(
    input %x: f32[1, 1, ?, ?]
    const %w: f32[2, 1, 1, 1] = [1, 2]
    const %v: f32[2, 2, 1, 1] = fill 1
    const %b.slope: f32[2] = [0.25, 0.5]
    const %d.slope: f32[2] = fill 0.125
    %a = Conv2d(%x, %w, _, %b.slope)
    %c = Conv2d(%a, %v, _, %d.slope)
    %e = Conv2d(%c, %v) {activation = clip, act_b = 6}
    %g = Unary(%e) {kind = tanh}
    output %g
  )"));
}

TEST_CASE("fuse_activations leaves a result that is read before the activation, and odd slopes") {
  for (const char* tail :
       {"%b = Unary(%a) {kind = relu}\n output %b\n output %a", "%b = Prelu(%a, %odd)\n output %b"}) {
    const std::string text = std::string(R"(
      input %x: f32[1, 1, 3, 3]
      const %w: f32[2, 1, 1, 1] = [1, 2]
      const %odd: f32[3] = [1, 2, 3]
      %a = Conv2d(%x, %w)
      )") + tail + "\n";
    graph::Graph graph = parsed("graph {" + text + "}");
    graph.erase_unused_constants();
    REQUIRE(after({"fuse_activations"}, text) == canonical(graph));
  }
}

TEST_CASE("remove_dead") {
  REQUIRE(after({"remove_dead"}, R"(
    input %x: f32[4]
    input %unused: f32[4]
    const %c: f32[4] = fill 1
    const %dead: f32[4] = fill 2
    %a = Binary(%x, %dead) {kind = add}
    %b = Unary(%a) {kind = relu}
    %y = Binary(%x, %c) {kind = add}
    output %y
  )") == normal(R"(
    input %x: f32[4]
    input %unused: f32[4]
    const %c: f32[4] = fill 1
    %y = Binary(%x, %c) {kind = add}
    output %y
  )"));
}

TEST_CASE("recognize_functions") {
  const std::string swish = R"(
    input %x: f32[2, 3]
    %y = Unary(%x) {kind = swish}
    output %y
  )";
  CHECK(after({"recognize_functions"}, R"(
    input %x: f32[2, 3]
    %g = Unary(%x) {kind = sigmoid}
    %y = Binary(%g, %x) {kind = mul}
    output %y
  )") == normal(swish));
  // The gate has another reader: it stays, and the product becomes one function all the same.
  CHECK(after({"recognize_functions"}, R"(
    input %x: f32[2, 3]
    %g = Unary(%x) {kind = sigmoid}
    %y = Binary(%g, %x) {kind = mul}
    output %y
    output %g
  )") == normal(R"(
    input %x: f32[2, 3]
    %g = Unary(%x) {kind = sigmoid}
    %y = Unary(%x) {kind = swish}
    output %y
    output %g
  )"));
  const std::string hard = R"(
    input %x: f32[2, 3]
    %y = Unary(%x) {kind = hard_swish}
    output %y
  )";
  const std::string clip = R"(
    input %x: f32[2, 3]
    const %three: f32[] = [3]
    const %six: f32[] = [6]
    %r = Binary(%x, %three)
    %c = Unary(%r) {kind = clip, b = 6}
  )";
  CHECK(after({"recognize_functions"},
              clip + "%p = Binary(%x, %c) {kind = mul}\n %y = Binary(%p, %six) {kind = div}\n output %y\n") ==
        normal(hard));
  CHECK(after({"recognize_functions"},
              clip + "%p = Binary(%c, %six) {kind = div}\n %y = Binary(%x, %p) {kind = mul}\n output %y\n") ==
        normal(hard));
  const std::string erf = R"(
    input %x: f32[2, 3]
    const %root: f32[] = [1.4142135]
    const %one: f32[] = [1]
    const %half: f32[] = [0.5]
    %s = Binary(%x, %root) {kind = div}
    %e = Unary(%s) {kind = erf}
    %r = Binary(%e, %one)
  )";
  const std::string gelu = R"(
    input %x: f32[2, 3]
    %y = Unary(%x) {kind = gelu}
    output %y
  )";
  CHECK(after({"recognize_functions"},
              erf + "%p = Binary(%x, %r) {kind = mul}\n %y = Binary(%p, %half) {kind = mul}\n output %y\n") ==
        normal(gelu));
  CHECK(after({"recognize_functions"},
              erf + "%p = Binary(%x, %half) {kind = mul}\n %y = Binary(%p, %r) {kind = mul}\n output %y\n") ==
        normal(gelu));
  // Another number in its place: something else.
  const std::string other = R"(
    input %x: f32[2, 3]
    input %z: f32[2, 3]
    %g = Unary(%x) {kind = sigmoid}
    %y = Binary(%g, %z) {kind = mul}
    output %y
  )";
  CHECK(after({"recognize_functions"}, other) == normal(other));
}

TEST_CASE("recognize_norms") {
  const auto decomposed = [](const std::string& shape, const std::string& axes, const std::string& rest) {
    return "input %x: f32" + shape + R"(
    const %two: f32[] = [2]
    const %eps: f32[] = [0.25]
    %m = Reduce(%x) {kind = mean, axes = )" +
           axes + R"(}
    %d = Binary(%x, %m) {kind = sub}
    %q = Binary(%d, %two) {kind = pow}
    %v = Reduce(%q) {kind = mean, axes = )" +
           axes + R"(}
    %w = Binary(%v, %eps)
    %s = Unary(%w) {kind = sqrt}
    %n = Binary(%d, %s) {kind = div}
)" + rest;
  };
  CHECK(after({"recognize_norms"}, decomposed("[2, 5, 3]", "[2]", R"(
    const %g: f32[3] = [1, 2, 3]
    const %b: f32[3] = [4, 5, 6]
    %p = Binary(%n, %g) {kind = mul}
    %y = Binary(%p, %b)
    output %y
  )")) == normal(R"(
    input %x: f32[2, 5, 3]
    const %g: f32[3] = [1, 2, 3]
    const %b: f32[3] = [4, 5, 6]
    %n = LayerNorm(%x, %g, %b) {axis = 2, epsilon = 0.25}
    output %n "y"
  )"));
  CHECK(after({"recognize_norms"}, decomposed("[2, 3, 4, 5]", "[2, 3]", "output %n\n")) == normal(R"(
    input %x: f32[2, 3, 4, 5]
    %n = GroupNorm(%x) {groups = 3, epsilon = 0.25}
    output %n
  )"));
  const std::string middle = decomposed("[2, 3, 4]", "[1]", "output %n\n");
  CHECK(after({"recognize_norms"}, middle) == normal(middle));  // not the last axes
  CHECK(after({"recognize_norms"}, R"(
    input %x: f32[1, 4, 3, 3]
    const %one: f32[2] = [1, 1]
    const %zero: f32[2] = [0, 0]
    const %g: f32[4, 1, 1] = [1, 2, 3, 4]
    %a = Reshape(%x) {shape = [0, 2, -1]}
    %n = GroupNorm(%a, %one, %zero) {groups = 2}
    %b = Reshape(%n) {shape = [1, 4, 3, 3]}
    %y = Binary(%b, %g) {kind = mul}
    output %y
  )") == normal(R"(
    input %x: f32[1, 4, 3, 3]
    const %g: f32[4] = [1, 2, 3, 4]
    %b = GroupNorm(%x, %g) {groups = 2}
    output %b "y"
  )"));
}

TEST_CASE("passes tell which nodes they removed, added and changed") {
  graph::Graph graph = parsed(R"(graph {
    input %x: f32[1, 1, 6, 6]
    const %w: f32[2, 1, 1, 1] = [1.5, 2]
    const %g: f32[2, 1, 1] = [2, 3]
    %i = Unary(%x)
    %a = Conv2d(%i, %w)
    %b = Binary(%a, %g) {kind = mul}
    %c = Unary(%b) {kind = relu}
    output %c
  })");
  std::vector<PassEffect> effects;
  REQUIRE(compiler::run_passes(graph, &effects).ok());
  REQUIRE(effects.size() == compiler::pass_list().size());
  std::string text;
  for (const PassEffect& effect : effects) {
    const auto list = [&](const char* what, const std::vector<NodeName>& nodes) {
      for (const NodeName& node : nodes) text += " " + std::string(what) + node.op + ":" + node.name;
    };
    std::string before = std::move(text);
    text.clear();
    list("-", effect.removed), list("+", effect.added), list("~", effect.changed);
    text = before + (text.empty() ? "" : effect.pass + text + "\n");
  }
  CHECK(text ==
        "drop_identities -Unary:i\n"
        "fold_affine -Binary:b ~Conv2d:a\n"
        "fuse_activations -Unary:c ~Conv2d:a\n");
  REQUIRE(graph.nodes().size() == 1);
}
