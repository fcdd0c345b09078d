// From an ONNX file to results: files, the model card, and equal results with and without the passes.
#include "coco/compile.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.h"
#include "coco/session.h"
#include "compiler/onnx_builder.h"
#include "format/program.h"

using namespace coco;
using coco::testing::OnnxBuilder;
using coco::testing::set_attribute;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, removed at the end.
class TempFolder {
 public:
  TempFolder() {
    std::string name = (fs::temp_directory_path() / "coco_compile_XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TempFolder() { fs::remove_all(path_); }
  std::string write(const std::string& name, std::string_view text) const {
    const std::string path = (path_ / name).string();
    std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
    return path;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::vector<float> run(std::shared_ptr<const Model> model, const Shape& shape, bool reference = false) {
  std::vector<float> input(static_cast<size_t>(*shape.element_count()));
  for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>((i * 37 + i / 11) % 101) / 101.0f - 0.3f;
  SessionOptions options;
  options.threads = 2;
  options.reference_kernels = reference;
  auto session = Session::create(std::move(model), std::span<const Shape>(&shape, 1), options);
  if (!session.ok()) FAIL(session.error().message);
  const TensorInfo& info = (*session)->outputs()[0];
  std::vector<float> output(static_cast<size_t>(*info.shape.element_count()));
  const TensorView in{DataType::kF32, shape, input.data()};
  const MutableTensorView out{DataType::kF32, info.shape, output.data()};
  const Status status = (*session)->run({&in, 1}, {&out, 1});
  if (!status.ok()) FAIL(status.error().message);
  return output;
}

std::shared_ptr<const Model> compiled(const OnnxBuilder& builder, bool optimize) {
  const std::string bytes = builder.bytes();
  CompileOptions options;
  options.optimize = optimize;
  auto coco = compile_onnx_bytes(coco::testing::as_bytes(bytes), options);
  if (!coco.ok()) FAIL(coco.error().message);
  auto model = Model::from_bytes(*coco);
  if (!model.ok()) FAIL(model.error().message);
  return std::move(model).value();
}

void same_results(const OnnxBuilder& builder, const Shape& shape, size_t operators_saved) {
  const auto plain = compiled(builder, false), optimised = compiled(builder, true);
  CHECK(plain->program().operators.size() == optimised->program().operators.size() + operators_saved);
  const std::vector<float> a = run(plain, shape, true), b = run(optimised, shape, true), c = run(optimised, shape);
  REQUIRE(a.size() == b.size());
  REQUIRE(a.size() == c.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const float tolerance = 1e-5f + 1e-4f * std::fabs(a[i]);
    if (!(std::fabs(a[i] - b[i]) <= tolerance && std::fabs(a[i] - c[i]) <= tolerance)) {
      FAIL("element " << i << ": " << a[i] << " as imported, " << b[i] << " optimised, " << c[i]
                      << " with fast kernels");
    }
  }
}

/// Padding, batch normalisation, PReLU, a skip connection, a pixel shuffle spelled out, activations.
OnnxBuilder rich_network() {
  OnnxBuilder b(13);
  b.input("x", {1, 2, 12, 10}).output("y");
  b.ints("pads", {0, 0, 1, 1, 0, 0, 1, 1});
  b.weights("w1", {6, 2, 3, 3}).weights("b1", {6}).weights("gamma", {6}).weights("beta", {6}).weights("mean", {6});
  b.floats("var", {6}, {0.5f, 1, 2, 0.25f, 3, 1}).floats("slope", {1}, {0.2f});
  b.weights("w2", {6, 3, 3, 3}).weights("w3", {8, 6, 1, 1}).weights("t", {2, 2, 2, 2});
  b.floats("half", {}, {0.5f});
  b.ints("six", {1, 2, 2, 2, 12, 10}).ints("four", {1, 2, 24, 20});
  b.node("Pad", {"x", "pads"}, {"p"});
  b.node("Conv", {"p", "w1", "b1"}, {"c1"});
  b.node("BatchNormalization", {"c1", "gamma", "beta", "mean", "var"}, {"n1"});
  b.node("PRelu", {"n1", "slope"}, {"a1"});
  auto& c2 = b.node("Conv", {"a1", "w2"}, {"c2"});
  set_attribute(c2, "group", int64_t{2});
  set_attribute(c2, "auto_pad", std::string("SAME_UPPER"));
  b.node("LeakyRelu", {"c2"}, {"a2"});
  b.node("Add", {"a2", "a1"}, {"s"});
  b.node("Conv", {"s", "w3"}, {"c3"});
  b.node("Tanh", {"c3"}, {"a3"});
  b.node("Reshape", {"a3", "six"}, {"r"});
  set_attribute(b.node("Transpose", {"r"}, {"rt"}), "perm", std::vector<int64_t>{0, 1, 4, 2, 5, 3});
  b.node("Reshape", {"rt", "four"}, {"d"});
  set_attribute(b.node("ConvTranspose", {"d", "t"}, {"u"}), "strides", std::vector<int64_t>{2, 2});
  b.node("Mul", {"u", "half"}, {"m"});
  b.node("Identity", {"m"}, {"y"});
  return b;
}

}  // namespace

TEST_CASE("the passes keep the results") {
  same_results(coco::testing::small_upscaler(), Shape{1, 1, 17, 23}, 1);
  // Pad, Mul and Add of the normalisation, three activations, two of the shuffle, the last Mul.
  same_results(rich_network(), Shape{1, 2, 12, 10}, 9);
}

TEST_CASE("load_or_compile takes .onnx and .coco files, whatever their names") {
  const TempFolder folder;
  const std::string onnx = coco::testing::small_upscaler().bytes();
  const std::string source = folder.write("tiny.onnx", onnx);
  auto model = load_or_compile(source);
  INFO(model.error().message);
  REQUIRE(model.ok());
  REQUIRE((*model)->card().name == "tiny");
  REQUIRE((*model)->card().scale == 2);
  REQUIRE((*model)->inputs()[0].shape == Shape{1, 1, kDynamicDim, kDynamicDim});

  CompileOptions options;
  options.card.name = "carded";
  options.card.licence = "CC0";
  auto bytes = compile_onnx_file(source, options);
  REQUIRE(bytes.ok());
  const std::string odd = folder.write("program.onnx", {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  auto loaded = load_or_compile(odd);
  REQUIRE(loaded.ok());
  REQUIRE((*loaded)->card().name == "carded");
  REQUIRE((*loaded)->card().licence == "CC0");
  REQUIRE(run(*loaded, Shape{1, 1, 5, 7}) == run(*model, Shape{1, 1, 5, 7}));
  REQUIRE(*compile_onnx_file(source, options) == *bytes);  // the same file gives the same bytes
}

TEST_CASE("files that are no model give one line that names them") {
  const TempFolder folder;
  const std::string onnx = coco::testing::small_upscaler().bytes();
  auto refuse = [](const std::string& path, ErrorCode code) {
    auto model = load_or_compile(path);
    REQUIRE_FALSE(model.ok());
    INFO(model.error().message);
    CHECK(model.error().code == code);
    CHECK(model.error().message.find(path) != std::string::npos);
    CHECK(model.error().message.find('\n') == std::string::npos);
  };
  refuse(folder.write("empty.onnx", ""), ErrorCode::kInvalidData);
  refuse(folder.write("text.onnx", "not a model\n"), ErrorCode::kInvalidData);
  refuse(folder.write("cut.onnx", std::string_view(onnx).substr(0, onnx.size() / 2)), ErrorCode::kInvalidData);
  refuse((folder.path() / "missing.onnx").string(), ErrorCode::kNotFound);
  auto directory = load_or_compile(folder.path().string());
  REQUIRE_FALSE(directory.ok());
  REQUIRE(directory.error().message.find(folder.path().string()) != std::string::npos);
  OnnxBuilder hard;
  hard.input("x", {1, 4}).output("y");
  hard.node("Hardmax", {"x"}, {"y"});
  refuse(folder.write("hard.onnx", hard.bytes()), ErrorCode::kUnsupported);
}

namespace {

/// A 1x1 convolution whose weight lies in another file.
std::string with_weights_in(const std::string& location, int64_t offset, int64_t length) {
  OnnxBuilder b;
  b.input("x", {1, 1, 2, 2}).output("y").floats("w", {1, 1, 1, 1}, {});
  b.node("Conv", {"x", "w"}, {"y"});
  onnx::TensorProto& tensor = *b.model().mutable_graph()->mutable_initializer(0);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, const std::string& value) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", location);
  add("offset", std::to_string(offset));
  add("length", std::to_string(length));
  return b.bytes();
}

}  // namespace

TEST_CASE("weights in other files are read from the model's folder, and from nowhere else") {
  const TempFolder folder;
  const float numbers[] = {7, 3};
  const std::string_view bytes(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  folder.write("weights.bin", bytes);
  fs::create_directory(folder.path() / "model");
  fs::create_directory(folder.path() / "model/data");
  folder.write("model/data/weights.bin", bytes);
  fs::create_symlink(folder.path() / "weights.bin", folder.path() / "model/link.bin");
  const auto compiled = [&](const std::string& location, int64_t offset, int64_t length) {
    return compile_onnx_file(folder.write("model/m.onnx", with_weights_in(location, offset, length)), {});
  };
  const auto good = compiled("data/weights.bin", 4, 4);
  INFO((good.ok() ? "" : good.error().message));
  REQUIRE(good.ok());
  const auto y = run(Model::from_bytes(*good).value(), Shape{1, 1, 2, 2});
  CHECK(y[1] == Approx(3 * (37.0f / 101.0f - 0.3f)));
  for (const std::string bad : {"../weights.bin", "data/../../weights.bin", "link.bin", "/etc/hostname", ""}) {
    INFO(bad);
    const auto refused = compiled(bad, 4, 4);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("not in the model's folder") != std::string::npos);
  }
  CHECK(compiled("data/none.bin", 0, 4).error().message.find("none.bin") != std::string::npos);
  CHECK(compiled("data/weights.bin", 4, 8).error().message.find("too few") != std::string::npos);
  CHECK(compiled("data/weights.bin", int64_t{1} << 60, 4).error().message.find("too few") != std::string::npos);
  CHECK(compiled("data/weights.bin", -1, 4).error().message.find("no offset") != std::string::npos);
  // More or fewer bytes than the shape says.
  CHECK_FALSE(compiled("data/weights.bin", 0, 8).ok());
  const std::string in_memory = with_weights_in("data/weights.bin", 4, 4);
  CHECK(compile_onnx_bytes(coco::testing::as_bytes(in_memory), {}).error().message.find("another file") !=
        std::string::npos);
}
