// quantize_noise IN.onnx OUT.coco: every convolution of a network that takes no pictures in integers, calibrated on
// noise between 0 and 1 (what `./dev bench networks` feeds it). The first ranges are kept.
#include <cstdio>
#include <fstream>

#include "base/mapped_file.h"
#include "base/random.h"
#include "compiler/emit.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/quantize.h"

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

Status quantize_file(const char* from, const char* to) {
  COCO_ASSIGN(const auto file, MappedFile::open(from, size_t{1} << 30));
  COCO_ASSIGN(graph::Graph graph, compiler::import_onnx(file->bytes(), {}));
  COCO_TRY(compiler::run_passes(graph));
  QuantizeOptions options;
  options.equalize = options.fit_weights = options.refine_ranges = false;
  options.min_snr_db = -100;
  options.samples.push_back(noise(graph));
  QuantizeReport report;
  COCO_ASSIGN(graph::Graph quantized, compiler::quantize(graph, Precision::kInt8, options, report));
  COCO_ASSIGN(const format::Program program, compiler::emit(std::move(quantized), {}));
  COCO_ASSIGN(const auto written, format::write_program(program));
  std::ofstream out(to, std::ios::binary);
  out.write(reinterpret_cast<const char*>(written.data()), static_cast<std::streamsize>(written.size()));
  if (!out.flush()) return make_error(ErrorCode::kIo, std::string("cannot write '") + to + "'");
  return {};
}

}  // namespace
}  // namespace coco::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "quantize_noise: give the ONNX file to read and the .coco file to write\n");
    return 2;
  }
  const coco::Status status = coco::bench::quantize_file(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "quantize_noise: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
