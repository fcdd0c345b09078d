#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

#include "apps/media.h"
#include "apps/program.h"
#include "catch.h"

namespace fs = std::filesystem;
using namespace coco::test;

namespace {

Outcome upscale(const std::string& in, const std::string& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {"upscale", in, out, "--model", "bicubic"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_cocopipe(arguments);
}

void check_failure(const Outcome& run, const std::string& what) {
  INFO(run.err);
  CHECK(run.code == 1);
  CHECK(run.error_lines() == 1);
  CHECK(run.foreign_lines() == "");
  CHECK(run.err_has(what));
  CHECK(run.out.empty());
}

/// A clip that takes a while to upscale.
void make_long_clip(const std::string& path) {
  ClipSpec spec;
  spec.codec = "mpeg4";
  spec.width = 160;
  spec.height = 96;
  spec.frames = 1200;
  make_clip(path, spec);
}

/// Waits until the partial output holds some data.
void wait_for_partial(const TemporaryFolder& folder) {
  for (int i = 0; i < 600; ++i) {
    for (const std::string& name : folder.names()) {
      std::error_code ignored;
      if (name.find(".part-") != std::string::npos && fs::file_size(folder / name, ignored) > 20000) return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace

TEST_CASE("inputs that are no video: one clear line, nothing left behind") {
  const TemporaryFolder folder;
  const std::string in = folder / "in.mp4", out = folder / "out.mkv";
  SECTION("missing") { check_failure(upscale(in, out), "No such file"); }
  SECTION("a directory") {
    fs::create_directory(in);
    check_failure(upscale(in, out), "is a directory");
  }
  SECTION("empty") {
    write_text(in, "");
    check_failure(upscale(in, out), "is empty");
  }
  SECTION("text") {
    write_text(in, std::string(5000, 'x') + "\nthis is no video\n");
    check_failure(upscale(in, out), "as a video");
  }
  SECTION("MP4 cut before its index") {
    ClipSpec spec;
    spec.codec = "libx264";
    make_clip(in, spec);
    fs::resize_file(in, fs::file_size(in) / 2);
    check_failure(upscale(in, out), "as a video");
  }
  SECTION("sound only") {
    ClipSpec spec;
    spec.audio = true;
    make_clip(folder / "both.mkv", spec);
    // A WAV header and silence.
    std::string wav("RIFF\x24\x10\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\0\x10\0\0", 44);
    write_text(in, wav + std::string(4096, '\0'));
    check_failure(upscale(in, out), "no video stream");
  }
  CHECK(!fs::exists(out));
  for (const std::string& name : folder.names()) CHECK(name.find(".part-") == std::string::npos);
}

TEST_CASE("a truncated video is refused, or taken for what it holds") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.frames = 40;
  spec.audio = true;
  const auto cut_in_half = [&](const std::string& name) {
    make_clip(folder / name, spec);
    const Outcome whole = upscale(folder / name, folder / "out.mkv");
    INFO(whole.err);
    CHECK(whole.code == 0);
    fs::remove(folder / "out.mkv");
    fs::resize_file(folder / name, fs::file_size(folder / name) / 2);
  };
  SECTION("Matroska, told by its segment") { cut_in_half("in.mkv"); }
  SECTION("MP4 with its index in front") {
    spec.codec = "mpeg4";
    spec.faststart = true;
    cut_in_half("in.mp4");
  }
  SECTION("FLV, told when it ends") {
    spec.codec = "flv";
    spec.audio = false;
    cut_in_half("in.flv");
  }
  const std::string in = folder.names().front();
  check_failure(upscale(folder / in, folder / "out.mkv"), "is truncated");
  CHECK(folder.names() == std::vector<std::string>{in});

  const Outcome run = upscale(folder / in, folder / "out.mkv", {"--keep-damaged"});
  INFO(run.err);
  CHECK(run.code == 0);
  CHECK(run.err_has("truncated"));
  const int frames = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).decoded_frames;
  CHECK(frames > 2);
  CHECK(frames < 40);
}

TEST_CASE("outputs that cannot be written") {
  const TemporaryFolder folder;
  const std::string in = folder / "in.mkv";
  make_clip(in, {});
  SECTION("no such folder") { check_failure(upscale(in, folder / "none/out.mkv"), "none/out.mkv"); }
  SECTION("a folder that refuses") { check_failure(upscale(in, "/proc/out.mkv"), "cannot write '/proc/out.mkv'"); }
  SECTION("a directory") {
    fs::create_directory(folder / "out.mkv");
    check_failure(upscale(in, folder / "out.mkv"), "is a directory");
    fs::remove(folder / "out.mkv");
  }
  SECTION("the input itself") { check_failure(upscale(in, in), "is the input"); }
  SECTION("the input under another name") {
    fs::create_symlink(in, folder / "link.mkv");
    check_failure(upscale(in, folder / "link.mkv"), "is the input");
    fs::remove(folder / "link.mkv");
  }
  SECTION("a device") { check_failure(upscale(in, "/dev/null"), "not a regular file"); }
  SECTION("no container") { check_failure(upscale(in, folder / "out.xyz"), "container"); }
  SECTION("a picture's extension") { check_failure(upscale(in, folder / "out.png"), "container"); }
  SECTION("no such encoder") { check_failure(upscale(in, folder / "out.mkv", {"--codec", "nope"}), "libx264"); }
  SECTION("an encoder the container cannot hold") {
    check_failure(upscale(in, folder / "out.webm", {"--codec", "libx264"}), "cannot hold");
  }
  SECTION("no such preset") { check_failure(upscale(in, folder / "out.mkv", {"--preset", "nope"}), "preset 'nope'"); }
  SECTION("no such model") {
    check_failure(run_cocopipe({"upscale", in, folder / "out.mkv", "--model", "no-such-model"}), "no-such-model");
  }
  CHECK(folder.names() == std::vector<std::string>{"in.mkv"});
  CHECK(read_contents(in).first(AVMEDIA_TYPE_VIDEO).decoded_frames == 12);
}

TEST_CASE("a full disk") {
  const TemporaryFolder folder;
  make_long_clip(folder / "in.mkv");
  SECTION("a small file system") {
    const std::string disk = folder / "disk";
    fs::create_directory(disk);
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=65536") != 0) {
      std::printf("skipped: a small tmpfs cannot be mounted here (%s)\n", std::strerror(errno));
      return;
    }
    const Outcome run = upscale(folder / "in.mkv", disk + "/out.mkv", {"--preset", "ultrafast", "--quiet"});
    const bool empty = fs::is_empty(disk);
    ::umount(disk.c_str());
    check_failure(run, "No space left");
    CHECK(run.err_has("free some space"));
    CHECK(empty);
  }
  SECTION("a limit on file sizes") {
    const Outcome run = run_shell("ulimit -f 64; exec $COCOPIPE upscale '" + (folder / "in.mkv") + "' '" +
                                  (folder / "out.mkv") + "' --model bicubic --preset ultrafast --quiet");
    check_failure(run, "cannot write");
    CHECK(folder.names() == std::vector<std::string>{"in.mkv"});
  }
}

TEST_CASE("interrupts") {
  const TemporaryFolder folder;
  make_long_clip(folder / "in.mkv");
  const auto interrupt = [&](int signal_number) {
    return [&folder, signal_number](int pid) {
      wait_for_partial(folder);
      ::kill(pid, signal_number);
    };
  };
  const std::vector<std::string> command = {"upscale", folder / "in.mkv", folder / "out.mkv", "--model", "bicubic",
                                            "--size",  "1280x768",        "--preset",         "medium"};
  SECTION("Ctrl-C leaves a playable file") {
    const Outcome run = run_cocopipe(command, interrupt(SIGINT));
    INFO(run.err);
    CHECK(run.code == 130);
    CHECK(run.err_has("interrupted"));
    const int frames = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).decoded_frames;
    CHECK(frames > 0);
    CHECK(frames < 1200);
    CHECK(run.err_has("first " + std::to_string(frames) + " frames"));
  }
  SECTION("so does SIGTERM") {
    CHECK(run_cocopipe(command, interrupt(SIGTERM)).code == 130);
    CHECK(read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).decoded_frames > 0);
  }
  SECTION("a second one drops the file") {
    const auto twice = [&](int pid) {
      wait_for_partial(folder);
      // Two numbers: pending signals of one number merge into one.
      ::kill(pid, SIGINT);
      ::kill(pid, SIGTERM);
    };
    const Outcome run = run_cocopipe(command, twice);
    INFO(run.err);
    CHECK(run.code == 130);
    CHECK(folder.names() == std::vector<std::string>{"in.mkv"});
  }
}

