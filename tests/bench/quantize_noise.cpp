// quantize_noise IN.onnx OUT.coco: every convolution of a network that takes no pictures in integers, calibrated on
// noise between 0 and 1 (what `./dev bench networks` feeds it). The first ranges are kept.
#include "base/random.h"
#include "compiler/emit.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/quantize.h"
#include "tests/bench/model_tool.h"

namespace coco::bench {
namespace {

CalibrationSample noise(const graph::Graph& graph) {
  Random random(1);
  CalibrationSample sample;
  for (const graph::Value* input : graph.inputs()) {
    FloatTensor tensor{input->shape(), {}};
    tensor.data.resize(static_cast<size_t>(input->shape().element_count().value_or(0)));
    for (float& v : tensor.data) v = static_cast<float>(random.uniform());
    sample.inputs.push_back(std::move(tensor));
  }
  return sample;
}

Result<format::Program> quantized(std::span<const uint8_t> file) {
  COCO_ASSIGN(graph::Graph graph, compiler::import_onnx(file, {}));
  COCO_TRY(compiler::run_passes(graph));
  QuantizeOptions options;
  options.equalize = options.fit_weights = options.refine_ranges = false;
  options.min_snr_db = -100;
  options.samples.push_back(noise(graph));
  QuantizeReport report;
  COCO_ASSIGN(graph::Graph result, compiler::quantize(graph, Precision::kInt8, options, report));
  return compiler::emit(std::move(result), {});
}

}  // namespace
}  // namespace coco::bench

int main(int argc, char** argv) { return coco::bench::make_model(argc, argv, coco::bench::quantized); }
