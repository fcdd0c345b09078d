#include <algorithm>

#include "tune/prune/constraint.h"

namespace coco::tune {

GradualConstraint::GradualConstraint(PrunePlan plan, const std::vector<NamedTensor>& values, GradualOptions options)
    : MaskConstraint(std::move(plan), values), options_(options) {
  COCO_CHECK(options_.begin >= 0 && options_.end >= options_.begin && options_.interval >= 1,
             "rates fall between two steps");
}

// Before the end a pattern layer keeps any positions and the centre; which patterns there are is learnt at the end.
PruneSpec GradualConstraint::spec_at(const PruneSpec& spec, int64_t iteration) const {
  if (iteration >= options_.end || spec.kind == PruneKind::kDense) return spec;
  const auto span = static_cast<double>(options_.end - options_.begin);
  const double left = 1.0 - static_cast<double>(std::max<int64_t>(iteration - options_.begin, 0)) / span;
  const double gone = 1.0 - left * left * left;
  PruneSpec now = spec;
  now.keep = 1.0 - (1.0 - spec.keep) * gone;
  now.blocks = 1.0 - (1.0 - spec.blocks) * gone;
  if (spec.kind == PruneKind::kPattern) now.kind = PruneKind::kPunched, now.centre = true;
  return now;
}

void GradualConstraint::begin_step(int64_t iteration, const std::vector<NamedTensor>& values) {
  const torch::NoGradGuard no_grad;
  const int64_t since = iteration - options_.begin;
  if (since < 0 || iteration > options_.end || (since % options_.interval != 0 && iteration != options_.end)) return;
  std::vector<torch::Tensor> weights;
  for (size_t l = 0; l < slots_.size(); ++l) weights.push_back(masked(l, values));
  if (iteration == options_.end) learn(weights);
  for (size_t l = 0; l < slots_.size(); ++l) {
    nearest(l, weights[l], spec_at(plan_.layers[l].spec, iteration), &slots_[l].mask);
  }
}

std::unique_ptr<MaskConstraint> make_constraint(PrunePlan plan, const std::vector<NamedTensor>& values,
                                                const PruneOptions& options) {
  if (options.method == PruneMethod::kAdmm) {
    return std::make_unique<AdmmConstraint>(std::move(plan), values, options.admm);
  }
  return std::make_unique<GradualConstraint>(std::move(plan), values, options.gradual);
}

void prune_at_once(const PrunePlan& plan, std::vector<NamedTensor>& values) {
  GradualConstraint constraint(plan, values, {0, 0, 1});
  constraint.begin_step(0, values);
  constraint.project(values);
}

}  // namespace coco::tune
