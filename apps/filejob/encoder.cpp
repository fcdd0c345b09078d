#include "apps/filejob/encoder.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace coco::filejob {
namespace {

constexpr std::array kPreferred = {"libx264",    "libx265",     "libsvtav1", "libvpx-vp9",
                                   "libaom-av1", "libopenh264", "mpeg4",     "ffv1"};
constexpr int kDefaultCrf = 18;
constexpr double kBitsPerPixel = 0.12;  // for encoders without constant quality

bool container_holds(const AVOutputFormat* container, AVCodecID codec) {
  return container == nullptr || avformat_query_codec(container, codec, FF_COMPLIANCE_NORMAL) != 0;
}

std::string join_encoders(const AVOutputFormat* container) {
  std::string list;
  for (const char* name : kPreferred) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name);
    if (codec == nullptr || !container_holds(container, codec->id)) continue;
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list.empty() ? "none" : list;
}

bool has_option(AVCodecContext& context, const char* name) {
  return context.priv_data != nullptr && av_opt_find(context.priv_data, name, nullptr, 0, 0) != nullptr;
}

// libx264 tells a wrong name on standard error by itself, and only once the encoder starts.
Status check_preset(const std::string& encoder, const std::string& preset) {
  if (encoder != "libx264" && encoder != "libx265") return {};
  constexpr std::array kPresets = {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                   "medium",    "slow",      "slower",   "veryslow", "placebo"};
  if (std::find(kPresets.begin(), kPresets.end(), preset) != kPresets.end()) return {};
  std::string list;
  for (const char* name : kPresets) list += list.empty() ? name : std::string(", ") + name;
  return make_error(ErrorCode::kInvalidArgument,
                    "encoder " + encoder + " has no preset '" + preset + "'; there are " + list);
}

Status set_preset(AVCodecContext& context, const EncoderSettings& settings) {
  const std::string encoder = context.codec->name;
  std::string preset = settings.preset;
  if (preset.empty() && (encoder == "libx264" || encoder == "libx265")) preset = "fast";
  if (preset.empty()) return {};
  if (!has_option(context, "preset")) {
    return make_error(ErrorCode::kInvalidArgument, "encoder " + encoder + " has no presets; leave --preset out");
  }
  COCO_TRY(check_preset(encoder, preset));
  if (av_opt_set(context.priv_data, "preset", preset.c_str(), 0) < 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "encoder " + encoder + " has no preset '" + preset + "'; see ffmpeg -h encoder=" + encoder);
  }
  return {};
}

Status set_quality(AVCodecContext& context, const EncoderSettings& settings, const StreamTiming& timing) {
  const std::string encoder = context.codec->name;
  const int crf = settings.crf >= 0 ? settings.crf : kDefaultCrf;
  if (has_option(context, "crf")) {
    if (av_opt_set_double(context.priv_data, "crf", crf, 0) < 0) {
      return make_error(ErrorCode::kInvalidArgument,
                        "encoder " + encoder + " does not take crf " + std::to_string(crf) + "; try 18");
    }
    context.bit_rate = 0;
    return {};
  }
  if (context.codec->id == AV_CODEC_ID_FFV1) return {};
  if (settings.crf >= 0) {
    return make_error(ErrorCode::kInvalidArgument,
                      "encoder " + encoder + " has no constant quality scale; leave --crf out or use libx264");
  }
  if (context.codec->id == AV_CODEC_ID_MPEG4) {
    context.flags |= AV_CODEC_FLAG_QSCALE;
    context.global_quality = 3 * FF_QP2LAMBDA;
    return {};
  }
  context.bit_rate =
      static_cast<int64_t>(kBitsPerPixel * context.width * context.height * std::max(1.0, av_q2d(timing.frame_rate)));
  return {};
}

void set_speed(AVCodecContext& context) {
  const std::string encoder = context.codec->name;
  if (encoder == "libvpx-vp9" || encoder == "libaom-av1") {
    av_opt_set(context.priv_data, "cpu-used", "6", 0);
    av_opt_set(context.priv_data, "row-mt", "1", 0);
  }
}

long scaled(AVRational value, int scale) { return static_cast<long>(av_q2d(value) * scale + 0.5); }

