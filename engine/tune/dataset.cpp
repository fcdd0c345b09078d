#include "tune/dataset.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>

namespace coco::tune {
namespace {

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  std::string e = path.extension().string();
  std::transform(e.begin(), e.end(), e.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr std::array<const char*, 5> kKnown = {".png", ".jpg", ".jpeg", ".bmp", ".webp"};
  return std::find(kKnown.begin(), kKnown.end(), e) != kKnown.end();
}

/// Adds the folder's images in order; links that lead nowhere count as images.
Status list_images(const fs::path& folder, std::vector<fs::path>& paths) {
  std::error_code failure;
  const auto before = static_cast<ptrdiff_t>(paths.size());
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end; it.increment(failure)) {
    std::error_code ignored;
    if (has_image_extension(it->path()) && !it->is_directory(ignored)) paths.push_back(it->path());
  }
  if (failure) return make_error(ErrorCode::kIo, "cannot read folder '" + folder.string() + "': " + failure.message());
  if (static_cast<ptrdiff_t>(paths.size()) == before) {
    return make_error(ErrorCode::kNotFound, "no images in '" + folder.string() + "' (.png, .jpg, .jpeg, .bmp, .webp)");
  }
  std::sort(paths.begin() + before, paths.end());
  return {};
}

Result<std::vector<fs::path>> list_sources(const std::vector<std::string>& sources) {
  std::vector<fs::path> paths;
  for (const std::string& source : sources) {
    std::error_code failure;
    if (fs::is_directory(source, failure)) {
      COCO_TRY(list_images(source, paths));
    } else if (has_image_extension(source)) {
      paths.emplace_back(source);
    } else {
      return make_error(ErrorCode::kNotFound, "no folder '" + source + "'; give the folder that holds the images");
    }
  }
  return paths;
}

Result<ImagePair> load_pair(const fs::path& path, const PairOptions& options) {
  COCO_ASSIGN(const quality::Plane8 luma, read_luma(path.string()));
  const int step = options.scale * options.multiple;
  const int width = luma.width / step * options.multiple, height = luma.height / step * options.multiple;
  if (std::min(width, height) < std::max(options.smallest, 1)) {
    return make_error(ErrorCode::kInvalidData, "image '" + path.string() + "' is too small: fewer than " +
                                                   std::to_string(std::max(options.smallest, 1)) +
                                                   " low resolution pixels a side");
  }
  return make_pair(path.filename().string(), luma, options);
}

/// The interleaved pixels as RGB, whatever the file's order and alpha.
std::vector<uint8_t> to_rgb(const cv::Mat& image) {
  const auto channels = static_cast<size_t>(image.channels());
  std::vector<uint8_t> rgb;
  rgb.reserve(static_cast<size_t>(image.rows) * static_cast<size_t>(image.cols) * 3);
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* p = image.ptr<uint8_t>(y);
    for (int x = 0; x < image.cols; ++x, p += channels) rgb.insert(rgb.end(), {p[2], p[1], p[0]});
  }
  return rgb;
}

/// Copies a square whose element (x, y) is src[x * dx + y * dy].
void copy_square(const uint8_t* src, ptrdiff_t dx, ptrdiff_t dy, int size, uint8_t* dst) {
  for (int y = 0; y < size; ++y) {
    const uint8_t* row = src + dy * y;
    for (int x = 0; x < size; ++x) *dst++ = row[dx * x];
  }
}

/// One of the eight dihedral transforms: bit 0 mirrors x, bit 1 mirrors y, bit 2 transposes.
void copy_transformed(const quality::Plane8& plane, int left, int top, int size, unsigned transform, uint8_t* dst) {
  const ptrdiff_t stride = plane.width;
  const uint8_t* src = plane.data.data() + top * stride + left;
  ptrdiff_t dx = 1, dy = stride;
  if (transform & 1u) {
    src += size - 1;
    dx = -1;
  }
  if (transform & 2u) {
    src += (size - 1) * stride;
    dy = -stride;
  }
  if (transform & 4u) std::swap(dx, dy);
  copy_square(src, dx, dy, size, dst);
}

}  // namespace

