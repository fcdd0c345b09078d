#include <cmath>
#include <cstring>
#include <functional>
#include <stdexcept>

extern "C" {
#include <libavutil/display.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
}

#include "apps/media.h"

namespace coco::test {
namespace {

int check(int code, const char* what) {
  if (code >= 0) return code;
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  throw std::runtime_error(std::string(what) + ": " + text);
}

template <typename T>
T* needed(T* pointer, const char* what) {
  if (pointer == nullptr) throw std::runtime_error(what);
  return pointer;
}

void add_side_data(AVStream& stream, AVPacketSideDataType type, const void* data, size_t size) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  auto* entry = needed(
      av_packet_side_data_new(&stream.codecpar->coded_side_data, &stream.codecpar->nb_coded_side_data, type, size, 0),
      "side data");
  std::memcpy(entry->data, data, size);
#else
  std::memcpy(needed(av_stream_new_side_data(&stream, type, size), "side data"), data, size);
#endif
}

/// One test file under construction.
class ClipWriter {
 public:
  ClipWriter(const std::string& path, const ClipSpec& spec) : spec_(spec) {
    check(avformat_alloc_output_context2(&output_, nullptr, nullptr, path.c_str()), "container");
    video_ = open_video();
    if (spec.audio) audio_ = open_audio();
    if (spec.subtitles) open_subtitles();
    if (spec.attachment) open_attachment();
    if (spec.cover) open_cover();
    if (spec.chapters) add_chapters();
    for (const auto& [key, value] : spec.metadata) av_dict_set(&output_->metadata, key.c_str(), value.c_str(), 0);
    check(avio_open(&output_->pb, path.c_str(), AVIO_FLAG_WRITE), "file");
    AVDictionary* options = nullptr;
    // Either free-form tags or a cover.
    if (!spec.cover) av_dict_set(&options, "movflags", "+use_metadata_tags", 0);
    if (spec.faststart) av_dict_set(&options, "movflags", "+faststart", AV_DICT_APPEND);
    check(avformat_write_header(output_, &options), "header");
    av_dict_free(&options);
  }

  ~ClipWriter() {
    avcodec_free_context(&video_);
    avcodec_free_context(&audio_);
    if (output_->pb != nullptr) avio_closep(&output_->pb);
    avformat_free_context(output_);
  }

  void write() {
    if (cover_stream_ >= 0) write_bytes(cover_stream_, cover_, 0, 0);
    write_video();
    if (audio_ != nullptr) write_audio();
    if (subtitle_stream_ >= 0) {
      for (int i = 0; i < 3; ++i) {
        const std::string text = "subtitle number " + std::to_string(i);
        write_bytes(subtitle_stream_, std::vector<uint8_t>(text.begin(), text.end()), i * 130 + 20, 100);
      }
    }
    check(av_write_trailer(output_), "trailer");
  }

 private:
  AVStream* add_stream() { return needed(avformat_new_stream(output_, nullptr), "stream"); }

  AVCodecContext* open_video() {
    const AVCodec* codec = needed(avcodec_find_encoder_by_name(spec_.codec.c_str()), "video encoder");
    AVCodecContext* context = needed(avcodec_alloc_context3(codec), "video encoder");
    context->width = spec_.width;
    context->height = spec_.height;
    context->pix_fmt = spec_.format;
    // A raw stream carries the encoder's clock.
    const bool raw = (output_->oformat->flags & AVFMT_NOTIMESTAMPS) != 0;
    context->time_base = raw ? AVRational{1, 25} : AVRational{1, 1000};
    context->framerate = {25, 1};
    context->sample_aspect_ratio = spec_.aspect;
    context->color_range = spec_.range;
    context->color_primaries = spec_.primaries;
    context->color_trc = spec_.transfer;
    context->colorspace = spec_.matrix;
    context->chroma_sample_location = spec_.chroma;
    context->thread_count = 1;
    if ((output_->oformat->flags & AVFMT_GLOBALHEADER) != 0) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (spec_.codec == "libx264") av_opt_set(context->priv_data, "preset", "veryfast", 0);
    check(avcodec_open2(context, codec, nullptr), "video encoder");
    AVStream* stream = add_stream();
    check(avcodec_parameters_from_context(stream->codecpar, context), "video");
    stream->time_base = context->time_base;
    stream->sample_aspect_ratio = spec_.aspect;
    stream->avg_frame_rate = context->framerate;
    stream->disposition = AV_DISPOSITION_DEFAULT;
    av_dict_set(&stream->metadata, "language", "fra", 0);
    if (spec_.rotation != 0) {
      int32_t matrix[9];
      av_display_rotation_set(matrix, spec_.rotation);
      add_side_data(*stream, AV_PKT_DATA_DISPLAYMATRIX, matrix, sizeof matrix);
    }
    if (spec_.hdr) add_hdr(*stream);
    return context;
  }

