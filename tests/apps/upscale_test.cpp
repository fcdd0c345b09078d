#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/media.h"
#include "apps/program.h"
#include "catch.h"

namespace fs = std::filesystem;
using namespace coco::test;

namespace {

Outcome upscale(const std::string& in, const std::string& out, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"upscale", in, out, "--model", "bicubic", "--preset", "ultrafast"};
  for (const std::string& argument : more) {
    if (argument == "ffv1") arguments.resize(5);  // has no presets
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_cocopipe(arguments);
}

const std::vector<int64_t> kUneven = {0, 40, 80, 200, 240, 255, 400, 417, 600, 640, 641, 700};

/// The source's times, which are those of kUneven moved by a constant (sound starts before zero).
void check_uneven(const std::vector<double>& got, const std::vector<double>& source) {
  REQUIRE(got.size() == kUneven.size());
  REQUIRE(source.size() == kUneven.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i] == Approx(source[i]).margin(1e-6));
    CHECK(source[i] - source[0] == Approx(static_cast<double>(kUneven[i] - kUneven[0]) / 1000).margin(1e-6));
  }
}

}  // namespace

TEST_CASE("everything beside the picture arrives unchanged in Matroska") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.pts = kUneven;
  spec.aspect = {4, 3};
  spec.audio = spec.subtitles = spec.chapters = spec.attachment = true;
  spec.metadata = {{"title", "A clip"}, {"ARTIST", "Somebody"}, {"odd-key", "kept"}};
  make_clip(folder / "in.mkv", spec);
  const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const Contents in = read_contents(folder / "in.mkv"), out = read_contents(folder / "out.mkv");

  REQUIRE(out.streams.size() == in.streams.size());
  for (size_t i = 0; i < in.streams.size(); ++i) {
    INFO("stream " << i << " " << in.streams[i].codec);
    CHECK(out.streams[i].type == in.streams[i].type);
    CHECK(out.streams[i].language == in.streams[i].language);
    CHECK(out.streams[i].title == in.streams[i].title);
    CHECK(out.streams[i].disposition == in.streams[i].disposition);
    if (in.streams[i].type == AVMEDIA_TYPE_VIDEO) continue;
    CHECK(out.streams[i].codec == in.streams[i].codec);
    CHECK(out.streams[i].packets_sha256 == in.streams[i].packets_sha256);
    CHECK(out.streams[i].times == in.streams[i].times);
  }
  const StreamContents& video = out.first(AVMEDIA_TYPE_VIDEO);
  CHECK(video.width == 128);
  CHECK(video.height == 96);
  CHECK(video.aspect.num == 4);
  CHECK(video.aspect.den == 3);
  CHECK(video.decoded_frames == 12);
  check_uneven(video.times, in.first(AVMEDIA_TYPE_VIDEO).times);
  REQUIRE(out.chapters.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(out.chapters[i].title == in.chapters[i].title);
    CHECK(out.chapters[i].start == Approx(in.chapters[i].start));
    CHECK(out.chapters[i].end == Approx(in.chapters[i].end));
  }
  for (const char* key : {"title", "ARTIST", "ODD-KEY"}) {
    INFO(key);
    REQUIRE(in.metadata.count(key) == 1);
    CHECK(out.metadata.count(key) == 1);
    CHECK(out.metadata.at(key) == in.metadata.at(key));
  }
  CHECK(folder.names() == std::vector<std::string>{"in.mkv", "out.mkv"});
}

TEST_CASE("MP4 keeps cover, chapters, free-form tags, rotation, sound and uneven timing") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.codec = "libx264";
  spec.pts = kUneven;
  spec.audio = spec.chapters = true;
  spec.rotation = 90;
  spec.metadata = {{"title", "A clip"}, {"com.example.place", "+52+13/"}};
  make_clip(folder / "in.mp4", spec);
  const Outcome run = upscale(folder / "in.mp4", folder / "out.mp4");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const Contents in = read_contents(folder / "in.mp4"), out = read_contents(folder / "out.mp4");
  CHECK(out.first(AVMEDIA_TYPE_VIDEO).rotation == in.first(AVMEDIA_TYPE_VIDEO).rotation);
  CHECK(in.first(AVMEDIA_TYPE_VIDEO).rotation != 0);
  check_uneven(out.first(AVMEDIA_TYPE_VIDEO).times, in.first(AVMEDIA_TYPE_VIDEO).times);
  CHECK(out.first(AVMEDIA_TYPE_AUDIO).packets_sha256 == in.first(AVMEDIA_TYPE_AUDIO).packets_sha256);
  CHECK(out.chapters.size() == 2);
  CHECK(out.metadata.at("com.example.place") == "+52+13/");
  CHECK(out.metadata.at("title") == "A clip");
  CHECK(out.count(AVMEDIA_TYPE_DATA) == in.count(AVMEDIA_TYPE_DATA));
}

