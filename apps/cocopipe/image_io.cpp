#include "apps/cocopipe/image_io.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/file.h"
#include "base/mapped_file.h"

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 32768
#include <stb/stb_image.h>
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace coco::cli {
namespace {

constexpr size_t kMaxImageBytes = size_t{1} << 29;

void append(void* context, void* data, int size) {
  auto& bytes = *static_cast<std::vector<uint8_t>*>(context);
  const auto* begin = static_cast<const uint8_t*>(data);
  bytes.insert(bytes.end(), begin, begin + size);
}

}  // namespace

Result<Image> read_image(const std::string& path) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMaxImageBytes));
  const auto bytes = file->bytes();
  const int length = static_cast<int>(bytes.size());
  Image image;
  int stored = 0;
  if (stbi_info_from_memory(bytes.data(), length, &image.width, &image.height, &stored) == 0) {
    return make_error(ErrorCode::kInvalidData,
                      "cannot read picture '" + path + "': " + stbi_failure_reason() + "; PNG and JPEG are taken");
  }
  image.channels = stored <= 2 ? 1 : 3;
  stbi_uc* samples = stbi_load_from_memory(bytes.data(), length, &image.width, &image.height, &stored, image.channels);
  if (samples == nullptr) {
    return make_error(ErrorCode::kInvalidData, "cannot read picture '" + path + "': " + stbi_failure_reason());
  }
  const size_t count =
      static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * static_cast<size_t>(image.channels);
  image.data.assign(samples, samples + count);
  stbi_image_free(samples);
  return image;
}

Status write_png(const std::string& path, const Image& image) {
  std::vector<uint8_t> bytes;
  const int row = image.width * image.channels;
  if (stbi_write_png_to_func(append, &bytes, image.width, image.height, image.channels, image.data.data(), row) == 0) {
    return make_error(ErrorCode::kResourceLimit, "cannot encode '" + path + "' as PNG");
  }
  return write_file_atomically(path, bytes);
}

Result<std::vector<std::string>> list_images(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<std::string> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string extension = it->path().extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (extension == ".png" || extension == ".jpg" || extension == ".jpeg") files.push_back(it->path().string());
  }
  if (error) {
    return make_error(ErrorCode::kNotFound, "cannot read folder '" + folder + "': " + error.message());
  }
  if (files.empty()) {
    return make_error(ErrorCode::kNotFound, "folder '" + folder + "' holds no .png or .jpg pictures");
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace coco::cli
