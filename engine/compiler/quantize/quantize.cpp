#include "compiler/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "compiler/passes/passes.h"
#include "compiler/quantize/calibrate.h"
#include "compiler/quantize/prepare.h"
#include "compiler/quantize/sizes.h"

namespace coco::compiler {
namespace {

using graph::Node;
using graph::Value;
using Figures = Calibration::Figures;

std::string two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return text;
}

bool scales_with_its_input(const Node& node) {
  const auto kind = node.as<format::Conv2dParams>()->activation;
  return node.input(3) != nullptr || kind == format::UnaryKind::kIdentity || kind == format::UnaryKind::kRelu ||
         kind == format::UnaryKind::kLeakyRelu;
}

/// Multiplications that trying variants of a network may take; a larger one keeps what its histograms say.
constexpr double kMostMacs = 2e11;

/// Of this many samples or more every kHeldOut-th has no part in the choice of integers: the loss is measured on them.
constexpr size_t kLeastToHoldOut = 8, kHeldOut = 4;

/// One rewriting and what it gives.
struct Trial {
  Choices choices;
  Rewritten rewritten;
  Figures figures;  ///< on the samples that choose
  Figures judged;   ///< on the samples that judge; of the end of a search alone
};

class Quantizer {
 public:
  /// Integers are chosen on the samples of `calibration` and judged on those of `judge`.
  Quantizer(const graph::Graph& graph, const QuantizeOptions& options, const Calibration& calibration,
            const Calibration& judge)
      : graph_(graph), options_(options), calibration_(calibration), judge_(judge) {
    NodeSet convs;
    for (const Node& node : graph.nodes()) {
      if (node.kind() == format::OpKind::kConv2d) convs.insert(&node);
    }
    if (options.between_convolutions) groups_ = step_groups(graph, useful_carriers(graph, convs));
  }

  Status find_candidates() {
    for (const Node& node : graph_.nodes()) {
      if (node.kind() != format::OpKind::kConv2d) continue;
      COCO_ASSIGN(const std::string obstacle, integer_obstacle(node));
      if (obstacle.empty()) {
        convs_.push_back(&node);
      } else {
        reasons_[&node] = obstacle;
      }
    }
    return {};
  }

  Status run(Precision precision) {
    std::vector<const Node*> chosen = convs_;
    COCO_TRY(optimize(chosen));
    if (precision == Precision::kAuto && !is_allowed()) COCO_TRY(give_up_layers());
    return {};
  }

  bool any_integer() const { return !best_.choices.integer.empty(); }
  bool is_allowed() const {
    const Figures& f = best_.judged;
    return f.has_targets ? f.loss_db() <= options_.max_loss_db : f.snr_db >= options_.min_snr_db;
  }
  std::string shortfall() const {
    const Figures& f = best_.judged;
    return f.has_targets ? "int8 loses " + two_digits(f.loss_db()) + " dB (" + two_digits(f.psnr_f32_db) + " to " +
                               two_digits(f.psnr_db_target) + " dB), " + two_digits(options_.max_loss_db) +
                               " are allowed; raise --max-loss or use --precision auto"
                         : "int8 gives " + two_digits(f.snr_db) + " dB signal to noise, " +
                               two_digits(options_.min_snr_db) + " are needed; lower --min-snr or use --precision auto";
  }
  std::string first_reason() const {
    for (const Node& node : graph_.nodes()) {
      if (const auto it = reasons_.find(&node); it != reasons_.end()) return "'" + node.name() + "': " + it->second;
    }
    return "it has none";
  }

  Status fill(QuantizeReport& report) const {
    COCO_ASSIGN(const auto snr, judge_.layer_snr(best_.rewritten, best_.choices));
    for (const Node& node : graph_.nodes()) {
      const bool carrier = best_.choices.carriers.contains(&node) && best_.rewritten.nodes.contains(&node);
      if (node.kind() != format::OpKind::kConv2d && !carrier) continue;
      QuantizedLayer layer;
      layer.name = node.name();
      layer.int8 = carrier || best_.choices.integer.contains(&node);
      if (const auto it = reasons_.find(&node); !layer.int8 && it != reasons_.end()) layer.reason = it->second;
      layer.snr_db = snr.at(&node);
      if (!carrier) set_sizes(node, layer.int8 ? best_.rewritten.nodes.at(&node) : nullptr, layer);
      report.layers.push_back(std::move(layer));
    }
    const Figures& f = best_.judged;
    report.snr_db = f.snr_db;
    report.psnr_db = f.psnr_db;
    report.cosine = f.cosine;
    report.has_targets = f.has_targets;
    if (f.has_targets) {
      report.psnr_f32_db = f.psnr_f32_db;
      report.psnr_int8_db = f.psnr_db_target;
      report.loss_db = f.loss_db();
    }
    return {};
  }

