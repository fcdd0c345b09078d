// Purpose: owning pointers, error texts and version differences of FFmpeg's libraries. The only folder that includes
// them. Ownership: the pointers own; everything else borrows. Threads: the captured log line is guarded; the rest are
// values. Failure: av_failure() turns a library code into an Error; nothing here throws.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::filejob {

struct FrameDeleter {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct PacketDeleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct CodecContextDeleter {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct InputDeleter {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
struct SwsDeleter {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
struct BufferPoolDeleter {
  void operator()(AVBufferPool* pool) const { av_buffer_pool_uninit(&pool); }
};
using FramePtr = std::unique_ptr<AVFrame, FrameDeleter>;
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;
using CodecContextPtr = std::unique_ptr<AVCodecContext, CodecContextDeleter>;
using InputPtr = std::unique_ptr<AVFormatContext, InputDeleter>;
using SwsPtr = std::unique_ptr<SwsContext, SwsDeleter>;
using BufferPoolPtr = std::unique_ptr<AVBufferPool, BufferPoolDeleter>;

/// The library's text for `code`, followed by the last line it logged since forget_log_line(), when there is one.
std::string av_reason(int code);
/// An Error whose message is `what`, ": " and the reason. Full disks and refused memory are kResourceLimit, damaged
/// data kInvalidData, other system errors kIo.
Error av_failure(const std::string& what, int code, const char* file = __builtin_FILE(), int line = __builtin_LINE());

/// Sends the libraries' log lines to coco::log at debug level and remembers the last error line. Called by every door
/// of this folder; idempotent.
void capture_av_log();
void forget_log_line();

/// Duration of a decoded frame in its packet's time base, 0 when unknown.
int64_t frame_duration(const AVFrame& frame);
void set_frame_duration(AVFrame& frame, int64_t duration);
bool is_interlaced(const AVFrame& frame);
void clear_interlaced(AVFrame& frame);

/// MP4, QuickTime and their relatives.
bool is_mov_family(const AVOutputFormat& container);
/// Pixel formats an encoder takes; empty when it does not say.
std::vector<AVPixelFormat> encoder_formats(const AVCodec& codec);

/// Side data of a whole stream (display matrix, HDR metadata). The view is borrowed from the stream.
struct StreamSideData {
  AVPacketSideDataType type;
  const uint8_t* data;
  size_t size;
};
std::vector<StreamSideData> stream_side_data(const AVStream& stream);
/// Copies `data` to the stream, replacing what it held of this type.
Status add_stream_side_data(AVStream& stream, AVPacketSideDataType type, const uint8_t* data, size_t size);

}  // namespace coco::filejob
