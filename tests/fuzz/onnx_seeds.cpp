// Writes seeds of the ONNX import fuzz target into a folder.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "compiler/onnx_builder.h"

using namespace coco::testing;

namespace {

/// Shape arithmetic, both Reshape paths, and the operators with constant inputs.
OnnxBuilder shape_arithmetic() {
  OnnxBuilder b(13);
  b.input("x", {1, 4, -1, -1}).output("y").output("z");
  b.ints("zero", {0}).ints("two", {2}).ints("four", {4}).ints("pads", {0, 0, 1, 1, 0, 0, 1, 1}).ints("nc", {1, 4});
  b.ints("flat", {1, 4, -1});
  b.node("Shape", {"x"}, {"shape"});
  b.node("Slice", {"shape", "two", "four", "zero"}, {"hw"});
  b.node("Mul", {"hw", "two"}, {"hw2"});
  set_attribute(b.node("Concat", {"nc", "hw2"}, {"sizes"}), "axis", int64_t{0});
  b.node("Resize", {"x", "", "", "sizes"}, {"r"});
  b.node("Pad", {"r", "pads"}, {"p"});
  set_attribute(b.node("Split", {"p"}, {"s1", "s2"}), "axis", int64_t{1});
  b.node("Add", {"s1", "s2"}, {"y"});
  b.node("Reshape", {"p", "flat"}, {"z"});
  return b;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  const std::pair<const char*, std::string> seeds[] = {{"upscaler.onnx", small_upscaler().bytes()},
                                                       {"shapes.onnx", shape_arithmetic().bytes()}};
  for (const auto& [name, bytes] : seeds) {
    if (coco::write_file_atomically(folder + "/" + name, as_bytes(bytes)).ok()) continue;
    std::fprintf(stderr, "cannot write the seed %s\n", name);
    return 1;
  }
  return 0;
}
