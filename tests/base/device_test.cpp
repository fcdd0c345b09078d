#include "coco/device.h"
#include "base/cgroup.h"
#include "catch.h"
#include "tests/base/temp_dir.h"

using namespace coco;
using coco::testing::TempDir;

namespace {

std::optional<double> quota(const TempDir& root) { return cgroup_cpu_quota(root.path.string()); }

}  // namespace

TEST_CASE("version 2: the smallest quota on the way to the root counts") {
  TempDir root;
  root.put("proc/self/cgroup", "0::/user.slice/app.scope\n");
  root.put("sys/fs/cgroup/user.slice/app.scope/cpu.max", "max 100000\n");
  CHECK_FALSE(quota(root).has_value());
  root.put("sys/fs/cgroup/user.slice/cpu.max", "250000 100000\n");
  CHECK(quota(root) == 2.5);
  root.put("sys/fs/cgroup/user.slice/app.scope/cpu.max", "50000 100000\n");
  CHECK(quota(root) == 0.5);
  root.put("sys/fs/cgroup/cpu.max", "20000 100000\n");
  CHECK(quota(root) == 0.2);
}

TEST_CASE("version 2 inside a container whose path is not visible") {
  TempDir root;
  root.put("proc/self/cgroup", "0::/docker/0123456789abcdef\n");
  root.put("sys/fs/cgroup/cpu.max", "150000 100000\n");
  CHECK(quota(root) == 1.5);
  root.put("proc/self/cgroup", "0::/../..\n");
  CHECK(quota(root) == 1.5);
}

TEST_CASE("version 1: quota and period in two files") {
  TempDir root;
  root.put("proc/self/cgroup", "12:memory:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n3:cpuset:/c\n");
  root.put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
  root.put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
  CHECK_FALSE(quota(root).has_value());
  root.put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "300000\n");
  root.put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
  CHECK(quota(root) == 3.0);
}

TEST_CASE("version 1 mounted as cpu, beside an empty version 2 line") {
  TempDir root;
  root.put("proc/self/cgroup", "4:cpuacct,cpu:/x\n0::/x\n");
  root.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "120000\n");
  root.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(quota(root) == 1.2);
}

TEST_CASE("damaged or missing files mean no quota") {
  TempDir root;
  CHECK_FALSE(quota(root).has_value());
  root.put("proc/self/cgroup", "nonsense\n\n0::\n0::relative\n::\n");
  CHECK_FALSE(quota(root).has_value());
  for (const char* text : {"", "max", "-5 100000", "100000 0", "abc def", "100000"}) {
    root.put("sys/fs/cgroup/cpu.max", text);
    CHECK_FALSE(quota(root).has_value());
  }
}

TEST_CASE("threads: cores in the mask, or the quota rounded up") {
  CHECK(allowed_threads(8, std::nullopt) == 8);
  CHECK(allowed_threads(8, 2.5) == 3);
  CHECK(allowed_threads(8, 2.0) == 2);
  CHECK(allowed_threads(2, 64.0) == 2);
  CHECK(allowed_threads(8, 0.1) == 1);
  CHECK(allowed_threads(8, 1e300) == 8);
  CHECK(allowed_threads(0, std::nullopt) == 1);
}

TEST_CASE("this machine's figures are plausible") {
  const CpuInfo& info = cpu_info();
  CHECK(info.allowed_threads >= 1);
  CHECK(info.l2_bytes >= 16 * 1024);
  CHECK_FALSE(info.model_name.empty());
  CHECK(&cpu_info() == &info);
}
