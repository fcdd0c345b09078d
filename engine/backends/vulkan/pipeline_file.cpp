// "cocopipe pipelines 1\n", the key and '\n', the SHA-256 of what follows and '\n', the driver's own data.
#include "backends/vulkan/pipeline_file.h"

#include <filesystem>

#include "base/file.h"
#include "base/mapped_file.h"

namespace coco::backends {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string header(const std::string& key, std::span<const uint8_t> pipelines) {
  return "cocopipe pipelines 1\n" + key + "\n" + sha256_hex(pipelines) + "\n";
}

}  // namespace

std::string pipeline_file(const std::string& folder, const std::string& key) {
  return folder + "/" + sha256_hex(bytes_of(key)).substr(0, 32) + ".pipelines";
}

std::vector<uint8_t> read_pipelines(const std::string& folder, const std::string& key) {
  const auto file = MappedFile::open(pipeline_file(folder, key), kMaxPipelineFile);
  if (!file.ok()) return {};
  const std::span<const uint8_t> bytes = (*file)->bytes();
  const size_t length = header(key, {}).size();
  if (bytes.size() < length) return {};
  const std::span<const uint8_t> pipelines = bytes.subspan(length);
  if (std::string(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)) != header(key, pipelines)) return {};
  return {pipelines.begin(), pipelines.end()};
}

Status write_pipelines(const std::string& folder, const std::string& key, std::span<const uint8_t> pipelines) {
  const std::string head = header(key, pipelines);
  if (head.size() + pipelines.size() > kMaxPipelineFile)
    return make_error(ErrorCode::kResourceLimit,
                      "the driver's pipelines take " + std::to_string(pipelines.size()) + " bytes; they are not kept");
  std::error_code ignored;  // the write below says what is wrong
  std::filesystem::create_directories(folder, ignored);
  std::vector<uint8_t> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), pipelines.begin(), pipelines.end());
  return write_file_atomically(pipeline_file(folder, key), bytes);
}

}  // namespace coco::backends
