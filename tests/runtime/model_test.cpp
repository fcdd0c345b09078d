#include "coco/model.h"

#include "base/file.h"
#include "catch.h"
#include "format/program.h"
#include "tests/base/temp_dir.h"
#include "tests/format/programs.h"

using namespace coco;
using coco::testing::TempDir;

namespace {

std::vector<uint8_t> model_bytes() { return format::write_program(format::testing::small_network()).value(); }

Error load_error(const std::string& path) {
  auto model = Model::load(path);
  REQUIRE_FALSE(model.ok());
  CHECK(model.error().message.find("'" + path + "'") != std::string::npos);
  return model.take_error();
}

void check_small_network(const Model& model) {
  CHECK(model.card().name == "small");
  CHECK(model.card().scale == 2);
  REQUIRE(model.inputs().size() == 1);
  CHECK(model.inputs()[0].name == "x0");
  CHECK(model.inputs()[0].type == DataType::kF32);
  CHECK(model.inputs()[0].shape == Shape{1, 1, kDynamicDim, kDynamicDim});
  REQUIRE(model.outputs().size() == 1);
  CHECK(model.outputs()[0].shape == Shape{1, 1, kDynamicDim, kDynamicDim});
  CHECK(model.program().operators.size() == 3);
  CHECK(model.sha256().size() == 64);
}

}  // namespace

TEST_CASE("a model is the same from a file, from memory and from the compiler") {
  TempDir folder;
  const auto bytes = model_bytes();
  REQUIRE(write_file_atomically(folder / "m.coco", bytes).ok());
  const auto loaded = Model::load(folder / "m.coco");
  const auto copied = Model::from_bytes(bytes);
  const auto made = Model::from_program(format::testing::small_network());
  REQUIRE(loaded.ok());
  REQUIRE(copied.ok());
  REQUIRE(made.ok());
  for (const auto& model : {*loaded, *copied, *made}) check_small_network(*model);
  CHECK(loaded.value()->sha256() == copied.value()->sha256());
  CHECK(loaded.value()->sha256() == made.value()->sha256());
}

TEST_CASE("a loaded model keeps its constants after the file is gone") {
  TempDir folder;
  REQUIRE(write_file_atomically(folder / "m.coco", model_bytes()).ok());
  const auto model = Model::load(folder / "m.coco");
  REQUIRE(model.ok());
  std::filesystem::remove(folder.path / "m.coco");
  const auto constant = model.value()->program().values[1].constant.bytes;
  const auto expected = format::testing::small_network().values[1].constant.bytes.size();
  REQUIRE(constant.size() == expected);
  CHECK(reinterpret_cast<const float*>(constant.data())[3] == 0.03f);
}

TEST_CASE("programs from the compiler get every operator's full arity, or are refused") {
  auto program = format::testing::small_network();
  program.operators[1].inputs.resize(2);
  const auto model = Model::from_program(program);
  REQUIRE(model.ok());
  CHECK(model.value()->program().operators[1].inputs.size() == 4);
  program.outputs.clear();
  CHECK_FALSE(Model::from_program(program).ok());
}

TEST_CASE("files that are no model are refused by name") {
  TempDir folder;
  CHECK(load_error(folder / "absent.coco").code == ErrorCode::kNotFound);
  CHECK(load_error(folder.path.string()).code == ErrorCode::kInvalidArgument);
  folder.put("empty.coco", "");
  CHECK(load_error(folder / "empty.coco").code == ErrorCode::kInvalidData);
  folder.put("text.coco", "hello, world");
  CHECK(load_error(folder / "text.coco").code == ErrorCode::kInvalidData);
  auto bytes = model_bytes();
  bytes.resize(bytes.size() / 2);
  REQUIRE(write_file_atomically(folder / "half.coco", bytes).ok());
  CHECK(load_error(folder / "half.coco").message.find("truncated") != std::string::npos);
  bytes = model_bytes();
  bytes[4] = 9;
  REQUIRE(write_file_atomically(folder / "newer.coco", bytes).ok());
  CHECK(load_error(folder / "newer.coco").code == ErrorCode::kUnsupported);
}
