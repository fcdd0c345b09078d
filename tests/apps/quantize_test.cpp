#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/image_io.h"
#include "apps/cocopipe/npy.h"
#include "apps/program.h"
#include "catch.h"

namespace fs = std::filesystem;
using namespace coco;
using namespace coco::test;

namespace {

/// A folder with one grey picture: rings that grow finer outwards.
void write_rings(const std::string& path, int side) {
  cli::Image image{side, side, 1, {}};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double r = std::hypot(x - side / 2, y - side / 2);
      image.data.push_back(static_cast<uint8_t>(128 + 90 * std::cos(r * r / side)));
    }
  }
  REQUIRE(cli::write_png(path, image).ok());
}

Outcome compile(const std::string& output, std::vector<std::string> more) {
  std::vector<std::string> arguments{"compile", shipped_onnx(), "-o", output};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_cocopipe(arguments);
}

}  // namespace

TEST_CASE("compile --precision int8: a smaller file, a table of layers, and a card that says so") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "pictures");
  write_rings(folder / "pictures/rings.png", 160);
  write_text(folder / "card.json", R"({"name": "net", "scale": 2, "figures": {"set5_psnr_y": "36.6"}})");
  REQUIRE(compile(folder / "f32.coco", {"--quiet"}).code == 0);
  const Outcome run = compile(folder / "int8.coco", {"--precision", "int8", "--calibrate", folder / "pictures",
                                                     "--max-loss", "20", "--card", folder / "card.json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("conv0") != std::string::npos);
  CHECK(run.out.find("lost") != std::string::npos);
  CHECK(run.out.find("10656 bytes dense in f32") != std::string::npos);
  CHECK(fs::file_size(folder / "int8.coco") < fs::file_size(folder / "f32.coco"));
  const Outcome inspected = run_cocopipe({"inspect", folder / "int8.coco", "--json"});
  REQUIRE(inspected.code == 0);
  CHECK(inspected.out.find("f32_set5_psnr_y") != std::string::npos);
  CHECK(inspected.out.find("calibration_loss_db") != std::string::npos);
  const Outcome text = run_cocopipe({"inspect", folder / "int8.coco"});
  CHECK(text.out.find("QuantConv2d") != std::string::npos);
  CHECK(text.out.find("bytes dense in f32") != std::string::npos);
}

TEST_CASE("compile --precision f16: weights in half the bytes") {
  const TemporaryFolder folder;
  REQUIRE(compile(folder / "f32.coco", {"--quiet"}).code == 0);
  const Outcome run = compile(folder / "f16.coco", {"--precision", "f16"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("10656 bytes dense in f32") != std::string::npos);
  // 2664 weights of 2 bytes less each; heads, bits and alignment take some of it back.
  CHECK(fs::file_size(folder / "f16.coco") + 2 * 2664 - 600 < fs::file_size(folder / "f32.coco"));
  REQUIRE(run_cocopipe({"inspect", folder / "f16.coco"}).code == 0);
}

TEST_CASE("compile --precision: the same model each time") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "pictures");
  write_rings(folder / "pictures/rings.png", 120);
  for (const char* name : {"a.coco", "b.coco"}) {
    const Outcome run = compile(folder / name, {"--precision", "auto", "--calibrate", folder / "pictures", "--quiet"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.out.empty());
  }
  CHECK(read_text(folder / "a.coco") == read_text(folder / "b.coco"));
}

TEST_CASE("export --onnx-qdq: standard ONNX that gives the model's bytes again") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "pictures");
  write_rings(folder / "pictures/rings.png", 120);
  const std::string model = folder / "int8.coco", onnx = folder / "int8.onnx", back = folder / "back.coco";
  REQUIRE(
      compile(model, {"--precision", "int8", "--calibrate", folder / "pictures", "--max-loss", "20", "--quiet"}).code ==
      0);
  const Outcome run = run_cocopipe({"export", model, "--onnx-qdq", onnx});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("6 integer and 0 float convolutions") != std::string::npos);
  REQUIRE(run_cocopipe({"compile", onnx, "-o", back, "--quiet"}).code == 0);
  cli::NpyArray x{DataType::kF32, Shape{1, 1, 23, 37}, std::vector<uint8_t>(23 * 37 * 4)};
  for (size_t i = 0; i < 23 * 37; ++i) {
    const float v = static_cast<float>(i * 7919 % 256) * (1.0f / 255.0f);
    std::memcpy(x.bytes.data() + i * 4, &v, 4);
  }
  REQUIRE(cli::write_npy(folder / "x.npy", x).ok());
  for (const std::string& file : {model, onnx, back}) {
    REQUIRE(run_cocopipe({"infer", file, "--input", folder / "x.npy", "--output", file + ".npy", "--quiet"}).code == 0);
    CHECK(read_text(file + ".npy") == read_text(model + ".npy"));
  }
  REQUIRE(run_cocopipe({"export", onnx, "--onnx-qdq", folder / "again.onnx", "--quiet"}).code == 0);

  // What is wrong, in one line; nothing half-written.
  const std::vector<std::string> before = folder.names();
  const auto check_failure = [&](const std::string& input, const std::string& output, const std::string& what) {
    const Outcome failed = run_cocopipe({"export", input, "--onnx-qdq", output});
    INFO(failed.err);
    CHECK(failed.code == 1);
    CHECK(failed.error_lines() == 1);
    CHECK(failed.err_has(what));
  };
  check_failure(shipped_onnx(), folder / "bad.onnx", "--precision int8");
  check_failure(folder / "none.coco", folder / "bad.onnx", "none.coco");
  check_failure(folder / "x.npy", folder / "bad.onnx", "x.npy");
  check_failure(model, folder / "no/such/bad.onnx", "no/such");
  check_failure(model, folder.path(), folder.path());
  CHECK(folder.names() == before);
  CHECK(run_cocopipe({"export", model}).code == 2);
}

TEST_CASE("compile --precision says in one line what is wrong") {
  const TemporaryFolder folder;
  const auto check_failure = [&](std::vector<std::string> more, const std::string& what) {
    more.insert(more.begin(), {"--precision", "int8"});
    const Outcome run = compile(folder / "x.coco", std::move(more));
    INFO(run.err);
    CHECK(run.code == 1);
    CHECK(run.error_lines() == 1);
    CHECK(run.err_has(what));
    CHECK(!fs::exists(folder / "x.coco"));
  };
  check_failure({"--calibrate", folder / "none"}, "none");
  fs::create_directory(folder / "empty");
  check_failure({"--calibrate", folder / "empty"}, "holds no .png or .jpg pictures");
  fs::create_directory(folder / "broken");
  write_text(folder / "broken/a.png", "no picture");
  check_failure({"--calibrate", folder / "broken"}, "holds no picture that can be used");
  fs::create_directory(folder / "small");
  write_rings(folder / "small/a.png", 32);
  check_failure({"--calibrate", folder / "small"}, "too small");
  fs::create_directory(folder / "good");
  write_rings(folder / "good/a.png", 120);
  check_failure({"--calibrate", folder / "good", "--max-loss", "0"}, "--max-loss");
  check_failure({"--calibrate", folder / "good", "--no-optimize"}, "passes");
  CHECK(compile(folder / "x.coco", {"--precision", "int4"}).code == 2);
  CHECK(compile(folder / "x.coco", {"--precision", "int8", "--calibration-method", "guess"}).code == 2);
}
