#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "apps/cocopipe/command.h"
#include "apps/filejob/filejob.h"
#include "coco/device.h"
#include "coco/tuning.h"
#include "coco/vision.h"
#include "coco/vulkan.h"

namespace coco::cli {
namespace {

namespace fs = std::filesystem;

void row(const char* state, const std::string& what, const std::string& detail) {
  std::printf("%-8s %-22s %s\n", state, what.c_str(), detail.c_str());
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& entry : list) {
    if (!text.empty()) text += ", ";
    text += entry;
  }
  return text;
}

std::string find_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const size_t colon = rest.find(':');
    const fs::path candidate = fs::path(rest.substr(0, colon)) / program;
    std::error_code error;
    if (fs::is_regular_file(candidate, error)) return candidate.string();
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return "";
}

/// Exit status of a shell command that is silenced and given 30 seconds.
bool succeeds(const std::string& command) {
  const int status = std::system(("timeout 30 " + command + " >/dev/null 2>&1").c_str());
  return status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void check_cpu() {
  const CpuInfo& cpu = cpu_info();
  row("ok", "CPU", cpu.model_name);
  row("ok", "threads",
      std::to_string(cpu.allowed_threads) + " allowed to this process of " +
          std::to_string(std::thread::hardware_concurrency()) + " in the machine");
  row("ok", "kernel target", active_target() + " (of " + joined(supported_targets()) + ")");
  row("ok", "caches",
      "L1 " + std::to_string(cpu.l1d_bytes / 1024) + ", L2 " + std::to_string(cpu.l2_bytes / 1024) +
          " KiB per core, L3 " + std::to_string(cpu.l3_bytes / 1024) + " KiB");
}

void check_vulkan() {
  const Result<std::vector<VulkanDeviceInfo>> devices = list_vulkan_devices();
  if (!devices.ok()) return row("missing", "Vulkan", "optional; " + devices.error().message);
  if (devices->empty()) return row("missing", "Vulkan", "optional; no device");
  for (const VulkanDeviceInfo& device : *devices)
    row("ok", "Vulkan device " + std::to_string(device.index),
        device.name + (device.driver.empty() ? "" : ", " + device.driver) + (device.software ? ", software" : ""));
}

void check_tuning() {
  const vision::TuningCache cache = vision::tuning_cache();
  if (cache.folder.empty()) return row("ok", "tuning cache", "none; plans are the planner's own");
  row("ok", "tuning cache",
      cache.folder + ": " + std::to_string(cache.fitting) + " of " + std::to_string(cache.entries) +
          " entries fit this machine" + (cache.fitting == 0 ? "; cocopipe tune-device adds some" : ""));
}

bool check_models() {
  std::vector<std::string> names;
  for (const vision::ShippedModel& model : vision::list_models()) names.push_back(model.name);
  if (!names.empty()) {
    row("ok", "models", joined(names));
    return true;
  }
  row("missing", "models", "build target coco_models, or set COCO_MODEL_PATH to a folder of .coco files");
  return false;
}

bool check_ffmpeg() {
  row("ok", "FFmpeg", filejob::library_versions());
  const std::vector<std::string> encoders = filejob::available_encoders();
  if (encoders.empty()) {
    row("missing", "video encoders", "apt-get install libavcodec-extra");
    return false;
  }
  const bool x264 = std::find(encoders.begin(), encoders.end(), "libx264") != encoders.end();
  row("ok", "video encoders", joined(encoders));
  if (!x264) row("missing", "libx264", "the default encoder; apt-get install libavcodec59 (Debian 12) or libavcodec61");
  return true;
}

void check_element(const char* element, const char* package) {
  if (succeeds(std::string("gst-inspect-1.0 --exists ") + element)) {
    row("ok", element, "");
  } else {
    row("missing", element, std::string("apt-get install ") + package);
  }
}

void check_gstreamer() {
  if (find_in_path("gst-inspect-1.0").empty()) {
    row("missing", "GStreamer tools", "apt-get install gstreamer1.0-tools (needed for gst-launch-1.0 and this check)");
    return;
  }
  row("ok", "GStreamer tools", find_in_path("gst-inspect-1.0"));
  const fs::path folder = fs::path(program_folder()) / ".." / "lib" / "gstreamer-1.0";
  std::error_code error;
  const fs::path plugin = fs::weakly_canonical(folder / "libgstcoco.so", error);
  const bool beside = fs::exists(plugin, error);
  if (succeeds("gst-inspect-1.0 --exists cocoupscale")) {
    row("ok", "cocoupscale", "GStreamer finds it");
  } else if (beside && succeeds("env GST_PLUGIN_PATH='" + plugin.parent_path().string() +
                                "' gst-inspect-1.0 --exists cocoupscale")) {
    row("ok", "cocoupscale", "with GST_PLUGIN_PATH=" + plugin.parent_path().string());
  } else {
    row("missing", "cocoupscale",
        beside ? plugin.string() + " does not load; run GST_DEBUG=3 gst-inspect-1.0 on it" : "build target gstcoco");
  }
  check_element("decodebin", "gstreamer1.0-plugins-base");
  check_element("qtdemux", "gstreamer1.0-plugins-good");
  check_element("h264parse", "gstreamer1.0-plugins-bad");
  check_element("x264enc", "gstreamer1.0-plugins-ugly");
  check_element("avdec_h264", "gstreamer1.0-libav");
}

void check_trainer() {
  std::error_code error;
  const fs::path trainer = fs::path(program_folder()) / "cocopipe-tune";
  if (fs::exists(trainer, error)) {
    row("ok", "trainer", trainer.string());
  } else {
    row("missing", "trainer", "optional; apt-get install libtorch-dev libopencv-dev and build cocopipe-tune");
  }
}

Result<int> doctor() {
  row("ok", "cocopipe", COCO_VERSION);
  check_cpu();
  check_vulkan();
  check_tuning();
  const bool models = check_models();
  const bool ffmpeg = check_ffmpeg();
  check_gstreamer();
  check_trainer();
  std::fflush(stdout);
  if (models && ffmpeg) return static_cast<int>(kOk);
  return make_error(ErrorCode::kUnavailable, "files cannot be upscaled until the missing lines above are dealt with");
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("doctor", "say what is installed, what is missing and how to get it");
  command->footer("Ends with 1 when files could not be upscaled here.\nExample: cocopipe doctor");
  command->callback([&action] { action = [] { return doctor(); }; });
}

}  // namespace coco::cli
