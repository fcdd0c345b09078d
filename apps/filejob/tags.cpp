#include "apps/filejob/av.h"
#include "apps/filejob/filejob.h"
#include "apps/filejob/muxer.h"
#include "apps/filejob/picture.h"
#include "apps/filejob/source.h"

namespace coco::filejob {
namespace {

Result<InputPtr> open_input(const std::string& path) {
  capture_av_log();
  forget_log_line();
  COCO_ASSIGN(const std::string url, input_url(path));
  AVFormatContext* context = nullptr;
  int code = avformat_open_input(&context, url.c_str(), nullptr, nullptr);
  if (code < 0) return av_failure("opening '" + path + "'", code);
  InputPtr input(context);
  code = avformat_find_stream_info(input.get(), nullptr);
  if (code < 0) return av_failure("reading '" + path + "'", code);
  return input;
}

void collect(const AVDictionary* metadata, Tags& tags) {
  for (const AVDictionaryEntry* entry = nullptr;
       (entry = av_dict_get(metadata, "", entry, AV_DICT_IGNORE_SUFFIX)) != nullptr;) {
    tags.emplace_back(entry->key, entry->value);
  }
}

}  // namespace

Result<Tags> read_tags(const std::string& path) {
  COCO_ASSIGN(const InputPtr input, open_input(path));
  Tags tags;
  collect(input->metadata, tags);
  for (unsigned i = 0; i < input->nb_streams; ++i) {
    if (input->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) collect(input->streams[i]->metadata, tags);
  }
  return tags;
}

Status copy_with_tags(const std::string& input, const std::string& output, const Tags& tags, const Note& note) {
  COCO_ASSIGN(const auto source, Source::open(input, nullptr));
  COCO_ASSIGN(const auto muxer, Muxer::create(output, input));
  muxer->set_tags(tags);
  COCO_TRY(muxer->add_source(*source, false, note));
  COCO_TRY(muxer->start_copy(*source));
  const PacketPtr packet(av_packet_alloc());
  if (!packet) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  while (source->read(*packet)) {
    const bool video = packet->stream_index == source->video().index;
    const Status written = video ? muxer->write_video(*packet, source->video().time_base) : muxer->write_copy(*packet);
    av_packet_unref(packet.get());
    if (!written.ok()) return written;
  }
  if (!source->read_error().empty()) {
    return make_error(ErrorCode::kInvalidData, "'" + input + "' stops early, " + source->read_error());
  }
  return muxer->finish();
}

Result<int64_t> show_frames(const std::string& path, const std::function<Result<bool>(const FrameView&)>& show) {
  COCO_ASSIGN(const auto source, Source::open(path, nullptr));
  std::unique_ptr<Converter> converter;
  PixelFormat format = PixelFormat::kI420;
  int64_t shown = 0;
  Status failed;
  bool open = true;
  const auto sink = [&](FramePtr frame) {
    if (!converter) {
      format = nearest_format(static_cast<AVPixelFormat>(frame->format));
      converter = std::make_unique<Converter>(format);
    }
    Result<FramePtr> converted = converter->convert(std::move(frame));
    if (!converted.ok()) {
      failed = converted.take_error();
      return open = false;
    }
    const Result<bool> more = show(view_of(**converted, format));
    if (!more.ok()) failed = Error(more.error());
    ++shown;
    return open = more.ok() && *more;
  };
  const PacketPtr packet(av_packet_alloc());
  if (!packet) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  while (open && source->read(*packet)) {
    if (packet->stream_index == source->video().index) source->decode(packet.get(), sink);
    av_packet_unref(packet.get());
  }
  if (open) source->decode(nullptr, sink);
  COCO_TRY(failed);
  return shown;
}

}  // namespace coco::filejob
