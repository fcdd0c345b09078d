#include "coco/device.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "base/cgroup.h"

namespace coco {
namespace {

int affinity_cores() {
  // The kernel refuses masks smaller than its own; grow until it fits.
  for (int cpus = 1024; cpus <= (1 << 18); cpus *= 2) {
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> mask(CPU_ALLOC(cpus), [](cpu_set_t* m) { CPU_FREE(m); });
    if (!mask) break;
    CPU_ZERO_S(bytes, mask.get());
    if (sched_getaffinity(0, bytes, mask.get()) == 0) return std::max(1, CPU_COUNT_S(bytes, mask.get()));
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::string read_model_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) != 0 && line.rfind("Model", 0) != 0) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    if (start != std::string::npos) return line.substr(start);
  }
  return "unknown";
}

/// Bytes of the data or unified cache of this level, 0 when unknown.
size_t cache_from_sysfs(int wanted_level) {
  for (int index = 0; index < 8; ++index) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    int level = 0;
    std::string type;
    if (!(std::ifstream(folder + "/level") >> level) || level != wanted_level) continue;
    if (std::ifstream(folder + "/type") >> type && type == "Instruction") continue;
    size_t size = 0;
    char unit = 0;
    std::ifstream file(folder + "/size");
    if (!(file >> size)) continue;
    file >> unit;
    return unit == 'M' ? size << 20 : unit == 'K' ? size << 10 : size;
  }
  return 0;
}

size_t read_l2_bytes() {
  if (const size_t bytes = cache_from_sysfs(2); bytes > 0) return bytes;
#ifdef _SC_LEVEL2_CACHE_SIZE
  if (const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0) return static_cast<size_t>(bytes);
#endif
  return CpuInfo{}.l2_bytes;
}

}  // namespace

const CpuInfo& cpu_info() {
  static const CpuInfo* info = new CpuInfo{read_model_name(), allowed_threads(affinity_cores(), cgroup_cpu_quota("")),
                                           cache_from_sysfs(1), read_l2_bytes(), cache_from_sysfs(3)};
  return *info;
}

}  // namespace coco
