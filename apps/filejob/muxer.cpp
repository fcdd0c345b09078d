#include "apps/filejob/muxer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "apps/filejob/stream_copy.h"

namespace coco::filejob {
namespace {

bool is_named(const AVOutputFormat& container, const char* name) { return std::strcmp(container.name, name) == 0; }

bool is_cover(const AVStream& stream) { return (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0; }

Result<const AVOutputFormat*> container_for(const std::string& output) {
  const AVOutputFormat* container = av_guess_format(nullptr, output.c_str(), nullptr);
  const bool usable =
      container != nullptr && (container->flags & AVFMT_NOFILE) == 0 && container->video_codec != AV_CODEC_ID_NONE;
  if (usable) return container;
  return make_error(ErrorCode::kInvalidArgument, "cannot tell a video container from the name '" + output +
                                                     "'; end it with .mkv, .mp4, .mov, .webm or .ts");
}

}  // namespace

Muxer::Muxer(AVFormatContext* context, std::string output, PartialFile file)
    : context_(context), output_(std::move(output)), file_(std::move(file)) {}

Muxer::~Muxer() {
  if (context_->pb != nullptr) avio_closep(&context_->pb);
  avformat_free_context(context_);
}

Result<std::unique_ptr<Muxer>> Muxer::create(const std::string& output, const std::string& input) {
  capture_av_log();
  forget_log_line();
  COCO_ASSIGN(PartialFile file, PartialFile::create(output, input));
  COCO_ASSIGN(const AVOutputFormat* container, container_for(output));
  AVFormatContext* context = nullptr;
  const std::string url = "file:" + file.path();
  const int code =
      avformat_alloc_output_context2(&context, const_cast<AVOutputFormat*>(container), nullptr, url.c_str());
  if (code < 0) return av_failure("cannot prepare '" + output + "'", code);
  std::unique_ptr<Muxer> muxer(new Muxer(context, output, std::move(file)));
  const int opened = avio_open(&context->pb, url.c_str(), AVIO_FLAG_WRITE);
  if (opened < 0) return muxer->failure(opened);
  return muxer;
}

Error Muxer::failure(int code) const {
  const bool full = code == AVERROR(ENOSPC) || code == AVERROR(EDQUOT);
  return av_failure("cannot write '" + output_ + "'" + (full ? " (free some space or choose another folder)" : ""),
                    code);
}

Status Muxer::add_source(Source& source, bool drop_unsupported, const Note& note) {
  AVFormatContext& input = source.format();
  video_source_ = source.video().index;
  target_.assign(input.nb_streams, -1);
  for (unsigned i = 0; i < input.nb_streams; ++i) source_base_.push_back(input.streams[i]->time_base);
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVStream& stream = *input.streams[i];
    if (static_cast<int>(i) == video_source_) {
      // The video keeps its place among the streams; start() fills it in.
      AVStream* slot = avformat_new_stream(context_, nullptr);
      if (slot == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for a stream");
      video_target_ = slot->index;
      continue;
    }
    if (is_remade_by_container(*context_->oformat, input, stream)) continue;
    if (can_hold(*context_->oformat, stream)) {
      target_[i] = static_cast<int>(context_->nb_streams);
      COCO_TRY(add_stream(stream));
      continue;
    }
    if (!drop_unsupported) return cannot_hold_error(*context_->oformat, input, video_source_, stream, output_);
    note("left out: " + describe_stream(stream) + " (" + context_->oformat->name + " cannot hold it)");
    input.streams[i]->discard = AVDISCARD_ALL;
  }
  copy_global_metadata(*context_, input);
  COCO_TRY(choose_tags(note));
  copy_programs(input);
  return copy_chapters(source);
}

// FFmpeg writes either an MP4's cover or its free-form tags.
Status Muxer::choose_tags(const Note& note) {
  for (const auto& [key, value] : tags_) av_dict_set(&context_->metadata, key.c_str(), value.c_str(), 0);
  if (!is_mov_family(*context_->oformat) || !needs_free_form_tags(context_->metadata)) return {};
  free_form_tags_ = true;
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    if (is_cover(*context_->streams[i])) free_form_tags_ = false;
  }
  if (free_form_tags_) return {};
  if (!tags_.empty()) {
    return make_error(ErrorCode::kUnsupported, "an MP4 with a cover picture has no place for the tag '" +
                                                   tags_.front().first + "' in '" + output_ + "'; .mkv keeps both");
  }
  note("some of the source's tags have no place in an MP4 with a cover picture; .mkv keeps both");
  return {};
}

Status Muxer::add_stream(const AVStream& stream) {
  AVStream* copy = avformat_new_stream(context_, nullptr);
  if (copy == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for a stream");
  if (is_cover(stream) && is_named(*context_->oformat, "matroska")) return fill_cover_attachment(*copy, stream);
  return fill_stream_copy(*copy, stream, *context_->oformat);
}

Status Muxer::copy_chapters(const Source& source) {
  const AVFormatContext& input = const_cast<Source&>(source).format();
  if (input.nb_chapters == 0) return {};
  context_->chapters = static_cast<AVChapter**>(av_calloc(input.nb_chapters, sizeof(AVChapter*)));
  if (context_->chapters == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for chapters");
  for (unsigned i = 0; i < input.nb_chapters; ++i) {
    const AVChapter& from = *input.chapters[i];
    auto* chapter = static_cast<AVChapter*>(av_mallocz(sizeof(AVChapter)));
    if (chapter == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for chapters");
    const int64_t offset = av_rescale_q(source.start_offset(), {1, AV_TIME_BASE}, from.time_base);
    chapter->id = from.id;
    chapter->time_base = from.time_base;
    chapter->start = std::max<int64_t>(from.start - offset, 0);
    chapter->end = std::max<int64_t>(from.end - offset, 0);
    av_dict_copy(&chapter->metadata, from.metadata, 0);
    context_->chapters[context_->nb_chapters++] = chapter;
  }
  return {};
}

void Muxer::copy_programs(const AVFormatContext& input) {
  if (!is_named(*context_->oformat, "mpegts")) return;
  for (unsigned i = 0; i < input.nb_programs; ++i) {
    const AVProgram& from = *input.programs[i];
    AVProgram* program = av_new_program(context_, from.id);
    if (program == nullptr) return;
    av_dict_copy(&program->metadata, from.metadata, 0);
    for (unsigned s = 0; s < from.nb_stream_indexes; ++s) {
      const unsigned index = from.stream_index[s];
      const int target = static_cast<int>(index) == video_source_ ? video_target_ : target_[index];
      if (target >= 0) av_program_add_stream_index(context_, from.id, static_cast<unsigned>(target));
    }
  }
}

Result<AVStream*> Muxer::video_stream() {
  if (video_target_ < 0) {
    AVStream* slot = avformat_new_stream(context_, nullptr);
    if (slot == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for a stream");
    video_target_ = slot->index;
  }
  return context_->streams[video_target_];
}

Status Muxer::start(const VideoEncoder& encoder, const AVFrame& first, Source* source) {
  const AVCodecContext& context = encoder.context();
  COCO_ASSIGN(AVStream * video, video_stream());
  const int code = avcodec_parameters_from_context(video->codecpar, &context);
  if (code < 0) return failure(code);
  video->time_base = context.time_base;
  video->avg_frame_rate = context.framerate;
  video->sample_aspect_ratio = context.sample_aspect_ratio;
  const bool mp4_family = is_mov_family(*context_->oformat);
  if (mp4_family && context.codec_id == AV_CODEC_ID_HEVC) video->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1');
  COCO_TRY(copy_video_properties(*video, first, source != nullptr ? &source->video() : nullptr));
  return write_header();
}

Status Muxer::start_copy(Source& source) {
  COCO_ASSIGN(AVStream * video, video_stream());
  if (!can_hold(*context_->oformat, source.video())) {
    return cannot_hold_error(*context_->oformat, source.format(), -1, source.video(), output_);
  }
  COCO_TRY(fill_stream_copy(*video, source.video(), *context_->oformat));
  return write_header();
}

Status Muxer::write_header() {
  forget_log_line();
  AVDictionary* options = nullptr;
  if (free_form_tags_) av_dict_set(&options, "movflags", "use_metadata_tags", 0);
  const int written = avformat_write_header(context_, &options);
  av_dict_free(&options);
  if (written < 0) return failure(written);
  const std::lock_guard lock(mutex_);
  last_dts_.assign(context_->nb_streams, AV_NOPTS_VALUE);
  started_ = true;
  for (PacketPtr& packet : pending_) COCO_TRY(write_locked(*packet));
  pending_.clear();
  return {};
}

Status Muxer::write_copy(const AVPacket& packet) {
  const auto index = static_cast<size_t>(packet.stream_index);
  if (index >= target_.size() || target_[index] < 0) return {};
  const AVStream& target = *context_->streams[target_[index]];
  if (target.codecpar->codec_type == AVMEDIA_TYPE_ATTACHMENT) return {};
  PacketPtr copy(av_packet_clone(&packet));
  if (!copy) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  copy->stream_index = static_cast<int>(index);
  copy->pos = -1;
  const std::lock_guard lock(mutex_);
  if (!started_) {
    pending_.push_back(std::move(copy));
    return {};
  }
  return write_locked(*copy);
}

// Takes a copy still numbered and timed as in the source.
Status Muxer::write_locked(AVPacket& packet) {
  const auto source_index = static_cast<size_t>(packet.stream_index);
  const int index = target_[source_index];
  const AVStream& stream = *context_->streams[index];
  packet.stream_index = index;
  av_packet_rescale_ts(&packet, source_base_[source_index], stream.time_base);
  int64_t& last = last_dts_[static_cast<size_t>(index)];
  if (packet.dts != AV_NOPTS_VALUE) {
    const AVMediaType type = stream.codecpar->codec_type;
    const bool may_repeat = (context_->oformat->flags & AVFMT_TS_NONSTRICT) != 0 || type == AVMEDIA_TYPE_SUBTITLE ||
                            type == AVMEDIA_TYPE_DATA;
    const int64_t least = last == AV_NOPTS_VALUE ? packet.dts : last + (may_repeat ? 0 : 1);
    if (packet.dts < least) packet.dts = least;
    if (packet.pts != AV_NOPTS_VALUE && packet.pts < packet.dts) packet.pts = packet.dts;
    last = packet.dts;
  }
  int code = av_interleaved_write_frame(context_, &packet);
  if (code >= 0 && context_->pb->error < 0) code = context_->pb->error;
  if (code < 0) return failure(code);
  return {};
}

Status Muxer::write_video(const AVPacket& packet, AVRational time_base) {
  PacketPtr copy(av_packet_clone(&packet));
  if (!copy) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  const std::lock_guard lock(mutex_);
  copy->stream_index = video_target_;
  av_packet_rescale_ts(copy.get(), time_base, context_->streams[video_target_]->time_base);
  int code = av_interleaved_write_frame(context_, copy.get());
  if (code >= 0 && context_->pb->error < 0) code = context_->pb->error;
  if (code < 0) return failure(code);
  return {};
}

Status Muxer::finish() {
  const std::lock_guard lock(mutex_);
  int code = av_write_trailer(context_);
  if (code >= 0 && context_->pb->error < 0) code = context_->pb->error;
  const int closed = avio_closep(&context_->pb);
  if (code >= 0) code = closed;
  if (code < 0) return failure(code);
  return file_.commit();
}

}  // namespace coco::filejob
