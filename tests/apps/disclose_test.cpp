#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/filejob/filejob.h"
#include "apps/media.h"
#include "apps/program.h"
#include "catch.h"

namespace fs = std::filesystem;
using namespace coco::test;
using nlohmann::json;

namespace {

ClipSpec clip_spec() {
  ClipSpec spec;
  spec.codec = "mpeg4";
  spec.width = 640;
  spec.height = 360;
  spec.frames = 30;
  return spec;
}

json check(const std::string& path, int expected = 0) {
  const Outcome run = run_cocopipe({"disclose", "--check", path, "--json"});
  INFO(run.err);
  CHECK(run.code == expected);
  return json::parse(run.out);
}

void check_failure(const Outcome& run, const std::string& what) {
  INFO(run.err);
  CHECK(run.code == 1);
  CHECK(run.error_lines() == 1);
  CHECK(run.err_has(what));
}

}  // namespace

TEST_CASE("disclose: label, mark, metadata and manifest, read back from MP4 and Matroska; sound is kept") {
  const TemporaryFolder folder;
  ClipSpec spec = clip_spec();
  spec.audio = true;
  spec.metadata = {{"title", "a clip"}};
  const std::string in = folder / "in.mkv";
  make_clip(in, spec);
  CHECK(check(in, 1)["disclosed"] == false);
  for (const char* name : {"out.mp4", "out.mkv"}) {
    INFO(name);
    const std::string out = folder / name;
    const Outcome run = run_cocopipe({"disclose", in, out, "--provider", "Studio", "--id", "c-1", "--crf", "20"});
    INFO(run.err);
    REQUIRE(run.code == 0);
    const Contents contents = read_contents(out);
    CHECK(contents.count(AVMEDIA_TYPE_AUDIO) == 1);
    CHECK(contents.first(AVMEDIA_TYPE_VIDEO).decoded_frames == 30);
    CHECK(json::parse(contents.metadata.at("AIGC"))["ProduceID"] == "c-1");
    const json found = check(out);
    CHECK(found["producer"] == "Studio");
    CHECK(found["mark"]["found"] == true);
    CHECK(found["mark"]["vendor"] == 0xC0);
    CHECK(found["manifest_matches"] == true);
    // The label is in the first picture's upper right corner, the left half is not painted over.
    const std::vector<uint8_t> before = first_luma(in), after = first_luma(out);
    REQUIRE(before.size() == after.size());
    int light = 0, changed = 0;
    for (size_t i = 0; i < after.size(); ++i) {
      const bool right = i % 640 > 400 && i / 640 < 100;
      light += right && after[i] > 215 ? 1 : 0;
      changed += i % 640 < 320 && std::abs(after[i] - before[i]) > 40 ? 1 : 0;
    }
    CHECK(light > 300);
    CHECK(changed < 400);
  }
}

TEST_CASE("disclose: the full label stays by the clock, whatever the frame rate") {
  const TemporaryFolder folder;
  ClipSpec spec = clip_spec();
  for (int i = 0; i < 12; ++i) spec.pts.push_back(400 * i);
  make_clip(folder / "in.mkv", spec);
  REQUIRE(run_cocopipe({"disclose", folder / "in.mkv", folder / "out.mkv", "--no-mark", "--crf", "12"}).code == 0);
  std::vector<int> light;
  const auto shown = coco::filejob::show_frames(folder / "out.mkv", [&](const coco::FrameView& frame) {
    int count = 0;
    for (int y = 0; y < 100; ++y) {
      const auto* row = static_cast<const uint8_t*>(frame.data[0]) + y * frame.stride[0];
      for (int x = 400; x < 640; ++x) count += row[x] > 215 ? 1 : 0;
    }
    light.push_back(count);
    return coco::Result<bool>(true);
  });
  REQUIRE(shown.ok());
  REQUIRE(light.size() == 12);
  CHECK(light[6] > 300);           // 2.4 s: in full
  CHECK(light[7] < light[6] / 2);  // 2.8 s: the corner mark
  CHECK(light[11] > 30);
}

