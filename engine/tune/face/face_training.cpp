#include "tune/face/face_training.h"

#include <nlohmann/json.hpp>

#include "tune/face/face_data.h"
#include "tune/face/face_networks.h"
#include "tune/face/face_pictures.h"
#include "tune/face/face_task.h"
#include "tune/graph_network.h"
#include "tune/onnx_export.h"
#include "tune/training_log.h"
#include "tune/training_run.h"

namespace coco::tune {
namespace {

Result<graph::Graph> graph_of(FaceNetwork network, Random& random) {
  return network == FaceNetwork::kLandmarks ? landmark_network(random) : mask_network(random);
}

const char* name_of(FaceNetwork network) { return network == FaceNetwork::kLandmarks ? "face-landmarks" : "face-mask"; }

/// All that decides the numbers besides the options.
std::string subject_of(const FaceJob& job) {
  return nlohmann::json{{"network", name_of(job.network)},
                        {"pictures", job.data.count},
                        {"size", job.data.size},
                        {"backgrounds", !job.data.backgrounds.empty()}}
      .dump();
}

}  // namespace

int crop_size(FaceNetwork network) { return network == FaceNetwork::kLandmarks ? kLandmarkSize : kMaskSize; }

Result<std::shared_ptr<const FacePictures>> render_job(const FaceJob& job, const TrainHooks& hooks) {
  COCO_ASSIGN(const auto assets, synth::load_assets({job.data.faces, job.data.backgrounds}));
  auto pictures = std::make_shared<FacePictures>();
  const auto progress = [&hooks, &job](int done) {
    if (done % 1000 == 0 && hooks.log_line) {
      hooks.log_line(nlohmann::json{{"rendered", done}, {"of", job.data.count}}.dump());
    }
  };
  const int size = job.data.size;
  COCO_ASSIGN(pictures->training, render_faces(assets, size, job.data.count, job.options.seed, progress, hooks.stop));
  // Numbers that training never draws: other people.
  COCO_ASSIGN(pictures->validation, render_faces(assets, size, job.data.validation, 0xFACE, {}, hooks.stop));
  return std::shared_ptr<const FacePictures>(pictures);
}

Result<std::string> train_face(const FaceJob& job, const FacePictures& pictures, const TrainHooks& hooks) {
  if (pictures.training.empty()) return make_error(ErrorCode::kInvalidArgument, "there are no pictures to train on");
  try {
    Random random(job.options.seed);
    COCO_ASSIGN(graph::Graph graph, graph_of(job.network, random));
    COCO_ASSIGN(GraphNetwork network, GraphNetwork::create(std::move(graph)));
    COCO_TRY(prepare_folder(job.options));
    const auto task = job.network == FaceNetwork::kLandmarks
                          ? make_landmark_task(network, job.options, pictures.training, pictures.validation)
                          : make_mask_task(network, job.options, pictures.training, pictures.validation);
    COCO_ASSIGN(const auto values,
                run_training({network, nullptr, *task, job.options, subject_of(job), hooks, random}));
    COCO_ASSIGN(graph::Graph trained, network.graph(values));
    COCO_ASSIGN(std::string onnx, to_onnx(std::move(trained), name_of(job.network)));
    return onnx;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("training failed: ") + e.what());
  }
}

Result<std::string> quantize_face(const FaceJob& job, const FacePictures& pictures, const std::string& onnx,
                                  const ModelCard& card, QuantizeReport* report) {
  CompileOptions options;
  options.card = card;
  options.precision = Precision::kAuto;
  options.report = report;
  const int size = crop_size(job.network);
  for (size_t i = 0; i < pictures.training.size() && i < static_cast<size_t>(job.calibration); ++i) {
    const FaceExample example = plain_example(pictures.training[i], size, false);
    options.quantize.samples.push_back({{{{1, 3, size, size}, planes_of(example.image)}}, {}});
  }
  COCO_ASSIGN(const auto bytes,
              compile_onnx_bytes({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, options));
  COCO_ASSIGN(const auto model, Model::from_bytes(bytes));
  COCO_ASSIGN(const auto qdq, export_onnx_qdq(*model));
  return std::string(reinterpret_cast<const char*>(qdq.data()), qdq.size());
}

std::pair<int64_t, int64_t> face_network_size(FaceNetwork network) {
  Random random(1);
  const auto graph = graph_of(network, random);
  if (!graph.ok()) return {};
  const NetworkSize size = size_of(*graph);
  return {size.parameters, size.macs};
}

}  // namespace coco::tune
