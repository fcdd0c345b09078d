#include "apps/filejob/frame_grab.h"

#include "apps/filejob/source.h"
#include "apps/filejob/upscale_stage.h"

namespace coco::filejob {
namespace {

Result<FramePtr> decode_frame(const std::string& path, int64_t index) {
  COCO_ASSIGN(const std::unique_ptr<Source> source, Source::open(path, nullptr));
  PacketPtr packet(av_packet_alloc());
  if (!packet) return make_error(ErrorCode::kResourceLimit, "out of memory for a packet");
  FramePtr found;
  int64_t count = 0;
  const auto take = [&](FramePtr frame) {
    if (count++ == index) found = std::move(frame);
    return !found;
  };
  while (!found && source->read(*packet)) {
    if (packet->stream_index == source->video().index) source->decode(packet.get(), take);
    av_packet_unref(packet.get());
  }
  if (!found) source->decode(nullptr, take);
  if (found) return found;
  return make_error(ErrorCode::kInvalidArgument, "'" + path + "' has no frame " + std::to_string(index) + "; it has " +
                                                     std::to_string(count) + " (the first is 0)");
}

}  // namespace

Result<std::vector<RgbImage>> grab_upscaled(const std::string& path, int64_t index, int out_width, int out_height,
                                            const std::vector<Method>& methods, const SessionOptions& session) {
  COCO_ASSIGN(const FramePtr frame, decode_frame(path, index));
  std::vector<RgbImage> images;
  for (const Method& method : methods) {
    UpscaleJob job;
    job.model = method.model;
    job.filter = method.filter;
    job.out_width = out_width;
    job.out_height = out_height;
    job.session = session;
    UpscaleStage stage(job, nullptr, [](const std::string&) {});
    FramePtr copy(av_frame_clone(frame.get()));
    if (!copy) return make_error(ErrorCode::kResourceLimit, "out of memory for a picture");
    COCO_ASSIGN(const FramePtr out, stage.process(std::move(copy)));
    RgbImage image{out->width, out->height, {}};
    COCO_ASSIGN(image.data, to_rgb24(*out));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace coco::filejob
