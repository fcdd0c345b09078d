#include "apps/filejob/av.h"
#include "apps/filejob/filejob.h"
#include "apps/filejob/partial_file.h"
#include "apps/filejob/picture.h"
#include "apps/filejob/source.h"
#include "apps/filejob/stream_copy.h"

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

struct OutputDeleter {
  void operator()(AVFormatContext* context) const {
    if (context->pb != nullptr) avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using OutputPtr = std::unique_ptr<AVFormatContext, OutputDeleter>;

Status copy_packets(AVFormatContext& input, AVFormatContext& output, const std::vector<int>& target,
                    const std::string& path) {
  const PacketPtr packet(av_packet_alloc());
  if (!packet) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  int code = 0;
  while ((code = av_read_frame(&input, packet.get())) >= 0) {
    const int to = target[static_cast<size_t>(packet->stream_index)];
    if (to < 0) {
      av_packet_unref(packet.get());
      continue;
    }
    av_packet_rescale_ts(packet.get(), input.streams[packet->stream_index]->time_base, output.streams[to]->time_base);
    packet->stream_index = to;
    packet->pos = -1;
    code = av_interleaved_write_frame(&output, packet.get());
    if (code >= 0 && output.pb->error < 0) code = output.pb->error;
    if (code < 0) return av_failure("writing '" + path + "'", code);
  }
  if (code != AVERROR_EOF) return av_failure("reading '" + std::string(input.url) + "'", code);
  code = av_write_trailer(&output);
  if (code >= 0 && output.pb->error < 0) code = output.pb->error;
  if (code >= 0) code = avio_closep(&output.pb);
  if (code < 0) return av_failure("writing '" + path + "'", code);
  return {};
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

Status copy_with_tags(const std::string& input_path, const std::string& output_path, const Tags& tags) {
  COCO_ASSIGN(const InputPtr input, open_input(input_path));
  COCO_ASSIGN(PartialFile file, PartialFile::create(output_path, input_path));
  const AVOutputFormat* format = av_guess_format(nullptr, output_path.c_str(), nullptr);
  if (format == nullptr) {
    return make_error(ErrorCode::kUnsupported,
                      "'" + output_path + "': no container has this extension; .mp4 and .mkv do");
  }
  AVFormatContext* context = nullptr;
  int code =
      avformat_alloc_output_context2(&context, const_cast<AVOutputFormat*>(format), nullptr, file.path().c_str());
  if (code < 0) return av_failure("making '" + output_path + "'", code);
  const OutputPtr output(context);
  std::vector<int> target(input->nb_streams, -1);
  for (unsigned i = 0; i < input->nb_streams; ++i) {
    const AVStream& stream = *input->streams[i];
    if (is_remade_by_container(*format, *input, stream)) continue;
    if (!can_hold(*format, stream)) return cannot_hold_error(*format, *input, -1, stream, output_path);
    AVStream* copy = avformat_new_stream(output.get(), nullptr);
    if (copy == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for a stream");
    COCO_TRY(fill_stream_copy(*copy, stream, *format));
    target[i] = copy->index;
  }
  copy_global_metadata(*output, *input);
  for (const auto& [key, value] : tags) av_dict_set(&output->metadata, key.c_str(), value.c_str(), 0);
  code = avio_open(&output->pb, file.path().c_str(), AVIO_FLAG_WRITE);
  if (code < 0) return av_failure("making '" + output_path + "'", code);
  AVDictionary* options = nullptr;
  if (is_mov_family(*format)) av_dict_set(&options, "movflags", "use_metadata_tags", 0);
  code = avformat_write_header(output.get(), &options);
  av_dict_free(&options);
  if (code < 0) return av_failure("writing '" + output_path + "'", code);
  COCO_TRY(copy_packets(*input, *output, target, output_path));
  return file.commit();
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
