// Purpose: the video encoder: choice by machine and container, quality settings, colour and timing taken over exactly.
// Ownership: owns the codec context; frames are borrowed for the call.
// Threads: one thread at a time.
// Failure: unknown encoders, presets and impossible combinations are named with what to use instead.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/filejob/av.h"
#include "apps/filejob/filejob.h"
#include "apps/filejob/picture.h"

namespace coco::filejob {

using Note = std::function<void(const std::string&)>;
using PacketSink = std::function<Status(AVPacket&)>;

/// The encoder named, or the best available one that `container` (may be null) can hold.
Result<const AVCodec*> choose_encoder(const std::string& name, const AVOutputFormat* container, const Note& note);
/// The task format to work in: the source's nearest when the encoder takes it, else the closest it does take.
Result<PixelFormat> working_format(AVPixelFormat source, const AVCodec* encoder, const Note& note);

struct StreamTiming {
  AVRational time_base{1, 50};
  AVRational frame_rate{25, 1};
};

class VideoEncoder {
 public:
  /// Colour, size, aspect and HDR metadata are those of `first`. `container` decides global headers and whether frame
  /// times may vary.
  static Result<std::unique_ptr<VideoEncoder>> open(const AVCodec& codec, const EncoderSettings& settings,
                                                    const AVOutputFormat& container, const AVFrame& first,
                                                    const StreamTiming& timing, const Note& note);

  const AVCodecContext& context() const { return *context_; }
  int64_t packets() const { return packets_; }
  /// Encodes a frame whose pts and duration are in the timing's time base, or drains with null. Packets reach `sink` in
  /// context().time_base with duration set.
  Status encode(AVFrame* frame, const PacketSink& sink);

 private:
  VideoEncoder(CodecContextPtr context, const StreamTiming& timing, Note note);

  CodecContextPtr context_;
  StreamTiming timing_;
  Note note_;
  PacketPtr packet_;
  std::map<int64_t, int64_t> durations_;
  std::optional<int64_t> last_pts_;
  int64_t packets_ = 0;
  bool noted_collision_ = false;
};

}  // namespace coco::filejob
