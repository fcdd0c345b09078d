#include <sys/resource.h>

#include <algorithm>

#include "catch.h"
#include "compiler/bad_models.h"
#include "compiler/compile_program.h"
#include "compiler/onnx_builder.h"

using namespace coco;

namespace {

/// Most memory this process has held so far, in bytes.
size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

constexpr size_t kMost = size_t{256} << 20;  // an address sanitizer's quarantine fits, too

}  // namespace

TEST_CASE("bad models give one clear error each, in bounded memory") {
  for (const coco::testing::BadModel& model : coco::testing::bad_models()) {
    const size_t before = peak_memory();
    const auto result =
        compiler::compile_program({reinterpret_cast<const uint8_t*>(model.bytes.data()), model.bytes.size()}, {});
    INFO(model.name);
    CHECK(peak_memory() - before < kMost);
    CHECK_FALSE(result.ok());
    if (result.ok()) continue;
    INFO(result.error().message);
    CHECK(std::count(model.codes.begin(), model.codes.end(), result.error().code) == 1);
    CHECK(result.error().message.size() < 1000);
    CHECK(result.error().message.find('\n') == std::string::npos);
    for (const std::string& word : model.words) CHECK(result.error().message.find(word) != std::string::npos);
  }
}

TEST_CASE("a large result is none of the compiler's business: nothing of it is made") {
  coco::testing::OnnxBuilder b;
  b.ints("s", {int64_t{1} << 15, int64_t{1} << 15}).input("x", {1}).output("y");
  b.node("ConstantOfShape", {"s"}, {"c"});
  b.node("Add", {"c", "x"}, {"y"});
  const std::string bytes = b.bytes();
  const size_t before = peak_memory();
  const auto result = compiler::compile_program(coco::testing::as_bytes(bytes), {});
  CHECK(peak_memory() - before < kMost);
  if (!result.ok()) FAIL(result.error().message);
}
