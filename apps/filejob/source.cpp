#include "apps/filejob/source.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "apps/filejob/filejob.h"

namespace coco::filejob {
namespace {

constexpr int64_t kEarly = AV_TIME_BASE / 2;
constexpr int64_t kJumpThreshold = 10 * int64_t{AV_TIME_BASE};

bool is_url(const std::string& path) { return path.find("://") != std::string::npos; }

int stop_requested(void* opaque) {
  const auto* stop = static_cast<const std::atomic<int>*>(opaque);
  return stop != nullptr && stop->load() != 0 ? 1 : 0;
}

Error not_a_video(const std::string& path, int code) {
  return make_error(ErrorCode::kInvalidData, "cannot read '" + path + "' as a video: " + av_reason(code) +
                                                 "; check the file with a player, it may be incomplete or not a video");
}

Result<AVStream*> pick_video(AVFormatContext& format, const std::string& path) {
  AVStream* best = nullptr;
  for (unsigned i = 0; i < format.nb_streams; ++i) {
    AVStream* stream = format.streams[i];
    if (stream->codecpar->codec_type != AVMEDIA_TYPE_VIDEO) continue;
    if ((stream->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) continue;
    const bool is_default = (stream->disposition & AV_DISPOSITION_DEFAULT) != 0;
    const bool best_default = best != nullptr && (best->disposition & AV_DISPOSITION_DEFAULT) != 0;
    if (best == nullptr || (is_default && !best_default)) best = stream;
  }
  if (best == nullptr) {
    return make_error(ErrorCode::kInvalidData, "'" + path + "' holds no video stream; give a file with a picture");
  }
  return best;
}

Result<CodecContextPtr> open_decoder(const AVStream& stream, const std::string& path) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  const std::string name = avcodec_get_name(stream.codecpar->codec_id);
  if (codec == nullptr) {
    return make_error(ErrorCode::kUnsupported, "no decoder for '" + name + "' video of '" + path +
                                                   "'; convert the file first, or install an FFmpeg that has it");
  }
  CodecContextPtr decoder(avcodec_alloc_context3(codec));
  if (!decoder) return make_error(ErrorCode::kResourceLimit, "out of memory for the decoder");
  int code = avcodec_parameters_to_context(decoder.get(), stream.codecpar);
  decoder->pkt_timebase = stream.time_base;
  decoder->thread_count = 0;
  if (code >= 0) code = avcodec_open2(decoder.get(), codec, nullptr);
  if (code < 0) return av_failure("cannot start the '" + name + "' decoder for '" + path + "'", code);
  return decoder;
}

}  // namespace

Result<std::string> input_url(const std::string& path) {
  if (is_url(path)) return path;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return make_error(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                      "cannot open '" + path + "': " + std::strerror(errno) + "; check the path");
  }
  if (S_ISDIR(info.st_mode)) {
    return make_error(ErrorCode::kInvalidArgument, "'" + path + "' is a directory; give one video file");
  }
  if (S_ISREG(info.st_mode) && info.st_size == 0) {
    return make_error(ErrorCode::kInvalidData, "'" + path + "' is empty (0 bytes); give a video file");
  }
  return "file:" + path;
}

FrameClock::FrameClock(const AVFormatContext& format, const AVStream& stream) {
  AVRational rate = stream.avg_frame_rate;
  const bool raw = (format.iformat->flags & AVFMT_NOTIMESTAMPS) != 0;
  if (rate.num <= 0 || rate.den <= 0 || raw) {
    if (stream.r_frame_rate.num > 0 && stream.r_frame_rate.den > 0) rate = stream.r_frame_rate;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
    // From FFmpeg 6.1 on r_frame_rate may count fields.
    const AVRational coded = stream.codecpar->framerate;
    if (raw && coded.num > 0 && coded.den > 0) rate = coded;
#endif
  }
  if (rate.num > 0 && rate.den > 0 && av_q2d(rate) <= 1000) {
    frame_rate_ = rate;
  } else {
    guessed_rate_ = raw;
  }
  counted_ = raw;
  // Half frames, so that a repeated field is a whole number.
  time_base_ = counted_ ? av_inv_q(av_mul_q(frame_rate_, {2, 1})) : stream.time_base;
}

void FrameClock::stamp(AVFrame& frame) {
  int64_t duration = frame_duration(frame);
  if (counted_) {
    duration = 2 + frame.repeat_pict;
    frame.pts = next_;
  } else {
    if (duration <= 0) duration = av_rescale_q(1, av_inv_q(frame_rate_), time_base_);
    frame.pts = frame.best_effort_timestamp != AV_NOPTS_VALUE ? frame.best_effort_timestamp : next_;
  }
  set_frame_duration(frame, duration);
  next_ = frame.pts + duration;
}

Source::Source(std::string path, InputPtr format, AVStream* video, CodecContextPtr decoder)
    : path_(std::move(path)),
      format_(std::move(format)),
      video_(video),
      decoder_(std::move(decoder)),
      clock_(*format_, *video_),
      next_dts_(format_->nb_streams, AV_NOPTS_VALUE) {
  const bool broadcast = (format_->iformat->flags & AVFMT_TS_DISCONT) != 0;
  if (broadcast && format_->start_time != AV_NOPTS_VALUE) start_offset_ = format_->start_time;
}

