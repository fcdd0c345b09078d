// The file of compiled pipelines: damage makes it none.
#include "backends/vulkan/pipeline_file.h"

#include <filesystem>
#include <fstream>

#include "base/temp_dir.h"
#include "catch.h"
#include "coco/vulkan.h"

using namespace coco;
using namespace coco::backends;
using coco::testing::TempDir;

namespace {

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

TEST_CASE("pipelines come back as they were written") {
  const TempDir folder;
  const std::string inside = folder / "a/b";
  const std::vector<uint8_t> pipelines = {1, 2, 0, 255, 10, 13};
  CHECK(read_pipelines(inside, "device 1").empty());
  REQUIRE(write_pipelines(inside, "device 1", pipelines).ok());
  CHECK(read_pipelines(inside, "device 1") == pipelines);
  CHECK(read_pipelines(inside, "device 2").empty());
  REQUIRE(write_pipelines(inside, "device 1", {}).ok());
  CHECK(read_pipelines(inside, "device 1").empty());
}

TEST_CASE("damaged, cut and foreign files of pipelines count as none") {
  const TempDir folder;
  const std::vector<uint8_t> pipelines = {1, 2, 3, 4};
  REQUIRE(write_pipelines(folder.path, "device 1", pipelines).ok());
  const std::string path = pipeline_file(folder.path, "device 1"), good = read(path);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    write(path, bad);
    CHECK(read_pipelines(folder.path, "device 1").empty());
    write(path, good.substr(0, i));
    CHECK(read_pipelines(folder.path, "device 1").empty());
  }
  write(path, good + "x");
  CHECK(read_pipelines(folder.path, "device 1").empty());
  REQUIRE(write_pipelines(folder.path, "device 2", pipelines).ok());
  std::filesystem::copy_file(pipeline_file(folder.path, "device 2"), path,
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(read_pipelines(folder.path, "device 1").empty());
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  CHECK(read_pipelines(folder.path, "device 1").empty());
  CHECK_FALSE(write_pipelines("/dev/null/x", "device 1", pipelines).ok());
}

TEST_CASE("a device keeps its pipelines and writes over a damaged file") {
  const TempDir folder;
  VulkanOptions options;
  options.cache_folder = folder / "cache";
  if (const auto device = VulkanDevice::open(-1, options); !device.ok()) {
    std::printf("skipped: %s\n", device.error().message.c_str());
    return;
  }
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "cache")) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  const std::string good = read(files[0]);
  write(files[0], good.substr(0, good.size() / 2) + "damage");
  REQUIRE(VulkanDevice::open(-1, options).ok());
  CHECK(read(files[0]).substr(0, 20) == good.substr(0, 20));
  CHECK(read(files[0]).find("damage") == std::string::npos);
  options.cache_folder = "/dev/null/nowhere";
  CHECK(VulkanDevice::open(-1, options).ok());
}
