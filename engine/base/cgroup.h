// Purpose: the CPU bandwidth a control group leaves to this process.
#pragma once

#include <optional>
#include <string>

namespace coco {

/// CPUs' worth of time the process may use (2.5 = two and a half), the smallest quota of its group and all ancestors;
/// nullopt where there is none. Reads ROOT/proc/self/cgroup and ROOT/sys/fs/cgroup, versions 1 and 2. ROOT is "" on a
/// live system.
std::optional<double> cgroup_cpu_quota(const std::string& root);

/// min(cores in the affinity mask, quota rounded up), at least 1.
int allowed_threads(int affinity_cores, std::optional<double> quota);

}  // namespace coco
