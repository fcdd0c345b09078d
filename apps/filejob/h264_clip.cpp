#include "apps/filejob/h264_clip.h"

#include <algorithm>
#include <cstring>

#include "apps/filejob/av.h"

namespace coco::filejob {
namespace {

using quality::Plane8;

constexpr int kSmallestSide = 16;
// Frame types by rule, nothing decided by a thread's progress, and the same on every processor: what libx264 164 does
// with AVX-512 differs from call to call otherwise.
constexpr const char* kDeterministic =
    "threads=1:sync-lookahead=0:b-adapt=0:bframes=2:scenecut=0:non-deterministic=0:cpu-independent=1";

/// 4:2:0 wants even sides.
int padded(int side) { return std::max(kSmallestSide, (side + 1) / 2 * 2); }

Result<CodecContextPtr> open_encoder(const Plane8& first, double crf) {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr) {
    return make_error(ErrorCode::kUnavailable, "this FFmpeg has no encoder libx264; install one that has");
  }
  CodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context) return make_error(ErrorCode::kResourceLimit, "out of memory for the encoder");
  context->width = padded(first.width);
  context->height = padded(first.height);
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = {1, 25};
  context->framerate = {25, 1};
  context->thread_count = 1;
  int code = av_opt_set_double(context->priv_data, "crf", crf, 0);
  if (code >= 0) code = av_opt_set(context->priv_data, "preset", "fast", 0);
  if (code >= 0) code = av_opt_set(context->priv_data, "x264-params", kDeterministic, 0);
  if (code >= 0) code = avcodec_open2(context.get(), codec, nullptr);
  if (code < 0) return av_failure("cannot start libx264", code);
  return context;
}

Result<CodecContextPtr> open_decoder() {
  const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_H264);
  if (codec == nullptr) return make_error(ErrorCode::kUnavailable, "this FFmpeg has no H.264 decoder");
  CodecContextPtr context(avcodec_alloc_context3(codec));
  if (!context) return make_error(ErrorCode::kResourceLimit, "out of memory for the decoder");
  context->thread_count = 1;
  const int code = avcodec_open2(context.get(), codec, nullptr);
  if (code < 0) return av_failure("cannot start the H.264 decoder", code);
  return context;
}

/// Repeats the last sample of each row and the last row.
Result<FramePtr> to_frame(const Plane8& plane, int64_t pts) {
  FramePtr frame(av_frame_alloc());
  if (!frame) return make_error(ErrorCode::kResourceLimit, "out of memory for a frame");
  frame->width = padded(plane.width);
  frame->height = padded(plane.height);
  frame->format = AV_PIX_FMT_YUV420P;
  frame->pts = pts;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return make_error(ErrorCode::kResourceLimit, "out of memory");
  for (int y = 0; y < frame->height; ++y) {
    uint8_t* row = frame->data[0] + static_cast<ptrdiff_t>(y) * frame->linesize[0];
    const uint8_t* from = plane.data.data() + static_cast<ptrdiff_t>(std::min(y, plane.height - 1)) * plane.width;
    std::copy_n(from, plane.width, row);
    std::fill(row + plane.width, row + frame->width, from[plane.width - 1]);
  }
  for (int c = 1; c <= 2; ++c) {
    std::memset(frame->data[c], 128, static_cast<size_t>(frame->linesize[c]) * static_cast<size_t>(frame->height / 2));
  }
  return frame;
}

Plane8 to_plane(const AVFrame& frame, int width, int height) {
  Plane8 plane{width, height, {}};
  plane.data.reserve(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int y = 0; y < height; ++y) {
    const uint8_t* row = frame.data[0] + static_cast<ptrdiff_t>(y) * frame.linesize[0];
    plane.data.insert(plane.data.end(), row, row + width);
  }
  return plane;
}

bool wants_more(int code) { return code == AVERROR(EAGAIN) || code == AVERROR_EOF; }

/// One run of encoder and decoder.
class RoundTrip {
 public:
  RoundTrip(const std::vector<Plane8>& frames, std::vector<Plane8>& decoded) : frames_(frames), decoded_(decoded) {}

  Status run(double crf) {
    COCO_ASSIGN(encoder_, open_encoder(frames_.front(), crf));
    COCO_ASSIGN(decoder_, open_decoder());
    packet_.reset(av_packet_alloc());
    frame_.reset(av_frame_alloc());
    if (!packet_ || !frame_) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
    for (size_t i = 0; i < frames_.size(); ++i) {
      COCO_ASSIGN(const FramePtr frame, to_frame(frames_[i], static_cast<int64_t>(i)));
      COCO_TRY(encode(frame.get()));
    }
    COCO_TRY(encode(nullptr));
    return decode(nullptr);
  }

 private:
  Status encode(const AVFrame* frame) {
    int code = avcodec_send_frame(encoder_.get(), frame);
    while (code >= 0) {
      code = avcodec_receive_packet(encoder_.get(), packet_.get());
      if (code < 0) break;
      const Status status = decode(packet_.get());
      av_packet_unref(packet_.get());
      COCO_TRY(status);
    }
    return wants_more(code) ? Status() : av_failure("encoding with libx264", code);
  }

  Status decode(const AVPacket* packet) {
    int code = avcodec_send_packet(decoder_.get(), packet);
    while (code >= 0) {
      code = avcodec_receive_frame(decoder_.get(), frame_.get());
      if (code < 0) break;
      const Plane8& like = frames_.front();
      if (frame_->width < like.width || frame_->height < like.height) break;
      decoded_.push_back(to_plane(*frame_, like.width, like.height));
    }
    return wants_more(code) ? Status() : av_failure("decoding H.264", code);
  }

  const std::vector<Plane8>& frames_;
  std::vector<Plane8>& decoded_;
  CodecContextPtr encoder_, decoder_;
  PacketPtr packet_;
  FramePtr frame_;
};

}  // namespace

Result<std::vector<Plane8>> code_h264(const std::vector<Plane8>& frames, double crf) {
  if (frames.empty() || frames.front().width < 1 || frames.front().height < 1 || !(crf >= 0 && crf <= 51)) {
    return make_error(ErrorCode::kInvalidArgument, "H.264 needs a picture and a crf from 0 to 51");
  }
  for (const Plane8& frame : frames) {
    if (frame.width != frames.front().width || frame.height != frames.front().height) {
      return make_error(ErrorCode::kInvalidArgument, "the frames of a clip must have one size");
    }
  }
  capture_av_log();
  forget_log_line();
  std::vector<Plane8> decoded;
  COCO_TRY(RoundTrip(frames, decoded).run(crf));
  if (decoded.size() == frames.size()) return decoded;
  return make_error(ErrorCode::kInternal, "libx264 and the decoder gave " + std::to_string(decoded.size()) + " of " +
                                              std::to_string(frames.size()) + " frames");
}

}  // namespace coco::filejob
