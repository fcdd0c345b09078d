#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/file.h"
#include "coco/device.h"
#include "tests/base/temp_dir.h"
#include "tests/capi/support.h"

using namespace coco;
using namespace coco::testing;

namespace {

std::string source_path(const std::string& file) {
  const char* root = std::getenv("COCO_SOURCE_DIR");
  return std::string(root != nullptr ? root : ".") + "/" + file;
}

std::vector<char> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string sha256_of(const coco_model* model) {
  auto info = sized<coco_model_info>();
  require_ok(coco_model_get_info(model, &info));
  return info.sha256;
}

}  // namespace

TEST_CASE("a model says in C what it says in C++", "[capi]") {
  const auto model = small_model();
  const auto expected = small_cpp_model();
  auto info = sized<coco_model_info>();
  require_ok(coco_model_get_info(model.get(), &info));
  CHECK(info.struct_size == sizeof info);
  CHECK(info.name == expected->card().name);
  CHECK(info.task == expected->card().task);
  CHECK(info.licence == expected->card().licence);
  CHECK(info.sha256 == expected->sha256());
  CHECK(info.scale == 2);
  REQUIRE(coco_model_input_count(model.get()) == 1);
  REQUIRE(coco_model_output_count(model.get()) == 1);
  auto tensor = sized<coco_tensor_info>();
  require_ok(coco_model_get_input(model.get(), 0, &tensor));
  CHECK(tensor.name == expected->inputs()[0].name);
  CHECK(tensor.type == COCO_F32);
  CHECK(tensor.rank == 4);
  CHECK(std::vector<int64_t>(tensor.dims, tensor.dims + 4) == expected->inputs()[0].shape.dims());
  CHECK(tensor.dims[2] == COCO_DYNAMIC);
  CHECK(tensor.dims[4] == 0);
  CHECK(tensor.bytes == 0);
  require_ok(coco_model_get_output(model.get(), 0, &tensor));
  CHECK(tensor.name == expected->outputs()[0].name);
}

TEST_CASE("a model is the same from a file and from memory", "[capi]") {
  TempDir folder;
  REQUIRE(write_file_atomically(folder / "m.coco", small_bytes()).ok());
  coco_model* loaded = nullptr;
  require_ok(coco_model_load((folder / "m.coco").c_str(), &loaded));
  const Handle<coco_model> model(loaded);
  CHECK(sha256_of(model.get()) == sha256_of(small_model().get()));
}

TEST_CASE("an ONNX file is compiled where there is a compiler", "[capi]") {
  TempDir folder;
  const std::string onnx = source_path("engine/models/sr2x-bicubic.onnx"), coco_file = folder / "m.coco";
  const std::vector<char> bytes = bytes_of(onnx);
  REQUIRE_FALSE(bytes.empty());
  coco_model *from_file = nullptr, *from_memory = nullptr, *compiled = nullptr;
  if (coco_has_compiler() == 0) {
    check_error(coco_model_load(onnx.c_str(), &from_file), COCO_ERROR_UNAVAILABLE, {"COCO_COMPILER"});
    check_error(coco_model_from_memory(bytes.data(), bytes.size(), &from_file), COCO_ERROR_UNAVAILABLE, {});
    check_error(coco_compile_file(onnx.c_str(), coco_file.c_str()), COCO_ERROR_UNAVAILABLE, {});
    CHECK(folder.entries() == 0);
    return;
  }
  require_ok(coco_model_load(onnx.c_str(), &from_file));
  const Handle<coco_model> first(from_file);
  require_ok(coco_model_from_memory(bytes.data(), bytes.size(), &from_memory));
  const Handle<coco_model> second(from_memory);
  require_ok(coco_compile_file(onnx.c_str(), coco_file.c_str()));
  require_ok(coco_model_load(coco_file.c_str(), &compiled));
  const Handle<coco_model> third(compiled);
  CHECK(sha256_of(second.get()) == sha256_of(third.get()));
  auto info = sized<coco_model_info>();
  require_ok(coco_model_get_info(first.get(), &info));
  CHECK(std::string(info.name) == "sr2x-bicubic");
}

TEST_CASE("a shipped model is found by its name", "[capi]") {
  TempDir folder;
  REQUIRE(write_file_atomically(folder / "mine.coco", small_bytes()).ok());
  setenv("COCO_MODEL_PATH", folder.path.c_str(), 1);
  coco_model* model = nullptr;
  const coco_error found = coco_model_load_shipped("mine", &model);
  const Handle<coco_model> mine(model);
  const coco_error absent = coco_model_load_shipped("no-such-model", &model);
  unsetenv("COCO_MODEL_PATH");
  CHECK(found == COCO_OK);
  CHECK(sha256_of(mine.get()) == sha256_of(small_model().get()));
  check_error(absent, COCO_ERROR_NOT_FOUND, {"no-such-model", folder.path.string()});
  CHECK(model == nullptr);
}

TEST_CASE("the library tells of itself and of the machine", "[capi]") {
  CHECK(std::string(coco_version()) == COCO_PROJECT_VERSION);
  CHECK(coco_abi_version() == COCO_ABI_VERSION);
  auto info = sized<coco_device_info>();
  require_ok(coco_get_device_info(&info));
  CHECK(info.cpu_name == cpu_info().model_name);
  CHECK(info.kernel_target == active_target());
  CHECK(info.threads == cpu_info().allowed_threads);
  CHECK(info.l2_bytes == cpu_info().l2_bytes);
  CHECK(coco_data_type_size(COCO_S64) == 8);
  CHECK(std::string(coco_data_type_name(COCO_U8)) == "u8");
  CHECK(coco_pixel_format_planes(COCO_NV12) == 2);
  CHECK(std::string(coco_error_name(COCO_OK)) == "ok");
  CHECK(std::string(coco_error_name(COCO_ERROR_INVALID_DATA)) == "invalid data");
  CHECK(std::string(coco_error_name(99)) == "unknown error");
}
