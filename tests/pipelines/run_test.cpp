#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "catch.h"
#include "pipelines/loader/loader.h"

namespace coco::loader {
namespace {

namespace fs = std::filesystem;

std::string source_dir() {
  const char* dir = std::getenv("COCO_SOURCE_DIR");
  return dir ? dir : ".";
}

/// A folder of its own for each test program, gone with it.
const fs::path& scratch() {
  struct Folder {
    fs::path path = fs::temp_directory_path() / ("coco_pipelines_" + std::to_string(getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

std::string write_file(const std::string& name, const std::string& text) {
  const fs::path path = scratch() / name;
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

/// The error's message with the file's folder cut off.
std::string message_of(const Status& status) {
  std::string text = status.ok() ? "ok" : status.error().message;
  const std::string folder = scratch().string() + "/";
  for (size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) text.erase(at, folder.size());
  return text;
}

RunOptions quiet() {
  RunOptions options;
  options.handle_interrupts = false;
  options.on_warning = [](const std::string&) {};
  return options;
}

TEST_CASE("a chain plays to its end") {
  const std::string path = write_file("p.yaml", R"(variables: {frames: 5}
pipeline:
  - element: videotestsrc
    properties: {num-buffers: "${frames}", pattern: ball}
  - caps: video/x-raw,format=I420,width=32,height=16
  - element: multifilesink
    properties:
      location: )" + (scratch() / "frame-%d.raw").string() +
                                                    "\n");
  RunOptions options = quiet();
  options.settings["frames"] = "3";
  CHECK(message_of(run_pipeline_file(path, options)) == "ok");
  CHECK(fs::file_size(scratch() / "frame-2.raw") == 32 * 16 * 3 / 2);
  CHECK_FALSE(fs::exists(scratch() / "frame-3.raw"));
}

TEST_CASE("branches leave a tee and meet in a muxer") {
  const std::string out = (scratch() / "two.mkv").string(), raw = (scratch() / "side.raw").string();
  const std::string path = write_file("p.yaml", R"(pipeline:
  - element: videotestsrc
    properties: {num-buffers: 4}
  - caps: video/x-raw,format=I420,width=32,height=16,framerate=10/1
  - element: tee
    name: split
  - element: queue
  - element: matroskamux
    name: muxer
  - element: filesink
    properties: {location: ")" + out + R"("}
branches:
  second:
    - from: split
    - element: queue
    - to: muxer.video_%u
  side:
    - from: split.src_%u
    - element: queue
    - element: filesink
      properties: {location: ")" + raw + R"("}
)");
  CHECK(message_of(run_pipeline_file(path, quiet())) == "ok");
  CHECK(fs::file_size(raw) == 4 * 32 * 16 * 3 / 2);
  CHECK(fs::file_size(out) > 2 * 4 * 32 * 16 * 3 / 2);
}

TEST_CASE("a late stream is linked where it fits, and an optional branch left out when none comes") {
  const std::string video = (scratch() / "video.mkv").string(), both = (scratch() / "both.mkv").string();
  const std::string make = R"(pipeline:
  - element: videotestsrc
    properties: {num-buffers: 6}
  - caps: video/x-raw,format=I420,width=64,height=48,framerate=10/1
  - element: avenc_mpeg4
  - element: matroskamux
  - element: filesink
    properties: {location: ")" +
                           video + "\"}\n";
  REQUIRE(message_of(run_pipeline_file(write_file("make.yaml", make), quiet())) == "ok");

  const std::string copy = R"(variables: {optional: {default: "x"}, input: , output: }
pipeline:
  - element: filesrc
    properties: {location: "${input}"}
  - element: decodebin
    name: decoder
  - element: videoconvert
    properties: {name2: "${optional}"}
  - element: filesink
    properties: {location: "${output}"}
)";
  RunOptions options = quiet();
  options.settings = {{"input", video}, {"output", both}};
  CHECK(message_of(run_pipeline_file(write_file("copy.yaml", copy), options))
            .rfind("copy.yaml:8:18: videoconvert has no property 'name2'", 0) == 0);

  std::string fixed = copy;
  fixed.replace(fixed.find("    properties: {name2: \"${optional}\"}\n"), 39, "");
  fixed.replace(fixed.find("optional: {default: \"x\"}, "), 26, "");
  fixed += R"(branches:
  sound:
    - from: decoder
      optional: true
    - element: audioconvert
    - element: filesink
      properties: {location: "/nonexistent/never-opened"}
)";
  CHECK(message_of(run_pipeline_file(write_file("copy.yaml", fixed), options)) == "ok");
  CHECK(fs::file_size(both) == 6 * 64 * 48 * 3 / 2);

  std::string required = fixed;
  required.replace(required.find("      optional: true\n"), 21, "");
  required.replace(required.find("/nonexistent/never-opened"), 25, both + ".2");
  const std::string message = message_of(run_pipeline_file(write_file("copy.yaml", required), options));
  INFO(message);
  CHECK(message.rfind("copy.yaml:13:16: 'decoder' gave no stream that fits here ('sound')", 0) == 0);
}

struct Wrong {
  const char* body;
  const char* message;
};

TEST_CASE("what GStreamer cannot do is told with the place in the file") {
  const Wrong wrong = GENERATE(values<Wrong>({
      {"  - element: videotestsrk\n",
       "p.yaml:2:14: no element is called 'videotestsrk' (did you mean 'videotestsrc'?)"},
      {"  - element: x264encoder\n", "p.yaml:2:14: no element is called 'x264encoder'"},
      {"  - element: videotestsrc\n    properties: {num-bufers: 3}\n",
       "p.yaml:3:18: videotestsrc has no property 'num-bufers' (did you mean 'num-buffers'?)"},
      {"  - element: videotestsrc\n    properties: {num-buffers: three}\n",
       "p.yaml:3:31: 'three' does not fit the property 'num-buffers'; it takes a whole number from -1 to 2147483647"},
      {"  - element: videotestsrc\n    properties: {num-buffers: -2}\n", "p.yaml:3:31: '-2' does not fit"},
      {"  - element: videotestsrc\n    properties: {num-buffers: 3.5}\n", "p.yaml:3:31: '3.5' does not fit"},
      {"  - element: videotestsrc\n    properties: {pattern: bal}\n",
       "p.yaml:3:27: 'bal' does not fit the property 'pattern'; it takes one of: smpte, snow,"},
      {"  - element: videotestsrc\n    properties: {is-live: perhaps}\n",
       "p.yaml:3:27: 'perhaps' does not fit the property 'is-live'; it takes true or false"},
      {"  - element: videotestsrc\n  - element: queue\n    properties: {current-level-time: 3}\n",
       "p.yaml:4:18: the property 'current-level-time' of queue can only be read"},
      {"  - element: videotestsrc\n  - caps: video/x-raw,width=\n  - element: fakesink\n", "p.yaml:3:11: "},
      {"  - element: videotestsrc\n  - caps: audio/x-raw\n  - element: fakesink\n", "p.yaml:3:11: videotestsrc '"},
      {"  - element: videotestsrc\n  - element: queue\n", "p.yaml:3:14: 'pipeline' ends with queue '"},
      {"  - element: queue\n  - element: fakesink\n", "p.yaml:2:14: 'pipeline' starts with queue '"},
      {"  - element: fakesink\n  - element: fakesink\n", "p.yaml:3:14: fakesink '"},
      {"  - element: videotestsrc\n    name: a\n  - element: fakesink\nbranches:\n  x:\n    - from: a\n"
       "    - element: fakesink\n",
       "p.yaml:8:16: videotestsrc 'a' does not link to fakesink '"},
      {"  - element: videotestsrc\n    name: a\n  - element: fakesink\nbranches:\n  x:\n    - {from: a, optional: "
       "true}\n"
       "    - element: fakesink\n",
       "p.yaml:7:14: 'optional' is for sources whose outputs depend on the input; videotestsrc 'a' always has them"},
  }));
  INFO(wrong.body);
  const std::string path = write_file("p.yaml", std::string("pipeline:\n") + wrong.body);
  const std::string message = message_of(check_pipeline_file(path, quiet()));
  INFO(message);
  CHECK(message.rfind(wrong.message, 0) == 0);
}

TEST_CASE("an element's error while playing carries its place") {
  const std::string path = write_file("p.yaml",
                                      "pipeline:\n  - element: filesrc\n    name: reader\n"
                                      "    properties: {location: /nonexistent/x}\n  - element: fakesink\n");
  const Status status = run_pipeline_file(path, quiet());
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kNotFound);
  CHECK(message_of(status).rfind("p.yaml:2:14: filesrc 'reader': ", 0) == 0);
}

TEST_CASE("a pipeline that fails leaves no half-written file") {
  const fs::path made = scratch() / "made.raw";
  const auto play = [](const std::string& source, const fs::path& out) {
    const std::string path = write_file("p.yaml", "pipeline:\n  - element: filesrc\n    properties: {location: \"" +
                                                      source + "\"}\n  - element: decodebin\n  - element: filesink\n" +
                                                      "    properties: {location: \"" + out.string() + "\"}\n");
    return run_pipeline_file(path, quiet());
  };
  const std::string text = write_file("no_video.txt", "this is no video\n");
  CHECK_FALSE(play(text, made).ok());
  CHECK_FALSE(fs::exists(made));
}

TEST_CASE("files that cannot be a pipeline") {
  CHECK(message_of(run_pipeline_file((scratch() / "absent.yaml").string(), quiet())) == "absent.yaml: no such file");
  fs::create_directories(scratch() / "folder");
  CHECK(message_of(run_pipeline_file((scratch() / "folder").string(), quiet())).rfind("folder: is a folder", 0) == 0);
  CHECK_FALSE(run_pipeline_file(write_file("big.yaml", std::string(300 * 1024, ' ')), quiet()).ok());
}

TEST_CASE("a request to stop ends the stream properly") {
  const std::string out = (scratch() / "stopped.mkv").string();
  const std::string path = write_file("p.yaml", R"(pipeline:
  - element: videotestsrc
    properties: {is-live: true}
  - caps: video/x-raw,format=I420,width=64,height=48,framerate=30/1
  - element: avenc_mpeg4
  - element: matroskamux
  - element: filesink
    properties: {location: ")" + out + "\"}\n");
  std::atomic<int> stop{0};
  RunOptions options = quiet();
  options.stop = &stop;
  bool reported = false;
  options.on_progress = [&](const Progress& progress) {
    reported = true;
    if (progress.elapsed_seconds > 0.3) stop = 1;
  };
  const Status status = run_pipeline_file(path, options);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kCancelled);
  CHECK(status.error().message == "stopped by request; the output is complete up to there");
  CHECK(reported);

  // The file is whole: it plays to its end.
  const std::string play = "pipeline:\n  - element: filesrc\n    properties: {location: \"" + out +
                           "\"}\n  - element: decodebin\n  - element: fakesink\n";
  CHECK(message_of(run_pipeline_file(write_file("play.yaml", play), quiet())) == "ok");
}

TEST_CASE("a request made before the pipeline plays is kept until it does") {
  const std::string path =
      write_file("p.yaml", "pipeline:\n  - element: videotestsrc\n  - element: queue\n  - element: fakesink\n");
  const std::atomic<int> stop{1};
  RunOptions options = quiet();
  options.stop = &stop;
  for (int i = 0; i < 20; ++i) {
    const Status status = run_pipeline_file(path, options);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::kCancelled);
  }
}

TEST_CASE("two requests stop at once") {
  const std::string path = write_file("p.yaml", "pipeline:\n  - element: fakesrc\n  - element: fakesink\n");
  const std::atomic<int> stop{2};
  RunOptions options = quiet();
  options.stop = &stop;
  const Status status = run_pipeline_file(path, options);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().message == "stopped at once; the output may be incomplete");
}

TEST_CASE("an interrupt signal ends the stream and the old handler comes back") {
  const std::string path = write_file("p.yaml", R"(pipeline:
  - element: videotestsrc
    properties: {is-live: true}
  - element: fakesink
)");
  RunOptions options = quiet();
  options.handle_interrupts = true;
  bool sent = false;
  options.on_progress = [&](const Progress&) {
    if (!sent) kill(getpid(), SIGINT);
    sent = true;
  };
  struct sigaction before = {}, after = {};
  sigaction(SIGINT, nullptr, &before);
  const Status status = run_pipeline_file(path, options);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == ErrorCode::kCancelled);
  sigaction(SIGINT, nullptr, &after);
  CHECK(after.sa_handler == before.sa_handler);
}

TEST_CASE("a video with sound, and one without, is upscaled to a file by the shipped pipeline") {
  const bool sound = GENERATE(true, false);
  const std::string in = (scratch() / "in.mkv").string(), out = (scratch() / "out.mkv").string();
  std::string make = R"(pipeline:
  - element: videotestsrc
    properties: {num-buffers: 5}
  - caps: video/x-raw,format=I420,width=32,height=24,framerate=10/1
  - element: avenc_mpeg4
  - element: matroskamux
    name: muxer
  - element: filesink
    properties: {location: ")" +
                     in + "\"}\n";
  if (sound) {
    make += R"(branches:
  sound:
    - element: audiotestsrc
      properties: {num-buffers: 20}
    - caps: audio/x-raw,rate=48000
    - element: opusenc
    - to: muxer
)";
  }
  REQUIRE(message_of(run_pipeline_file(write_file("make.yaml", make), quiet())) == "ok");
  RunOptions options = quiet();
  options.settings = {{"input", in}, {"output", out}, {"width", "128"}, {"height", "96"}, {"model", "bicubic"}};
  REQUIRE(message_of(run_pipeline_file(source_dir() + "/pipelines/definitions/upscale-file.yaml", options)) == "ok");

  const std::string look = R"(pipeline:
  - element: filesrc
    properties: {location: ")" +
                           out + R"("}
  - element: matroskademux
    name: demuxer
  - element: queue
  - caps: video/x-h264,width=128,height=96
  - element: fakesink
branches:
  sound:
    - from: demuxer
    - element: queue
    - caps: audio/x-opus
    - element: fakesink
)";
  const std::string message = message_of(run_pipeline_file(write_file("look.yaml", look), quiet()));
  if (sound) {
    CHECK(message == "ok");
  } else {
    CHECK(message.find("'demuxer' gave no stream that fits here ('sound')") != std::string::npos);
  }
}

TEST_CASE("every pipeline that is shipped can be built") {
  std::vector<fs::directory_entry> files;
  for (const char* folder : {"/pipelines/definitions", "/configs"})
    for (const auto& entry : fs::directory_iterator(source_dir() + folder))
      if (entry.is_regular_file()) files.push_back(entry);  // folders hold what is no pipeline
  for (const auto& entry : files) {
    INFO(entry.path());
    RunOptions options = quiet();
    std::ifstream stream(entry.path());
    const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    const auto parsed = parse_pipeline(text, entry.path().filename().string());
    INFO((parsed.ok() ? "" : parsed.error().message));
    REQUIRE(parsed.ok());
    CHECK_FALSE(parsed->description.empty());
    for (const Variable& variable : parsed->variables) {
      CHECK_FALSE(variable.help.empty());
      if (!variable.has_default) options.settings[variable.name.value] = (scratch() / "some-file").string();
    }
    CHECK(message_of(check_pipeline_file(entry.path().string(), options)) == "ok");
  }
  CHECK(files.size() >= 5);
}

}  // namespace
}  // namespace coco::loader
