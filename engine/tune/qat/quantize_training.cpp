#include "tune/qat/quantize_training.h"

#include <filesystem>

#include "compiler/emit.h"
#include "compiler/onnx/export.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/quantize.h"
#include "tune/graph_network.h"
#include "tune/patch_task.h"
#include "tune/qat/calibration.h"
#include "tune/qat/distill.h"
#include "tune/qat/quant_network.h"
#include "tune/training_run.h"

namespace coco::tune {
namespace {

Result<graph::Graph> quantized(const graph::Graph& f32, const QuantizeSettings& settings,
                               const std::vector<ImagePair>& images, QuantizeReport& report) {
  constexpr int kSamples = 32, kSide = 96;
  QuantizeOptions options;
  options.between_convolutions = false;  // the network that imitates integers knows convolutions alone
  options.samples = calibration_samples(images, kSamples, kSide);
  options.hold_out = false;  // validation images judge
  const bool allow_all = settings.precision == Precision::kInt8;
  options.max_loss_db = allow_all ? 100 : settings.max_loss_db;
  options.min_snr_db = allow_all ? 0 : options.min_snr_db;
  return compiler::quantize(f32, settings.precision, options, report);
}

Result<GraphNetwork> network_of(const graph::Graph& graph) {
  COCO_ASSIGN(graph::Graph copy, copy_graph(graph, {}));
  return GraphNetwork::create(std::move(copy));
}

}  // namespace

Result<QuantizedGraphs> quantize_model(const std::string& onnx, const QuantizeSettings& settings,
                                       const std::vector<ImagePair>& images) {
  QuantizedGraphs graphs;
  COCO_ASSIGN(graphs.f32, compiler::import_onnx({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}));
  COCO_TRY(compiler::run_passes(graphs.f32));
  COCO_TRY(compiler::order_channels(graphs.f32));
  COCO_TRY(network_of(graphs.f32));
  COCO_ASSIGN(graphs.integer, quantized(graphs.f32, settings, images, graphs.report));
  return graphs;
}

Result<graph::Graph> train_quantized(const QuantizedGraphs& graphs, const QuantizeSettings& settings,
                                     const std::string& subject, const std::vector<ImagePair>& images,
                                     const std::vector<ImagePair>& validation, const TrainHooks& hooks) {
  COCO_ASSIGN(graph::Graph copy, copy_graph(graphs.integer, {}));
  COCO_ASSIGN(QuantNetwork network, QuantNetwork::create(std::move(copy), &graphs.f32, settings.training));
  COCO_ASSIGN(const GraphNetwork teacher, network_of(graphs.f32));
  COCO_TRY(check_input(network, {1, 1, settings.train.patch, settings.train.patch}));
  COCO_TRY(check_patch_size(images, settings.train.patch));
  std::error_code failure;
  std::filesystem::create_directories(settings.train.out, failure);
  if (failure) {
    return make_error(ErrorCode::kIo, "cannot make folder '" + settings.train.out + "': " + failure.message());
  }
  std::unique_ptr<GradientSource> distilling;
  if (settings.distill > 0) distilling = make_distilling_source(network, teacher, settings.distill);
  try {
    PatchTask task(network, distilling.get(), settings.train, images, validation);
    COCO_ASSIGN(const std::vector<NamedTensor> trained,
                run_training({network, nullptr, task, settings.train, subject, hooks, Random(settings.train.seed)}));
    return network.graph(trained);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("training failed: ") + e.what());
  }
}

Result<std::string> to_integer_onnx(const graph::Graph& integer, const ModelCard& card) {
  COCO_ASSIGN(graph::Graph copy, copy_graph(integer, {}));
  COCO_ASSIGN(const format::Program program, compiler::emit(std::move(copy), card));
  return compiler::export_onnx(program);
}

}  // namespace coco::tune