Result<std::unique_ptr<Source>> Source::open(const std::string& path, const std::atomic<int>* stop) {
  capture_av_log();
  forget_log_line();
  COCO_ASSIGN(const std::string url, input_url(path));
  AVFormatContext* raw = avformat_alloc_context();
  if (raw == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for the demuxer");
  raw->interrupt_callback = {stop_requested, const_cast<std::atomic<int>*>(stop)};
  int code = avformat_open_input(&raw, url.c_str(), nullptr, nullptr);
  if (code < 0) return not_a_video(path, code);
  InputPtr format(raw);
#if LIBAVFORMAT_VERSION_MAJOR < 61
  // HDR metadata the container holds reaches the frames; later versions do this by themselves.
  av_format_inject_global_side_data(format.get());
#endif
  code = avformat_find_stream_info(format.get(), nullptr);
  if (code < 0) return not_a_video(path, code);
  COCO_ASSIGN(AVStream * video, pick_video(*format, path));
  COCO_ASSIGN(CodecContextPtr decoder, open_decoder(*video, path));
  return std::unique_ptr<Source>(new Source(path, std::move(format), video, std::move(decoder)));
}

int64_t Source::expected_frames() const {
  if (video_->nb_frames > 0) return video_->nb_frames;
  const double rate = av_q2d(clock_.frame_rate());
  if (video_->duration > 0) return static_cast<int64_t>(video_->duration * av_q2d(video_->time_base) * rate + 0.5);
  if (format_->duration > 0) {
    return static_cast<int64_t>(static_cast<double>(format_->duration) / AV_TIME_BASE * rate + 0.5);
  }
  return 0;
}

bool Source::read(AVPacket& packet) {
  const int code = av_read_frame(format_.get(), &packet);
  if (code < 0) {
    if (code != AVERROR_EOF && code != AVERROR_EXIT) read_error_ = av_reason(code);
    return false;
  }
  if ((format_->iformat->flags & AVFMT_TS_DISCONT) != 0) smooth_discontinuity(packet);
  if (packet.pts != AV_NOPTS_VALUE) {
    const AVRational base = format_->streams[packet.stream_index]->time_base;
    last_end_ = std::max(last_end_, av_rescale_q(packet.pts + packet.duration, base, {1, AV_TIME_BASE}));
  }
  return true;
}

bool Source::ended_early() const {
  if (format_->duration <= 0 || format_->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return false;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    // The stream that is left out may be the long one.
    if (format_->streams[i]->discard == AVDISCARD_ALL) return false;
  }
  const int64_t start = format_->start_time != AV_NOPTS_VALUE ? format_->start_time : 0;
  return last_end_ < start + format_->duration - kEarly;
}

// Broadcast streams may jump in time (a splice, a restarted clock). The jump is taken out for all streams alike, so
// that picture and sound stay together.
void Source::smooth_discontinuity(AVPacket& packet) {
  const auto index = static_cast<size_t>(packet.stream_index);
  if (index >= next_dts_.size()) next_dts_.resize(index + 1, AV_NOPTS_VALUE);
  const AVStream& stream = *format_->streams[index];
  const AVRational microseconds{1, AV_TIME_BASE};
  const bool steady =
      stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO || stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  if (packet.dts != AV_NOPTS_VALUE && steady) {
    const int64_t dts = av_rescale_q(packet.dts, stream.time_base, microseconds) - start_offset_ - jump_offset_;
    const int64_t jump = next_dts_[index] == AV_NOPTS_VALUE ? 0 : dts - next_dts_[index];
    if (jump > kJumpThreshold || jump < -kJumpThreshold) jump_offset_ += jump;
    next_dts_[index] = av_rescale_q(packet.dts, stream.time_base, microseconds) - start_offset_ - jump_offset_ +
                       av_rescale_q(packet.duration, stream.time_base, microseconds);
  }
  const int64_t offset = av_rescale_q(start_offset_ + jump_offset_, microseconds, stream.time_base);
  if (packet.pts != AV_NOPTS_VALUE) packet.pts -= offset;
  if (packet.dts != AV_NOPTS_VALUE) packet.dts -= offset;
}

void Source::decode(const AVPacket* packet, const std::function<bool(FramePtr)>& sink) {
  int code = avcodec_send_packet(decoder_.get(), packet);
  if (code < 0 && code != AVERROR_EOF) ++decode_errors_;
  if (packet != nullptr && (packet->flags & AV_PKT_FLAG_CORRUPT) != 0) ++decode_errors_;
  for (;;) {
    FramePtr frame(av_frame_alloc());
    if (!frame) return;
    code = avcodec_receive_frame(decoder_.get(), frame.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
    if (code < 0) {
      ++decode_errors_;
      continue;
    }
    clock_.stamp(*frame);
    frame->sample_aspect_ratio = av_guess_sample_aspect_ratio(format_.get(), video_, frame.get());
    if (!sink(std::move(frame))) return;
  }
}

}  // namespace coco::filejob
