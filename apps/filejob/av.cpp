#include "apps/filejob/av.h"

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "coco/log.h"

namespace coco::filejob {
namespace {

std::mutex& line_mutex() {
  static std::mutex mutex;
  return mutex;
}

std::string& last_line() {
  static std::string line;
  return line;
}

void on_av_log(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR && !log_enabled(LogLevel::kDebug)) return;
  char text[512];
  int print_prefix = 0;
  av_log_format_line2(object, level, format, arguments, text, sizeof text, &print_prefix);
  std::string line = text;
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
  if (line.empty()) return;
  log(LogLevel::kDebug, "ffmpeg: " + line);
  if (level > AV_LOG_ERROR) return;
  const std::lock_guard lock(line_mutex());
  last_line() = line;
}

}  // namespace

void capture_av_log() {
  static std::once_flag once;
  std::call_once(once, [] {
    av_log_set_callback(on_av_log);
    // SVT-AV1 prints past the callback; errors only, unless the user wants more.
    ::setenv("SVT_LOG", "1", 0);
  });
}

void forget_log_line() {
  const std::lock_guard lock(line_mutex());
  last_line().clear();
}

std::string av_reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  const std::lock_guard lock(line_mutex());
  if (last_line().empty()) return text;
  return std::string(text) + " (" + last_line() + ")";
}

Error av_failure(const std::string& what, int code, const char* file, int line) {
  ErrorCode kind = ErrorCode::kIo;
  if (code == AVERROR(ENOSPC) || code == AVERROR(ENOMEM) || code == AVERROR(EDQUOT)) kind = ErrorCode::kResourceLimit;
  if (code == AVERROR_INVALIDDATA) kind = ErrorCode::kInvalidData;
  if (code == AVERROR(EINVAL)) kind = ErrorCode::kInvalidArgument;
  if (code == AVERROR_EXIT) kind = ErrorCode::kCancelled;
  return make_error(kind, what + ": " + av_reason(code), file, line);
}

int64_t frame_duration(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  return frame.duration;
#else
  return frame.pkt_duration;
#endif
}

void set_frame_duration(AVFrame& frame, int64_t duration) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
  frame.duration = duration;
#else
  frame.pkt_duration = duration;
#endif
}

bool is_interlaced(const AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  return (frame.flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
  return frame.interlaced_frame != 0;
#endif
}

void clear_interlaced(AVFrame& frame) {
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
  frame.flags &= ~AV_FRAME_FLAG_INTERLACED;
#else
  frame.interlaced_frame = 0;
#endif
}

bool is_mov_family(const AVOutputFormat& container) {
  // av_opt_find wants the address of a class pointer, standing for an object of that class.
  const AVClass* options = container.priv_class;
  return options != nullptr && av_opt_find(&options, "movflags", nullptr, 0, AV_OPT_SEARCH_FAKE_OBJ) != nullptr;
}

std::vector<AVPixelFormat> encoder_formats(const AVCodec& codec) {
  std::vector<AVPixelFormat> formats;
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
  const void* list = nullptr;
  if (avcodec_get_supported_config(nullptr, &codec, AV_CODEC_CONFIG_PIX_FORMAT, 0, &list, nullptr) < 0) return formats;
  const auto* format = static_cast<const AVPixelFormat*>(list);
#else
  const AVPixelFormat* format = codec.pix_fmts;
#endif
  for (; format != nullptr && *format != AV_PIX_FMT_NONE; ++format) formats.push_back(*format);
  return formats;
}

#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
std::vector<StreamSideData> stream_side_data(const AVStream& stream) {
  std::vector<StreamSideData> list;
  for (int i = 0; i < stream.codecpar->nb_coded_side_data; ++i) {
    const AVPacketSideData& entry = stream.codecpar->coded_side_data[i];
    list.push_back({entry.type, entry.data, entry.size});
  }
  return list;
}

Status add_stream_side_data(AVStream& stream, AVPacketSideDataType type, const uint8_t* data, size_t size) {
  AVPacketSideData* entry =
      av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data, type, size, 0);
  if (entry == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for stream side data");
  std::memcpy(entry->data, data, size);
  return {};
}
#else
std::vector<StreamSideData> stream_side_data(const AVStream& stream) {
  std::vector<StreamSideData> list;
  for (int i = 0; i < stream.nb_side_data; ++i) {
    const AVPacketSideData& entry = stream.side_data[i];
    list.push_back({entry.type, entry.data, entry.size});
  }
  return list;
}

Status add_stream_side_data(AVStream& stream, AVPacketSideDataType type, const uint8_t* data, size_t size) {
  uint8_t* copy = av_stream_new_side_data(&stream, type, size);
  if (copy == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for stream side data");
  std::memcpy(copy, data, size);
  return {};
}
#endif

}  // namespace coco::filejob
