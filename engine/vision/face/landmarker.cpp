#include <cmath>

#include "coco/face.h"
#include "coco/session.h"

namespace coco::vision {
namespace {

constexpr int kSize = 112, kPoints = 68, kOutputs = 3 * kPoints + 3;

}  // namespace

struct FaceLandmarker::State {
  std::unique_ptr<Session> session;
  FrameColour colour;
  Shape shape{1, 3, kSize, kSize};
  std::vector<float> input, output;
};

FaceLandmarker::FaceLandmarker(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceLandmarker::~FaceLandmarker() = default;

Result<std::unique_ptr<FaceLandmarker>> FaceLandmarker::create(std::shared_ptr<const Model> model, int threads,
                                                               const FrameColour& colour) {
  auto state = std::make_unique<State>();
  state->colour = colour;
  SessionOptions options;
  options.threads = threads;
  if (model->inputs().size() != 1) return make_error(ErrorCode::kUnsupported, "a landmark network takes one picture");
  COCO_ASSIGN(state->session, Session::create(std::move(model), {&state->shape, 1}, options));
  const auto& outputs = state->session->outputs();
  if (outputs.size() != 1 || outputs[0].shape.element_count() != kOutputs) {
    return make_error(
        ErrorCode::kUnsupported,
        "a landmark network has one output of 207 numbers: 68 x, 68 y, 68 visibilities, yaw, pitch, roll");
  }
  state->input.resize(3 * static_cast<size_t>(kSize) * kSize);
  state->output.resize(kOutputs);
  return std::unique_ptr<FaceLandmarker>(new FaceLandmarker(std::move(state)));
}

Result<FaceLandmarks> FaceLandmarker::locate(const FrameView& frame, const SquareCrop& crop) {
  State& s = *state_;
  if (!(crop.side > 0) || !std::isfinite(crop.side) || !std::isfinite(crop.centre.x) || !std::isfinite(crop.centre.y)) {
    return make_error(ErrorCode::kInvalidArgument, "a crop without a size");
  }
  sample_crop(frame, s.colour, crop, kSize, false, 1, s.input.data());
  const TensorView in{DataType::kF32, s.shape, s.input.data()};
  const MutableTensorView out{DataType::kF32, s.session->outputs()[0].shape, s.output.data()};
  COCO_TRY(s.session->run({&in, 1}, {&out, 1}));
  FaceLandmarks landmarks;
  const float turn = crop.roll * 0.01745329f, c = std::cos(turn), sine = std::sin(turn), half = crop.side / 2;
  for (size_t i = 0; i < kPoints; ++i) {
    const float u = s.output[i] * half, v = s.output[kPoints + i] * half;
    landmarks.points[i] = {crop.centre.x + c * u + sine * v, crop.centre.y - sine * u + c * v};
    landmarks.visible[i] = 1 / (1 + std::exp(-s.output[2 * kPoints + i]));
  }
  landmarks.yaw = 90 * s.output[3 * kPoints];
  landmarks.pitch = 90 * s.output[3 * kPoints + 1];
  landmarks.roll = 90 * s.output[3 * kPoints + 2] + crop.roll;
  return landmarks;
}

}  // namespace coco::vision
