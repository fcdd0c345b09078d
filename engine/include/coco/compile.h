// Purpose: from an ONNX file to a .coco model.
// Ownership: results own everything they hold.
// Threads: any thread; calls are independent.
// Failure: an unsupported node is kUnsupported and the message names node, operator and attribute.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "coco/export.h"
#include "coco/model.h"
#include "coco/status.h"

namespace coco {

/// A dense f32 tensor that owns its elements, row-major.
struct FloatTensor {
  Shape shape;
  std::vector<float> data;
};

/// One picture for calibration: a tensor for each input of the model and, where there is one, what the first output
/// should be (empty: unknown). Values from 0 to 1.
struct CalibrationSample {
  std::vector<FloatTensor> inputs;
  FloatTensor target;
};

enum class Precision : uint8_t {
  kF32,   ///< everything in f32
  kF16,   ///< convolutions' weights rounded to f16 and stored so, in half the bytes; computed in f32
  kInt8,  ///< every convolution that can be is integer; an error when more quality is lost than allowed
  kAuto,  ///< as kInt8, but the convolutions that lose most stay f32 until the loss is allowed
};

/// How the range of an activation is chosen from its histogram.
enum class CalibrationMethod : uint8_t {
  kMse,         ///< the clipping with the least squared error
  kPercentile,  ///< leaves out `percentile` / 100 of the values, the outermost ones
  kMinMax,      ///< clips nothing
};

struct QuantizeOptions {
  CalibrationMethod method = CalibrationMethod::kMse;
  double percentile = 99.99;
  /// Allowed fall of PSNR against the targets, when the samples have them.
  double max_loss_db = 0.3;
  /// Otherwise: the least ratio of the f32 output's power (about its mean) to the integer model's error.
  double min_snr_db = 25;
  bool between_convolutions = true;  ///< sums, products, functions, pools and the like in integers where they can be
  bool equalize = true;              ///< scales channels of neighbouring layers against each other where that helps
  bool fit_weights = true;           ///< chooses integers that come nearest to the f32 results, not to the f32 weights
  bool refine_ranges = true;         ///< widens and narrows the ranges where that helps
  bool correct_bias = true;          ///< takes systematic errors into the biases where that helps
  std::vector<CalibrationSample> samples;
  /// Of 8 samples or more every fourth has no part in choosing integers: the loss is measured on those.
  bool hold_out = true;
};

/// What became of one convolution, or of a sum, product or function between them that works on integers (no weights).
struct QuantizedLayer {
  std::string name;
  bool int8 = false;
  std::string reason;  ///< why it stays f32
  double snr_db = 0;   ///< of the layer's result in the integer model against the f32 model's
  size_t bytes_f32 = 0, bytes_entries = 0, bytes_csr = 0;  ///< dense f32 weights, 8-bit entry list, 8-bit CSR
};

struct QuantizeReport {
  std::vector<QuantizedLayer> layers;
  double snr_db = 0;   ///< integer against f32 output, power about the mean
  double psnr_db = 0;  ///< the same as PSNR, peak 1
  double cosine = 0;   ///< of the angle between the outputs, mean of them
  bool has_targets =
      false;  ///< the three below hold; outputs rounded to 8 bits, of the mean squared error of all samples
  double psnr_f32_db = 0, psnr_int8_db = 0, loss_db = 0;
  size_t samples = 0;
  size_t held_out = 0;  ///< of `samples`: no integer was chosen on them, all figures are theirs; 0: figures are of all
};

struct OperatorCount {
  std::string op;
  size_t count = 0;
};
struct NodeName {
  std::string name, op;
};
/// What one pass did to the graph: its nodes before and after, compared.
struct PassEffect {
  std::string pass;
  std::vector<NodeName> removed, added;
  std::vector<NodeName> changed;  ///< other parameters, constants or number of inputs
};

/// What happened to a model on its way from the file to the program.
struct CompileTrace {
  int opset = 0;
  std::string producer;                 ///< the program that wrote the file, as the file says
  std::vector<OperatorCount> file;      ///< ONNX nodes of the main graph, by type
  std::vector<OperatorCount> imported;  ///< our operators before the passes; constants are folded already
  std::vector<PassEffect> passes;       ///< in the order they ran
  std::vector<OperatorCount> program;
};

struct CompileOptions {
  ModelCard card;
  /// Pins dynamic input dimensions: {"input", [1, 3, 224, 224]}. Empty: they stay dynamic.
  std::vector<std::pair<std::string, Shape>> input_shapes;
  /// Where the model's weights in other files lie: they are read from there and below only. Empty: the model file's own
  /// folder, and for models in memory nowhere.
  std::string folder;
  /// Runs the optimising passes (constant folding, fusion). Off: the imported graph as it stands.
  bool optimize = true;
  /// kInt8 and kAuto need optimize and quantize.samples.
  Precision precision = Precision::kF32;
  /// Channels of pruned networks change places where the integer kernels have less to multiply then. Results stay the
  /// same but for the order of sums in what remains f32.
  bool order_channels = true;
  QuantizeOptions quantize;
  QuantizeReport* report = nullptr;  ///< written when precision is kInt8 or kAuto
  CompileTrace* trace = nullptr;     ///< written when not null
};

/// Compiles an ONNX file (opsets 6 to 17) to the bytes of a .coco file.
COCO_API Result<std::vector<uint8_t>> compile_onnx_file(const std::string& path, const CompileOptions& options);
/// The same from a serialised ModelProto.
COCO_API Result<std::vector<uint8_t>> compile_onnx_bytes(std::span<const uint8_t> bytes, const CompileOptions& options);

/// The model as standard ONNX (opset 13, serialised): integer convolutions as DequantizeLinear, Conv and QuantizeLinear
/// with their weights in INT8, pruned ones 0. Compiled again it gives the same bytes as the model. A model without
/// integer operators, and an operator without an ONNX form, is kUnsupported.
COCO_API Result<std::vector<uint8_t>> export_onnx_qdq(const Model& model);

/// Loads a .coco file, or imports and compiles an .onnx file in memory, judged by the file's first bytes.
/// In a build without the compiler an .onnx file is kUnavailable.
COCO_API Result<std::shared_ptr<const Model>> load_or_compile(const std::string& path);

}  // namespace coco
