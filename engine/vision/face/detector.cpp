#include <algorithm>
#include <cmath>
#include <string>

#include "coco/face.h"
#include "coco/session.h"

namespace coco::vision {
namespace {

constexpr std::array<int, 3> kStrides = {8, 16, 32};

/// What is read of a stride: outputs by their place among the model's.
struct Level {
  int stride = 0, columns = 0, rows = 0;
  const float *classes = nullptr, *objects = nullptr, *boxes = nullptr, *points = nullptr;
};

}  // namespace

float overlap_of(const DetectedFace& a, const DetectedFace& b) {
  const float w = std::min(a.corner.x + a.width, b.corner.x + b.width) - std::max(a.corner.x, b.corner.x);
  const float h = std::min(a.corner.y + a.height, b.corner.y + b.height) - std::max(a.corner.y, b.corner.y);
  if (w <= 0 || h <= 0) return 0;
  return w * h / (a.width * a.height + b.width * b.height - w * h);
}

struct FaceDetector::State {
  DetectorConfig config;
  std::unique_ptr<Session> session;
  Shape shape;
  int width = 0, height = 0;
  std::vector<float> input;
  std::vector<std::vector<float>> outputs;
  std::vector<MutableTensorView> views;
  std::vector<Level> levels;

  Status find_levels();
  void read(const Level& level, float scale, std::vector<DetectedFace>& faces) const;
};

Status FaceDetector::State::find_levels() {
  const auto find = [&](const std::string& name, int64_t places, int64_t values) -> Result<const float*> {
    for (size_t i = 0; i < views.size(); ++i) {
      if (session->outputs()[i].name != name) continue;
      if (views[i].shape.element_count() == places * values && views[i].type == DataType::kF32) {
        return static_cast<const float*>(outputs[i].data());
      }
      return make_error(ErrorCode::kUnsupported, "the detector's output '" + name + "' is " +
                                                     views[i].shape.to_string() + ", not " + std::to_string(places) +
                                                     " places of " + std::to_string(values));
    }
    return make_error(ErrorCode::kUnsupported, "the detector has no output '" + name +
                                                   "'; networks of YuNet's form have cls_, obj_, bbox_ and "
                                                   "kps_ for the strides 8, 16 and 32");
  };
  for (const int stride : kStrides) {
    const std::string end = "_" + std::to_string(stride);
    Level level{stride, width / stride, height / stride};
    const int64_t places = int64_t{level.columns} * level.rows;
    COCO_ASSIGN(level.classes, find("cls" + end, places, 1));
    COCO_ASSIGN(level.objects, find("obj" + end, places, 1));
    COCO_ASSIGN(level.boxes, find("bbox" + end, places, 4));
    COCO_ASSIGN(level.points, find("kps" + end, places, 10));
    levels.push_back(level);
  }
  return {};
}

FaceDetector::FaceDetector(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceDetector::~FaceDetector() = default;

Result<std::unique_ptr<FaceDetector>> FaceDetector::create(std::shared_ptr<const Model> model,
                                                           const DetectorConfig& config) {
  auto state = std::make_unique<State>();
  state->config = config;
  if (model->inputs().size() != 1 || model->inputs()[0].shape.rank() != 4 || model->inputs()[0].shape[1] != 3) {
    return make_error(ErrorCode::kUnsupported, "a detector takes one picture, [1, 3, height, width]");
  }
  state->shape = model->inputs()[0].shape;
  constexpr int64_t kSide = 320;  // Where the model leaves it open.
  std::vector<int64_t> dims = state->shape.dims();
  dims[0] = 1;
  for (size_t i : {size_t{2}, size_t{3}}) {
    if (dims[i] < 0) dims[i] = kSide;
    if (dims[i] % 32 != 0 || dims[i] < 32 || dims[i] > 4096) {
      return make_error(ErrorCode::kUnsupported,
                        "the detector's input is " + state->shape.to_string() + "; sides must be multiples of 32");
    }
  }
  state->shape = Shape(dims);
  state->height = static_cast<int>(dims[2]);
  state->width = static_cast<int>(dims[3]);
  SessionOptions options;
  options.threads = config.threads;
  COCO_ASSIGN(state->session, Session::create(std::move(model), {&state->shape, 1}, options));
  state->input.resize(3 * static_cast<size_t>(state->width) * static_cast<size_t>(state->height));
  for (const TensorInfo& info : state->session->outputs()) {
    state->outputs.emplace_back(static_cast<size_t>(info.shape.element_count().value_or(0)));
    state->views.push_back({info.type, info.shape, state->outputs.back().data()});
  }
  COCO_TRY(state->find_levels());
  return std::unique_ptr<FaceDetector>(new FaceDetector(std::move(state)));
}

void FaceDetector::State::read(const Level& level, float scale, std::vector<DetectedFace>& faces) const {
  const auto step = static_cast<float>(level.stride) * scale;
  for (int row = 0; row < level.rows; ++row) {
    for (int column = 0; column < level.columns; ++column) {
      const auto i = static_cast<size_t>(row) * static_cast<size_t>(level.columns) + static_cast<size_t>(column);
      const float score =
          std::sqrt(std::clamp(level.classes[i], 0.0f, 1.0f) * std::clamp(level.objects[i], 0.0f, 1.0f));
      if (!(score >= config.threshold)) continue;
      const auto x = static_cast<float>(column), y = static_cast<float>(row);
      const float* box = level.boxes + 4 * i;
      DetectedFace face;
      face.score = score;
      face.width = std::exp(std::min(box[2], 8.0f)) * step;
      face.height = std::exp(std::min(box[3], 8.0f)) * step;
      face.corner = {(x + box[0]) * step - face.width / 2, (y + box[1]) * step - face.height / 2};
      for (size_t k = 0; k < 5; ++k) {
        face.points[k] = {(x + level.points[10 * i + 2 * k]) * step, (y + level.points[10 * i + 2 * k + 1]) * step};
      }
      faces.push_back(face);
    }
  }
}

Result<std::vector<DetectedFace>> FaceDetector::detect(const FrameView& frame) {
  State& s = *state_;
  if (frame.width < 1 || frame.height < 1) return make_error(ErrorCode::kInvalidArgument, "an empty frame");
  // The frame in the upper left of the input, as large as fits; grey beside it.
  const float scale = std::max(static_cast<float>(frame.width) / static_cast<float>(s.width),
                               static_cast<float>(frame.height) / static_cast<float>(s.height));
  const int side = std::max(s.width, s.height);
  const float whole = scale * static_cast<float>(side);
  std::vector<float> square(3 * static_cast<size_t>(side) * static_cast<size_t>(side));
  sample_crop(frame, s.config.colour, {{whole / 2, whole / 2}, whole, 0}, side, true, 255, square.data());
  const auto area = static_cast<size_t>(side) * static_cast<size_t>(side);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < s.height; ++y) {
      for (int x = 0; x < s.width; ++x) {
        const bool inside = static_cast<float>(x) * scale < static_cast<float>(frame.width) &&
                            static_cast<float>(y) * scale < static_cast<float>(frame.height);
        const size_t to = (static_cast<size_t>(c) * static_cast<size_t>(s.height) + static_cast<size_t>(y)) *
                              static_cast<size_t>(s.width) +
                          static_cast<size_t>(x);
        s.input[to] = inside ? square[static_cast<size_t>(c) * area +
                                      static_cast<size_t>(y) * static_cast<size_t>(side) + static_cast<size_t>(x)]
                             : 0.0f;
      }
    }
  }
  const TensorView in{DataType::kF32, s.shape, s.input.data()};
  COCO_TRY(s.session->run({&in, 1}, s.views));
  std::vector<DetectedFace> faces;
  for (const Level& level : s.levels) s.read(level, scale, faces);
  std::stable_sort(faces.begin(), faces.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<DetectedFace> kept;
  for (const DetectedFace& face : faces) {
    const bool free = std::none_of(kept.begin(), kept.end(), [&](const DetectedFace& other) {
      return overlap_of(face, other) > s.config.overlap;
    });
    if (free) kept.push_back(face);
  }
  return kept;
}

}  // namespace coco::vision
