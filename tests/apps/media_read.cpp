#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

extern "C" {
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
}

#include "apps/media.h"
#include "base/file.h"

namespace coco::test {
namespace {

using Input = std::unique_ptr<AVFormatContext, void (*)(AVFormatContext*)>;

Input open_input(const std::string& path) {
  av_log_set_level(AV_LOG_QUIET);
  AVFormatContext* context = nullptr;
  if (avformat_open_input(&context, path.c_str(), nullptr, nullptr) < 0) {
    throw std::runtime_error("cannot open " + path);
  }
  Input input(context, [](AVFormatContext* c) { avformat_close_input(&c); });
  if (avformat_find_stream_info(context, nullptr) < 0) throw std::runtime_error("cannot probe " + path);
  return input;
}

std::string tag(const AVDictionary* dictionary, const char* key) {
  const AVDictionaryEntry* entry = av_dict_get(dictionary, key, nullptr, 0);
  return entry != nullptr ? entry->value : "";
}

const uint8_t* side_data(const AVStream& stream, AVPacketSideDataType type) {
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
  const AVPacketSideData* entry =
      av_packet_side_data_get(stream.codecpar->coded_side_data, stream.codecpar->nb_coded_side_data, type);
  return entry != nullptr ? entry->data : nullptr;
#else
  return av_stream_get_side_data(&stream, type, nullptr);
#endif
}

StreamContents describe(const AVStream& stream) {
  const AVCodecParameters& p = *stream.codecpar;
  StreamContents s;
  s.type = p.codec_type;
  s.codec = avcodec_get_name(p.codec_id);
  s.language = tag(stream.metadata, "language");
  s.title = tag(stream.metadata, "title");
  s.width = p.width;
  s.height = p.height;
  s.disposition = stream.disposition;
  s.aspect = stream.sample_aspect_ratio.num != 0 ? stream.sample_aspect_ratio : p.sample_aspect_ratio;
  s.pixel_format = p.format;
  s.range = p.color_range;
  s.primaries = p.color_primaries;
  s.transfer = p.color_trc;
  s.matrix = p.color_space;
  s.chroma = p.chroma_location;
  const uint8_t* matrix = side_data(stream, AV_PKT_DATA_DISPLAYMATRIX);
  if (matrix != nullptr)
    s.rotation = static_cast<int>(std::lround(av_display_rotation_get(reinterpret_cast<const int32_t*>(matrix))));
  s.mastering = side_data(stream, AV_PKT_DATA_MASTERING_DISPLAY_METADATA) != nullptr;
  s.light = side_data(stream, AV_PKT_DATA_CONTENT_LIGHT_LEVEL) != nullptr;
  return s;
}

/// Decodes one stream's packets; calls `each` for every frame.
class Decoder {
 public:
  explicit Decoder(const AVStream& stream) {
    const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
    if (codec == nullptr) return;
    context_ = avcodec_alloc_context3(codec);
    avcodec_parameters_to_context(context_, stream.codecpar);
    if (avcodec_open2(context_, codec, nullptr) < 0) avcodec_free_context(&context_);
    frame_ = av_frame_alloc();
  }
  ~Decoder() {
    avcodec_free_context(&context_);
    av_frame_free(&frame_);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  template <typename Each>
  void feed(const AVPacket* packet, Each each) {
    if (context_ == nullptr) return;
    avcodec_send_packet(context_, packet);
    while (avcodec_receive_frame(context_, frame_) >= 0) each(*frame_);
  }

 private:
  AVCodecContext* context_ = nullptr;
  AVFrame* frame_ = nullptr;
};

}  // namespace

const StreamContents& Contents::first(AVMediaType type) const {
  for (const StreamContents& s : streams) {
    if (s.type == type) return s;
  }
  throw std::runtime_error("no stream of this type");
}

int Contents::count(AVMediaType type) const {
  return static_cast<int>(
      std::count_if(streams.begin(), streams.end(), [&](const StreamContents& s) { return s.type == type; }));
}

Contents read_contents(const std::string& path) {
  const Input input = open_input(path);
  Contents contents;
  std::vector<std::vector<uint8_t>> bytes(input->nb_streams);
  std::vector<std::unique_ptr<Decoder>> decoders;
  for (unsigned i = 0; i < input->nb_streams; ++i) {
    const AVStream& stream = *input->streams[i];
    contents.streams.push_back(describe(stream));
    const AVCodecParameters& p = *stream.codecpar;
    if (p.extradata_size > 0) bytes[i].assign(p.extradata, p.extradata + p.extradata_size);
    decoders.push_back(p.codec_type == AVMEDIA_TYPE_VIDEO ? std::make_unique<Decoder>(stream) : nullptr);
  }
  AVPacket* packet = av_packet_alloc();
  const auto count = [&](size_t index, const AVPacket* p) {
    if (decoders[index]) decoders[index]->feed(p, [&](const AVFrame&) { ++contents.streams[index].decoded_frames; });
  };
  while (av_read_frame(input.get(), packet) >= 0) {
    const auto index = static_cast<size_t>(packet->stream_index);
    StreamContents& s = contents.streams[index];
    const double unit = av_q2d(input->streams[index]->time_base);
    bytes[index].insert(bytes[index].end(), packet->data, packet->data + packet->size);
    s.times.push_back(static_cast<double>(packet->pts) * unit);
    s.durations.push_back(static_cast<double>(packet->duration) * unit);
    count(index, packet);
    av_packet_unref(packet);
  }
  av_packet_free(&packet);
  for (size_t i = 0; i < decoders.size(); ++i) {
    count(i, nullptr);
    contents.streams[i].packets_sha256 = sha256_hex(bytes[i]);
    std::sort(contents.streams[i].times.begin(), contents.streams[i].times.end());
  }
  for (unsigned i = 0; i < input->nb_chapters; ++i) {
    const AVChapter& c = *input->chapters[i];
    const double unit = av_q2d(c.time_base);
    contents.chapters.push_back(
        {static_cast<double>(c.start) * unit, static_cast<double>(c.end) * unit, tag(c.metadata, "title")});
  }
  const AVDictionaryEntry* entry = nullptr;
  while ((entry = av_dict_get(input->metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr) {
    contents.metadata[entry->key] = entry->value;
  }
  return contents;
}

std::vector<uint8_t> first_luma(const std::string& path) {
  const Input input = open_input(path);
  const int index = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (index < 0) throw std::runtime_error("no video in " + path);
  Decoder decoder(*input->streams[index]);
  std::vector<uint8_t> luma;
  const auto take = [&](const AVFrame& frame) {
    if (!luma.empty()) return;
    const int row = av_image_get_linesize(static_cast<AVPixelFormat>(frame.format), frame.width, 0);
    for (int y = 0; y < frame.height; ++y) {
      const uint8_t* line = frame.data[0] + static_cast<ptrdiff_t>(y) * frame.linesize[0];
      luma.insert(luma.end(), line, line + row);
    }
  };
  AVPacket* packet = av_packet_alloc();
  while (luma.empty() && av_read_frame(input.get(), packet) >= 0) {
    if (packet->stream_index == index) decoder.feed(packet, take);
    av_packet_unref(packet);
  }
  av_packet_free(&packet);
  if (luma.empty()) decoder.feed(nullptr, take);
  return luma;
}

}  // namespace coco::test
