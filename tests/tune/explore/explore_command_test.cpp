#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include "catch.h"
#include "tests/tune/synthetic.h"

using namespace coco;
using namespace coco::tune::testing;

namespace {

struct Outcome {
  int code = -1;
  std::string text;
};

/// cocopipe-tune explore with these arguments; standard output and error together.
Outcome run_explore(const std::string& arguments) {
  const char* folder = std::getenv("COCO_BIN_DIR");
  const std::string command =
      std::string(folder ? folder : "build/release/bin") + "/cocopipe-tune explore " + arguments + " 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) outcome.text.append(buffer, n);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

/// Two pictures, and a job with one choice a layer.
std::string write_job(const TemporaryFolder& folder) {
  for (const int i : {1, 2}) {
    quality::Plane8 luma = make_luma(96, 96, static_cast<uint64_t>(i));
    cv::imwrite((folder / ("p" + std::to_string(i) + ".png")).string(), cv::Mat(96, 96, CV_8UC1, luma.data.data()));
  }
  const std::string path = (folder / "job.yaml").string();
  std::ofstream(path) << "name: found\ninit: engine/models/f32/sr2x-s.onnx\ndata: {train: " << folder.string()
                      << ", validation: " << folder.string() << ", fewest_images: 1}\n"
                      << "schedule: {batch: 2, patch: 16}\n"
                      << "explore:\n  modules: {conv1: [{keep: 4/9}], conv2: [{keep: 4/9}, {keep: 3/9}]}\n"
                      << "  objective: {psnr: 5}\n  block_steps: 2\n  steps: 2\n"
                      << "  measure: {width: 64, height: 64, threads: 1, runs: 2, passes: 1}\n";
  return path;
}

}  // namespace

TEST_CASE("explore measures with the engine, trains, and writes what it found") {
  const TemporaryFolder folder;
  const Outcome outcome = run_explore(write_job(folder) + " --out " + (folder / "out").string());
  INFO(outcome.text);
  CHECK(outcome.code == 0);
  CHECK(outcome.text.find("wrote " + (folder / "out").string() + "/found.onnx") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "out" / "found.onnx"));
}

TEST_CASE("explore fails when nothing meets the objective, and says how close it came") {
  const TemporaryFolder folder;
  const std::string job = write_job(folder) + " --out " + (folder / "out").string();
  const Outcome quality = run_explore(job + " --set explore.objective.psnr=99");
  INFO(quality.text);
  CHECK(quality.code == 1);
  CHECK(quality.text.find("no configuration reaches 99.000 dB after 2 of 2 configurations; the closest has") !=
        std::string::npos);
  const Outcome time = run_explore(job + " --set 'explore.objective={milliseconds: 0.000001}'");
  INFO(time.text);
  CHECK(time.code == 1);
  CHECK(time.text.find("no configuration takes at most") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "out" / "found.onnx"));
  const Outcome key = run_explore(job + " --set explore.stepps=3");
  CHECK(key.code == 1);
  CHECK(key.text.find("--set explore.stepps=3: unknown key 'stepps' in 'explore' (did you mean 'steps'?)") !=
        std::string::npos);
}