  graph::Graph take_graph() { return std::move(best_.rewritten.graph); }

 private:
  /// The values that share this one's steps, itself among them.
  std::vector<const Value*> group_of(const Value* value) const {
    const auto it = groups_.find(value);
    return it != groups_.end() ? it->second : std::vector<const Value*>{value};
  }

  ActivationScale scale_for(const Value* value, const Choices& choices, std::vector<double> factors) const {
    const Statistics& statistics = calibration_.statistics();
    const std::vector<const Value*> group = group_of(value);
    const double samples = statistics.eight_bit.at(value);
    if (value->producer() == nullptr && group.size() == 1 && samples > 0) return {samples, 0, {}};
    if (!is_between_convs(graph_, value, choices)) factors.clear();
    if (group.size() == 1) return choose_scale(statistics.histograms.at(value), std::move(factors), options_);
    std::vector<Histogram> all;
    for (const Value* member : group) {
      const std::vector<Histogram>& own = statistics.histograms.at(member);
      all.insert(all.end(), own.begin(), own.end());
    }
    return choose_scale(all, {}, options_);
  }

  Choices choices_of(const std::vector<const Node*>& integer) const {
    Choices choices;
    for (const Node* node : integer) choices.integer[node];
    if (options_.between_convolutions) choices.carriers = useful_carriers(graph_, convs_of(choices));
    const auto add = [&](const Value* value) {
      if (choices.scales.contains(value)) return;
      const ActivationScale scale = scale_for(value, choices, {});
      for (const Value* member : group_of(value)) choices.scales[member] = scale;
    };
    for (const Node* node : integer) add(node->input(0));
    for (const Node* node : choices.carriers) {
      for (const Value* input : carrier_inputs(*node)) add(input);
      add(node->output());
    }
    return choices;
  }

  Result<Trial> attempt(Choices choices) {
    Trial trial{std::move(choices), {}, {}, {}};
    COCO_ASSIGN(trial.rewritten, rewrite(graph_, trial.choices));
    COCO_ASSIGN(trial.figures, calibration_.measure(trial.rewritten.graph));
    return trial;
  }

  /// Takes the trial over when it comes nearer and no convolution fell out.
  void keep_better(Trial trial) {
    const bool same = trial.choices.integer.size() == best_.choices.integer.size();
    if (same && trial.figures.error < best_.figures.error) best_ = std::move(trial);
  }

  /// The best integer form of these convolutions, into best_, judged.
  Status optimize(std::vector<const Node*>& integer) {
    COCO_TRY(search(integer));
    COCO_ASSIGN(best_.judged, judge_.measure(best_.rewritten.graph));
    return {};
  }

  Status search(std::vector<const Node*>& integer) {
    COCO_ASSIGN(best_, attempt(choices_of(integer)));
    const double trials = 5.0 * static_cast<double>(integer.size());
    const bool affordable = trials * calibration_.statistics().macs <= kMostMacs;
    for (const Node* node : convs_) {
      const auto it = best_.rewritten.refused.find(node->name());
      if (it != best_.rewritten.refused.end()) reasons_[node] = it->second;
    }
    std::erase_if(integer, [&](const Node* node) { return !best_.choices.integer.contains(node); });
    if (integer.empty()) return {};
    if (affordable && options_.equalize) COCO_TRY(equalize(integer));
    if (affordable && options_.fit_weights) {
      for (const Node* node : integer) COCO_TRY(fit(*node));
    }
    if (affordable && options_.refine_ranges) {
      for (const Node* node : integer) COCO_TRY(refine_range(node->output()));
    }
    if (options_.correct_bias) COCO_TRY(correct_bias());
    return {};
  }

