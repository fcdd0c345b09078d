#include "apps/cocopipe/report/accuracy.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace coco::cli {
namespace {

constexpr size_t kMostSamples = 8, kNoiseSamples = 2;

/// Sums over all elements of all samples.
struct Sums {
  double count = 0, sum = 0, square = 0, product = 0, other_square = 0, error = 0;

  void add(std::span<const float> wanted, std::span<const float> given) {
    for (size_t i = 0; i < wanted.size(); ++i) {
      const auto a = static_cast<double>(wanted[i]), b = static_cast<double>(given[i]);
      count += 1;
      sum += a;
      square += a * a;
      product += a * b;
      other_square += b * b;
      error += (a - b) * (a - b);
    }
  }
  double snr_db() const {
    const double power = count > 0 ? square - sum * sum / count : 0;
    return error > 0 ? std::min(10 * std::log10(std::max(power, 1e-300) / error), kNoNoise) : kNoNoise;
  }
  double cosine() const {
    if (error == 0) return 1;
    const double norm = std::sqrt(square * other_square);
    return norm > 0 ? product / norm : 0;
  }
};

/// Inputs of one run; `memory` holds their bytes.
struct Inputs {
  std::vector<Shape> shapes;
  std::vector<TensorView> views;
  std::vector<std::vector<uint8_t>> memory;
};

Inputs noise(const Model& model, std::span<const Shape> shapes, uint64_t seed) {
  Inputs inputs{{shapes.begin(), shapes.end()}, {}, {}};
  Random random(seed);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const DataType type = model.inputs()[i].type;
    const auto count = static_cast<size_t>(shapes[i].element_count().value_or(0));
    auto& memory = inputs.memory.emplace_back(count * byte_size(type));
    auto* values = reinterpret_cast<float*>(memory.data());
    for (size_t k = 0; type == DataType::kF32 && k < count; ++k) values[k] = static_cast<float>(random.uniform());
    inputs.views.push_back({type, shapes[i], memory.data()});
  }
  return inputs;
}

Inputs views_of(const CalibrationSample& sample) {
  Inputs inputs;
  for (const FloatTensor& tensor : sample.inputs) {
    inputs.shapes.push_back(tensor.shape);
    inputs.views.push_back({DataType::kF32, tensor.shape, tensor.data.data()});
  }
  return inputs;
}

/// The f32 outputs of one run; of others nothing.
Result<std::vector<std::vector<float>>> run(const std::shared_ptr<const Model>& model, const Inputs& inputs,
                                            const SessionOptions& options) {
  COCO_ASSIGN(const auto session, Session::create(model, inputs.shapes, options));
  std::vector<std::vector<float>> memory;
  std::vector<MutableTensorView> views;
  for (const TensorInfo& info : session->outputs()) {
    const auto bytes = static_cast<size_t>(info.shape.element_count().value_or(0)) * byte_size(info.type);
    memory.emplace_back((bytes + sizeof(float) - 1) / sizeof(float));
    views.push_back({info.type, info.shape, memory.back().data()});
  }
  COCO_TRY(session->run(inputs.views, views));
  for (size_t i = 0; i < memory.size(); ++i) {
    if (session->outputs()[i].type != DataType::kF32) memory[i].clear();
  }
  return memory;
}

}  // namespace

Result<Accuracy> compare_models(const std::shared_ptr<const Model>& f32, const std::shared_ptr<const Model>& compiled,
                                const std::vector<CalibrationSample>& samples, std::span<const Shape> shapes,
                                const SessionOptions& options) {
  Accuracy accuracy;
  const size_t count = samples.empty() ? kNoiseSamples : std::min(samples.size(), kMostSamples);
  accuracy.samples = samples.empty() ? "noise from 0 to 1, " + std::to_string(count) + " samples of a fixed seed"
                                     : std::to_string(count) + " of the calibration samples";
  std::vector<Sums> sums(f32->outputs().size());
  for (size_t i = 0; i < count; ++i) {
    const Inputs inputs = samples.empty() ? noise(*f32, shapes, i + 1) : views_of(samples[i * samples.size() / count]);
    COCO_ASSIGN(const auto wanted, run(f32, inputs, options));
    COCO_ASSIGN(const auto given, run(compiled, inputs, options));
    for (size_t k = 0; k < sums.size(); ++k) {
      if (wanted[k].size() == given[k].size()) sums[k].add(wanted[k], given[k]);
    }
  }
  for (size_t k = 0; k < sums.size(); ++k) {
    if (sums[k].count > 0) accuracy.outputs.push_back({f32->outputs()[k].name, sums[k].snr_db(), sums[k].cosine()});
  }
  return accuracy;
}

}  // namespace coco::cli
