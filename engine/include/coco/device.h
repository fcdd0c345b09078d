// Purpose: what this machine offers: cores allowed to the process, instruction sets, caches.
// Ownership: values.
// Threads: any thread.
// Failure: never fails; unknown figures fall back to documented defaults.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "coco/export.h"

namespace coco {

struct CpuInfo {
  std::string model_name;        ///< as the kernel reports it; "unknown" where it does not
  int allowed_threads = 1;       ///< min(affinity mask, cgroup CPU quota rounded up), at least 1
  size_t l1d_bytes = 0;          ///< per core; 0 when unknown
  size_t l2_bytes = 512 * 1024;  ///< per core; 512 KiB when unknown
  size_t l3_bytes = 0;           ///< shared; 0 when unknown or absent
};

/// Read once per process.
COCO_API const CpuInfo& cpu_info();

// Defined by the kernels (link coco_kernels).
/// Kernel targets this CPU runs and this binary holds, best first.
COCO_API std::vector<std::string> supported_targets();
/// The kernel target in use, for example "AVX2". COCO_CPU_TARGET=NAME (environment) masks every better one.
COCO_API std::string active_target();

}  // namespace coco
