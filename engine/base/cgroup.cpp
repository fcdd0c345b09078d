#include "base/cgroup.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace coco {
namespace {

using Quota = std::optional<double>;

Quota smaller(Quota a, Quota b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

// Version 2: "max 100000" or "150000 100000".
Quota read_cpu_max(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota_text;
  double period = 0;
  if (!(file >> quota_text >> period) || quota_text == "max" || period <= 0) return std::nullopt;
  std::istringstream parser(quota_text);
  double quota = 0;
  if (!(parser >> quota) || quota <= 0) return std::nullopt;
  return quota / period;
}

// Version 1: two files; a quota of -1 means none.
Quota read_cfs(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// Reads the group's folder and every ancestor's up to the mount point. In a container without a cgroup namespace the
// path names folders that are not visible here; the mount point itself then is the container's group.
template <typename Reader>
Quota smallest_on_path(const std::string& mount, std::string path, Reader read) {
  Quota quota = read(mount);
  while (!path.empty() && path != "/") {
    quota = smaller(quota, read(mount + path));
    const size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) break;
    path.resize(slash);
  }
  return quota;
}

bool lists_cpu_controller(const std::string& controllers) {
  std::istringstream list(controllers);
  std::string name;
  while (std::getline(list, name, ',')) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

Quota cgroup_cpu_quota(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  const std::string mount = root + "/sys/fs/cgroup";
  Quota quota;
  std::string line;
  while (std::getline(file, line)) {
    // hierarchy:controllers:path
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      quota = smaller(quota, smallest_on_path(mount, path, read_cpu_max));
      quota = smaller(quota, smallest_on_path(mount + "/unified", path, read_cpu_max));
    } else if (lists_cpu_controller(controllers)) {
      const Quota named = smallest_on_path(mount + "/" + controllers, path, read_cfs);
      quota = smaller(quota, named ? named : smallest_on_path(mount + "/cpu", path, read_cfs));
    }
  }
  return quota;
}

int allowed_threads(int affinity_cores, Quota quota) {
  const int cores = std::max(1, affinity_cores);
  if (!quota) return cores;
  // A quota beyond the cores changes nothing; compared as double so that a huge one does not overflow.
  const double rounded = std::ceil(*quota);
  return rounded >= cores ? cores : std::max(1, static_cast<int>(rounded));
}

}  // namespace coco
