// Purpose: what the f32 graph's activations hold over the calibration samples, and how near an integer graph comes.
// Samples are spread over the process's pool; results do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "compiler/quantize/fit.h"
#include "compiler/quantize/rewrite.h"

namespace coco::compiler {

using ChannelMeans = std::unordered_map<const graph::Node*, std::vector<double>>;

struct Statistics {
  /// Of every value that may be u8: per channel where a convolution reads it and it has few, else of the whole value.
  std::unordered_map<const graph::Value*, std::vector<Histogram>> histograms;
  /// The step of values that hold nothing but k * step, k = 0..255, where it is 1 / 255 or 1; else 0.
  std::unordered_map<const graph::Value*, double> eight_bit;
  /// Of the convolutions' sums, before the activation.
  ChannelMeans sums;
  double macs = 0;  ///< of the convolutions, over all samples
};

using Samples = std::vector<const CalibrationSample*>;

class Calibration {
 public:
  /// Runs the f32 graph over the samples; both must outlive the object. kInvalidData when a result is no number.
  static Result<Calibration> create(const graph::Graph& graph, Samples samples);

  const Statistics& statistics() const { return statistics_; }

  struct Figures {
    double error =
        0;  ///< power of the difference to the f32 outputs / power of those about their mean, mean of outputs
    double snr_db = 0, psnr_db = 0;
    double cosine = 0;  ///< of the angle between f32 and other outputs, mean of outputs
    bool has_targets = false;
    double psnr_f32_db = 0, psnr_db_target = 0;
    double loss_db() const { return psnr_f32_db - psnr_db_target; }
  };
  /// Runs another graph of the same inputs and outputs, on the first samples or on all.
  Result<Figures> measure(const graph::Graph& graph, size_t most_samples = SIZE_MAX) const;

  /// Mean sums of the integer graph's convolutions in real units, keyed by the original's nodes.
  Result<ChannelMeans> mean_sums(const Rewritten& rewritten) const;

  /// Moments of what the integer form of `node` reads, in its steps times their size, and of the f32 node's sums, by
  /// group, over pixels sampled from some of the samples.
  Result<std::vector<Moments>> moments(const Rewritten& rewritten, const graph::Node& node, double step) const;

  /// Signal to noise ratio in dB of each convolution's result, keyed by the original's nodes.
  Result<std::unordered_map<const graph::Node*, double>> layer_snr(const Rewritten& rewritten,
                                                                   const Choices& choices) const;

 private:
  Calibration(const graph::Graph& graph, Samples samples) : graph_(&graph), samples_(std::move(samples)) {}
  void find_values();
  Status collect_ranges();
  Status collect_histograms();

  const graph::Graph* graph_;
  Samples samples_;
  Statistics statistics_;
  std::unordered_map<const graph::Value*, bool> observed_;  ///< whether by channel
  std::vector<std::vector<FloatTensor>> outputs_;           ///< of the f32 graph, by sample
};

/// fn(number) for every one of `count` samples; the first error in their order.
Status each_sample(size_t count, const std::function<Status(size_t)>& fn);

/// A ratio of powers in dB; no noise at all is 200.
double decibels(double signal, double noise);

}  // namespace coco::compiler
