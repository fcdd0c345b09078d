#include "apps/filejob/picture.h"

namespace coco::filejob {
namespace {

bool is_rgb(AVPixelFormat format) {
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(format);
  return descriptor != nullptr && (descriptor->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

bool is_full_range(const AVFrame& frame, AVPixelFormat format) {
  if (is_rgb(format)) return true;
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

AVColorSpace matrix_of(const AVFrame& frame) {
  if (frame.colorspace != AVCOL_SPC_UNSPECIFIED && frame.colorspace != AVCOL_SPC_RGB) return frame.colorspace;
  return frame.height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

// swscale numbers its coefficient tables by the values of AVColorSpace.
const int* coefficients(AVColorSpace matrix) { return sws_getCoefficients(static_cast<int>(matrix)); }

}  // namespace

std::optional<PixelFormat> direct_format(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_GRAY8:
      return PixelFormat::kGray8;
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P:
      return PixelFormat::kI420;
    case AV_PIX_FMT_NV12:
      return PixelFormat::kNv12;
    case AV_PIX_FMT_YUV420P10LE:
      return PixelFormat::kI420_10Le;
    case AV_PIX_FMT_P010LE:
      return PixelFormat::kP010_10Le;
    default:
      return std::nullopt;
  }
}

AVPixelFormat av_format(PixelFormat format) {
  switch (format) {
    case PixelFormat::kGray8:
      return AV_PIX_FMT_GRAY8;
    case PixelFormat::kI420:
      return AV_PIX_FMT_YUV420P;
    case PixelFormat::kNv12:
      return AV_PIX_FMT_NV12;
    case PixelFormat::kI420_10Le:
      return AV_PIX_FMT_YUV420P10LE;
    case PixelFormat::kP010_10Le:
      return AV_PIX_FMT_P010LE;
  }
  return AV_PIX_FMT_NONE;
}

PixelFormat nearest_format(AVPixelFormat format) {
  if (const auto direct = direct_format(format)) return *direct;
  const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(format);
  return descriptor != nullptr && descriptor->comp[0].depth > 8 ? PixelFormat::kI420_10Le : PixelFormat::kI420;
}

FrameView view_of(const AVFrame& frame, PixelFormat format) {
  FrameView view{format, frame.width, frame.height, {}, {}};
  for (int plane = 0; plane < plane_count(format); ++plane) {
    view.data[static_cast<size_t>(plane)] = frame.data[plane];
    view.stride[static_cast<size_t>(plane)] = frame.linesize[plane];
  }
  return view;
}

MutableFrameView mutable_view_of(AVFrame& frame, PixelFormat format) {
  MutableFrameView view{format, frame.width, frame.height, {}, {}};
  for (int plane = 0; plane < plane_count(format); ++plane) {
    view.data[static_cast<size_t>(plane)] = frame.data[plane];
    view.stride[static_cast<size_t>(plane)] = frame.linesize[plane];
  }
  return view;
}

ChromaSite chroma_site_of(const AVFrame& frame) {
  switch (frame.chroma_location) {
    case AVCHROMA_LOC_CENTER:
      return ChromaSite::kCenter;
    case AVCHROMA_LOC_TOPLEFT:
      return ChromaSite::kTopLeft;
    default:
      return ChromaSite::kLeft;
  }
}

Result<FramePtr> FramePool::get(AVPixelFormat format, int width, int height) {
  const int needed = av_image_get_buffer_size(format, width, height, static_cast<int>(kBufferAlignment));
  if (needed < 0) return av_failure("picture of " + std::to_string(width) + "x" + std::to_string(height), needed);
  const size_t bytes = static_cast<size_t>(needed) + kReadPadding + kBufferAlignment;
  if (!pool_ || bytes != bytes_) {
    pool_.reset(av_buffer_pool_init(bytes, nullptr));
    bytes_ = bytes;
  }
  FramePtr frame(av_frame_alloc());
  if (!pool_ || !frame) return make_error(ErrorCode::kResourceLimit, "out of memory for a picture");
  frame->buf[0] = av_buffer_pool_get(pool_.get());
  if (frame->buf[0] == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for a picture");
  frame->format = format;
  frame->width = width;
  frame->height = height;
  const auto address = reinterpret_cast<uintptr_t>(frame->buf[0]->data);
  uint8_t* aligned = frame->buf[0]->data + (kBufferAlignment - address % kBufferAlignment) % kBufferAlignment;
  av_image_fill_arrays(frame->data, frame->linesize, aligned, format, width, height,
                       static_cast<int>(kBufferAlignment));
  return frame;
}

Status Converter::prepare(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const bool same = sws_ && frame.width == width_ && frame.height == height_ && frame.format == source_format_ &&
                    frame.color_range == range_ && frame.colorspace == matrix_;
  if (same) return {};
  const AVPixelFormat target = av_format(target_);
  sws_.reset(sws_getContext(frame.width, frame.height, format, frame.width, frame.height, target,
                            SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  const char* name = av_get_pix_fmt_name(format);
  if (!sws_) {
    return make_error(ErrorCode::kUnsupported, "no conversion from pixel format '" +
                                                   std::string(name != nullptr ? name : "unknown") +
                                                   "'; convert the video to yuv420p first");
  }
  const int full = is_full_range(frame, format) ? 1 : 0;
  const int out_full = is_rgb(format) ? 0 : full;
  const int* table = coefficients(matrix_of(frame));
  // Fails for conversions without a matrix (grey), which then need none.
  (void)sws_setColorspaceDetails(sws_.get(), table, full, table, out_full, 0, 1 << 16, 1 << 16);
  width_ = frame.width;
  height_ = frame.height;
  source_format_ = frame.format;
  range_ = frame.color_range;
  matrix_ = frame.colorspace;
  description_ = std::string(name) + " to " + av_get_pix_fmt_name(target);
  return {};
}

Result<FramePtr> Converter::convert(FramePtr frame) {
  const auto format = static_cast<AVPixelFormat>(frame->format);
  if (direct_format(format) == target_) return frame;
  COCO_TRY(prepare(*frame));
  COCO_ASSIGN(FramePtr out, pool_.get(av_format(target_), frame->width, frame->height));
  const int rows = sws_scale(sws_.get(), frame->data, frame->linesize, 0, frame->height, out->data, out->linesize);
  if (rows < 0) return av_failure("pixel format conversion (" + description_ + ")", rows);
  av_frame_copy_props(out.get(), frame.get());
  if (is_rgb(format)) {
    out->colorspace = matrix_of(*frame);
    out->color_range = AVCOL_RANGE_MPEG;
  } else if (is_full_range(*frame, format)) {
    out->color_range = AVCOL_RANGE_JPEG;
  }
  return out;
}

Result<std::vector<uint8_t>> to_rgb24(const AVFrame& frame) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const SwsPtr sws(sws_getContext(frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24,
                                  SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP, nullptr,
                                  nullptr, nullptr));
  if (!sws) return make_error(ErrorCode::kUnsupported, "no conversion of this pixel format to RGB");
  const int* table = coefficients(matrix_of(frame));
  (void)sws_setColorspaceDetails(sws.get(), table, is_full_range(frame, format) ? 1 : 0, table, 1, 0, 1 << 16, 1 << 16);
  const size_t row = static_cast<size_t>(frame.width) * 3;
  // swscale writes whole vectors; the tail is cut off afterwards.
  std::vector<uint8_t> rgb(row * static_cast<size_t>(frame.height) + 64);
  uint8_t* planes[4] = {rgb.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {static_cast<int>(row), 0, 0, 0};
  const int rows = sws_scale(sws.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
  if (rows < 0) return av_failure("conversion to RGB", rows);
  rgb.resize(rgb.size() - 64);
  return rgb;
}

}  // namespace coco::filejob
