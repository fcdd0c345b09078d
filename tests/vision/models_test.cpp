#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "catch.h"
#include "coco/vision.h"

namespace coco::vision {
namespace {

namespace fs = std::filesystem;

// A folder of its own on COCO_MODEL_PATH for the life of a test.
struct ModelFolder {
  ModelFolder() {
    std::string pattern = (fs::temp_directory_path() / "coco_models_XXXXXX").string();
    path = ::mkdtemp(pattern.data());
    ::setenv("COCO_MODEL_PATH", ("/nonexistent:" + path.string()).c_str(), 1);
  }
  ~ModelFolder() {
    ::unsetenv("COCO_MODEL_PATH");
    fs::remove_all(path);
  }
  void add(const std::string& file) const { std::ofstream(path / file) << "not a model"; }
  fs::path path;
};

std::string seen_path;
Result<std::shared_ptr<const Model>> record_path(const std::string& path) {
  seen_path = path;
  return make_error(ErrorCode::kInvalidData, "recorded");
}

}  // namespace

TEST_CASE("models are found by name, .coco before .onnx", "[vision]") {
  const ModelFolder folder;
  folder.add("only-here-a.onnx");
  folder.add("only-here-b.onnx");
  folder.add("only-here-b.coco");
  folder.add("notes.txt");
  auto a = find_model_file("only-here-a");
  REQUIRE(a.ok());
  CHECK(*a == (folder.path / "only-here-a.onnx").string());
  auto b = find_model_file("only-here-b");
  REQUIRE(b.ok());
  CHECK(*b == (folder.path / "only-here-b.coco").string());

  int found = 0;
  for (const ShippedModel& model : list_models()) {
    CHECK(model.name != "notes");
    if (model.name == "only-here-a" || model.name == "only-here-b") ++found;
  }
  CHECK(found == 2);
}

TEST_CASE("an unknown name lists the known ones and the folders", "[vision]") {
  const ModelFolder folder;
  folder.add("some-model.coco");
  for (const std::string name : {"no-such-model", "", "../models/some-model"}) {
    auto missing = find_model_file(name);
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code == ErrorCode::kNotFound);
    CHECK_THAT(missing.error().message, ContainsSubstring("some-model") && ContainsSubstring(folder.path.string()) &&
                                            ContainsSubstring("COCO_MODEL_PATH"));
  }
  auto load = load_upscale_model("no-such-model");
  REQUIRE_FALSE(load.ok());
  CHECK(load.error().code == ErrorCode::kNotFound);
}

TEST_CASE("bicubic and lanczos are no models", "[vision]") {
  for (const char* name : {"bicubic", "lanczos"}) {
    auto model = load_upscale_model(name);
    REQUIRE(model.ok());
    CHECK(*model == nullptr);
  }
  CHECK(resample_filter("lanczos") == ResampleFilter::kLanczos3);
  CHECK(resample_filter("bicubic") == ResampleFilter::kBicubic);
  CHECK(resample_filter("sr2x-s") == ResampleFilter::kBicubic);
}

TEST_CASE("files go to the loader, and without one .onnx is refused", "[vision]") {
  const ModelFolder folder;
  folder.add("only-here.onnx");
  folder.add("broken.coco");
  const std::string onnx = (folder.path / "only-here.onnx").string();
  set_model_loader(nullptr);
  auto refused = load_upscale_model(onnx);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kUnavailable);
  CHECK_THAT(refused.error().message, ContainsSubstring(onnx) && ContainsSubstring("cocopipe compile"));
  auto broken = load_upscale_model((folder.path / "broken.coco").string());
  REQUIRE_FALSE(broken.ok());
  CHECK(broken.error().code == ErrorCode::kInvalidData);

  set_model_loader(record_path);
  CHECK_FALSE(load_upscale_model("only-here").ok());
  CHECK(seen_path == onnx);
  set_model_loader(nullptr);
}

}  // namespace coco::vision