// HDR10 static metadata for encoders that take it as text: chromaticities in 1/50000, luminance in 1/10000 cd/m2.
void set_hdr_parameters(AVCodecContext& context, const AVFrame& first) {
  const std::string encoder = context.codec->name;
  const bool x264 = encoder == "libx264";
  if (!x264 && encoder != "libx265") return;
  std::string parameters;
  const AVFrameSideData* entry = av_frame_get_side_data(&first, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
  if (entry != nullptr) {
    const auto* mastering = reinterpret_cast<const AVMasteringDisplayMetadata*>(entry->data);
    if (mastering->has_primaries != 0 && mastering->has_luminance != 0) {
      const auto& p = mastering->display_primaries;
      const auto& w = mastering->white_point;
      char text[256];
      std::snprintf(text, sizeof text, "%s=G(%ld,%ld)B(%ld,%ld)R(%ld,%ld)WP(%ld,%ld)L(%ld,%ld)",
                    x264 ? "mastering-display" : "master-display", scaled(p[1][0], 50000), scaled(p[1][1], 50000),
                    scaled(p[2][0], 50000), scaled(p[2][1], 50000), scaled(p[0][0], 50000), scaled(p[0][1], 50000),
                    scaled(w[0], 50000), scaled(w[1], 50000), scaled(mastering->max_luminance, 10000),
                    scaled(mastering->min_luminance, 10000));
      parameters += text;
    }
  }
  entry = av_frame_get_side_data(&first, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
  if (entry != nullptr) {
    const auto* light = reinterpret_cast<const AVContentLightMetadata*>(entry->data);
    if (!parameters.empty()) parameters += ":";
    parameters += x264 ? "cll=" : "max-cll=";
    parameters += std::to_string(light->MaxCLL);
    parameters += ",";
    parameters += std::to_string(light->MaxFALL);
  }
  if (!x264) parameters += parameters.empty() ? "log-level=none" : ":log-level=none";
  if (!parameters.empty()) {
    av_opt_set(context.priv_data, x264 ? "x264-params" : "x265-params", parameters.c_str(), 0);
  }
}

// Containers without variable frame times (raw streams among them), and MPEG-4 part 2 with its 16-bit clock, get the
// frame rate as clock.
AVRational encoder_time_base(const AVCodec& codec, const AVOutputFormat& container, const StreamTiming& timing) {
  const bool variable = (container.flags & AVFMT_VARIABLE_FPS) != 0 || is_mov_family(container);
  const bool small_clock = codec.id == AV_CODEC_ID_MPEG4 && timing.time_base.den > 65535;
  return variable && !small_clock ? timing.time_base : av_inv_q(timing.frame_rate);
}

void take_properties(AVCodecContext& context, const AVFrame& first) {
  context.width = first.width;
  context.height = first.height;
  context.pix_fmt = static_cast<AVPixelFormat>(first.format);
  context.sample_aspect_ratio = first.sample_aspect_ratio;
  context.color_range = first.color_range;
  context.color_primaries = first.color_primaries;
  context.color_trc = first.color_trc;
  context.colorspace = first.colorspace;
  context.chroma_sample_location = first.chroma_location;
  context.field_order = AV_FIELD_PROGRESSIVE;
}

}  // namespace

std::vector<std::string> available_encoders() {
  std::vector<std::string> names;
  for (const char* name : kPreferred) {
    if (avcodec_find_encoder_by_name(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

Result<const AVCodec*> choose_encoder(const std::string& name, const AVOutputFormat* container, const Note& note) {
  if (!name.empty()) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
    if (codec == nullptr || codec->type != AVMEDIA_TYPE_VIDEO) {
      return make_error(ErrorCode::kNotFound,
                        "no video encoder '" + name + "' in this FFmpeg; available: " + join_encoders(container));
    }
    if (!container_holds(container, codec->id)) {
      return make_error(ErrorCode::kUnsupported, "a ." + std::string(container->name) + " file cannot hold " + name +
                                                     " video; use .mkv, or one of: " + join_encoders(container));
    }
    return codec;
  }
  for (const char* candidate : kPreferred) {
    const AVCodec* codec = avcodec_find_encoder_by_name(candidate);
    if (codec == nullptr || !container_holds(container, codec->id)) continue;
    if (candidate != kPreferred[0]) note(std::string("encoding with ") + candidate + " (libx264 is not usable here)");
    return codec;
  }
  return make_error(ErrorCode::kUnsupported,
                    "this FFmpeg has no encoder for the output's container; use .mkv, or install libavcodec-extra");
}

Result<PixelFormat> working_format(AVPixelFormat source, const AVCodec* encoder, const Note& note) {
  const PixelFormat wanted = nearest_format(source);
  const std::vector<AVPixelFormat> taken =
      encoder != nullptr ? encoder_formats(*encoder) : std::vector<AVPixelFormat>();
  std::vector<PixelFormat> choices = {wanted};
  if (wanted == PixelFormat::kP010_10Le) choices.push_back(PixelFormat::kI420_10Le);
  if (wanted == PixelFormat::kI420_10Le) choices.push_back(PixelFormat::kP010_10Le);
  if (wanted == PixelFormat::kI420) choices.push_back(PixelFormat::kNv12);
  choices.push_back(PixelFormat::kI420);
  for (const PixelFormat choice : choices) {
    if (!taken.empty() && std::find(taken.begin(), taken.end(), av_format(choice)) == taken.end()) continue;
    if (byte_size(sample_type(choice)) < byte_size(sample_type(wanted))) {
      note(std::string("encoder ") + encoder->name + " has no 10 bits; the output has 8");
    }
    return choice;
  }
  return make_error(ErrorCode::kUnsupported,
                    std::string("encoder ") + encoder->name + " takes no 4:2:0 pictures; use libx264");
}

VideoEncoder::VideoEncoder(CodecContextPtr context, const StreamTiming& timing, Note note)
    : context_(std::move(context)), timing_(timing), note_(std::move(note)), packet_(av_packet_alloc()) {}

Result<std::unique_ptr<VideoEncoder>> VideoEncoder::open(const AVCodec& codec, const EncoderSettings& settings,
                                                         const AVOutputFormat& container, const AVFrame& first,
                                                         const StreamTiming& timing, const Note& note) {
  capture_av_log();
  forget_log_line();
  CodecContextPtr context(avcodec_alloc_context3(&codec));
  if (!context) return make_error(ErrorCode::kResourceLimit, "out of memory for the encoder");
  take_properties(*context, first);
  context->time_base = encoder_time_base(codec, container, timing);
  context->framerate = timing.frame_rate;
  if ((container.flags & AVFMT_GLOBALHEADER) != 0) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  COCO_TRY(set_preset(*context, settings));
  COCO_TRY(set_quality(*context, settings, timing));
  set_speed(*context);
  set_hdr_parameters(*context, first);
  const int code = avcodec_open2(context.get(), &codec, nullptr);
  if (code < 0) {
    return av_failure("cannot start encoder " + std::string(codec.name) + " for " + std::to_string(first.width) + "x" +
                          std::to_string(first.height),
                      code);
  }
  std::unique_ptr<VideoEncoder> encoder(new VideoEncoder(std::move(context), timing, note));
  if (!encoder->packet_) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  return encoder;
}

Status VideoEncoder::encode(AVFrame* frame, const PacketSink& sink) {
  if (frame != nullptr) {
    const int64_t duration = av_rescale_q(frame_duration(*frame), timing_.time_base, context_->time_base);
    int64_t pts = av_rescale_q(frame->pts, timing_.time_base, context_->time_base);
    if (last_pts_ && pts <= *last_pts_) {
      pts = *last_pts_ + 1;
      if (!noted_collision_)
        note_("the source has frames with equal or falling timestamps; they were moved by one tick");
      noted_collision_ = true;
    }
    last_pts_ = pts;
    frame->pts = pts;
    durations_[pts] = duration;
  }
  int code = avcodec_send_frame(context_.get(), frame);
  if (code < 0 && code != AVERROR_EOF) return av_failure("encoding with " + std::string(context_->codec->name), code);
  for (;;) {
    code = avcodec_receive_packet(context_.get(), packet_.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
    if (code < 0) return av_failure("encoding with " + std::string(context_->codec->name), code);
    const auto duration = durations_.find(packet_->pts);
    if (duration != durations_.end()) {
      packet_->duration = duration->second;
      durations_.erase(duration);
    }
    ++packets_;
    const Status written = sink(*packet_);
    av_packet_unref(packet_.get());
    COCO_TRY(written);
  }
}

}  // namespace coco::filejob
