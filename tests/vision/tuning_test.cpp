// Tuning: what is tried, what wins, what is kept, and that damage in the cache is never more than a missing entry.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "catch.h"
#include "coco/log.h"
#include "coco/tuning.h"
#include "tests/base/temp_dir.h"
#include "tests/runtime/networks.h"
#include "tests/vision/frames.h"
#include "vision/tuner.h"
#include "vision/tuning_cache.h"

using nlohmann::json;

namespace coco::vision {
namespace {

/// COCO_TUNING_DIR for as long as it lives.
class CacheFolder {
 public:
  explicit CacheFolder(const std::string& folder) {
    if (const char* before = std::getenv("COCO_TUNING_DIR")) before_ = before, was_set_ = true;
    setenv("COCO_TUNING_DIR", folder.c_str(), 1);
  }
  ~CacheFolder() {
    if (was_set_)
      setenv("COCO_TUNING_DIR", before_.c_str(), 1);
    else
      unsetenv("COCO_TUNING_DIR");
  }

 private:
  std::string before_;
  bool was_set_ = false;
};

std::shared_ptr<const Model> network(uint64_t seed = 1) {
  auto model = Model::from_program(testing::super_resolution(4, 1, seed));
  REQUIRE(model.ok());
  return *model;
}

UpscalerConfig config_of(int width, int height, PixelFormat format = PixelFormat::kI420, bool reuse = false) {
  UpscalerConfig config;
  config.format = format;
  config.in_width = width, config.in_height = height;
  config.out_width = 2 * width, config.out_height = 2 * height;
  config.session.threads = 2;
  config.session.reuse = reuse;
  return config;
}

TuningResult result_of(int strip, int band) {
  TuningResult result;
  result.plan = {strip, band};
  result.default_ms = 2, result.tuned_ms = 1;
  return result;
}

std::vector<int> upscaled(const std::shared_ptr<const Model>& model, const UpscalerConfig& config, bool* tuned) {
  const auto upscaler = Upscaler::create(model, config);
  if (!upscaler.ok()) FAIL(upscaler.error().message);
  TestFrame in(config.format, config.in_width, config.in_height),
      out(config.format, config.out_width, config.out_height);
  for (const uint32_t seed : {1u, 1u, 2u}) {
    in.fill_random(seed);
    REQUIRE((*upscaler)->process(in.view(), out.view()).ok());
  }
  *tuned = (*upscaler)->tuned();
  return out.values();
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("tuning: what is tried lies beside the planner's choice and within bounds", "[vision]") {
  for (const int width : {1, 31, 64, 640, 1280, 3840, 16384}) {
    for (const int strips : {1, 2, 3, 6, 12, 60}) {
      std::vector<int> counts{strips};
      for (const int strip : strip_widths_to_try(width, strips)) {
        INFO(width << " in " << strips << ": " << strip);
        CHECK(strip >= kMinTunedStrip);
        CHECK(strip <= kMaxTunedStrip);
        CHECK(strip % 32 == 0);
        const int count = (width + strip - 1) / strip;
        CHECK(std::find(counts.begin(), counts.end(), count) == counts.end());
        counts.push_back(count);
      }
    }
  }
  CHECK(strip_widths_to_try(3840, 6).size() >= 5);
  CHECK(band_heights_to_try(2160, 2) == std::vector<int>{540, 360, 270});
  CHECK(band_heights_to_try(40, 1).empty());
}

TEST_CASE("tuning: only a clear and steady gain replaces the planner's choice", "[vision]") {
  using Rounds = std::vector<std::vector<double>>;
  CHECK(choose(Rounds{{10, 10, 10}}) == 0);
  CHECK(choose(Rounds{{10, 10, 10}, {9.8, 9.8, 9.8}}) == 0);       // 2 %
  CHECK(choose(Rounds{{10, 10, 10}, {9, 9, 9}, {8, 8, 8}}) == 2);  // the better of two
  CHECK(choose(Rounds{{10, 10, 10}, {8, 10.5, 10.5}}) == 0);       // one lucky round
  CHECK(choose(Rounds{{10, 30, 10, 30}, {9, 27, 9, 27}}) == 1);    // a neighbour slowed both down
  CHECK(choose(Rounds{{10, 30, 30}, {9, 27, 27}}) == 0);           // ... so much that nothing is sure
  CHECK(choose(Rounds{{30, 10, 30, 10}, {9.9, 9.9, 9.9, 9.9}}) == 0);
  CHECK(choose(Rounds{{10, 10, 10}, {12}, {9, 9, 9}}) == 2);  // one dropped out
}

TEST_CASE("tuning cache: an entry comes back for its own key only", "[vision]") {
  const testing::TempDir folder;
  const std::string cache = folder / "deep/er";
  const auto model = network(), other = network(2);
  const UpscalerConfig config = config_of(64, 48);
  const TuningKey key = tuning_key(model.get(), config);
  CHECK(!read_tuning(cache, key));
  REQUIRE(write_tuning(cache, key, result_of(96, 32)).ok());
  REQUIRE(read_tuning(cache, key));
  CHECK(*read_tuning(cache, key) == TunedPlan{96, 32});

  CHECK(!read_tuning(cache, tuning_key(other.get(), config)));
  CHECK(!read_tuning(cache, tuning_key(nullptr, config)));
  std::vector<UpscalerConfig> others(6, config);
  others[0].in_width = 66;
  others[1].out_height = 98;
  others[2].session.threads = 1;
  others[3].session.reuse = true;
  others[4].format = PixelFormat::kP010_10Le;
  others[5].filter = ResampleFilter::kLanczos3;
  for (const UpscalerConfig& different : others) CHECK(!read_tuning(cache, tuning_key(model.get(), different)));
  UpscalerConfig same_luma = config;
  same_luma.format = PixelFormat::kNv12;
  CHECK(read_tuning(cache, tuning_key(model.get(), same_luma)));

  TuningKey elsewhere = key;
  elsewhere.machine += ", another one";
  CHECK(!read_tuning(cache, elsewhere));
  // Another machine's entry under this one's name, as a copied or shared folder would have it after a collision.
  REQUIRE(write_tuning(cache, elsewhere, result_of(128, 0)).ok());
  REQUIRE(rename(tuning_file(cache, elsewhere).c_str(), tuning_file(cache, key).c_str()) == 0);
  CHECK(!read_tuning(cache, key));
}

TEST_CASE("tuning cache: damage counts as no entry and is written over", "[vision]") {
  const testing::TempDir folder;
  const std::string cache = folder.path.string();
  const TuningKey key = tuning_key(nullptr, config_of(64, 48));
  const std::string file = tuning_file(cache, key);
  REQUIRE(write_tuning(cache, key, result_of(96, 32)).ok());
  const std::string good = read_text(file);
  const auto edited = [&](const char* pointer, json value) {
    json entry = json::parse(good);
    entry[json::json_pointer(pointer)] = std::move(value);
    return entry.dump();
  };
  std::vector<std::string> damaged = {
      "",
      "{",
      "null",
      "[]",
      "\"text\"",
      "\xff\xfe",
      std::string(1000, '['),
      std::string(8, '\0'),
      edited("/format", 1),
      edited("/format", 3),
      edited("/format", "2"),
      edited("/key", 1),
      edited("/key", nullptr),
      edited("/key/machine", "other"),
      edited("/key/job", json::array()),
      edited("/plan", 7),
      edited("/plan", json::array({96, 32})),
      edited("/plan/strip_width", 1),
      edited("/plan/strip_width", -96),
      edited("/plan/strip_width", 1e9),
      edited("/plan/strip_width", 2000000000),
      edited("/plan/strip_width", 0xffffffffffffffffu),
      edited("/plan/strip_width", "96"),
      edited("/plan/band_height", 1),
      edited("/plan/band_height", 96.5),
      edited("/plan/band_height", nullptr),
      edited("/plan", json::object()),
      good + std::string(kMaxTuningFile, ' '),  // valid, too large
  };
  for (size_t length = 0; length < good.rfind('}'); length += 7) damaged.push_back(good.substr(0, length));
  for (const std::string& text : damaged) {
    INFO(text.substr(0, 300));
    std::ofstream(file, std::ios::binary) << text;
    CHECK(!read_tuning(cache, key));
    tuning_cache();
  }
  REQUIRE(write_tuning(cache, key, result_of(128, 0)).ok());
  CHECK(read_tuning(cache, key) == TunedPlan{128, 0});

  // No regular file: neither read, which would wait for ever, nor replaced.
  REQUIRE(unlink(file.c_str()) == 0);
  REQUIRE(mkfifo(file.c_str(), 0600) == 0);
  CHECK(!read_tuning(cache, key));
  CHECK(!write_tuning(cache, key, result_of(128, 0)).ok());
}

TEST_CASE("tuning cache: two writers and a reader", "[vision]") {
  const testing::TempDir folder;
  const std::string cache = folder / "new";
  const TuningKey key = tuning_key(nullptr, config_of(64, 48));
  const auto write = [&](int strip) {
    for (int i = 0; i < 40; ++i) {
      if (!write_tuning(cache, key, result_of(strip, 0)).ok()) return false;
    }
    return true;
  };
  bool first = false, second = false;
  std::thread a([&] { first = write(96); }), b([&] { second = write(128); });
  int torn = 0, seen = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::optional<TunedPlan> plan = read_tuning(cache, key);
    if (!plan)
      torn += seen > 0;
    else
      ++seen, torn += *plan != TunedPlan{96, 0} && *plan != TunedPlan{128, 0};
  }
  a.join(), b.join();
  CHECK(first);
  CHECK(second);
  CHECK(torn == 0);
  CHECK(read_tuning(cache, key));
  CHECK(std::distance(std::filesystem::directory_iterator(cache), {}) == 1);  // no temporary file left
}

TEST_CASE("tuning: a tuned upscaler gives the same bytes", "[vision]") {
  const testing::TempDir folder;
  const CacheFolder cache(folder / "cache");
  const auto model = network();
  for (const bool reuse : {false, true}) {
    const UpscalerConfig config = config_of(150, 70, PixelFormat::kNv12, reuse);
    bool tuned = true;
    const std::vector<int> expected = upscaled(model, config, &tuned);
    CHECK(!tuned);
    for (const TunedPlan plan : {TunedPlan{32, 0}, TunedPlan{0, 16}, TunedPlan{96, 32}, TunedPlan{4096, 16384}}) {
      INFO(plan.strip_width << " x " << plan.band_height << (reuse ? " reuse" : ""));
      REQUIRE(
          write_tuning(tuning_folder(), tuning_key(model.get(), config), result_of(plan.strip_width, plan.band_height))
              .ok());
      CHECK(upscaled(model, config, &tuned) == expected);
      CHECK(tuned);
    }
    UpscalerConfig off = config;
    off.tuning = Tuning::kOff;
    upscaled(model, off, &tuned);
    CHECK(!tuned);
    UpscalerConfig by_hand = config;
    by_hand.session.strip_width = 64;
    upscaled(model, by_hand, &tuned);
    CHECK(!tuned);
  }
  CHECK(tuning_cache().entries == 2);
  CHECK(tuning_cache().fitting == 2);
}

TEST_CASE("tuning: measures, keeps what it found, and does so again over damage", "[vision]") {
  const testing::TempDir folder;
  const CacheFolder cache(folder / "cache");
  const auto model = network();
  for (const PixelFormat format : kAllFormats) {
    for (const bool reuse : {false, true}) {
      INFO(to_string(format) << (reuse ? " reuse" : ""));
      const UpscalerConfig config = config_of(300, 70, format, reuse);
      const auto result = tune(model, config, 0);
      if (!result.ok()) FAIL(result.error().message);
      CHECK(result->candidates > 1);
      CHECK(result->default_ms > 0);
      CHECK(result->tuned_ms > 0);
      CHECK(result->tuned_ms <= result->default_ms);
      CHECK(result->file == tuning_file(tuning_folder(), tuning_key(model.get(), config)));
      CHECK(read_tuning(tuning_folder(), tuning_key(model.get(), config)) == result->plan);
      std::ofstream(result->file, std::ios::binary) << "damage";
      UpscalerConfig measure = config;
      measure.tuning = Tuning::kMeasure;
      if (format != PixelFormat::kI420 || reuse) continue;  // once: it takes its two seconds
      REQUIRE(Upscaler::create(model, measure).ok());
      CHECK(read_tuning(tuning_folder(), tuning_key(model.get(), config)));
    }
  }
  // Nothing to plan: the frames are copied.
  UpscalerConfig same = config_of(64, 48);
  same.out_width = 64, same.out_height = 48;
  const auto copied = tune(model, same, 0);
  REQUIRE(copied.ok());
  CHECK(copied->plan == TunedPlan{});
}

TEST_CASE("tuning: without a folder to write to it works and says so once", "[vision]") {
  const testing::TempDir folder;
  folder.put("file", "not a folder");
  const auto model = network();
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel, std::string_view line) { lines.emplace_back(line); });
  for (const std::string& path : {folder / "file/cache", std::string()}) {
    const CacheFolder cache(path);
    lines.clear();
    const auto result = tune(model, config_of(96, 40), 0);
    CHECK(result.ok());
    CHECK(result->file.empty());
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("tuning is not kept") != std::string::npos);
    bool tuned = true;
    upscaled(model, config_of(96, 40), &tuned);
    CHECK(!tuned);
    CHECK(lines.size() == 1);
  }
  set_log_sink({});
}

TEST_CASE("tuning cache: its folder", "[vision]") {
  const auto set = [](const char* name, const char* value) {
    if (value != nullptr)
      setenv(name, value, 1);
    else
      unsetenv(name);
  };
  const CacheFolder restored("");
  const char* const names[] = {"XDG_CACHE_HOME", "HOME"};
  std::vector<std::optional<std::string>> before;
  for (const char* name : names) {
    const char* value = std::getenv(name);
    before.push_back(value != nullptr ? std::optional<std::string>(value) : std::nullopt);
  }
  CHECK(tuning_folder().empty());
  unsetenv("COCO_TUNING_DIR");
  set("HOME", "/home/somebody"), set("XDG_CACHE_HOME", "/cache");
  CHECK(tuning_folder() == "/cache/cocopipe/tuning");
  set("XDG_CACHE_HOME", "relative");
  CHECK(tuning_folder() == "/home/somebody/.cache/cocopipe/tuning");
  set("XDG_CACHE_HOME", nullptr), set("HOME", nullptr);
  CHECK(tuning_folder().empty());
  for (size_t i = 0; i < before.size(); ++i) set(names[i], before[i] ? before[i]->c_str() : nullptr);
}

}  // namespace coco::vision
