// Purpose: what became of a model that was compiled, and what it costs: the report of `cocopipe compile`.
// Ownership: results own what they hold.
// Threads: the main thread.
// Failure: what could not be measured says why in its place; the rest stands.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/measure.h"
#include "apps/cocopipe/report/accuracy.h"
#include "apps/cocopipe/report/advice.h"
#include "coco/compile.h"
#include "format/weight_sizes.h"

namespace coco::cli {

/// An operator of the program and what it computes in.
struct OperatorPrecision {
  std::string name, op;
  bool integer = false;
  std::string reason;            ///< why it is not integer, in a model that has integers
  std::optional<double> snr_db;  ///< convolutions of such a model: result against the f32 model's
};

struct ReportOptions {
  bool measure = true;
  double seconds = 0.3;  ///< of timing whole runs, and as long for the operators
  Size size{640, 360};   ///< taken for sides that stay dynamic
  SessionOptions session;
};

struct Report {
  CompileTrace trace;
  std::vector<OperatorPrecision> operators;
  format::WeightSizes weights;
  size_t file_bytes = 0, constant_bytes = 0, tensor_bytes = 0;
  std::vector<std::pair<std::string, Shape>> inputs;  ///< at which it was measured
  std::optional<Measured> measured;
  std::string not_measured;  ///< why
  std::optional<Accuracy> accuracy;
  std::string not_compared;  ///< why
  AdviceList advice;
  /// Constants, what the session holds (packed weights and working memory) and the caller's tensors.
  size_t peak_bytes() const { return constant_bytes + (measured ? measured->session_bytes : 0) + tensor_bytes; }
};

/// `f32`: the model as it was imported; null or an error in its place leaves the accuracy out.
Report make_report(const std::shared_ptr<const Model>& model, const Result<std::shared_ptr<const Model>>& f32,
                   CompileTrace trace, const QuantizeReport& quantized, const std::vector<CalibrationSample>& samples,
                   size_t file_bytes, const ReportOptions& options);

std::string to_text(const Report& report);
nlohmann::ordered_json to_json(const Report& report);

}  // namespace coco::cli