  /// Multiplies each channel between two convolutions by (widest range / own range)^strength, so that every channel
  /// has more of the 256 steps, and turns it over where its negative side is the larger one; the next convolution
  /// divides by the factor.
  std::vector<double> factors_of(const Value* value, double strength) const {
    constexpr double kMost = 64;
    std::vector<double> reach, factors;
    for (const Histogram& channel : calibration_.statistics().histograms.at(value)) {
      const ActivationScale own = choose_scale(std::span(&channel, 1), {}, options_);
      const double low = own.step * static_cast<double>(own.zero_point), high = 255 * own.step - low;
      reach.push_back(low > high ? -low : high);
    }
    double widest = 0;
    for (double r : reach) widest = std::max(widest, std::abs(r));
    for (double r : reach)
      factors.push_back(std::copysign(std::min(std::pow(widest / std::abs(r), strength), kMost), r));
    return factors;
  }

  Status equalize(const std::vector<const Node*>& integer) {
    for (const Node* node : integer) {
      const Value* value = node->output();
      if (!is_between_convs(graph_, value, best_.choices) || !scales_with_its_input(*node)) continue;
      for (double strength : {0.5, 1.0}) {
        Choices choices = best_.choices;
        choices.scales[value] = scale_for(value, choices, factors_of(value, strength));
        COCO_ASSIGN(Trial trial, attempt(std::move(choices)));
        keep_better(std::move(trial));
      }
    }
    return {};
  }

  /// Chooses the layer's integers anew, from what it reads now that the layers before it have theirs.
  Status fit(const Node& node) {
    constexpr size_t kMostInputs = 1200;
    const Shape& shape = node.input(1)->shape();
    const auto taps = static_cast<size_t>(shape[2] * shape[3]), inputs = static_cast<size_t>(shape[1]) * taps;
    if (inputs > kMostInputs) return {};
    Choices choices = best_.choices;
    ActivationScale in = choices.scales.at(node.input(0));
    if (!is_between_convs(graph_, node.input(0), choices)) in.factors.clear();
    const bool steps = is_steps(graph_, node.output(), choices);
    const ActivationScale* out = steps ? &choices.scales.at(node.output()) : nullptr;
    COCO_ASSIGN(const std::vector<Moments> moments, calibration_.moments(best_.rewritten, node, in.step));
    LayerChoice& choice = choices.integer.at(&node);
    choice = {};
    for (size_t m = 0; m < static_cast<size_t>(shape[0]); ++m) {
      const Moments& group = moments[m / moments[0].results];
      const double factor = out != nullptr ? out->factor(m) : 1.0;
      FittedChannel fitted = fit_channel(group, m % group.results, scaled_weights(node, m, in, out), factor, taps,
                                         first_input_channel(node, m));
      const double bias = node.input(2) != nullptr ? static_cast<double>(node.input(2)->floats()[m]) : 0.0;
      choice.shift.push_back(fitted.bias / factor - bias);
      choice.scale.push_back(fitted.scale);
      choice.weight.insert(choice.weight.end(), fitted.weight.begin(), fitted.weight.end());
    }
    COCO_ASSIGN(Trial trial, attempt(std::move(choices)));
    keep_better(std::move(trial));
    return {};
  }

  /// Tries finer and coarser steps than the histogram suggests: what counts is the output.
  Status refine_range(const Value* value) {
    if (!is_steps(graph_, value, best_.choices)) return {};
    for (double stretch : {0.85, 1.18}) {
      Choices choices = best_.choices;
      const ActivationScale& scale = choices.scales.at(value);
      const double low = -scale.step * static_cast<double>(scale.zero_point), high = 255 * scale.step + low;
      ActivationScale other = scale_of_range(low * stretch, high * stretch);
      other.factors = scale.factors;
      for (const Value* member : group_of(value)) choices.scales[member] = other;
      COCO_ASSIGN(Trial trial, attempt(std::move(choices)));
      keep_better(std::move(trial));
    }
    return {};
  }

  Status correct_bias() {
    constexpr int kRounds = 3;
    for (int round = 0; round < kRounds; ++round) {
      COCO_ASSIGN(const ChannelMeans means, calibration_.mean_sums(best_.rewritten));
      Choices choices = best_.choices;
      for (auto& [node, choice] : choices.integer) {
        std::vector<double>& shift = choice.shift;
        const std::vector<double>& wanted = calibration_.statistics().sums.at(node);
        shift.resize(wanted.size(), 0.0);
        for (size_t c = 0; c < wanted.size(); ++c) shift[c] += wanted[c] - means.at(node)[c];
      }
      const double before = best_.figures.error;
      COCO_ASSIGN(Trial trial, attempt(std::move(choices)));
      keep_better(std::move(trial));
      if (best_.figures.error >= before) break;
    }
    return {};
  }

