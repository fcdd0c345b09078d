#include "apps/filejob/disclose_stage.h"

namespace coco::filejob {

Status DiscloseStage::begin(const AVFrame& frame) {
  COCO_ASSIGN(format_, working_format(static_cast<AVPixelFormat>(frame.format), encoder_, note_));
  converter_ = std::make_unique<Converter>(format_);
  vision::DiscloserConfig config;
  config.format = format_;
  config.width = width_ = frame.width;
  config.height = height_ = frame.height;
  config.label = job_.label;
  config.mark = job_.mark;
  config.mark_strength = job_.mark_strength;
  COCO_ASSIGN(discloser_, vision::Discloser::create(config));
  return {};
}

Result<FramePtr> DiscloseStage::process(FramePtr frame) {
  if (!discloser_) COCO_TRY(begin(*frame));
  if (frame->width != width_ || frame->height != height_) {
    return make_error(ErrorCode::kUnsupported, "the source changes size from " + std::to_string(width_) + "x" +
                                                   std::to_string(height_) + " to " + std::to_string(frame->width) +
                                                   "x" + std::to_string(frame->height) +
                                                   "; scale it to one size first, then label it");
  }
  if (frame->format == AV_PIX_FMT_YUVJ420P) frame->color_range = AVCOL_RANGE_JPEG;
  COCO_ASSIGN(frame, converter_->convert(std::move(frame)));
  const int code = av_frame_make_writable(frame.get());
  if (code < 0) return av_failure("copying a frame to label it", code);
  frame->pict_type = AV_PICTURE_TYPE_NONE;
  const double seconds = static_cast<double>(frame->pts) * av_q2d(time_base_);
  COCO_ASSIGN([[maybe_unused]] const vision::LabelKind kind,
              discloser_->process(mutable_view_of(*frame, format_), seconds, true, job_.input));
  return frame;
}

void DiscloseStage::report(Report& report) const {
  report.in_width = report.out_width = width_;
  report.in_height = report.out_height = height_;
}

}  // namespace coco::filejob