  static void add_hdr(AVStream& stream) {
    AVMasteringDisplayMetadata* mastering = needed(av_mastering_display_metadata_alloc(), "mastering");
    const int primaries[3][2] = {{34000, 16000}, {13250, 34500}, {7500, 3000}};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 2; ++j) mastering->display_primaries[i][j] = {primaries[i][j], 50000};
    }
    mastering->white_point[0] = {15635, 50000};
    mastering->white_point[1] = {16450, 50000};
    mastering->min_luminance = {50, 10000};
    mastering->max_luminance = {1000, 1};
    mastering->has_primaries = mastering->has_luminance = 1;
    add_side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA, mastering, sizeof *mastering);
    av_free(mastering);
    AVContentLightMetadata light{};
    light.MaxCLL = 1000;
    light.MaxFALL = 400;
    add_side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL, &light, sizeof light);
  }

  AVCodecContext* open_audio() {
    const AVCodec* codec = needed(avcodec_find_encoder(AV_CODEC_ID_MP2), "audio encoder");
    AVCodecContext* context = needed(avcodec_alloc_context3(codec), "audio encoder");
    context->sample_rate = 48000;
    context->sample_fmt = AV_SAMPLE_FMT_S16;
    context->bit_rate = 128000;
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100)
    av_channel_layout_default(&context->ch_layout, 2);
#else
    context->channels = 2;
    context->channel_layout = AV_CH_LAYOUT_STEREO;
