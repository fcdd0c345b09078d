#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/image_io.h"
#include "apps/cocopipe/npy.h"
#include "apps/demo/clip.h"
#include "apps/media.h"
#include "apps/program.h"
#include "catch.h"

namespace fs = std::filesystem;
using namespace coco;
using namespace coco::test;
using nlohmann::json;

namespace {

cli::NpyArray ramp(int64_t height, int64_t width) {
  cli::NpyArray array{DataType::kF32, Shape{1, 1, height, width}, {}};
  array.bytes.resize(static_cast<size_t>(height * width) * sizeof(float));
  auto* values = reinterpret_cast<float*>(array.bytes.data());
  for (int64_t i = 0; i < height * width; ++i) values[i] = static_cast<float>((i * 7919) % 256) / 255.0f;
  return array;
}

}  // namespace

TEST_CASE("compile, inspect and infer agree on one network") {
  const TemporaryFolder folder;
  const std::string coco = folder / "net.coco";
  const Outcome compiled = run_cocopipe({"compile", shipped_onnx(), "-o", coco, "--name", "net", "--licence",
                                         "Apache-2.0", "--task", "super-resolution"});
  INFO(compiled.err);
  REQUIRE(compiled.code == 0);

  const Outcome inspected = run_cocopipe({"inspect", coco, "--json"});
  INFO(inspected.err);
  REQUIRE(inspected.code == 0);
  const json card = json::parse(inspected.out);
  CHECK(card["card"]["name"] == "net");
  CHECK(card["card"]["licence"] == "Apache-2.0");
  CHECK(card["card"]["scale"] == 2);
  CHECK(card["macs"] > 0);
  CHECK(card["sha256"].get<std::string>().size() == 64);
  const Outcome text = run_cocopipe({"inspect", coco, "--input-size", "64x48"});
  CHECK(text.code == 0);
  CHECK(text.out.find("Conv2d") != std::string::npos);

  REQUIRE(cli::write_npy(folder / "in.npy", ramp(24, 31)).ok());
  const auto infer = [&](const std::string& model, const std::string& executor) {
    const Outcome run = run_cocopipe(
        {"infer", model, "--input", folder / "in.npy", "--output", folder / "out.npy", "--executor", executor});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const auto array = cli::read_npy(folder / "out.npy");
    REQUIRE(array.ok());
    CHECK(array->shape == Shape{1, 1, 48, 62});
    const auto* values = reinterpret_cast<const float*>(array->bytes.data());
    return std::vector<float>(values, values + array->bytes.size() / sizeof(float));
  };
  const auto from_coco = infer(coco, "auto");
  // Equal to the last bit: a file holds the program that an .onnx is compiled to in memory, and the layer executor
  // runs operators that work by rows with the line executor's own kernels. (The scalar references sum a convolution
  // over channels before kernel rows, the row kernels the other way round: those agree to about 1e-6 only.)
  for (const char* executor : {"auto", "line", "layer"}) {
    INFO(executor);
    CHECK((infer(coco, executor) == from_coco));  // parenthesised: too long to print
    CHECK((infer(shipped_onnx(), executor) == from_coco));
  }
}

