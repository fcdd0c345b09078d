#include "plugins/support/video_frame.h"

#include <algorithm>
#include <string>
#include <utility>

namespace coco::plugins {
namespace {

std::string describe(const GstVideoInfo& info) {
  return std::string(gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info))) + " " +
         std::to_string(GST_VIDEO_INFO_WIDTH(&info)) + "x" + std::to_string(GST_VIDEO_INFO_HEIGHT(&info));
}

/// Bytes of one row, and rows, of plane p.
std::pair<ptrdiff_t, ptrdiff_t> plane_extent(const GstVideoInfo& info, guint plane) {
  ptrdiff_t row = 0, rows = 0;
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
    if (GST_VIDEO_INFO_COMP_PLANE(&info, c) != plane) continue;
    row = static_cast<ptrdiff_t>(GST_VIDEO_INFO_COMP_WIDTH(&info, c)) * GST_VIDEO_INFO_COMP_PSTRIDE(&info, c);
    rows = GST_VIDEO_INFO_COMP_HEIGHT(&info, c);
  }
  return {row, rows};
}

}  // namespace

std::optional<PixelFormat> pixel_format_of(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::kI420;
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::kNv12;
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::kGray8;
    case GST_VIDEO_FORMAT_I420_10LE:
      return PixelFormat::kI420_10Le;
    case GST_VIDEO_FORMAT_P010_10LE:
      return PixelFormat::kP010_10Le;
    default:
      return std::nullopt;
  }
}

ChromaSite chroma_site_of(GstVideoChromaSite site) {
  const bool horizontal = site & GST_VIDEO_CHROMA_SITE_H_COSITED;
  const bool vertical = site & GST_VIDEO_CHROMA_SITE_V_COSITED;
  if (horizontal && vertical) return ChromaSite::kTopLeft;
  if (site == GST_VIDEO_CHROMA_SITE_NONE || vertical) return ChromaSite::kCenter;
  return ChromaSite::kLeft;
}

Result<MappedFrame> MappedFrame::map(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags) {
  MappedFrame mapped;
  mapped.info_ = info;
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  const bool other = meta && (meta->format != GST_VIDEO_INFO_FORMAT(&info) ||
                              static_cast<gint>(meta->width) < GST_VIDEO_INFO_WIDTH(&info) ||
                              static_cast<gint>(meta->height) < GST_VIDEO_INFO_HEIGHT(&info));
  const auto mode = static_cast<GstMapFlags>(flags | static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF));
  if (other || !gst_video_frame_map(&mapped.frame_, &mapped.info_, buffer, mode)) {
    return make_error(ErrorCode::kInvalidData, "a buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                                                   " bytes does not hold the " + describe(info) +
                                                   " picture its caps announce; the element before is at fault");
  }
  mapped.mapped_ = true;
  COCO_TRY(mapped.check_extent());
  return mapped;
}

MappedFrame::MappedFrame(MappedFrame&& other) noexcept
    : frame_(other.frame_), info_(other.info_), mapped_(std::exchange(other.mapped_, false)) {}

MappedFrame::~MappedFrame() {
  if (mapped_) gst_video_frame_unmap(&frame_);
}

// gst_video_frame_map believes the meta's strides; a plane must also lie inside its memory.
Status MappedFrame::check_extent() const {
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info_); ++p) {
    const bool per_plane = frame_.meta != nullptr;
    const GstMapInfo& memory = per_plane ? frame_.map[p] : frame_.map[0];
    const auto [row, rows] = plane_extent(info_, p);
    const ptrdiff_t first = static_cast<const guint8*>(frame_.data[p]) - memory.data;
    const ptrdiff_t last = first + (rows - 1) * static_cast<ptrdiff_t>(GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, p));
    if (std::min(first, last) >= 0 && std::max(first, last) + row <= static_cast<ptrdiff_t>(memory.size)) continue;
    return make_error(ErrorCode::kInvalidData, "plane " + std::to_string(p) + " of a " + describe(info_) +
                                                   " buffer lies outside its memory; the element before is at fault");
  }
  return {};
}

MutableFrameView MappedFrame::mutable_view() const {
  MutableFrameView view;
  view.format = *pixel_format_of(GST_VIDEO_INFO_FORMAT(&info_));
  view.width = GST_VIDEO_INFO_WIDTH(&info_);
  view.height = GST_VIDEO_INFO_HEIGHT(&info_);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info_); ++p) {
    view.data[p] = frame_.data[p];
    view.stride[p] = GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, p);
  }
  return view;
}

}  // namespace coco::plugins
