#include "compiler/quantize/calibrate.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "base/thread_pool.h"
#include "compiler/quantize/interpret.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;
using Means = std::vector<double>;

/// The planes of one channel of an [N,C,H,W] tensor: fn(span of f32).
template <typename Fn>
void each_plane(const TensorView& view, size_t channel, Fn fn) {
  const auto channels = static_cast<size_t>(view.shape[1]);
  const auto area = static_cast<size_t>(view.shape[2] * view.shape[3]);
  for (size_t n = 0; n < static_cast<size_t>(view.shape[0]); ++n)
    fn(std::span(view.as<float>() + (n * channels + channel) * area, area));
}

/// v times `per_unit` is one of 0..255.
bool is_sample(float v, float per_unit) {
  const float sample = std::nearbyint(v * per_unit);
  return sample >= 0 && sample <= 255 && std::abs(v * per_unit - sample) < 1e-3f;
}

struct ChannelRange {
  float low = 0, high = 0;
  bool finite = true, parts = true, whole = true;  ///< parts: of 255
  void take(std::span<const float> values) {
    for (float v : values) {
      finite = finite && std::isfinite(v);
      parts = parts && is_sample(v, 255);
      whole = whole && is_sample(v, 1);
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  void take(const ChannelRange& other) {
    low = std::min(low, other.low), high = std::max(high, other.high);
    parts = parts && other.parts, whole = whole && other.whole;
  }
};

/// 0 and 1 alone are no picture.
double eight_bit_step(const std::vector<ChannelRange>& channels) {
  const auto all = [&](bool ChannelRange::*member) {
    return std::all_of(channels.begin(), channels.end(), [&](const ChannelRange& c) { return c.*member; });
  };
  return all(&ChannelRange::parts) ? 1.0 / 255 : all(&ChannelRange::whole) ? 1.0 : 0.0;
}

Means channel_means(const TensorView& view) {
  Means means(static_cast<size_t>(view.shape[1]), 0.0);
  const double count = static_cast<double>(view.shape[0] * view.shape[2] * view.shape[3]);
  for (size_t c = 0; c < means.size(); ++c) {
    each_plane(view, c, [&](std::span<const float> plane) {
      for (float v : plane) means[c] += v;
    });
    if (count > 0) means[c] /= count;
  }
  return means;
}

/// Mean over the samples, in their order.
ChannelMeans mean_of(const std::vector<ChannelMeans>& samples) {
  ChannelMeans result;
  for (const ChannelMeans& sample : samples) {
    for (const auto& [node, means] : sample) {
      Means& sum = result.try_emplace(node, means.size(), 0.0).first->second;
      for (size_t c = 0; c < means.size(); ++c) sum[c] += means[c] / static_cast<double>(samples.size());
    }
  }
  return result;
}

/// The planes of one histogram: those of a channel, or the whole value.
template <typename Fn>
void each_part(const TensorView& view, bool by_channel, size_t part, Fn fn) {
  if (by_channel) return each_plane(view, part, fn);
  fn(std::span(view.as<float>(), static_cast<size_t>(view.shape.element_count().value_or(0))));
}

struct Power {
  double noise = 0, sum = 0, squares = 0, count = 0;
  double other_squares = 0;
  void add(double reference, double value) {
    noise += (value - reference) * (value - reference);
    sum += reference;
    squares += reference * reference;
    other_squares += value * value;
    count += 1;
  }
  void add(const Power& other) {
    noise += other.noise;
    sum += other.sum;
    squares += other.squares;
    other_squares += other.other_squares;
    count += other.count;
  }
  /// Of the angle between the two, from |a - b|^2 = |a|^2 + |b|^2 - 2 a b.
  double cosine() const {
    const double length = std::sqrt(squares * other_squares);
    return length > 0 ? (squares + other_squares - noise) / 2 / length : noise > 0 ? 0.0 : 1.0;
  }
  double signal() const { return count > 0 ? std::max(squares - sum * sum / count, 0.0) : 0.0; }
};

/// An activation of the integer graph in real units.
std::vector<float> real_values(const TensorView& view, const ActivationScale* scale) {
  std::vector<float> result(static_cast<size_t>(view.shape.element_count().value_or(0)));
  if (view.type == DataType::kF32) {
    std::copy_n(view.as<float>(), result.size(), result.begin());
    return result;
  }
  const bool scaled = !scale->factors.empty();
  const auto area = scaled ? static_cast<size_t>(view.shape[2] * view.shape[3]) : 1;
  const size_t channels = scaled ? scale->factors.size() : 1;
  for (size_t i = 0; i < result.size(); ++i) {
    const double step = scale->step / scale->factor(i / area % channels);
    result[i] = static_cast<float>(static_cast<double>(view.as<uint8_t>()[i] - scale->zero_point) * step);
  }
  return result;
}

}  // namespace

Status each_sample(size_t count, const std::function<Status(size_t)>& fn) {
  std::vector<Status> results(count);
  ThreadPool::process().parallel_for(static_cast<int>(count), 0, [&](int task, int) {
    results[static_cast<size_t>(task)] = fn(static_cast<size_t>(task));
  });
  for (size_t i = 0; i < count; ++i) {
    if (!results[i].ok()) {
      return make_error(results[i].error().code,
                        "calibration sample " + std::to_string(i) + ": " + results[i].error().message);
    }
  }
  return {};
}

double decibels(double signal, double noise) {
  constexpr double kMost = 200;
  if (noise <= 0) return kMost;
  return signal <= 0 ? 0.0 : std::min(10 * std::log10(signal / noise), kMost);
}

Result<Calibration> Calibration::create(const graph::Graph& graph, Samples samples) {
  Calibration result(graph, std::move(samples));
  result.find_values();
  COCO_TRY(result.collect_ranges());
  COCO_TRY(result.collect_histograms());
  return result;
}

void Calibration::find_values() {
  // A histogram takes 64 KiB.
  constexpr int64_t kMostChannels = 128;
  NodeSet convs;
  for (const Node& node : graph_->nodes()) {
    if (node.kind() != format::OpKind::kConv2d) continue;
    convs.insert(&node);
    const Value* input = node.input(0);
    observed_[input] = input->shape()[1] <= kMostChannels;
  }
  for (const Node* node : useful_carriers(*graph_, convs)) {
    for (const Value* input : carrier_inputs(*node)) observed_.try_emplace(input, false);
    observed_.try_emplace(node->output(), false);
  }
}

Status Calibration::collect_ranges() {
  std::mutex mutex;
  std::unordered_map<const Value*, std::vector<ChannelRange>> ranges;
  std::vector<ChannelMeans> means(samples_.size());
  outputs_.resize(samples_.size());
  COCO_TRY(each_sample(samples_.size(), [&](size_t i) -> Status {
    const Value* not_finite = nullptr;
    Observer observer;
    observer.value = [&](const Value& value, const TensorView& view) {
      const auto observed = observed_.find(&value);
      if (observed == observed_.end()) return;
      const bool by_channel = observed->second;
      std::vector<ChannelRange> own(by_channel ? static_cast<size_t>(view.shape[1]) : 1);
      for (size_t c = 0; c < own.size(); ++c) {
        each_part(view, by_channel, c, [&](std::span<const float> part) { own[c].take(part); });
        if (!own[c].finite) not_finite = &value;
      }
      const std::lock_guard lock(mutex);
      std::vector<ChannelRange>& all = ranges.try_emplace(&value, own.size()).first->second;
      for (size_t c = 0; c < own.size(); ++c) all[c].take(own[c]);
    };
    observer.sums = [&](const Node& node, const TensorView& view) {
      means[i][&node] = channel_means(view);
      const Shape& weight = node.input(1)->shape();
      const std::lock_guard lock(mutex);
      statistics_.macs +=
          static_cast<double>(view.shape.element_count().value_or(0) * weight[1] * weight[2] * weight[3]);
    };
    COCO_ASSIGN(outputs_[i], interpret(*graph_, samples_[i]->inputs, observer));
    if (not_finite != nullptr) {
      return make_error(ErrorCode::kInvalidData, "the f32 model gives NaN or infinity at '" + not_finite->name() + "'");
    }
    return {};
  }));
  for (const auto& [value, channels] : ranges) {
    statistics_.eight_bit[value] = eight_bit_step(channels);
    for (const ChannelRange& range : channels) statistics_.histograms[value].emplace_back(range.low, range.high);
  }
  statistics_.sums = mean_of(means);
  return {};
}

Status Calibration::collect_histograms() {
  std::mutex mutex;
  COCO_TRY(each_sample(samples_.size(), [&](size_t i) -> Status {
    Observer observer;
    observer.value = [&](const Value& value, const TensorView& view) {
      const auto observed = observed_.find(&value);
      if (observed == observed_.end()) return;
      std::vector<Histogram>& all = statistics_.histograms.at(&value);
      for (size_t c = 0; c < all.size(); ++c) {
        Histogram own(static_cast<float>(all[c].low()), static_cast<float>(all[c].high()));
        each_part(view, observed->second, c, [&](std::span<const float> part) { own.add(part); });
        const std::lock_guard lock(mutex);
        all[c].add(own);
      }
    };
    COCO_TRY(interpret(*graph_, samples_[i]->inputs, observer));
    return {};
  }));
  for (auto& [value, channels] : statistics_.histograms) {
    for (Histogram& histogram : channels) histogram.finish();
  }
  return {};
}

namespace {

/// Mean squared error of a picture as video would show it: rounded to 8 bits; the border, where the sample was cut out,
/// left out.
double shown_error(const FloatTensor& output, const FloatTensor& target) {
  constexpr int64_t kBorder = 8;
  const int64_t height = output.shape[2], width = output.shape[3];
  double sum = 0, count = 0;
  for (int64_t y = kBorder; y < height - kBorder; ++y) {
    for (int64_t x = kBorder; x < width - kBorder; ++x, ++count) {
      const auto i = static_cast<size_t>(y * width + x);
      const double shown = std::nearbyint(std::clamp(output.data[i], 0.0f, 1.0f) * 255.0f) / 255.0;
      sum += (shown - target.data[i]) * (shown - target.data[i]);
    }
  }
  return count > 0 ? sum / count : 0.0;
}

}  // namespace

Result<Calibration::Figures> Calibration::measure(const graph::Graph& graph, size_t most_samples) const {
  const size_t outputs = graph.outputs().size(), samples = std::min(samples_.size(), most_samples);
  std::vector<std::vector<Power>> powers(samples, std::vector<Power>(outputs));
  std::vector<std::pair<double, double>> errors(samples);
  bool has_targets = true;
  for (size_t i = 0; i < samples; ++i) {
    const Shape& target = samples_[i]->target.shape;
    has_targets = has_targets && target.rank() == 4 && target == outputs_[i][0].shape && target[0] * target[1] == 1;
  }
  COCO_TRY(each_sample(samples, [&](size_t i) -> Status {
    COCO_ASSIGN(const auto results, interpret(graph, samples_[i]->inputs));
    for (size_t k = 0; k < outputs; ++k) {
      const std::vector<float>& reference = outputs_[i][k].data;
      for (size_t e = 0; e < reference.size(); ++e) powers[i][k].add(reference[e], results[k].data[e]);
    }
    if (has_targets) {
      const FloatTensor& target = samples_[i]->target;
      errors[i] = {shown_error(outputs_[i][0], target), shown_error(results[0], target)};
    }
    return {};
  }));
  Figures figures;
  figures.has_targets = has_targets;
  for (size_t k = 0; k < outputs; ++k) {
    Power total;
    for (const auto& power : powers) total.add(power[k]);
    const double signal = total.signal(), least = 1e-20 * std::max(total.count, 1.0);
    figures.error += total.noise / std::max(signal, least) / static_cast<double>(outputs);
    figures.cosine += total.cosine() / static_cast<double>(outputs);
    if (k == 0) figures.psnr_db = decibels(total.count, total.noise);
  }
  figures.snr_db = decibels(1, figures.error);
  // One figure of all crops together: a mean of figures would be that of the smoothest crops, which lose what nobody
  // sees.
  double f32 = 0, other = 0;
  for (const auto& [of_f32, of_other] : errors) f32 += of_f32, other += of_other;
  const auto count = static_cast<double>(errors.size());
  figures.psnr_f32_db = decibels(count, std::max(f32, 1e-8 * count));
  figures.psnr_db_target = decibels(count, std::max(other, 1e-8 * count));
  return figures;
}

Result<ChannelMeans> Calibration::mean_sums(const Rewritten& rewritten) const {
  std::unordered_map<const Node*, const Node*> original;
  for (const auto& [node, made] : rewritten.nodes) original[made] = node;
  std::vector<ChannelMeans> means(samples_.size());
  COCO_TRY(each_sample(samples_.size(), [&](size_t i) -> Status {
    Observer observer;
    observer.sums = [&](const Node& node, const TensorView& view) {
      const auto unit = rewritten.sum_units.find(original.at(&node));
      Means own = channel_means(view);
      for (size_t c = 0; unit != rewritten.sum_units.end() && c < own.size(); ++c) own[c] *= unit->second[c];
      means[i][original.at(&node)] = std::move(own);
    };
    COCO_TRY(interpret(rewritten.graph, samples_[i]->inputs, observer));
    return {};
  }));
  return mean_of(means);
}

Result<std::unordered_map<const Node*, double>> Calibration::layer_snr(const Rewritten& rewritten,
                                                                       const Choices& choices) const {
  std::unordered_map<const Value*, const Value*> original;  // results of convolutions and carriers
  for (const auto& [node, made] : rewritten.nodes) original[rewritten.values.at(node->output())] = node->output();
  std::vector<std::unordered_map<const Node*, Power>> powers(samples_.size());
  COCO_TRY(each_sample(samples_.size(), [&](size_t i) -> Status {
    std::unordered_map<const Value*, std::vector<float>> references;
    Observer observer;
    observer.value = [&](const Value& value, const TensorView& view) {
      if (value.producer() != nullptr && rewritten.nodes.contains(value.producer()))
        references[&value] = real_values(view, nullptr);
    };
    COCO_TRY(interpret(*graph_, samples_[i]->inputs, observer));
    observer.value = [&](const Value& value, const TensorView& view) {
      const auto it = original.find(&value);
      if (it == original.end()) return;
      const bool steps = view.type == DataType::kU8;
      const std::vector<float> values = real_values(view, steps ? &choices.scales.at(it->second) : nullptr);
      const std::vector<float>& reference = references.at(it->second);
      Power& power = powers[i][it->second->producer()];
      for (size_t e = 0; e < values.size(); ++e) power.add(reference[e], values[e]);
    };
    COCO_TRY(interpret(rewritten.graph, samples_[i]->inputs, observer));
    return {};
  }));
  std::unordered_map<const Node*, double> result;
  for (const auto& [node, made] : rewritten.nodes) {
    Power total;
    for (const auto& sample : powers) total.add(sample.at(node));
    result[node] = decibels(total.signal(), total.noise);
  }
  return result;
}

}  // namespace coco::compiler
