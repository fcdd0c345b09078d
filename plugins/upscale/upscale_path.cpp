#include "plugins/upscale/upscale_path.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "coco/device.h"
#include "coco/vulkan.h"

namespace coco::plugins {
namespace {

constexpr int kTile = 64;

/// A plane's samples: of interleaved chroma two a column.
struct PlaneShape {
  int columns, rows, samples_a_column;
  int samples() const { return columns * samples_a_column; }
};

PlaneShape plane_shape(PixelFormat format, int width, int height, int plane) {
  if (plane == 0) return {width, height, 1};
  return {(width + 1) / 2, (height + 1) / 2, plane_count(format) == 2 ? 2 : 1};
}

template <typename Sample>
TileDifference tile_difference(const FrameView& a, const FrameView& b, const PlaneShape& shape, TileDifference tile) {
  const int end_x = std::min(tile.x + kTile, shape.columns) * shape.samples_a_column;
  for (int y = tile.y; y < std::min(tile.y + kTile, shape.rows); ++y) {
    const auto row = [&](const FrameView& f) {
      return reinterpret_cast<const Sample*>(static_cast<const char*>(f.data[tile.plane]) + y * f.stride[tile.plane]);
    };
    const Sample *one = row(a), *two = row(b);
    for (int x = tile.x * shape.samples_a_column; x < end_x; ++x) {
      if (one[x] == two[x]) continue;
      ++tile.samples;
      tile.largest = std::max(tile.largest, std::abs(int{one[x]} - int{two[x]}));
    }
  }
  return tile;
}

template <typename Sample>
std::optional<TileDifference> first_difference_of(const FrameView& a, const FrameView& b) {
  for (int plane = 0; plane < plane_count(a.format); ++plane) {
    const PlaneShape shape = plane_shape(a.format, a.width, a.height, plane);
    for (int y = 0; y < shape.rows; y += kTile) {
      for (int x = 0; x < shape.columns; x += kTile) {
        const TileDifference tile = tile_difference<Sample>(a, b, shape, {plane, x, y, 0, 0});
        if (tile.samples > 0) return tile;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<TileDifference> first_difference(const FrameView& a, const FrameView& b) {
  return byte_size(sample_type(a.format)) == 1 ? first_difference_of<uint8_t>(a, b)
                                               : first_difference_of<uint16_t>(a, b);
}

Result<FrameMaker> upscaler_on(std::shared_ptr<const Model> model, const vision::UpscalerConfig& config) {
  const VulkanDevice* device = config.session.vulkan.get();
  COCO_ASSIGN(std::shared_ptr<vision::Upscaler> upscaler, vision::Upscaler::create(std::move(model), config));
  FrameMaker maker;
  maker.path = device != nullptr ? "vulkan:" + device->info().name : "cpu:" + active_target();
  maker.process = [upscaler](const FrameView& in, const MutableFrameView& out) { return upscaler->process(in, out); };
  maker.reuse = [upscaler] { return upscaler->reuse_stats(); };
  return maker;
}

Result<std::unique_ptr<UpscalePath>> UpscalePath::create(FrameMaker first, Options options) {
  std::unique_ptr<UpscalePath> path(new UpscalePath(std::move(first), std::move(options)));
  if (path->options_.verify > 0) {
    COCO_ASSIGN(path->other_, path->options_.other());
    path->make_frame();
  }
  return path;
}

void UpscalePath::make_frame() {
  const size_t sample = byte_size(sample_type(options_.format));
  frame_ = {options_.format, options_.width, options_.height, {}, {}};
  std::vector<size_t> begins;
  size_t bytes = 0;
  for (int plane = 0; plane < plane_count(options_.format); ++plane) {
    const PlaneShape shape = plane_shape(options_.format, options_.width, options_.height, plane);
    begins.push_back(bytes);
    frame_.stride[plane] = static_cast<ptrdiff_t>(static_cast<size_t>(shape.samples()) * sample);
    bytes += static_cast<size_t>(frame_.stride[plane]) * static_cast<size_t>(shape.rows);
  }
  bytes_.resize(bytes);
  for (size_t plane = 0; plane < begins.size(); ++plane) frame_.data[plane] = bytes_.data() + begins[plane];
}

Result<UpscalePath::Outcome> UpscalePath::process(const FrameView& in, const MutableFrameView& out) {
  Outcome outcome;
  Status made = maker_.process(in, out);
  if (!made.ok() && made.error().code == ErrorCode::kUnavailable && options_.spare) {
    outcome.lost = made.error();
    COCO_ASSIGN(maker_, options_.spare());
    options_.spare = nullptr;
    options_.verify = 0;  // the two would be the same, or the lost device be asked again
    made = maker_.process(in, out);
  }
  COCO_TRY(std::move(made));
  if (is_verified(frames_++)) {
    if (const Status compared = other_.process(in, frame_); compared.ok()) {
      outcome.verified = true;
      outcome.difference = first_difference(out, frame_);
    } else {
      outcome.unverified = compared.error();
      options_.verify = 0;
    }
  }
  return outcome;
}

}  // namespace coco::plugins
