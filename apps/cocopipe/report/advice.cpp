#include "apps/cocopipe/report/advice.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>

#include "apps/cocopipe/report/advice_rules.h"

namespace coco::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// What a layer takes alone on one thread, loads, stores and the making of integers left out; empty when it cannot run.
std::optional<double> time_alone(const LayerAlone& layer, const SessionOptions& options, double seconds) {
  if (layer.program.operators.empty()) return 0.0;
  const auto model = Model::from_program(layer.program);
  if (!model.ok()) return std::nullopt;
  SessionOptions one = options;  // threads that wait for each other tell nothing about the layer
  one.threads = 1;
  const auto rows = profile_operators(*model, layer.shapes, one, seconds);
  if (!rows.ok()) return std::nullopt;
  double ms = 0;
  for (const OperatorProfile& row : *rows) {
    if (row.index >= static_cast<int>(layer.first)) ms += row.ms;
  }
  return ms;
}

/// Layers with the same key take the same time.
std::string key_of(const format::Program& program, const format::Operator& op, std::span<const Shape> shapes) {
  std::string key = std::string(to_string(op.kind())) + format::to_text(op.params);
  for (const auto* list : {&op.inputs, &op.outputs}) {
    for (const int32_t number : *list) {
      if (number == format::kNoValue) continue;
      const auto n = static_cast<size_t>(number);
      key += " " + shapes[n].to_string() + std::string(to_string(program.values[n].type));
    }
  }
  for (const int32_t number : op.inputs) {  // pruned weights make it faster
    if (number == format::kNoValue || !program.values[static_cast<size_t>(number)].is_constant()) continue;
    const auto bytes = program.values[static_cast<size_t>(number)].constant.bytes;
    key +=
        " " + std::to_string(8 * std::count(bytes.begin(), bytes.end(), 0) / std::max<ptrdiff_t>(1, std::ssize(bytes)));
  }
  return key;
}

struct Gain {
  const OperatorProfile* row = nullptr;
  double now = 0, then = 0;  ///< alone
  double saves() const { return row->ms * (1 - then / now); }
};

class Adviser {
 public:
  Adviser(const format::Program& program, std::span<const Shape> shapes, const SessionOptions& options,
          const FloatReasons& reasons, const AdviceLimits& limits)
      : program_(program),
        shapes_(shapes),
        options_(options),
        reasons_(reasons),
        limits_(limits),
        start_(Clock::now()) {}

  /// False when time is up.
  bool look_at(const OperatorProfile& row) {
    const auto index = static_cast<size_t>(row.index);
    const auto layer = layer_alone(program_, index, shapes_);
    if (!layer) return true;
    const std::string key = key_of(program_, program_.operators[index], shapes_);
    for (const AdviceRule& rule : advice_rules()) {
      if (std::chrono::duration<double>(Clock::now() - start_).count() > limits_.seconds) return false;
      const auto changed = rule.apply(*layer);
      if (!changed) continue;
      const auto now = timed(key, *layer);
      const auto then = timed(key + "\n" + std::string(rule.name), *changed);
      if (now && then && *now > 0 && *then < *now) gains_[&rule].push_back({&row, *now, *then});
    }
    return true;
  }

  std::vector<Advice> result(double total) {
    std::vector<Advice> list;
    for (auto& [rule, gains] : gains_) {
      std::stable_sort(gains.begin(), gains.end(), [](const Gain& a, const Gain& b) { return a.saves() > b.saves(); });
      Advice advice{std::string(rule->name), std::string(rule->change), std::string(rule->reason), {}, 0, {}};
      for (const Gain& gain : gains) {
        advice.layers.push_back(gain.row->name);
        advice.saves_ms += gain.saves();
      }
      advice.basis = basis_of(gains[0]);
      const auto why = reasons_.find(gains[0].row->name);
      if (rule->name == "integers" && why != reasons_.end()) {
        advice.change = "make integers possible by training with them (cocopipe-tune quantize)";
        advice.reason += ", because " + format::printable(why->second);
      }
      if (advice.saves_ms >= limits_.least_share * total) list.push_back(std::move(advice));
    }
    std::stable_sort(list.begin(), list.end(),
                     [](const Advice& a, const Advice& b) { return a.saves_ms > b.saves_ms; });
    if (list.size() > limits_.most) list.resize(limits_.most);
    return list;
  }

 private:
  std::optional<double> timed(const std::string& key, const LayerAlone& layer) {
    const auto known = times_.find(key);
    if (known != times_.end()) return known->second;
    return times_[key] = limits_.clock ? limits_.clock(layer) : time_alone(layer, options_, limits_.seconds_a_layer);
  }

  static std::string basis_of(const Gain& gain) {
    char text[256];
    std::snprintf(text, sizeof text,
                  "'%s' takes %.3f ms of a run; alone, on one thread, %.3f ms as it is and %.3f ms changed",
                  format::printable(gain.row->name).substr(0, 64).c_str(), gain.row->ms, gain.now, gain.then);
    return text;
  }

  const format::Program& program_;
  std::span<const Shape> shapes_;
  const SessionOptions& options_;
  const FloatReasons& reasons_;
  const AdviceLimits& limits_;
  Clock::time_point start_;
  std::map<std::string, std::optional<double>> times_;
  std::map<const AdviceRule*, std::vector<Gain>> gains_;
};

}  // namespace

AdviceList find_advice(const format::Program& program, std::span<const Shape> shapes,
                       const std::vector<OperatorProfile>& operators, const SessionOptions& options,
                       const FloatReasons& reasons, const AdviceLimits& limits) {
  std::vector<const OperatorProfile*> slowest;
  double total = 0;
  for (const OperatorProfile& row : operators) {
    total += row.ms;
    if (row.index >= 0) slowest.push_back(&row);
  }
  std::stable_sort(slowest.begin(), slowest.end(), [](const auto* a, const auto* b) { return a->ms > b->ms; });
  Adviser adviser(program, shapes, options, reasons, limits);
  AdviceList list;
  for (const OperatorProfile* row : slowest) {
    if (row->ms <= limits.layer_share * total || !adviser.look_at(*row)) break;
    list.tried += row->ms / total;
  }
  list.best = adviser.result(total);
  return list;
}

}  // namespace coco::cli
