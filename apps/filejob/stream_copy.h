// Purpose: what a container can hold, and how streams, metadata and side data are taken over into it.
// Ownership: everything is copied into the output's structures.
// Threads: one thread at a time per output.
// Failure: messages name the stream and a container that can hold it.
#pragma once

#include <string>

#include "apps/filejob/av.h"

namespace coco::filejob {

/// "stream 2 (subtitle, subrip, 'English')"
std::string describe_stream(const AVStream& stream);
/// Whether `container` can hold this stream unchanged.
bool can_hold(const AVOutputFormat& container, const AVStream& stream);
/// Chapter and time code tracks that the container's writer makes itself from chapters and metadata.
bool is_remade_by_container(const AVOutputFormat& container, const AVFormatContext& input, const AVStream& stream);
/// The error for a stream the container cannot hold, naming one that can hold all of them, if there is any.
Error cannot_hold_error(const AVOutputFormat& container, const AVFormatContext& input, int video_index,
                        const AVStream& stream, const std::string& output);

Status fill_stream_copy(AVStream& copy, const AVStream& stream, const AVOutputFormat& container);
/// Matroska keeps covers as attachments.
Status fill_cover_attachment(AVStream& copy, const AVStream& stream);
void copy_global_metadata(AVFormatContext& output, const AVFormatContext& input);
/// Metadata, disposition and side data of the video; HDR metadata also from its first frame.
Status copy_video_properties(AVStream& video, const AVFrame& first, const AVStream* source);
/// Whether some key would be lost in MP4's fixed set of tags.
bool needs_free_form_tags(const AVDictionary* metadata);

}  // namespace coco::filejob
