// Purpose: small synthetic media files for the tests, and what a file holds, read back with FFmpeg's libraries.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace coco::test {

struct ClipSpec {
  int width = 64, height = 48;
  AVPixelFormat format = AV_PIX_FMT_YUV420P;
  std::string codec = "ffv1";
  std::vector<int64_t> pts;  ///< milliseconds; empty: `frames` frames 40 ms apart
  int frames = 12;
  AVRational aspect{1, 1};
  AVColorRange range = AVCOL_RANGE_MPEG;
  AVColorPrimaries primaries = AVCOL_PRI_BT709;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_BT709;
  AVColorSpace matrix = AVCOL_SPC_BT709;
  AVChromaLocation chroma = AVCHROMA_LOC_LEFT;
  bool audio = false, subtitles = false, chapters = false, attachment = false, cover = false, hdr = false;
  bool faststart = false;  ///< an MP4's index stands in front
  int rotation = 0;        ///< degrees, as a display matrix of the stream
  std::map<std::string, std::string> metadata;
};

/// Writes the clip; throws std::runtime_error with the reason when FFmpeg refuses.
void make_clip(const std::string& path, const ClipSpec& spec);

struct StreamContents {
  AVMediaType type = AVMEDIA_TYPE_UNKNOWN;
  std::string codec, language, title;
  int width = 0, height = 0, disposition = 0;
  AVRational aspect{0, 1};
  int pixel_format = -1, range = 0, primaries = 0, transfer = 0, matrix = 0, chroma = 0;
  std::string packets_sha256;  ///< over all packets' bytes in order, and the codec's setup data
  std::vector<double> times;   ///< of packets, seconds, sorted
  std::vector<double> durations;
  int decoded_frames = 0;
  int rotation = 0;
  bool mastering = false, light = false;
};
struct ChapterContents {
  double start = 0, end = 0;
  std::string title;
};
struct Contents {
  std::vector<StreamContents> streams;
  std::vector<ChapterContents> chapters;
  std::map<std::string, std::string> metadata;
  /// The first stream of a type; throws when there is none.
  const StreamContents& first(AVMediaType type) const;
  int count(AVMediaType type) const;
};

/// Reads everything; throws when the file cannot be opened.
Contents read_contents(const std::string& path);

/// Luma of the first decoded frame, rows without padding; 16-bit samples as they lie in memory.
std::vector<uint8_t> first_luma(const std::string& path);

}  // namespace coco::test
