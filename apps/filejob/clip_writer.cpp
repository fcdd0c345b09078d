#include "apps/filejob/clip_writer.h"

#include "apps/filejob/encoder.h"
#include "apps/filejob/muxer.h"

namespace coco::filejob {

struct ClipWriter::State {
  ClipFormat format;
  std::unique_ptr<Muxer> muxer;
  std::unique_ptr<VideoEncoder> encoder;
  const AVCodec* codec = nullptr;
  FramePool pool;
  int64_t frames = 0;

  PacketSink sink() {
    return [this](AVPacket& packet) { return muxer->write_video(packet, encoder->context().time_base); };
  }
};

ClipWriter::ClipWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClipWriter::~ClipWriter() = default;

Result<std::unique_ptr<ClipWriter>> ClipWriter::create(const std::string& path, const ClipFormat& format) {
  auto state = std::make_unique<State>();
  state->format = format;
  COCO_ASSIGN(state->muxer, Muxer::create(path, ""));
  COCO_ASSIGN(state->codec,
              choose_encoder(format.encoder.codec, &state->muxer->container(), [](const std::string&) {}));
  return std::unique_ptr<ClipWriter>(new ClipWriter(std::move(state)));
}

Status ClipWriter::write(const FrameView& view) {
  State& state = *state_;
  COCO_ASSIGN(FramePtr frame, state.pool.get(av_format(view.format), view.width, view.height));
  const uint8_t* planes[4] = {};
  int strides[4] = {};
  for (size_t i = 0; i < view.data.size(); ++i) {
    planes[i] = static_cast<const uint8_t*>(view.data[i]);
    strides[i] = static_cast<int>(view.stride[i]);
  }
  av_image_copy(frame->data, frame->linesize, planes, strides, av_format(view.format), view.width, view.height);
  frame->pts = state.frames++;
  set_frame_duration(*frame, 1);
  frame->sample_aspect_ratio = {1, 1};
  frame->color_range = AVCOL_RANGE_MPEG;
  frame->color_primaries = AVCOL_PRI_BT709;
  frame->color_trc = AVCOL_TRC_BT709;
  frame->colorspace = AVCOL_SPC_BT709;
  frame->chroma_location = AVCHROMA_LOC_LEFT;
  if (!state.encoder) {
    const StreamTiming timing{{1, state.format.frames_per_second}, {state.format.frames_per_second, 1}};
    COCO_ASSIGN(state.encoder, VideoEncoder::open(*state.codec, state.format.encoder, state.muxer->container(), *frame,
                                                  timing, [](const std::string&) {}));
    COCO_TRY(state.muxer->start(*state.encoder, *frame, nullptr));
  }
  return state.encoder->encode(frame.get(), state.sink());
}

Status ClipWriter::finish() {
  if (!state_->encoder) return make_error(ErrorCode::kInvalidArgument, "a clip needs at least one frame");
  COCO_TRY(state_->encoder->encode(nullptr, state_->sink()));
  return state_->muxer->finish();
}

}  // namespace coco::filejob
