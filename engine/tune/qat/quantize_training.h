// Purpose: from a f32 model to integers that were trained: post-training quantization, then training of its result.
// Free of libtorch.
#pragma once

#include <string>
#include <vector>

#include "coco/compile.h"
#include "graph/graph.h"
#include "tune/qat/quantize_options.h"
#include "tune/trainer.h"

namespace coco::tune {

/// A model before and after post-training quantization; the same convolutions in the same order.
struct QuantizedGraphs {
  graph::Graph f32, integer;
  QuantizeReport report;
};

/// From a serialised ONNX model, calibrated on crops of the pictures. kInt8 allows whatever is lost. kUnsupported names
/// what cannot be trained.
Result<QuantizedGraphs> quantize_model(const std::string& onnx, const QuantizeSettings& settings,
                                       const std::vector<ImagePair>& images);

/// Trains the integer graph and gives the trained one. `subject`, a JSON object, says what else decides the run (the
/// model, the data): a checkpoint is continued only with the same.
Result<graph::Graph> train_quantized(const QuantizedGraphs& graphs, const QuantizeSettings& settings,
                                     const std::string& subject, const std::vector<ImagePair>& images,
                                     const std::vector<ImagePair>& validation, const TrainHooks& hooks);

/// As standard ONNX with QuantizeLinear and DequantizeLinear; compiled again it is the same network, byte by byte.
Result<std::string> to_integer_onnx(const graph::Graph& integer, const ModelCard& card);

}  // namespace coco::tune