#endif
    context->time_base = {1, 48000};
    if ((output_->oformat->flags & AVFMT_GLOBALHEADER) != 0) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    check(avcodec_open2(context, codec, nullptr), "audio encoder");
    AVStream* stream = add_stream();
    audio_stream_ = stream->index;
    check(avcodec_parameters_from_context(stream->codecpar, context), "audio");
    stream->time_base = context->time_base;
    stream->disposition = AV_DISPOSITION_DEFAULT;
    av_dict_set(&stream->metadata, "language", "deu", 0);
    av_dict_set(&stream->metadata, "title", "Main sound", 0);
    return context;
  }

  void open_subtitles() {
    AVStream* stream = add_stream();
    subtitle_stream_ = stream->index;
    stream->codecpar->codec_type = AVMEDIA_TYPE_SUBTITLE;
    stream->codecpar->codec_id = AV_CODEC_ID_SUBRIP;
    stream->time_base = {1, 1000};
    stream->disposition = AV_DISPOSITION_FORCED;
    av_dict_set(&stream->metadata, "language", "eng", 0);
  }

  void open_attachment() {
    AVStream* stream = add_stream();
    stream->codecpar->codec_type = AVMEDIA_TYPE_ATTACHMENT;
    stream->codecpar->codec_id = AV_CODEC_ID_TTF;
    constexpr size_t kBytes = 300;
    stream->codecpar->extradata = static_cast<uint8_t*>(av_mallocz(kBytes + AV_INPUT_BUFFER_PADDING_SIZE));
    stream->codecpar->extradata_size = static_cast<int>(kBytes);
    for (size_t i = 0; i < kBytes; ++i) stream->codecpar->extradata[i] = static_cast<uint8_t>(i * 7);
    av_dict_set(&stream->metadata, "filename", "font.ttf", 0);
    av_dict_set(&stream->metadata, "mimetype", "application/x-truetype-font", 0);
  }

  void open_cover() {
    const AVCodec* codec = needed(avcodec_find_encoder(AV_CODEC_ID_MJPEG), "cover encoder");
    AVCodecContext* context = needed(avcodec_alloc_context3(codec), "cover encoder");
    context->width = 32;
    context->height = 32;
    context->pix_fmt = AV_PIX_FMT_YUVJ420P;
    context->time_base = {1, 25};
    check(avcodec_open2(context, codec, nullptr), "cover encoder");
    AVFrame* frame = painted(32, 32, AV_PIX_FMT_YUVJ420P, 3);
    AVPacket* packet = av_packet_alloc();
    check(avcodec_send_frame(context, frame), "cover");
    check(avcodec_receive_packet(context, packet), "cover");
    cover_.assign(packet->data, packet->data + packet->size);
    AVStream* stream = add_stream();
    cover_stream_ = stream->index;
    check(avcodec_parameters_from_context(stream->codecpar, context), "cover");
    stream->disposition = AV_DISPOSITION_ATTACHED_PIC;
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
  }

  void add_chapters() {
    output_->chapters = static_cast<AVChapter**>(av_calloc(2, sizeof(AVChapter*)));
    output_->nb_chapters = 2;
    for (int i = 0; i < 2; ++i) {
      auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
      chapter->id = i + 1;
      chapter->time_base = {1, 1000};
      chapter->start = i * 200;
      chapter->end = (i + 1) * 200;
      av_dict_set(&chapter->metadata, "title", i == 0 ? "Beginning" : "End", 0);
      output_->chapters[i] = chapter;
    }
  }

  static AVFrame* painted(int width, int height, AVPixelFormat format, int phase) {
    AVFrame* frame = needed(av_frame_alloc(), "frame");
    frame->format = format;
    frame->width = width;
    frame->height = height;
    check(av_frame_get_buffer(frame, 0), "frame");
    const AVPixFmtDescriptor* descriptor = av_pix_fmt_desc_get(format);
    const int depth = descriptor->comp[0].depth;
    for (int plane = 0; plane < 4 && frame->data[plane] != nullptr; ++plane) {
      const bool chroma = plane > 0 && (descriptor->flags & AV_PIX_FMT_FLAG_RGB) == 0;
      const int rows = chroma ? AV_CEIL_RSHIFT(height, descriptor->log2_chroma_h) : height;
      for (int y = 0; y < rows; ++y) {
        uint8_t* row = frame->data[plane] + y * frame->linesize[plane];
        const int bytes = frame->linesize[plane];
        for (int x = 0; x < bytes; ++x)
          row[x] = static_cast<uint8_t>(40 + (x * 3 + y * 2 + phase * 5 + plane * 30) % 160);
        // 16-bit words: the value stays inside the depth.
        for (int x = 1; depth > 8 && x < bytes; x += 2) row[x] = static_cast<uint8_t>(row[x] % (1 << (depth - 8)));
      }
    }
    return frame;
  }

  void drain(AVCodecContext* context, int stream) {
    AVPacket* packet = needed(av_packet_alloc(), "packet");
    while (avcodec_receive_packet(context, packet) >= 0) {
      packet->stream_index = stream;
      if (stream == 0 && packet->duration <= 0) packet->duration = av_rescale_q(40, {1, 1000}, context->time_base);
      av_packet_rescale_ts(packet, context->time_base, output_->streams[stream]->time_base);
      check(av_interleaved_write_frame(output_, packet), "packet");
    }
    av_packet_free(&packet);
  }

  void write_video() {
    std::vector<int64_t> pts = spec_.pts;
    for (int i = 0; pts.empty() || (spec_.pts.empty() && i < spec_.frames); ++i) pts.push_back(i * 40);
    for (size_t i = 0; i < pts.size(); ++i) {
      AVFrame* frame = painted(spec_.width, spec_.height, spec_.format, static_cast<int>(i));
      frame->pts = av_rescale_q(pts[i], {1, 1000}, video_->time_base);
      frame->color_range = spec_.range;
      frame->colorspace = spec_.matrix;
      check(avcodec_send_frame(video_, frame), "video frame");
      av_frame_free(&frame);
      drain(video_, 0);
    }
    check(avcodec_send_frame(video_, nullptr), "video end");
    drain(video_, 0);
  }

  void write_audio() {
    for (int i = 0; i < 24; ++i) {
      AVFrame* frame = needed(av_frame_alloc(), "frame");
      frame->nb_samples = audio_->frame_size;
      frame->format = audio_->sample_fmt;
      frame->sample_rate = audio_->sample_rate;
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 24, 100)
      check(av_channel_layout_copy(&frame->ch_layout, &audio_->ch_layout), "layout");
#else
      frame->channels = 2;
      frame->channel_layout = AV_CH_LAYOUT_STEREO;
#endif
      check(av_frame_get_buffer(frame, 0), "audio frame");
      auto* samples = reinterpret_cast<int16_t*>(frame->data[0]);
      for (int s = 0; s < 2 * audio_->frame_size; ++s) {
        samples[s] = static_cast<int16_t>(9000 * std::sin(0.01 * (s + i * 17) * (1 + s % 2)));
      }
      frame->pts = static_cast<int64_t>(i) * audio_->frame_size;
      check(avcodec_send_frame(audio_, frame), "audio frame");
      av_frame_free(&frame);
      drain(audio_, audio_stream_);
    }
    check(avcodec_send_frame(audio_, nullptr), "audio end");
    drain(audio_, audio_stream_);
  }

  void write_bytes(int stream, const std::vector<uint8_t>& bytes, int64_t milliseconds, int64_t duration) {
    AVPacket* packet = needed(av_packet_alloc(), "packet");
    check(av_new_packet(packet, static_cast<int>(bytes.size())), "packet");
    std::memcpy(packet->data, bytes.data(), bytes.size());
    packet->stream_index = stream;
    packet->pts = packet->dts = milliseconds;
    packet->duration = duration;
    packet->flags |= AV_PKT_FLAG_KEY;
    av_packet_rescale_ts(packet, {1, 1000}, output_->streams[stream]->time_base);
    check(av_interleaved_write_frame(output_, packet), "packet");
    av_packet_free(&packet);
  }

  const ClipSpec& spec_;
  AVFormatContext* output_ = nullptr;
  AVCodecContext* video_ = nullptr;
  AVCodecContext* audio_ = nullptr;
  int audio_stream_ = -1, subtitle_stream_ = -1, cover_stream_ = -1;
  std::vector<uint8_t> cover_;
};

}  // namespace

void make_clip(const std::string& path, const ClipSpec& spec) {
  av_log_set_level(AV_LOG_QUIET);
  ClipWriter(path, spec).write();
}

}  // namespace coco::test
