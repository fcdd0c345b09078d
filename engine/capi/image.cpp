// Image sessions and upscalers.
#include <cstdint>
#include <string>
#include <utility>

#include "capi/enums.h"
#include "capi/handles.h"
#include "capi/structs.h"

using namespace coco;
using namespace coco::capi;

struct coco_image_session {
  std::unique_ptr<ImageSession> session;
  ImageJob job;
  Busy busy;
};

struct coco_upscaler {
  std::unique_ptr<vision::Upscaler> upscaler;
  Busy busy;
};

namespace {

Result<coco_image_session*> create_image_session(const coco_model* model, const coco_image_job* job,
                                                 const coco_session_options* options) {
  COCO_ASSIGN(const coco_image_job given, read_struct(job, "coco_image_job"));
  COCO_ASSIGN(const SessionOptions wanted, session_options(options));
  ImageJob planned;
  planned.in_width = given.in_width;
  planned.in_height = given.in_height;
  planned.out_width = given.out_width;
  planned.out_height = given.out_height;
  COCO_TRY(from_c(given.in_type, planned.in_type));
  COCO_TRY(from_c(given.out_type, planned.out_type));
  COCO_TRY(from_c(given.filter, planned.filter));
  if (model == nullptr && given.repeats != 0) {
    return make_error(ErrorCode::kInvalidArgument, "coco_image_job: repeats must be 0 without a model");
  }
  planned.repeats = model != nullptr && given.repeats == 0 ? 1 : given.repeats;
  COCO_ASSIGN(auto session, ImageSession::create(model_of(model), planned, wanted));
  return new coco_image_session{std::move(session), planned, Busy()};
}

Status check_plane(const char* what, const void* data, ptrdiff_t stride, int width, int height, SampleType type) {
  const auto wrong = [&](const std::string& text) {
    return make_error(ErrorCode::kInvalidArgument, std::string("the ") + what + " plane " + text);
  };
  const auto sample = static_cast<ptrdiff_t>(byte_size(type));
  if (data == nullptr) return wrong("is NULL");
  // std::abs of the smallest stride there is would overflow.
  const ptrdiff_t row = width * sample;
  if (height > 1 && stride > -row && stride < row) {
    return wrong("has a stride of " + std::to_string(stride) + " bytes, its rows have " + std::to_string(row));
  }
  if (stride % sample != 0 || reinterpret_cast<uintptr_t>(data) % static_cast<size_t>(sample) != 0) {
    return wrong("is not aligned to its " + std::to_string(sample) + "-byte samples");
  }
  return {};
}

Result<coco_upscaler*> create_upscaler(const coco_model* model, const coco_upscaler_config* config,
                                       const coco_session_options* options) {
  COCO_ASSIGN(const coco_upscaler_config given, read_struct(config, "coco_upscaler_config"));
  vision::UpscalerConfig wanted;
  COCO_ASSIGN(wanted.session, session_options(options));
  wanted.in_width = given.in_width;
  wanted.in_height = given.in_height;
  wanted.out_width = given.out_width;
  wanted.out_height = given.out_height;
  COCO_TRY(from_c(given.format, wanted.format));
  COCO_TRY(from_c(given.chroma_site, wanted.chroma_site));
  COCO_TRY(from_c(given.filter, wanted.filter));
  COCO_TRY(from_c(given.tuning, wanted.tuning));
  COCO_ASSIGN(auto upscaler, vision::Upscaler::create(model_of(model), wanted));
  return new coco_upscaler{std::move(upscaler), Busy()};
}

/// A frame of the format from the first entries of the caller's arrays, one for each plane.
template <typename Frame, typename Pointer>
Frame frame_of(PixelFormat format, int width, int height, Pointer const* data, const ptrdiff_t* strides) {
  Frame frame;
  frame.format = format;
  frame.width = width;
  frame.height = height;
  for (size_t plane = 0; plane < static_cast<size_t>(plane_count(format)); ++plane) {
    frame.data[plane] = data[plane];
    frame.stride[plane] = strides[plane];
  }
  return frame;
}

}  // namespace

coco_error coco_image_session_create(const coco_model* model, const coco_image_job* job,
                                     const coco_session_options* options, coco_image_session** session) {
  return make(session, [&] { return create_image_session(model, job, options); });
}

void coco_image_session_free(coco_image_session* session) { delete session; }

coco_error coco_image_session_get_stats(const coco_image_session* session, coco_session_stats* stats) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    return write_stats(session->session->stats(), session->session->reuse_stats(), stats);
  });
}

coco_error coco_image_session_run(coco_image_session* session, const void* in, ptrdiff_t in_stride, void* out,
                                  ptrdiff_t out_stride) {
  return call([&]() -> Status {
    COCO_TRY(require(session, "session"));
    COCO_TRY(session->busy.enter());
    const Entered entered(session->busy);
    const ImageJob& job = session->job;
    COCO_TRY(check_plane("input", in, in_stride, job.in_width, job.in_height, job.in_type));
    COCO_TRY(check_plane("output", out, out_stride, job.out_width, job.out_height, job.out_type));
    return session->session->run({in, in_stride, job.in_width, job.in_height, job.in_type},
                                 {out, out_stride, job.out_width, job.out_height, job.out_type});
  });
}

int32_t coco_pixel_format_planes(coco_pixel_format format) {
  PixelFormat known{};
  return find(format, known) ? plane_count(known) : 0;
}

coco_error coco_upscaler_create(const coco_model* model, const coco_upscaler_config* config,
                                const coco_session_options* options, coco_upscaler** upscaler) {
  return make(upscaler, [&] { return create_upscaler(model, config, options); });
}

void coco_upscaler_free(coco_upscaler* upscaler) { delete upscaler; }

coco_error coco_upscaler_get_stats(const coco_upscaler* upscaler, coco_session_stats* stats) {
  return call([&]() -> Status {
    COCO_TRY(require(upscaler, "upscaler"));
    return write_stats(upscaler->upscaler->stats(), upscaler->upscaler->reuse_stats(), stats);
  });
}

coco_error coco_upscaler_process(coco_upscaler* upscaler, const void* const* in, const ptrdiff_t* in_strides,
                                 void* const* out, const ptrdiff_t* out_strides) {
  return call([&]() -> Status {
    COCO_TRY(require(upscaler, "upscaler"));
    COCO_TRY(require(in, "in"));
    COCO_TRY(require(in_strides, "in_strides"));
    COCO_TRY(require(out, "out"));
    COCO_TRY(require(out_strides, "out_strides"));
    COCO_TRY(upscaler->busy.enter());
    const Entered entered(upscaler->busy);
    const vision::UpscalerConfig& config = upscaler->upscaler->config();
    return upscaler->upscaler->process(
        frame_of<FrameView>(config.format, config.in_width, config.in_height, in, in_strides),
        frame_of<MutableFrameView>(config.format, config.out_width, config.out_height, out, out_strides));
  });
}