TEST_CASE("a cover picture goes into MP4 and Matroska") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.codec = "libx264";
  spec.cover = true;
  spec.metadata = {{"title", "A clip"}};
  make_clip(folder / "in.mp4", spec);
  const auto covers = [](const std::string& path) {
    std::vector<std::string> list;
    for (const StreamContents& s : read_contents(path).streams) {
      if ((s.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) list.push_back(s.packets_sha256);
    }
    return list;
  };
  REQUIRE(covers(folder / "in.mp4").size() == 1);
  for (const char* name : {"out.mp4", "out.mkv"}) {
    const Outcome run = upscale(folder / "in.mp4", folder / name);
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(covers(folder / name) == covers(folder / "in.mp4"));
    CHECK(read_contents(folder / name).metadata.at("title") == "A clip");
  }
}

TEST_CASE("colour description and bit depth are the source's") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.codec = "libx264";
  AVPixelFormat expected = AV_PIX_FMT_YUV420P;
  SECTION("8 bits, full range, BT.601") {
    spec.range = AVCOL_RANGE_JPEG;
    spec.primaries = AVCOL_PRI_SMPTE170M;
    spec.transfer = AVCOL_TRC_SMPTE170M;
    spec.matrix = AVCOL_SPC_SMPTE170M;
    spec.chroma = AVCHROMA_LOC_CENTER;
    expected = AV_PIX_FMT_YUVJ420P;
  }
  SECTION("10 bits, BT.2020 PQ with HDR metadata") {
    spec.format = AV_PIX_FMT_YUV420P10LE;
    spec.primaries = AVCOL_PRI_BT2020;
    spec.transfer = AVCOL_TRC_SMPTE2084;
    spec.matrix = AVCOL_SPC_BT2020_NCL;
    spec.chroma = AVCHROMA_LOC_TOPLEFT;
    spec.hdr = true;
    expected = AV_PIX_FMT_YUV420P10LE;
  }
  make_clip(folder / "in.mkv", spec);
  const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv");
  INFO(run.err);
  REQUIRE(run.code == 0);
  const StreamContents in = read_contents(folder / "in.mkv").first(AVMEDIA_TYPE_VIDEO);
  const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
  CHECK(out.pixel_format == expected);
  CHECK(out.range == in.range);
  CHECK(out.primaries == in.primaries);
  CHECK(out.transfer == in.transfer);
  CHECK(out.matrix == in.matrix);
  CHECK(out.chroma == in.chroma);
  CHECK(out.mastering == spec.hdr);
  CHECK(out.light == spec.hdr);
  CHECK(out.decoded_frames == 12);
}

TEST_CASE("at ratio 1 with a lossless encoder every luma sample is the source's") {
  const TemporaryFolder folder;
  ClipSpec spec;
  SECTION("I420") {}
  SECTION("full range") { spec.range = AVCOL_RANGE_JPEG; }
  SECTION("10 bits") { spec.format = AV_PIX_FMT_YUV420P10LE; }
  SECTION("4:2:2 is converted, luma untouched") { spec.format = AV_PIX_FMT_YUV422P; }
  SECTION("4:4:4 full range is converted, luma untouched") {
    spec.format = AV_PIX_FMT_YUV444P;
    spec.range = AVCOL_RANGE_JPEG;
  }
  SECTION("4:2:2 of 10 bits keeps its depth") { spec.format = AV_PIX_FMT_YUV422P10LE; }
  make_clip(folder / "in.mkv", spec);
  const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv", {"--scale", "1", "--codec", "ffv1"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  const bool direct = spec.format == AV_PIX_FMT_YUV420P || spec.format == AV_PIX_FMT_YUV420P10LE;
  CHECK(run.err_has("pixel format converted") == !direct);
  CHECK(first_luma(folder / "out.mkv") == first_luma(folder / "in.mkv"));
  CHECK(read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).range ==
        read_contents(folder / "in.mkv").first(AVMEDIA_TYPE_VIDEO).range);
}