TEST_CASE("disclose: what is disclosed already stays so, and is passed on") {
  const TemporaryFolder folder;
  ClipSpec spec = clip_spec();
  spec.chapters = spec.audio = true;
  make_clip(folder / "in.mkv", spec);
  REQUIRE(run_cocopipe({"disclose", folder / "in.mkv", folder / "a.mp4", "--provider", "maker", "--id", "1"}).code ==
          0);
  REQUIRE(run_cocopipe({"disclose", folder / "a.mp4", folder / "b.mkv", "--copy", "--provider", "station", "--id", "2"})
              .code == 0);
  const json found = check(folder / "b.mkv");
  CHECK(found["producer"] == "maker");
  CHECK(found["mark"]["found"] == true);
  const json tag = json::parse(read_contents(folder / "b.mkv").metadata.at("AIGC"));
  CHECK(tag["ContentPropagator"] == "station");
  CHECK(tag["PropagateID"] == "2");
  // Copied: not a byte of the video changed.
  const StreamContents a = read_contents(folder / "a.mp4").first(AVMEDIA_TYPE_VIDEO);
  const StreamContents b = read_contents(folder / "b.mkv").first(AVMEDIA_TYPE_VIDEO);
  CHECK(a.decoded_frames == b.decoded_frames);
  CHECK(a.packets_sha256 == b.packets_sha256);
  CHECK(read_contents(folder / "b.mkv").count(AVMEDIA_TYPE_AUDIO) == 1);
  CHECK(read_contents(folder / "b.mkv").chapters.size() == read_contents(folder / "a.mp4").chapters.size());
  CHECK_FALSE(read_contents(folder / "b.mkv").chapters.empty());
  // The manifest of other bytes is told apart.
  fs::copy_file(folder / "a.mp4.disclosure.json", folder / "b.mkv.disclosure.json",
                fs::copy_options::overwrite_existing);
  CHECK(check(folder / "b.mkv")["manifest_matches"] == false);
}

TEST_CASE("disclose: a label is waived by a whole policy and a log, never without") {
  const TemporaryFolder folder;
  const std::string in = folder / "in.mkv", out = folder / "out.mp4", policy = folder / "policy.json";
  make_clip(in, clip_spec());
  write_text(policy,
             R"({"waive_visible_label": true, "responsible": "R. Roe", "reason": "film", "agreed": "2026-12-01"})");
  check_failure(run_cocopipe({"disclose", in, out, "--policy", policy}), "--log");
  CHECK_FALSE(fs::exists(out));
  const std::string log = folder / "log.jsonl";
  const Outcome run = run_cocopipe({"disclose", in, out, "--policy", policy, "--log", log});
  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string text = read_text(log);
  CHECK(text.find("label waived") != std::string::npos);
  CHECK(text.find("R. Roe") != std::string::npos);
  CHECK(check(out)["mark"]["found"] == true);
  int light = 0;
  const std::vector<uint8_t> luma = first_luma(out), before = first_luma(in);
  for (size_t i = 0; i < luma.size(); ++i) light += luma[i] > 225 && before[i] < 200 ? 1 : 0;
  CHECK(light < 50);
  write_text(policy, R"({"waive_visible_label": true})");
  check_failure(run_cocopipe({"disclose", in, out, "--policy", policy, "--log", log}), "'responsible'");
  write_text(log, "not a log\n");
  check_failure(run_cocopipe({"disclose", in, out, "--log", log}), "line 1");
}

TEST_CASE("disclose: bad input, one line each, nothing left behind") {
  const TemporaryFolder folder;
  const std::string out = folder / "out.mp4";
  check_failure(run_cocopipe({"disclose", folder / "missing.mp4", out}), "missing.mp4");
  write_text(folder / "text.mp4", "no video");
  check_failure(run_cocopipe({"disclose", folder / "text.mp4", out}), "text.mp4");
  check_failure(run_cocopipe({"disclose", "--check", folder / "missing.mp4"}), "missing.mp4");
  ClipSpec cover = clip_spec();
  cover.cover = true;
  cover.frames = 5;
  make_clip(folder / "cover.mp4", cover);
  check_failure(run_cocopipe({"disclose", folder / "cover.mp4", out}), "cover picture");
  check_failure(run_cocopipe({"disclose", folder / "cover.mp4", out, "--copy"}), "cover picture");
  if (fs::exists("/dev/full")) {
    make_clip(folder / "in.mkv", clip_spec());
    check_failure(run_cocopipe({"disclose", folder / "in.mkv", out, "--log", "/dev/full"}), "/dev/full");
  }
  CHECK_FALSE(fs::exists(out));
  CHECK_FALSE(fs::exists(out + ".disclosure.json"));
}