  /// Leaves the fewest convolutions in f32 that will do, first those that alone do most harm. Found by bisection: more
  /// in f32 is taken to be no worse, and every try costs a whole optimisation.
  Status give_up_layers() {
    constexpr size_t kRankedOn = 2;  // samples: they only tell which convolutions do more harm than others
    std::vector<std::pair<double, const Node*>> harm;
    for (const Node* node : convs_) {
      if (!best_.choices.integer.contains(node)) continue;
      Choices choices = choices_of({node});
      COCO_ASSIGN(const Rewritten alone, rewrite(graph_, choices));
      COCO_ASSIGN(const Figures figures, calibration_.measure(alone.graph, kRankedOn));
      harm.emplace_back(figures.error, node);
    }
    std::stable_sort(harm.begin(), harm.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<const Node*> integer;
    for (const Node* node : convs_) {
      if (best_.choices.integer.contains(node)) integer.push_back(node);
    }
    const auto give_up = [&](size_t count) -> Status {
      std::vector<const Node*> rest = integer;
      for (size_t i = 0; i < count; ++i) std::erase(rest, harm[i].second);
      return optimize(rest);
    };
    // `few` are not enough, `many` are: all of them always are.
    size_t few = 0, many = harm.size();
    Trial enough = std::move(best_);
    while (many - few > 1) {
      const size_t middle = (few + many) / 2;
      COCO_TRY(give_up(middle));
      if (is_allowed()) {
        many = middle;
        enough = std::move(best_);
      } else {
        few = middle;
      }
    }
    if (many == harm.size()) {
      COCO_TRY(give_up(many));
    } else {
      best_ = std::move(enough);
    }
    for (size_t i = 0; i < many; ++i)
      reasons_[harm[i].second] = "alone it leaves " + two_digits(decibels(1, harm[i].first)) + " dB signal to noise";
    return {};
  }

  const graph::Graph& graph_;
  const QuantizeOptions& options_;
  const Calibration& calibration_;
  const Calibration& judge_;
  std::unordered_map<const Value*, std::vector<const Value*>> groups_;
  std::vector<const Node*> convs_;
  std::unordered_map<const Node*, std::string> reasons_;
  Trial best_;
};

}  // namespace

Result<graph::Graph> quantize(const graph::Graph& graph, Precision precision, const QuantizeOptions& options,
                              QuantizeReport& report) {
  if (options.samples.empty()) {
    return make_error(ErrorCode::kInvalidArgument,
                      "integer precision needs calibration data: pictures like those the model will see");
  }
  // First what is wrong with the model, then what running it costs.
  for (const Node& node : graph.nodes()) {
    if (node.kind() == format::OpKind::kQuantConv2d) {
      return make_error(ErrorCode::kInvalidArgument,
                        "the model has integer convolutions already; compile it without --precision");
    }
    if (node.kind() == format::OpKind::kConv2d) COCO_TRY(integer_obstacle(node));
  }
  COCO_ASSIGN(const graph::Graph apart, prepare_for_integers(graph));
  const bool hold_out = options.hold_out && options.samples.size() >= kLeastToHoldOut;
  Samples choosing, judging;
  for (size_t i = 0; i < options.samples.size(); ++i) {
    const bool held_out = hold_out && i % kHeldOut == kHeldOut - 1;
    (held_out ? judging : choosing).push_back(&options.samples[i]);
  }
  COCO_ASSIGN(const Calibration calibration, Calibration::create(apart, std::move(choosing)));
  std::optional<Calibration> judge;
  if (hold_out) {
    COCO_ASSIGN(judge, Calibration::create(apart, judging));
  }
  Quantizer quantizer(apart, options, calibration, hold_out ? *judge : calibration);
  COCO_TRY(quantizer.find_candidates());
  COCO_TRY(quantizer.run(precision));
  report = {};
  report.samples = options.samples.size();
  report.held_out = judging.size();
  COCO_TRY(quantizer.fill(report));
  if (precision == Precision::kInt8 && !quantizer.any_integer()) {
    return make_error(ErrorCode::kUnsupported,
                      "no convolution of the model can be integer; the first one, " + quantizer.first_reason());
  }
  if (precision == Precision::kInt8 && !quantizer.is_allowed()) {
    return make_error(ErrorCode::kUnsupported, quantizer.shortfall());
  }
  graph::Graph result = quantizer.take_graph();
  COCO_TRY(fuse_activations(result));
  return result;
}

}  // namespace coco::compiler
