#include "vision/tuning_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "coco/device.h"

namespace coco::vision {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Raised when the files' layout changes, or the plans' meaning.
constexpr int kFormat = 2;
/// Files looked at when the cache is counted.
constexpr int kMaxCounted = 10000;

/// Printable ASCII; a processor's name may hold anything.
std::string plain(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

std::string machine_text() {
  const CpuInfo& cpu = cpu_info();
  return plain(cpu.model_name) + "; caches " + std::to_string(cpu.l1d_bytes) + " " + std::to_string(cpu.l2_bytes) +
         " " + std::to_string(cpu.l3_bytes) + "; " + active_target() + "; cocopipe " COCO_VERSION;
}

const char* samples_text(SampleType type) {
  switch (type) {
    case SampleType::kU8:
      return "u8";
    case SampleType::kU16Lsb10:
      return "u10 low";
    case SampleType::kU16Msb10:
      return "u10 high";
    case SampleType::kF32:
      return "f32";
  }
  return "";
}

json to_json(const TuningKey& key) { return {{"machine", key.machine}, {"program", key.program}, {"job", key.job}}; }

/// The bytes of a regular file of at most kMaxTuningFile, "" for anything else. Never waits, not for a pipe either.
std::string read_small_file(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return "";
  struct stat info;
  std::string text;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= static_cast<off_t>(kMaxTuningFile)) {
    text.resize(static_cast<size_t>(info.st_size));
    size_t done = 0;
    for (ssize_t got = 1; done < text.size() && got > 0; done += static_cast<size_t>(got)) {
      got = read(fd, text.data() + done, text.size() - done);
      if (got < 0) break;
    }
    text.resize(done);
  }
  close(fd);
  return text;
}

/// An object of this layout, or null.
json read_entry(const std::string& path) {
  json entry = json::parse(read_small_file(path), nullptr, /*allow_exceptions=*/false);
  if (!entry.is_object() || entry.value("format", json()) != kFormat || !entry.contains("key")) return nullptr;
  return entry;
}

/// 0, or within the bounds.
std::optional<int> read_length(const json& plan, const char* name, int low, int high) {
  const json value = plan.value(name, json());
  if (!value.is_number_unsigned()) return std::nullopt;
  const auto length = value.get<uint64_t>();
  if (length != 0 && (length < static_cast<uint64_t>(low) || length > static_cast<uint64_t>(high))) return std::nullopt;
  return static_cast<int>(length);
}

}  // namespace

TuningKey tuning_key(const Model* model, const UpscalerConfig& config) {
  const auto size = [](int width, int height) { return std::to_string(width) + "x" + std::to_string(height); };
  const int threads = config.session.threads > 0 ? config.session.threads : cpu_info().allowed_threads;
  TuningKey key;
  key.machine = machine_text();
  if (model != nullptr) key.program = model->sha256();
  key.job = size(config.in_width, config.in_height) + " to " + size(config.out_width, config.out_height) + "; " +
            samples_text(sample_type(config.format)) + "; " +
            (config.filter == ResampleFilter::kBicubic ? "bicubic" : "lanczos") + "; threads " +
            std::to_string(threads) + (config.session.reuse ? "; reuse" : "");
  return key;
}

std::string tuning_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  if (std::getenv("COCO_TUNING_DIR") != nullptr) return variable("COCO_TUNING_DIR");
  // A relative XDG_CACHE_HOME is to be ignored (XDG base directory specification).
  if (const std::string cache = variable("XDG_CACHE_HOME"); cache.rfind('/', 0) == 0) return cache + "/cocopipe/tuning";
  const std::string home = variable("HOME");
  return home.rfind('/', 0) == 0 ? home + "/.cache/cocopipe/tuning" : "";
}

std::string tuning_file(const std::string& folder, const TuningKey& key) {
  const std::string text = to_json(key).dump(-1, ' ', false, json::error_handler_t::replace);
  return folder + "/" + sha256_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()}).substr(0, 32) +
         ".json";
}

std::optional<TunedPlan> read_tuning(const std::string& folder, const TuningKey& key) {
  if (folder.empty()) return std::nullopt;
  const json entry = read_entry(tuning_file(folder, key));
  if (!entry.is_object() || entry["key"] != to_json(key)) return std::nullopt;
  const json plan = entry.value("plan", json());
  if (!plan.is_object()) return std::nullopt;
  const std::optional<int> strip = read_length(plan, "strip_width", kMinTunedStrip, kMaxTunedStrip);
  const std::optional<int> band = read_length(plan, "band_height", kMinTunedBand, kMaxTunedBand);
  if (!strip || !band) return std::nullopt;
  return TunedPlan{*strip, *band};
}

Status write_tuning(const std::string& folder, const TuningKey& key, const TuningResult& result) {
  if (folder.empty()) {
    return make_error(ErrorCode::kUnavailable,
                      "there is no cache folder to keep tuning in; set COCO_TUNING_DIR, XDG_CACHE_HOME or HOME");
  }
  const nlohmann::ordered_json entry = {
      {"format", kFormat},
      {"key", to_json(key)},
      {"plan", {{"strip_width", result.plan.strip_width}, {"band_height", result.plan.band_height}}},
      {"measured", {{"default_ms", result.default_ms}, {"tuned_ms", result.tuned_ms}}},
  };
  std::error_code ignored;  // the write below says what is wrong
  fs::create_directories(folder, ignored);
  const std::string text = entry.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  return write_file_atomically(tuning_file(folder, key), {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TuningCache tuning_cache() {
  TuningCache cache;
  cache.folder = tuning_folder();
  if (cache.folder.empty()) return cache;
  std::error_code failed;
  const std::string machine = machine_text();
  for (fs::directory_iterator it(cache.folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (it->path().extension() != ".json") continue;
    if (++cache.entries > kMaxCounted) break;
    const json entry = read_entry(it->path().string());
    if (entry.is_object() && entry["key"].is_object() && entry["key"].value("machine", json()) == machine)
      ++cache.fitting;
  }
  return cache;
}

}  // namespace coco::vision
