#include "apps/filejob/stream_copy.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace coco::filejob {
namespace {

// Tags that describe the source's container or its encoded size, untrue in the output.
constexpr std::array<std::string_view, 3> kContainerTags = {"major_brand", "minor_version", "compatible_brands"};
constexpr std::array<std::string_view, 5> kSizeTags = {"BPS", "NUMBER_OF_BYTES", "_STATISTICS_WRITING_APP",
                                                       "_STATISTICS_WRITING_DATE_UTC", "_STATISTICS_TAGS"};
// Tags MP4 has fixed places for.
constexpr std::array<std::string_view, 26> kMp4Tags = {
    "title",         "artist",    "album_artist", "composer",     "album",        "date",     "comment",
    "genre",         "copyright", "grouping",     "lyrics",       "description",  "synopsis", "show",
    "episode_id",    "network",   "keywords",     "track",        "disc",         "encoder",  "encoding_tool",
    "creation_time", "location",  "timecode",     "episode_sort", "season_number"};

const AVDictionaryEntry* next_entry(const AVDictionary* dictionary, const AVDictionaryEntry* previous) {
  return av_dict_get(dictionary, "", previous, AV_DICT_IGNORE_SUFFIX);
}

// "BPS-eng" counts as "BPS".
template <size_t n>
bool is_one_of(std::string_view key, const std::array<std::string_view, n>& list, bool with_language) {
  return std::any_of(list.begin(), list.end(), [&](std::string_view name) {
    return key == name ||
           (with_language && key.size() > name.size() && key.substr(0, name.size()) == name && key[name.size()] == '-');
  });
}

bool is_named(const AVOutputFormat& container, std::string_view name) { return container.name == name; }

bool in_transport_stream(AVCodecID codec, AVMediaType type) {
  if (type == AVMEDIA_TYPE_AUDIO || type == AVMEDIA_TYPE_VIDEO) return true;
  return codec == AV_CODEC_ID_DVB_SUBTITLE || codec == AV_CODEC_ID_DVB_TELETEXT || codec == AV_CODEC_ID_SMPTE_KLV ||
         codec == AV_CODEC_ID_TIMED_ID3 || codec == AV_CODEC_ID_SCTE_35;
}

bool is_frame_side_data_for_stream(AVFrameSideDataType from, AVPacketSideDataType* to) {
  switch (from) {
    case AV_FRAME_DATA_MASTERING_DISPLAY_METADATA:
      *to = AV_PKT_DATA_MASTERING_DISPLAY_METADATA;
      return true;
    case AV_FRAME_DATA_CONTENT_LIGHT_LEVEL:
      *to = AV_PKT_DATA_CONTENT_LIGHT_LEVEL;
      return true;
    case AV_FRAME_DATA_DISPLAYMATRIX:
      *to = AV_PKT_DATA_DISPLAYMATRIX;
      return true;
    case AV_FRAME_DATA_STEREO3D:
      *to = AV_PKT_DATA_STEREO3D;
      return true;
    default:
      return false;
  }
}

bool is_kept_stream_side_data(AVPacketSideDataType type) {
  return type == AV_PKT_DATA_DISPLAYMATRIX || type == AV_PKT_DATA_MASTERING_DISPLAY_METADATA ||
         type == AV_PKT_DATA_CONTENT_LIGHT_LEVEL || type == AV_PKT_DATA_STEREO3D || type == AV_PKT_DATA_SPHERICAL;
}

}  // namespace

std::string describe_stream(const AVStream& stream) {
  const char* type = av_get_media_type_string(stream.codecpar->codec_type);
  std::string text = "stream " + std::to_string(stream.index) + " (" + (type != nullptr ? type : "unknown");
  char tag[AV_FOURCC_MAX_STRING_SIZE] = {};
  if (stream.codecpar->codec_id != AV_CODEC_ID_NONE) {
    text += std::string(", ") + avcodec_get_name(stream.codecpar->codec_id);
  } else if (stream.codecpar->codec_tag != 0) {
    text += std::string(", ") + av_fourcc_make_string(tag, stream.codecpar->codec_tag);
  }
  for (const char* key : {"title", "filename", "language"}) {
    const AVDictionaryEntry* entry = av_dict_get(stream.metadata, key, nullptr, 0);
    if (entry == nullptr || entry->value[0] == '\0' || std::string_view(entry->value) == "und") continue;
    text += std::string(", '") + entry->value + "'";
    break;
  }
  return text + ")";
}