TEST_CASE("compile and infer say what is wrong") {
  const TemporaryFolder folder;
  const auto check_failure = [](const Outcome& run, const std::string& what) {
    INFO(run.err);
    CHECK(run.code == 1);
    CHECK(run.error_lines() == 1);
    CHECK(run.err_has(what));
  };
  write_text(folder / "bad.onnx", "not a model");
  check_failure(run_cocopipe({"compile", folder / "bad.onnx", "-o", folder / "x.coco"}), "bad.onnx");
  check_failure(run_cocopipe({"compile", folder / "none.onnx", "-o", folder / "x.coco"}), "none.onnx");
  write_text(folder / "card.json", R"({"nmae": "x"})");
  check_failure(run_cocopipe({"compile", shipped_onnx(), "-o", folder / "x.coco", "--card", folder / "card.json"}),
                "nmae");
  check_failure(run_cocopipe({"compile", shipped_onnx(), "-o", folder / "x.coco", "--scale", "3"}), "scale");
  write_text(folder / "bad.coco", std::string(400, 'c'));
  check_failure(run_cocopipe({"inspect", folder / "bad.coco"}), "bad.coco");
  write_text(folder / "bad.npy", "no");
  check_failure(run_cocopipe({"infer", shipped_onnx(), "--input", folder / "bad.npy"}), "bad.npy");
  REQUIRE(cli::write_npy(folder / "bytes.npy", {DataType::kU8, Shape{1, 1, 4, 4}, std::vector<uint8_t>(16)}).ok());
  check_failure(run_cocopipe({"infer", shipped_onnx(), "--input", folder / "bytes.npy"}), "f32");
  CHECK(!fs::exists(folder / "x.coco"));
}

TEST_CASE("bench upscale: the JSON keys") {
  for (const char* mode : {"--json", "--luma-only"}) {
    const Outcome run = run_cocopipe({"bench", "upscale", "--model", "bicubic", "--input-size", "96x64", "--threads",
                                      "1", "--seconds", "0.05", "--json", mode});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const json result = json::parse(run.out);
    for (const char* key : {"fps", "ms_p50", "ms_p95", "ms_p99"}) {
      INFO(key);
      CHECK(result[key].get<double>() > 0);
    }
    CHECK(result["ms_p50"] <= result["ms_p99"]);
    CHECK(result["threads"] == 1);
    CHECK(result["model"] == "bicubic");
    CHECK(result["target"].get<std::string>().size() > 2);
    CHECK(result["output_size"] == "192x128");
  }
}

