// Purpose: times of a model's runs on tensors made here, for `bench model`, the report of `compile` and `inspect`.
// Ownership: results own what they hold.
// Threads: the main thread; sessions spread over the process's pool.
// Failure: what cannot be planned at these shapes is the session's error.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/cocopipe/command.h"
#include "coco/session.h"

namespace coco::cli {

/// Tensors of a run at fixed addresses.
struct Tensors {
  std::vector<std::vector<uint8_t>> memory;
  std::vector<TensorView> in;
  std::vector<MutableTensorView> out;
};

/// The model's input shapes; of those that are dynamic the last two sides as given, the others 1.
std::vector<Shape> shapes_at(const Model& model, const Size& size);
/// Normally distributed inputs, integers are 0; outputs are blank.
Tensors make_tensors(const Model& model, const Session& session, std::span<const Shape> shapes);

struct Measured {
  SessionStats stats;
  size_t session_bytes = 0;  ///< memory the session took: packed weights and working memory; 0: not known
  size_t runs = 0;
  double ms_p50 = 0, ms_p95 = 0, ms_min = 0;  ///< without a profile
  std::vector<OperatorProfile> operators;     ///< as profile_operators gives them, of other runs
  double profiled_ms() const;                 ///< sum of the operators' times
};

/// Runs for about `seconds`, at least once; with `profile` for as long again to time the operators.
Result<Measured> measure(const std::shared_ptr<const Model>& model, std::span<const Shape> shapes,
                         const SessionOptions& options, double seconds, bool profile);

/// The operators' times: `ms` of one run, the mean of the fastest quarter of about `seconds` of runs.
Result<std::vector<OperatorProfile>> profile_operators(const std::shared_ptr<const Model>& model,
                                                       std::span<const Shape> shapes, SessionOptions options,
                                                       double seconds);

/// A line an operator, in the order they run, or the slowest first: step, time, share, MACs a second, kernel. Of more
/// than `most` the last ones become one line.
std::string profile_table(const Measured& measured, bool slowest_first, size_t most = SIZE_MAX);
nlohmann::ordered_json profile_json(const Measured& measured);

}  // namespace coco::cli
