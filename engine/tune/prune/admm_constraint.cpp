#include <cmath>

#include "tune/prune/constraint.h"

namespace coco::tune {

AdmmConstraint::AdmmConstraint(PrunePlan plan, const std::vector<NamedTensor>& values, AdmmOptions options)
    : MaskConstraint(std::move(plan), values), options_(options) {
  COCO_CHECK(options_.iterations >= 1 && options_.interval >= 1, "steps are counted from 1");
  for (const Slot& slot : slots_) {
    targets_.push_back(torch::zeros_like(slot.mask));
    multipliers_.push_back(torch::zeros_like(slot.mask));
  }
}

double AdmmConstraint::rho_at(int64_t iteration) const {
  const int64_t last = (options_.iterations - 1) / options_.interval, now = iteration / options_.interval;
  if (last == 0) return options_.rho_end;
  const double share = static_cast<double>(now) / static_cast<double>(last);
  return options_.rho * std::pow(options_.rho_end / options_.rho, share);
}

// U is the multiplier divided by rho: when rho changes, U changes against it.
void AdmmConstraint::update_targets(int64_t iteration, const std::vector<NamedTensor>& values) {
  if (iteration == 0) {
    std::vector<torch::Tensor> weights;
    for (size_t l = 0; l < slots_.size(); ++l) weights.push_back(masked(l, values));
    learn(weights);
  }
  const double change = iteration == 0 ? 1.0 : rho_at(iteration - options_.interval) / rho_at(iteration);
  for (size_t l = 0; l < slots_.size(); ++l) {
    const torch::Tensor weight = values[slots_[l].value].tensor.detach();
    targets_[l].copy_(nearest(l, weight + multipliers_[l], plan_.layers[l].spec, nullptr));
    if (iteration > 0) multipliers_[l].add_(weight - targets_[l]).mul_(change);
  }
}

void AdmmConstraint::begin_step(int64_t iteration, const std::vector<NamedTensor>& values) {
  const torch::NoGradGuard no_grad;
  rho_ = iteration < options_.iterations ? rho_at(iteration) : 0;
  if (iteration < options_.iterations) {
    if (iteration % options_.interval == 0) update_targets(iteration, values);
  } else if (iteration == options_.iterations) {
    for (size_t l = 0; l < slots_.size(); ++l) {
      nearest(l, values[slots_[l].value].tensor, plan_.layers[l].spec, &slots_[l].mask);
    }
  }
}

void AdmmConstraint::adjust(const std::vector<NamedTensor>& values, std::vector<torch::Tensor>& gradients) const {
  const torch::NoGradGuard no_grad;
  for (size_t l = 0; l < slots_.size() && rho_ > 0; ++l) {
    const size_t v = slots_[l].value;
    gradients[v].add_(values[v].tensor.detach() - targets_[l] + multipliers_[l], rho_);
  }
  MaskConstraint::adjust(values, gradients);
}

std::vector<NamedTensor> AdmmConstraint::state() const {
  std::vector<NamedTensor> all = MaskConstraint::state();
  for (size_t l = 0; l < slots_.size(); ++l) {
    all.push_back({plan_.layers[l].weight + ".target", targets_[l]});
    all.push_back({plan_.layers[l].weight + ".multiplier", multipliers_[l]});
  }
  return all;
}

double AdmmConstraint::gap(const std::vector<NamedTensor>& values) const {
  const torch::NoGradGuard no_grad;
  double apart = 0, whole = 0;
  for (size_t l = 0; l < slots_.size(); ++l) {
    const torch::Tensor weight = values[slots_[l].value].tensor.detach();
    apart += (weight - targets_[l]).square().sum().item<double>();
    whole += weight.square().sum().item<double>();
  }
  return whole > 0 ? std::sqrt(apart / whole) : 0;
}

}  // namespace coco::tune
