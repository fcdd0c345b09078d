#include "apps/filejob/upscale_stage.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace coco::filejob {
namespace {

constexpr int kMaxSide = 16384;

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

// The display aspect ratio stays: (in_w * sar) / in_h == (out_w * out_sar) / out_h.
AVRational scaled_aspect(const AVFrame& in, int out_width, int out_height) {
  AVRational aspect = in.sample_aspect_ratio;
  const bool known = aspect.num > 0 && aspect.den > 0;
  if (!known) aspect = {1, 1};
  int num = 0, den = 1;
  av_reduce(&num, &den, int64_t{aspect.num} * in.width * out_height, int64_t{aspect.den} * in.height * out_width,
            65535);
  if (num <= 0 || den <= 0) return in.sample_aspect_ratio;
  return !known && num == den ? AVRational{0, 1} : AVRational{num, den};
}

}  // namespace

Status UpscaleStage::begin(const AVFrame& frame) {
  COCO_ASSIGN(format_, working_format(static_cast<AVPixelFormat>(frame.format), encoder_, note_));
  converter_ = std::make_unique<Converter>(format_);
  first_width_ = frame.width;
  first_height_ = frame.height;
  int width = job_.out_width > 0 ? job_.out_width : static_cast<int>(std::lround(frame.width * job_.scale));
  int height = job_.out_height > 0 ? job_.out_height : static_cast<int>(std::lround(frame.height * job_.scale));
  const bool subsampled = format_ != PixelFormat::kGray8;
  if (encoder_ != nullptr && subsampled && (width % 2 != 0 || height % 2 != 0)) {
    const std::string asked = size_text(width, height);
    width += width % 2;
    height += height % 2;
    note_("4:2:0 video needs even sides: " + asked + " became " + size_text(width, height));
  }
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    return make_error(ErrorCode::kInvalidArgument, "output size " + size_text(width, height) + " is outside 1.." +
                                                       std::to_string(kMaxSide) + "; choose --size or --scale to fit");
  }
  out_width_ = width;
  out_height_ = height;
  const AVRational before = frame.sample_aspect_ratio.num > 0 ? frame.sample_aspect_ratio : AVRational{1, 1};
  const AVRational after = scaled_aspect(frame, width, height);
  if (after.num > 0 && std::abs(av_q2d(after) / av_q2d(before) - 1) > 0.01) {
    note_("the shape " + size_text(width, height) + " differs from the source's; the display aspect ratio is kept by " +
          "pixels of " + std::to_string(after.num) + ":" + std::to_string(after.den));
  }
  if (is_interlaced(frame)) {
    note_("the source is interlaced; its frames are upscaled as they are, deinterlace it first for a better picture");
  }
  return {};
}

Status UpscaleStage::prepare(const AVFrame& frame) {
  const ChromaSite site = chroma_site_of(frame);
  if (upscaler_) {
    const vision::UpscalerConfig& current = upscaler_->config();
    const bool same_size = current.in_width == frame.width && current.in_height == frame.height;
    if (same_size && current.chroma_site == site) return {};
    if (!same_size) {
      ++changes_;
      note_("the source changes size from " + size_text(current.in_width, current.in_height) + " to " +
            size_text(frame.width, frame.height) + "; the output stays " + size_text(out_width_, out_height_));
    }
  }
  vision::UpscalerConfig config;
  config.format = format_;
  config.in_width = frame.width;
  config.in_height = frame.height;
  config.out_width = out_width_;
  config.out_height = out_height_;
  config.chroma_site = site;
  config.filter = job_.filter;
  config.session = job_.session;
  config.tuning = job_.tuning;
  COCO_ASSIGN(upscaler_, vision::Upscaler::create(job_.model, config));
  return {};
}

// Everything but the samples is the source's; what belongs to its size or its bit stream goes.
void UpscaleStage::dress(AVFrame& out, const AVFrame& in) const {
  av_frame_copy_props(&out, &in);
  out.pict_type = AV_PICTURE_TYPE_NONE;
  clear_interlaced(out);
  out.crop_left = out.crop_right = out.crop_top = out.crop_bottom = 0;
  constexpr std::array kStale = {AV_FRAME_DATA_MOTION_VECTORS,   AV_FRAME_DATA_REGIONS_OF_INTEREST,
                                 AV_FRAME_DATA_VIDEO_ENC_PARAMS, AV_FRAME_DATA_PANSCAN,
                                 AV_FRAME_DATA_DOVI_RPU_BUFFER,  AV_FRAME_DATA_DOVI_METADATA};
  for (const AVFrameSideDataType type : kStale) av_frame_remove_side_data(&out, type);
  out.sample_aspect_ratio = scaled_aspect(in, out_width_, out_height_);
}

void UpscaleStage::report(Report& report) const {
  report.in_width = first_width_;
  report.in_height = first_height_;
  report.out_width = out_width_;
  report.out_height = out_height_;
  report.resolution_changes = changes_;
  if (!upscaler_) return;
  report.executor = upscaler_->stats().executor;
  report.threads = upscaler_->stats().threads;
  report.reused = tiles_ > 0 ? static_cast<double>(kept_) / static_cast<double>(tiles_) : 0;
}

Result<FramePtr> UpscaleStage::process(FramePtr frame) {
  if (!converter_) COCO_TRY(begin(*frame));
  if (frame->format == AV_PIX_FMT_YUVJ420P) frame->color_range = AVCOL_RANGE_JPEG;
  COCO_ASSIGN(frame, converter_->convert(std::move(frame)));
  if (!noted_conversion_ && !converter_->description().empty()) {
    noted_conversion_ = true;
    note_("pixel format converted: " + converter_->description());
  }
  COCO_TRY(prepare(*frame));
  COCO_ASSIGN(FramePtr out, pool_.get(av_format(format_), out_width_, out_height_));
  COCO_TRY(upscaler_->process(view_of(*frame, format_), mutable_view_of(*out, format_)));
  tiles_ += upscaler_->reuse_stats().tiles;
  kept_ += upscaler_->reuse_stats().kept;
  dress(*out, *frame);
  return out;
}

}  // namespace coco::filejob