TEST_CASE("grey and RGB sources") {
  const TemporaryFolder folder;
  ClipSpec spec;
  SECTION("grey") { spec.format = AV_PIX_FMT_GRAY8; }
  SECTION("RGB") {
    spec.format = AV_PIX_FMT_BGR0;
    spec.matrix = AVCOL_SPC_RGB;
    spec.range = AVCOL_RANGE_JPEG;
  }
  make_clip(folder / "in.mkv", spec);
  const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv", {"--codec", "ffv1"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
  CHECK(out.decoded_frames == 12);
  CHECK(out.width == 128);
  if (spec.format == AV_PIX_FMT_GRAY8) {
    CHECK(out.pixel_format == AV_PIX_FMT_GRAY8);
  } else {
    CHECK(out.matrix == AVCOL_SPC_SMPTE170M);
    CHECK(out.range == AVCOL_RANGE_MPEG);
  }
}

TEST_CASE("sizes: odd sources, odd wishes, another shape") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.width = 63;
  spec.height = 47;
  spec.frames = 3;
  make_clip(folder / "in.mkv", spec);
  SECTION("odd source") {
    const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv");
    INFO(run.err);
    REQUIRE(run.code == 0);
    const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
    CHECK(out.width == 126);
    CHECK(out.height == 94);
  }
  SECTION("odd wish") {
    const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv", {"--size", "101x75"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.err_has("even"));
    const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
    CHECK(out.width == 102);
    CHECK(out.height == 76);
  }
  SECTION("another shape keeps the display aspect ratio") {
    const Outcome run = upscale(folder / "in.mkv", folder / "out.mkv", {"--size", "200x60"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.err_has("aspect"));
    const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
    CHECK(200.0 / 60 * av_q2d(out.aspect) == Approx(63.0 / 47).epsilon(2e-3));
  }
}

TEST_CASE("a raw elementary stream gets times from its frame rate") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.codec = "libx264";
  make_clip(folder / "in.264", spec);
  SECTION("as it is") {
    const Outcome run = upscale(folder / "in.264", folder / "out.mp4");
    INFO(run.err);
    REQUIRE(run.code == 0);
    const StreamContents out = read_contents(folder / "out.mp4").first(AVMEDIA_TYPE_VIDEO);
    CHECK(out.decoded_frames == 12);
    REQUIRE(out.times.size() == 12);
    for (size_t i = 0; i < 12; ++i) CHECK(out.times[i] == Approx(0.04 * static_cast<double>(i)).margin(1e-6));
  }
  SECTION("whose size changes on the way") {
    spec.width = 96;
    spec.height = 80;
    make_clip(folder / "more.264", spec);
    std::ofstream(folder / "in.264", std::ios::binary | std::ios::app) << read_text(folder / "more.264");
    const Outcome run = upscale(folder / "in.264", folder / "out.mkv", {"--report", folder / "report.json"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.err_has("changes size from 64x48 to 96x80"));
    const StreamContents out = read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO);
    CHECK(out.width == 128);
    CHECK(out.height == 96);
    CHECK(out.decoded_frames == 24);
    CHECK(nlohmann::json::parse(read_text(folder / "report.json"))["resolution_changes"] == 1);
  }
}

TEST_CASE("streams the container cannot hold") {
  const TemporaryFolder folder;
  ClipSpec spec;
  spec.codec = "libx264";
  spec.audio = spec.subtitles = true;
  make_clip(folder / "in.mkv", spec);
  SECTION("are an error that names the stream and a container") {
    const Outcome run = upscale(folder / "in.mkv", folder / "out.mp4");
    CHECK(run.code == 1);
    CHECK(run.error_lines() == 1);
    CHECK(run.err_has("stream 2 (subtitle, subrip"));
    CHECK(run.err_has(".mkv"));
    CHECK(run.err_has("--drop-unsupported"));
    CHECK(folder.names() == std::vector<std::string>{"in.mkv"});
  }
  SECTION("or left out on request") {
    const Outcome run = upscale(folder / "in.mkv", folder / "out.mp4", {"--drop-unsupported"});
    INFO(run.err);
    CHECK(run.code == 0);
    CHECK(run.err_has("left out: stream 2"));
    const Contents out = read_contents(folder / "out.mp4");
    CHECK(out.count(AVMEDIA_TYPE_SUBTITLE) == 0);
    CHECK(out.first(AVMEDIA_TYPE_AUDIO).packets_sha256 ==
          read_contents(folder / "in.mkv").first(AVMEDIA_TYPE_AUDIO).packets_sha256);
  }
}