TEST_CASE("eval sr: bicubic gives the published figures") {
  struct Row {
    const char* folder;
    double psnr;
    size_t images;
  };
  for (const Row& row : {Row{"set5", 33.65, 5}, Row{"set14", 30.23, 14}, Row{"b100", 29.55, 100}}) {
    const std::string folder = data_file(std::string("sr/benchmarks/") + row.folder);
    if (folder.empty()) continue;
    const Outcome run = run_cocopipe({"eval", "sr", "--model", "bicubic", "--dataset", folder, "--json"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const json result = json::parse(run.out);
    CHECK(result["psnr_y"].get<double>() == Approx(row.psnr).margin(0.05));
    CHECK(result["ssim_y"].get<double>() > 0.8);
    CHECK(result["images"] == row.images);
  }
}

TEST_CASE("eval sr: grey and colour files, and folders without any") {
  const TemporaryFolder folder;
  cli::Image grey{64, 48, 1, std::vector<uint8_t>(64 * 48)};
  cli::Image colour{65, 49, 3, std::vector<uint8_t>(65 * 49 * 3)};
  for (size_t i = 0; i < grey.data.size(); ++i) grey.data[i] = static_cast<uint8_t>(i % 64 * 3 + i / 64);
  for (size_t i = 0; i < colour.data.size(); ++i) colour.data[i] = static_cast<uint8_t>(i / 195 * 4 + i % 3 * 20);
  fs::create_directory(folder / "set");
  REQUIRE(cli::write_png(folder / "set/grey.png", grey).ok());
  REQUIRE(cli::write_png(folder / "set/colour.png", colour).ok());
  const Outcome run = run_cocopipe({"eval", "sr", "--model", "bicubic", "--dataset", folder / "set", "--json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(json::parse(run.out)["images"] == 2);
  fs::create_directory(folder / "empty");
  const Outcome empty = run_cocopipe({"eval", "sr", "--model", "bicubic", "--dataset", folder / "empty"});
  CHECK(empty.code == 1);
  CHECK(empty.error_lines() == 1);
  write_text(folder / "set/broken.png", "no picture");
  const Outcome broken = run_cocopipe({"eval", "sr", "--model", "bicubic", "--dataset", folder / "set"});
  CHECK(broken.code == 1);
  CHECK(broken.err_has("broken.png"));
}

TEST_CASE("eval sr: figures on H.264 input stand beside those on clean input") {
  const TemporaryFolder folder;
  cli::Image image{160, 120, 3, {}};
  for (int i = 0; i < 160 * 120 * 3; ++i) {
    const int x = i / 3 % 160, y = i / 480;
    image.data.push_back(static_cast<uint8_t>(90 + (x / 9 + y / 7) % 3 * 40 + (x * 31 + y * 17) % 23));
  }
  REQUIRE(cli::write_png(folder / "a.png", image).ok());
  const auto evaluate = [&](const std::string& crf) {
    const Outcome run =
        run_cocopipe({"eval", "sr", "--model", "sr2x-s", "--dataset", folder.path(), "--json", "--crf", crf});
    INFO(run.err);
    REQUIRE(run.code == 0);
    return json::parse(run.out);
  };
  const json fine = evaluate("18"), coarse = evaluate("34");
  CHECK(fine["psnr_y"] == coarse["psnr_y"]);
  CHECK(fine["psnr_y"] > fine["psnr_y_coded"]);
  CHECK(fine["psnr_y_coded"].get<double>() > coarse["psnr_y_coded"].get<double>() + 1);
  CHECK(fine["per_image"][0]["ssim_y_coded"] == fine["ssim_y_coded"]);
  const Outcome table = run_cocopipe({"eval", "sr", "--model", "bicubic", "--dataset", folder.path(), "--crf", "28"});
  CHECK(table.out.find("H.264 at crf 28") != std::string::npos);
  CHECK(run_cocopipe({"eval", "sr", "--dataset", folder.path(), "--crf", "60"}).code == 2);
}

TEST_CASE("the demo clip and the comparison picture") {
  const TemporaryFolder folder;
  const Outcome clip = run_cocopipe({"demo-clip", folder / "demo.mp4", "--size", "320x180", "--frames", "6"});
  INFO(clip.err);
  REQUIRE(clip.code == 0);
  const StreamContents video = read_contents(folder / "demo.mp4").first(AVMEDIA_TYPE_VIDEO);
  CHECK(video.decoded_frames == 6);
  CHECK(video.width == 320);
  CHECK(video.matrix == AVCOL_SPC_BT709);
  CHECK(video.range == AVCOL_RANGE_MPEG);

  const Outcome compared = run_cocopipe({"compare", folder / "demo.mp4", "--model", "lanczos", "--frame", "3", "--out",
                                         folder / "picture.png", "--region", "100x80", "--zoom", "2"});
  INFO(compared.err);
  REQUIRE(compared.code == 0);
  const auto picture = cli::read_image(folder / "picture.png");
  REQUIRE(picture.ok());
  CHECK(picture->width == 406);
  CHECK(picture->height == 216);
  CHECK(picture->channels == 3);

  const Outcome past = run_cocopipe(
      {"compare", folder / "demo.mp4", "--model", "bicubic", "--frame", "6", "--out", folder / "none.png"});
  CHECK(past.code == 1);
  CHECK(past.err_has("it has 6"));
  CHECK(!fs::exists(folder / "none.png"));
}

TEST_CASE("the demo clip is the same for the same seed, moves, and holds fine detail") {
  demo::ClipSettings settings;
  settings.width = 160;
  settings.height = 90;
  settings.frames = 4;
  const auto luma = [](demo::Clip& clip, int index) {
    const FrameView view = clip.render(index);
    const auto* data = static_cast<const uint8_t*>(view.data[0]);
    return std::vector<uint8_t>(data, data + 160 * 90);
  };
  demo::Clip a(settings), b(settings);
  settings.seed = 2;
  demo::Clip other(settings);
  CHECK(luma(a, 1) == luma(b, 1));
  CHECK(luma(a, 1) != luma(a, 2));
  CHECK(luma(a, 1) != luma(other, 1));
  const std::vector<uint8_t> frame = luma(a, 0);
  double detail = 0;
  for (size_t i = 1; i < frame.size(); ++i) detail += std::abs(frame[i] - frame[i - 1]);
  CHECK(detail / static_cast<double>(frame.size()) > 4);
}

TEST_CASE("tune-device: tunes, keeps it, and what follows takes it up") {
  const TemporaryFolder folder;
  const std::string cache = folder / "cache", clip = folder / "clip.mp4";
  const auto with_cache = [&](const std::string& command) {
    return run_shell("COCO_TUNING_DIR='" + cache + "' $COCOPIPE " + command);
  };
  const Outcome tuned = with_cache("tune-device --model '" + shipped_onnx() +
                                   "' --input-size 96x64 128x72 --threads 1 --seconds 0 --json");
  INFO(tuned.err);
  REQUIRE(tuned.code == 0);
  const json list = json::parse(tuned.out);
  REQUIRE(list.size() == 2);
  CHECK(list[0]["input_size"] == "96x64");
  CHECK(list[1]["output_size"] == "256x144");
  for (const json& entry : list) {
    for (const char* key : {"default_ms", "tuned_ms", "candidates", "frames"}) {
      INFO(key);
      CHECK(entry[key].get<double>() > 0);
    }
    CHECK(entry["gain_percent"] >= 0);
    CHECK(entry["reuse"] == true);
    CHECK(fs::is_regular_file(entry["file"].get<std::string>()));
  }
  CHECK(with_cache("doctor").out.find(cache + ": 2 of 2 entries fit this machine") != std::string::npos);

  // A plan of our own in the place of the measured one, then damage.
  const std::string file = list[0]["file"];
  json entry = json::parse(read_text(file));
  entry["plan"] = {{"strip_width", 64}, {"band_height", 0}};
  write_text(file, entry.dump());
  const std::string bench =
      "bench upscale --model '" + shipped_onnx() + "' --input-size 96x64 --threads 1 --seconds 0 --json";
  const Outcome taken = with_cache(bench);
  INFO(taken.err);
  REQUIRE(taken.code == 0);
  CHECK(json::parse(taken.out)["tuned"] == true);
  CHECK(json::parse(taken.out)["strips"] == 3);
  write_text(file, "{damage");
  CHECK(json::parse(with_cache(bench).out)["tuned"] == false);

  // upscale --tune finds the entry damaged and writes a good one over it; reuse and the threads are part of the key.
  REQUIRE(with_cache("demo-clip '" + clip + "' --size 96x64 --frames 3").code == 0);
  const std::string upscale = "upscale '" + clip + "' --no-encode --threads 1 --model '" + shipped_onnx() + "'";
  REQUIRE(with_cache(upscale).code == 0);
  CHECK(read_text(file) == "{damage");
  REQUIRE(with_cache(upscale + " --tune").code == 0);
  CHECK(json::parse(read_text(file))["key"] == entry["key"]);

  const Outcome bad = with_cache("tune-device --input-size 96x64 97y64");
  CHECK(bad.code == 2);
  CHECK(bad.err_has("97y64"));
}

TEST_CASE("models and doctor") {
  const Outcome models = run_cocopipe({"models", "--json"});
  INFO(models.err);
  if (models.code == 0) {
    for (const json& model : json::parse(models.out)) {
      CHECK(model["name"].get<std::string>().size() > 0);
      CHECK(fs::exists(model["path"].get<std::string>()));
    }
  } else {
    CHECK(models.error_lines() == 1);
  }
  const Outcome doctor = run_cocopipe({"doctor"});
  CHECK(doctor.out.find("kernel target") != std::string::npos);
  CHECK(doctor.out.find("video encoders") != std::string::npos);
  CHECK((doctor.code == 0 || doctor.error_lines() == 1));
}