bool can_hold(const AVOutputFormat& container, const AVStream& stream) {
  const AVMediaType type = stream.codecpar->codec_type;
  const AVCodecID codec = stream.codecpar->codec_id;
  if (type == AVMEDIA_TYPE_ATTACHMENT) return is_named(container, "matroska");
  if (type == AVMEDIA_TYPE_UNKNOWN) return false;
  if ((stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
    if (is_named(container, "matroska")) return true;
    return is_mov_family(container) &&
           (codec == AV_CODEC_ID_MJPEG || codec == AV_CODEC_ID_PNG || codec == AV_CODEC_ID_BMP);
  }
  if (is_named(container, "mpegts")) return in_transport_stream(codec, type);
  if (codec == AV_CODEC_ID_NONE) return false;
  const int verdict = avformat_query_codec(&container, codec, FF_COMPLIANCE_NORMAL);
  if (verdict >= 0) return verdict == 1;
  if (type == AVMEDIA_TYPE_AUDIO) return container.audio_codec != AV_CODEC_ID_NONE;
  if (type == AVMEDIA_TYPE_SUBTITLE) return container.subtitle_codec == codec;
  return false;
}

bool is_remade_by_container(const AVOutputFormat& container, const AVFormatContext& input, const AVStream& stream) {
  if (stream.codecpar->codec_type != AVMEDIA_TYPE_DATA) return false;
  // The demuxer turns a QuickTime chapter track into chapters and discards the track.
  if (stream.discard == AVDISCARD_ALL && input.nb_chapters > 0) return true;
  return is_mov_family(container) && stream.codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd');
}

Error cannot_hold_error(const AVOutputFormat& container, const AVFormatContext& input, int video_index,
                        const AVStream& stream, const std::string& output) {
  std::string advice = "add --drop-unsupported to leave it out";
  for (const char* extension : {"mkv", "mp4", "mov", "ts"}) {
    const AVOutputFormat* other = av_guess_format(nullptr, (std::string("x.") + extension).c_str(), nullptr);
    bool all = other != nullptr;
    for (unsigned i = 0; all && i < input.nb_streams; ++i) {
      const AVStream& candidate = *input.streams[i];
      if (static_cast<int>(i) == video_index || is_remade_by_container(*other, input, candidate)) continue;
      all = can_hold(*other, candidate);
    }
    if (!all) continue;
    advice = std::string("name the output .") + extension + ", which can, or " + advice;
    break;
  }
  return make_error(ErrorCode::kUnsupported, "'" + output + "': a " + container.name + " file cannot hold " +
                                                 describe_stream(stream) + " of the source; " + advice);
}

Status fill_stream_copy(AVStream& copy, const AVStream& stream, const AVOutputFormat& container) {
  const int code = avcodec_parameters_copy(copy.codecpar, stream.codecpar);
  if (code < 0) return av_failure("copying " + describe_stream(stream), code);
  unsigned other_tag = 0;
  const bool tag_fits = container.codec_tag == nullptr ||
                        av_codec_get_id(container.codec_tag, stream.codecpar->codec_tag) == stream.codecpar->codec_id ||
                        av_codec_get_tag2(container.codec_tag, stream.codecpar->codec_id, &other_tag) == 0;
  if (!tag_fits) copy.codecpar->codec_tag = 0;
  copy.time_base = stream.time_base;
  copy.avg_frame_rate = stream.avg_frame_rate;
  copy.r_frame_rate = stream.r_frame_rate;
  copy.sample_aspect_ratio = stream.sample_aspect_ratio;
  copy.disposition = stream.disposition;
  copy.duration = av_rescale_q(stream.duration, stream.time_base, copy.time_base);
  av_dict_copy(&copy.metadata, stream.metadata, 0);
  for (const StreamSideData& entry : stream_side_data(stream)) {
    COCO_TRY(add_stream_side_data(copy, entry.type, entry.data, entry.size));
  }
  return {};
}

Status fill_cover_attachment(AVStream& copy, const AVStream& stream) {
  AVCodecParameters& parameters = *copy.codecpar;
  const bool png = stream.codecpar->codec_id == AV_CODEC_ID_PNG;
  parameters.codec_type = AVMEDIA_TYPE_ATTACHMENT;
  parameters.codec_id = stream.codecpar->codec_id;
  const AVPacket& picture = stream.attached_pic;
  parameters.extradata =
      static_cast<uint8_t*>(av_mallocz(static_cast<size_t>(picture.size) + AV_INPUT_BUFFER_PADDING_SIZE));
  if (parameters.extradata == nullptr) return make_error(ErrorCode::kResourceLimit, "out of memory for the cover");
  std::memcpy(parameters.extradata, picture.data, static_cast<size_t>(picture.size));
  parameters.extradata_size = picture.size;
  av_dict_copy(&copy.metadata, stream.metadata, 0);
  av_dict_set(&copy.metadata, "filename", png ? "cover.png" : "cover.jpg", AV_DICT_DONT_OVERWRITE);
  av_dict_set(&copy.metadata, "mimetype", png ? "image/png" : "image/jpeg", AV_DICT_DONT_OVERWRITE);
  return {};
}

void copy_global_metadata(AVFormatContext& output, const AVFormatContext& input) {
  for (const AVDictionaryEntry* entry = nullptr; (entry = next_entry(input.metadata, entry)) != nullptr;) {
    if (is_one_of(entry->key, kContainerTags, false)) continue;
    av_dict_set(&output.metadata, entry->key, entry->value, 0);
  }
}

Status copy_video_properties(AVStream& video, const AVFrame& first, const AVStream* source) {
  bool taken[64] = {};
  if (source != nullptr) {
    video.disposition = source->disposition;
    for (const AVDictionaryEntry* entry = nullptr; (entry = next_entry(source->metadata, entry)) != nullptr;) {
      if (is_one_of(entry->key, kSizeTags, true) || std::string_view(entry->key) == "encoder") continue;
      av_dict_set(&video.metadata, entry->key, entry->value, 0);
    }
    for (const StreamSideData& entry : stream_side_data(*source)) {
      if (!is_kept_stream_side_data(entry.type)) continue;
      taken[entry.type] = true;
      COCO_TRY(add_stream_side_data(video, entry.type, entry.data, entry.size));
    }
  }
  for (int i = 0; i < first.nb_side_data; ++i) {
    const AVFrameSideData& entry = *first.side_data[i];
    AVPacketSideDataType type = AV_PKT_DATA_NB;
    if (!is_frame_side_data_for_stream(entry.type, &type) || taken[type]) continue;
    COCO_TRY(add_stream_side_data(video, type, entry.data, entry.size));
  }
  return {};
}

bool needs_free_form_tags(const AVDictionary* metadata) {
  for (const AVDictionaryEntry* entry = nullptr; (entry = next_entry(metadata, entry)) != nullptr;) {
    if (!is_one_of(entry->key, kMp4Tags, true)) return true;
  }
  return false;
}

}  // namespace coco::filejob