Result<quality::Plane8> read_luma(const std::string& path) {
  cv::Mat image;
  try {
    image = cv::imread(path, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& e) {
    return make_error(ErrorCode::kInvalidData, "cannot decode image '" + path + "': " + e.err);
  }
  if (image.empty()) return make_error(ErrorCode::kInvalidData, "cannot decode image '" + path + "'");
  if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() < 3)) {
    return make_error(ErrorCode::kUnsupported, "image '" + path + "' is not 8-bit grey or RGB; convert it");
  }
  if (image.channels() == 1) {
    quality::Plane8 plane{image.cols, image.rows, {}};
    for (int y = 0; y < image.rows; ++y) {
      plane.data.insert(plane.data.end(), image.ptr<uint8_t>(y), image.ptr<uint8_t>(y) + image.cols);
    }
    return plane;
  }
  return quality::luma_from_rgb(to_rgb(image).data(), image.cols, image.rows);
}

ImagePair make_pair(std::string name, const quality::Plane8& luma, const PairOptions& options) {
  ImagePair pair{std::move(name), quality::crop_to_multiple(luma, options.scale * options.multiple), {}};
  pair.lr = quality::resize_bicubic(pair.hr, pair.hr.width / options.scale, pair.hr.height / options.scale);
  return pair;
}

Result<LoadedPairs> load_pairs(const std::vector<std::string>& sources, const PairOptions& options) {
  COCO_ASSIGN(const auto paths, list_sources(sources));
  LoadedPairs loaded;
  loaded.pairs.reserve(paths.size());
  for (const fs::path& path : paths) {
    auto pair = load_pair(path, options);
    if (pair.ok()) {
      loaded.pairs.push_back(std::move(pair).value());
    } else {
      loaded.skipped.push_back(pair.error().message);
    }
  }
  if (static_cast<int>(loaded.pairs.size()) < std::max(options.fewest, 1)) {
    std::string message = "only " + std::to_string(loaded.pairs.size()) + " usable images, at least " +
                          std::to_string(std::max(options.fewest, 1)) + " are needed";
    if (!loaded.skipped.empty()) {
      message += "; " + std::to_string(loaded.skipped.size()) + " were skipped, the first: " + loaded.skipped.front();
    }
    return make_error(ErrorCode::kInvalidData, std::move(message));
  }
  return loaded;
}

void add_shrunk(std::vector<ImagePair>& images, const std::vector<double>& factors, const PairOptions& options) {
  const size_t originals = images.size();
  for (const double factor : factors) {
    for (size_t i = 0; i < originals; ++i) {
      const quality::Plane8& hr = images[i].hr;
      const int width = static_cast<int>(hr.width * factor), height = static_cast<int>(hr.height * factor);
      if (std::min(width, height) / options.scale < options.smallest) continue;
      images.push_back(make_pair(images[i].name, quality::resize_bicubic(hr, width, height), options));
    }
  }
}

Status check_patch_size(const std::vector<ImagePair>& images, int size) {
  for (const ImagePair& image : images) {
    if (image.lr.width < size || image.lr.height < size) {
      return make_error(ErrorCode::kInvalidArgument, "image '" + image.name + "' has fewer than " +
                                                         std::to_string(size) +
                                                         " low resolution pixels a side; remove it or give a smaller "
                                                         "--patch");
    }
  }
  return {};
}

void sample_patches(const std::vector<ImagePair>& images, int count, int size, int scale, Random& random,
                    PatchBatch& batch) {
  const auto lr_area = static_cast<size_t>(size) * static_cast<size_t>(size);
  const size_t hr_area = lr_area * static_cast<size_t>(scale) * static_cast<size_t>(scale);
  batch.count = count;
  batch.size = size;
  batch.scale = scale;
  batch.lr.resize(lr_area * static_cast<size_t>(count));
  batch.hr.resize(hr_area * static_cast<size_t>(count));
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    const ImagePair& image = images[random.below(static_cast<uint32_t>(images.size()))];
    const auto copies = static_cast<uint32_t>(image.degraded.size());
    const quality::Plane8& lr = copies > 0 ? image.degraded[random.below(copies)] : image.lr;
    const int x = static_cast<int>(random.below(static_cast<uint32_t>(image.lr.width - size + 1)));
    const int y = static_cast<int>(random.below(static_cast<uint32_t>(image.lr.height - size + 1)));
    const unsigned transform = random.below(8);
    copy_transformed(lr, x, y, size, transform, batch.lr.data() + i * lr_area);
    copy_transformed(image.hr, x * scale, y * scale, size * scale, transform, batch.hr.data() + i * hr_area);
  }
}

}  // namespace coco::tune
