// Purpose: an opened input: its streams, the decoder of its main video, and timestamps for every frame.
// Ownership: owns the demuxer and the decoder; stream pointers are borrowed from it.
// Threads: one thread at a time after open().
// Failure: open() names the file, what is wrong and what to do; damage inside the stream is counted, not fatal.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/filejob/av.h"

namespace coco::filejob {

/// Stamps decoded frames: the container's timestamps where they exist, else counted from the frame rate.
class FrameClock {
 public:
  FrameClock(const AVFormatContext& format, const AVStream& stream);
  AVRational time_base() const { return time_base_; }
  AVRational frame_rate() const { return frame_rate_; }
  /// Sets pts and duration, in time_base().
  void stamp(AVFrame& frame);
  /// Whether the source has no timestamps and the frame rate had to be guessed as well.
  bool guessed_rate() const { return guessed_rate_; }

 private:
  AVRational time_base_{1, 50};
  AVRational frame_rate_{25, 1};
  bool counted_ = false;
  bool guessed_rate_ = false;
  int64_t next_ = 0;
};

class Source {
 public:
  /// `stop` (a StopLevel, may be null) interrupts blocking input.
  static Result<std::unique_ptr<Source>> open(const std::string& path, const std::atomic<int>* stop);

  const std::string& path() const { return path_; }
  AVFormatContext& format() { return *format_; }
  AVStream& video() { return *video_; }
  FrameClock& clock() { return clock_; }
  /// Frames announced or estimated from the duration; 0 when unknown.
  int64_t expected_frames() const;

  /// Reads one packet of any stream. False at the end of the input (a read error ends it too, see read_error()).
  bool read(AVPacket& packet);
  /// Decodes a packet of the main video, or drains with null. `sink` takes stamped frames; false from it stops.
  void decode(const AVPacket* packet, const std::function<bool(FramePtr)>& sink);

  /// Whether the input ended clearly before the duration its header states.
  bool ended_early() const;

  int64_t decode_errors() const { return decode_errors_; }
  const std::string& read_error() const { return read_error_; }
  /// Offset taken off every timestamp of the source, in microseconds.
  int64_t start_offset() const { return start_offset_; }

 private:
  Source(std::string path, InputPtr format, AVStream* video, CodecContextPtr decoder);
  void smooth_discontinuity(AVPacket& packet);

  std::string path_;
  InputPtr format_;
  AVStream* video_;
  CodecContextPtr decoder_;
  FrameClock clock_;
  int64_t start_offset_ = 0;
  int64_t jump_offset_ = 0;
  int64_t last_end_ = 0;  ///< of all packets read, microseconds
  std::vector<int64_t> next_dts_;
  int64_t decode_errors_ = 0;
  std::string read_error_;
};

/// Refuses what cannot be a video before FFmpeg is asked: missing, a directory, empty. Returns the URL to open.
Result<std::string> input_url(const std::string& path);

}  // namespace coco::filejob