TEST_CASE("--no-encode writes nothing but the report") {
  const TemporaryFolder folder;
  make_clip(folder / "in.mkv", {});
  const Outcome run = run_cocopipe(
      {"upscale", folder / "in.mkv", "--model", "bicubic", "--no-encode", "--report", folder / "report.json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(folder.names() == std::vector<std::string>{"in.mkv", "report.json"});
  const auto report = nlohmann::json::parse(read_text(folder / "report.json"));
  CHECK(report["frames_in"] == 12);
  CHECK(report["frames_out"] == 12);
  CHECK(report["out_width"] == 128);
  for (const char* key : {"seconds", "fps", "decode_seconds", "upscale_seconds", "encode_seconds"}) {
    INFO(key);
    CHECK(report[key].is_number());
  }
}

TEST_CASE("an existing output is replaced, and only by a complete one") {
  const TemporaryFolder folder;
  make_clip(folder / "in.mkv", {});
  write_text(folder / "out.mkv", "precious");
  SECTION("success") {
    CHECK(upscale(folder / "in.mkv", folder / "out.mkv").code == 0);
    CHECK(read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).decoded_frames == 12);
  }
  SECTION("failure") {
    CHECK(upscale(folder / "in.mkv", folder / "out.mkv", {"--codec", "no-such-codec"}).code == 1);
    CHECK(read_text(folder / "out.mkv") == "precious");
  }
  CHECK(folder.names() == std::vector<std::string>{"in.mkv", "out.mkv"});
}

TEST_CASE("quiet prints nothing, otherwise there is a summary") {
  const TemporaryFolder folder;
  make_clip(folder / "in.mkv", {});
  const Outcome quiet = upscale(folder / "in.mkv", folder / "out.mkv", {"--quiet"});
  CHECK(quiet.code == 0);
  CHECK(quiet.out.empty());
  CHECK(quiet.err.empty());
  CHECK(upscale(folder / "in.mkv", folder / "out.mkv").out.find("12 frames") != std::string::npos);
}

TEST_CASE("real clips") {
  const TemporaryFolder folder;
  SECTION("full range raw H.264: 54 frames") {
    const std::string clip = data_file("video/street_1080p25_fullrange.264");
    if (clip.empty()) return;
    const Outcome run = upscale(clip, folder / "out.mp4", {"--size", "320x180"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const StreamContents out = read_contents(folder / "out.mp4").first(AVMEDIA_TYPE_VIDEO);
    CHECK(out.decoded_frames == 54);
    CHECK(out.range == AVCOL_RANGE_JPEG);
    CHECK(out.width == 320);
  }
  SECTION("30 seconds with sound: the sound is the same") {
    const std::string clip = data_file("video/bbb_480p24_audio_30s.mp4");
    if (clip.empty()) return;
    const Outcome run = upscale(clip, folder / "out.mp4", {"--size", "214x120"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const Contents in = read_contents(clip), out = read_contents(folder / "out.mp4");
    CHECK(out.first(AVMEDIA_TYPE_AUDIO).packets_sha256 == in.first(AVMEDIA_TYPE_AUDIO).packets_sha256);
    CHECK(out.first(AVMEDIA_TYPE_AUDIO).times == in.first(AVMEDIA_TYPE_AUDIO).times);
    CHECK(out.first(AVMEDIA_TYPE_VIDEO).decoded_frames == in.first(AVMEDIA_TYPE_VIDEO).decoded_frames);
    CHECK(out.first(AVMEDIA_TYPE_VIDEO).times == in.first(AVMEDIA_TYPE_VIDEO).times);
  }
  SECTION("the size changes mid-stream") {
    const std::string clip = data_file("video/resolution_change.h264");
    if (clip.empty()) return;
    const Outcome run = upscale(clip, folder / "out.mkv", {"--size", "424x232"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    CHECK(run.err_has("changes size"));
    CHECK(read_contents(folder / "out.mkv").first(AVMEDIA_TYPE_VIDEO).width == 424);
  }
}
