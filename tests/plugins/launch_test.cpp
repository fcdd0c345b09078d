#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "catch.h"

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = -1;
  std::string output;
};

/// Runs a shell line; standard error is part of the output.
Outcome run(const std::string& line) {
  Outcome outcome;
  FILE* pipe = popen((line + " 2>&1").c_str(), "r");
  if (!pipe) return outcome;
  char block[4096];
  for (size_t got = 0; (got = fread(block, 1, sizeof block, pipe)) > 0;) outcome.output.append(block, got);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

bool has(const Outcome& outcome, const std::string& text) { return outcome.output.find(text) != std::string::npos; }

/// A data folder's video; empty when there is none.
std::string data_video(const std::string& name) {
  const char* set = std::getenv("COCO_DATA_DIR");
  const char* source = std::getenv("COCO_SOURCE_DIR");
  const fs::path folder = set ? fs::path(set) : fs::path(source ? source : ".") / ".." / "shared" / "data";
  const fs::path path = folder / "video" / name;
  if (fs::exists(path)) return path.string();
  WARN("skipped: " << path.string() << " is not there (COCO_DATA_DIR names the data folder)");
  return "";
}

// A sanitizer's run time cannot be loaded with a plugin into a program built without it.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COCO_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COCO_SANITIZED 1
#endif
#ifdef COCO_SANITIZED
bool sanitized() {
  WARN("skipped: GStreamer's own programs cannot load a plugin built with a sanitizer");
  return true;
}
#else
bool sanitized() { return false; }
#endif

constexpr char kLaunch[] = "timeout 120 gst-launch-1.0 ";

TEST_CASE("gst-inspect lists the element, its formats and its properties") {
  const Outcome outcome = run("timeout 60 gst-inspect-1.0 cocoupscale");
  INFO(outcome.output);
  if (sanitized()) return;
  REQUIRE(outcome.status == 0);
  for (const char* text :
       {"Filter/Effect/Video", "(string)I420, (string)NV12, (string)GRAY8, (string)I420_10LE, (string)P010_10LE",
        "[ 1, 16384 ]", "active-model", "active-path", "frames-processed", "model", "qos", "scale", "threads", "device",
        "fallback", "verify", "vulkan:INDEX"}) {
    INFO(text);
    CHECK(has(outcome, text));
  }
}

TEST_CASE("the scanner finds the plugin in its own process, silently, and blacklists nothing") {
  if (sanitized()) return;
  const fs::path registry = fs::temp_directory_path() / "coco_scanner_test_registry.bin";
  fs::remove(registry);
  const std::string environment =
      "GST_REGISTRY=" + registry.string() + " GST_REGISTRY_FORK=no GST_PLUGIN_SYSTEM_PATH_1_0=/nonexistent ";
  const Outcome found = run(environment + "timeout 60 gst-inspect-1.0 cocoupscale");
  CHECK(found.status == 0);
  CHECK(found.output.rfind("Factory Details:", 0) == 0);
  const Outcome blacklist = run(environment + "timeout 60 gst-inspect-1.0 -b");
  INFO(blacklist.output);
  CHECK(has(blacklist, "Total count: 0 blacklisted files"));
  fs::remove(registry);
}

TEST_CASE("a test picture is upscaled to the size after the element, and nothing leaks") {
  if (sanitized()) return;
  const Outcome outcome =
      run(std::string("GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 ") + kLaunch +
          "-v videotestsrc num-buffers=3 ! video/x-raw,format=NV12,width=80,height=45 ! cocoupscale ! "
          "video/x-raw,width=160,height=90 ! fakesink");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(has(outcome, "width=(int)160, height=(int)90"));
  CHECK_FALSE(has(outcome, "object-alive, type-name=(string)Gst"));
}

TEST_CASE("the size may change between two sources under a constant output") {
  if (sanitized()) return;
  const Outcome outcome = run(std::string(kLaunch) +
                              "concat name=c ! cocoupscale model=bicubic ! video/x-raw,width=128,height=72 ! fakesink "
                              "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=64,height=36 ! c. "
                              "videotestsrc num-buffers=2 ! video/x-raw,format=I420,width=33,height=19 ! c.");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
}

TEST_CASE("a missing model ends gst-launch with its name") {
  if (sanitized()) return;
  const Outcome outcome = run(std::string(kLaunch) + "videotestsrc ! cocoupscale model=nowhere ! fakesink");
  INFO(outcome.output);
  CHECK(outcome.status != 0);
  CHECK(has(outcome, "no model named 'nowhere'"));
}

TEST_CASE("a decoded file becomes 4K") {
  const std::string video = data_video("bbb_1080p60_2s.mp4");
  if (video.empty() || sanitized()) return;
  const Outcome outcome = run(std::string(kLaunch) + "-v filesrc location=" + video +
                              " ! decodebin ! identity eos-after=4 ! cocoupscale ! "
                              "video/x-raw,width=3840,height=2160 ! fakesink");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(has(outcome, "width=(int)3840, height=(int)2160"));
}

TEST_CASE("a stream whose size changes is decoded to one output size") {
  const std::string video = data_video("resolution_change.h264");
  if (video.empty() || sanitized()) return;
  const Outcome outcome = run(std::string(kLaunch) + "filesrc location=" + video +
                              " ! decodebin ! cocoupscale model=bicubic ! video/x-raw,width=480,height=270 ! fakesink");
  INFO(outcome.output);
  CHECK(outcome.status == 0);
}

}  // namespace
