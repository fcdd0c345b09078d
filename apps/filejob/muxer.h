// Purpose: the output file: every stream the container can hold copied from the source, the encoded video beside them.
// Ownership: owns the container context and the partial file; the source is borrowed for add_source().
// Threads: write_copy() and write_video() may be called from different threads; the rest from one.
// Failure: a stream the container cannot hold is named together with a container that can; a full disk is reported on
// the write that meets it; nothing is left under any name unless finish() succeeded.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apps/filejob/av.h"
#include "apps/filejob/encoder.h"
#include "apps/filejob/partial_file.h"
#include "apps/filejob/source.h"

namespace coco::filejob {

class Muxer {
 public:
  /// Chooses the container by the extension of `output` and proves that the place can be written.
  static Result<std::unique_ptr<Muxer>> create(const std::string& output, const std::string& input);
  ~Muxer();

  const AVOutputFormat& container() const { return *context_->oformat; }
  /// Tags that the file must have, over the source's; before add_source().
  void set_tags(Tags tags) { tags_ = std::move(tags); }
  /// Plans the copies of all streams but the main video, and takes over chapters, metadata and programs.
  Status add_source(Source& source, bool drop_unsupported, const Note& note);
  /// Adds the video and writes the header. `first` supplies side data only frames carry; `source` may be null.
  Status start(const VideoEncoder& encoder, const AVFrame& first, Source* source);
  /// The same where the main video is copied as it is.
  Status start_copy(Source& source);
  /// Takes a packet of any source stream but the main video; those planned to be left out are ignored.
  Status write_copy(const AVPacket& packet);
  /// Takes an encoded packet in `time_base`.
  Status write_video(const AVPacket& packet, AVRational time_base);
  /// Writes the trailer and gives the file its final name.
  Status finish();

 private:
  Muxer(AVFormatContext* context, std::string output, PartialFile file);
  Status add_stream(const AVStream& stream);
  Status copy_chapters(const Source& source);
  Status choose_tags(const Note& note);
  void copy_programs(const AVFormatContext& input);
  Result<AVStream*> video_stream();
  Status write_header();
  Status write_locked(AVPacket& packet);
  Error failure(int code) const;

  AVFormatContext* context_;
  std::string output_;
  PartialFile file_;
  std::mutex mutex_;
  std::vector<int> target_;              ///< by source stream: output stream, or -1
  std::vector<AVRational> source_base_;  ///< by source stream
  std::vector<int64_t> last_dts_;        ///< by output stream
  std::deque<PacketPtr> pending_;        ///< copies that came before the header
  int video_source_ = -1;
  int video_target_ = -1;
  bool started_ = false;
  Tags tags_;
  bool free_form_tags_ = false;  ///< MP4: written as key/value pairs, the only form for other than its fixed tags
};

}  // namespace coco::filejob
