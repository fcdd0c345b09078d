// Writes seeds of the ONNX import fuzz target into a folder.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "compiler/bad_models.h"
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

/// A quantized convolution as ONNX writes it.
OnnxBuilder quantized() {
  OnnxBuilder b(13);
  b.input("x", {1, 1, -1, -1}).output("y");
  const auto integers = [&](const char* name, int type, const std::vector<int64_t>& dims,
                            const std::vector<int>& data) {
    auto* tensor = b.model().mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (int64_t dim : dims) tensor->add_dims(dim);
    for (int value : data) tensor->add_int32_data(value);
  };
  integers("zero", onnx::TensorProto::UINT8, {}, {100});
  integers("w", onnx::TensorProto::INT8, {2, 1, 1, 1}, {90, -3});
  integers("b", onnx::TensorProto::INT32, {2}, {1000, -7});
  b.floats("s", {}, {0.01f}).floats("ws", {2}, {0.02f, 0.03f}).floats("bs", {2}, {0.0002f, 0.0003f});
  b.floats("slope", {2, 1, 1}, {0.5f, -1});
  b.node("QuantizeLinear", {"x", "s", "zero"}, {"xq"});
  b.node("DequantizeLinear", {"xq", "s", "zero"}, {"xd"});
  set_attribute(b.node("DequantizeLinear", {"w", "ws"}, {"wd"}), "axis", int64_t{0});
  set_attribute(b.node("DequantizeLinear", {"b", "bs"}, {"bd"}), "axis", int64_t{0});
  b.node("Conv", {"xd", "wd", "bd"}, {"c"});
  b.node("PRelu", {"c", "slope"}, {"p"});
  b.node("QuantizeLinear", {"p", "s", "zero"}, {"pq"});
  b.node("DequantizeLinear", {"pq", "s", "zero"}, {"y"});
  return b;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::filesystem::create_directories(folder);
  std::vector<std::pair<std::string, std::string>> seeds = {{"upscaler.onnx", small_upscaler().bytes()},
                                                            {"shapes.onnx", shape_arithmetic().bytes()},
                                                            {"quantized.onnx", quantized().bytes()}};
  const std::vector<BadModel> bad = bad_models();
  for (size_t i = 0; i < bad.size(); ++i) seeds.emplace_back("bad" + std::to_string(i) + ".onnx", bad[i].bytes);
  for (const auto& [name, bytes] : seeds) {
    if (coco::write_file_atomically(folder + "/" + name, as_bytes(bytes)).ok()) continue;
    std::fprintf(stderr, "cannot write the seed %s\n", name.c_str());
    return 1;
  }
  return 0;
}