TEST_CASE("wrong usage ends with 2 and says what is wrong") {
  const auto check_usage = [](const std::vector<std::string>& arguments, const std::string& what) {
    const Outcome run = run_cocopipe(arguments);
    INFO(run.err);
    CHECK(run.code == 2);
    CHECK(run.error_lines() == 1);
    CHECK(run.err_has(what));
  };
  check_usage({}, "subcommand");
  check_usage({"nonsense"}, "nonsense");
  check_usage({"upscale"}, "input");
  check_usage({"upscale", "in.mp4"}, "output");
  check_usage({"upscale", "in.mp4", "out.mp4", "--size", "big"}, "WIDTHxHEIGHT");
  check_usage({"upscale", "in.mp4", "out.mp4", "--size", "0x5"}, "WIDTHxHEIGHT");
  check_usage({"upscale", "in.mp4", "out.mp4", "--size", "8x8", "--scale", "2"}, "--scale");
  check_usage({"upscale", "in.mp4", "out.mp4", "--no-such-option"}, "--no-such-option");
  check_usage({"eval"}, "subcommand");
}

TEST_CASE("every command has help with an example") {
  for (const char* command : {"upscale", "run", "compile", "inspect", "infer", "eval", "bench", "compare", "demo-clip",
                              "models", "tune-device", "doctor"}) {
    INFO(command);
    const Outcome run = run_cocopipe({command, "--help"});
    CHECK(run.code == 0);
    CHECK(run.out.find(std::string("Example: cocopipe ") + command) != std::string::npos);
  }
  CHECK(run_cocopipe({"--version"}).out.rfind("cocopipe ", 0) == 0);
  CHECK(run_cocopipe({"--help"}).out.find("Exit codes") != std::string::npos);
}
