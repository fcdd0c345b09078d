#include "tune/prune/constraint.h"

#include <functional>

#include "catch.h"
#include "tune/prune/projection.h"
#include "tune/random.h"

using namespace coco::tune;

namespace {

constexpr int64_t kInputs = 8, kOutputs = 8, kTaps = 9;

/// A bowl over the weights of one 3x3 layer whose axes are not those of the weights: (w - best)^T H (w - best) / 2 for
/// every output channel.
struct Bowl {
  torch::Tensor best, curvature;
  explicit Bowl(uint64_t seed) {
    Random random(seed);
    best = torch::empty({kOutputs, kInputs * kTaps});
    torch::Tensor mix = torch::empty({kInputs * kTaps, kInputs * kTaps});
    for (torch::Tensor t : {best, mix}) {
      for (int64_t i = 0; i < t.numel(); ++i) t.data_ptr<float>()[i] = static_cast<float>(random.normal());
    }
    curvature = mix.mm(mix.t()) / (kInputs * kTaps) + 0.05 * torch::eye(kInputs * kTaps);
  }
  torch::Tensor apart(const torch::Tensor& w) const { return w.view({kOutputs, -1}) - best; }
  double loss(const torch::Tensor& w) const { return 0.5 * (apart(w).mm(curvature) * apart(w)).sum().item<double>(); }
  torch::Tensor gradient(const torch::Tensor& w) const { return apart(w).mm(curvature).view_as(w); }
};

std::vector<NamedTensor> start_of(const Bowl& bowl) {
  return {{"conv.bias", torch::ones({kOutputs})}, {"conv.weight", bowl.best.clone().view({kOutputs, kInputs, 3, 3})}};
}

PrunePlan plan_of(const PruneSpec& spec) { return {{{"conv.weight", {8, 8, 3, 3}, spec}}, kMaxPatterns, {}}; }

PruneSpec pattern(int height) { return {PruneKind::kPattern, height, 4. / 9, false, false, 1}; }
PruneSpec punched(double keep) { return {PruneKind::kPunched, 8, keep, false, false, 1}; }

/// Gradient descent by the contract, as the training loop does it.
void descend(const Bowl& bowl, Constraint* constraint, std::vector<NamedTensor>& parameters, int64_t from, int64_t to) {
  for (int64_t i = from; i < to; ++i) {
    std::vector<NamedTensor> values;
    for (const NamedTensor& p : parameters) values.push_back({p.name, p.tensor.clone()});
    constraint->begin_step(i, values);
    constraint->project(values);
    std::vector<torch::Tensor> gradients = {torch::zeros({kOutputs}), bowl.gradient(values[1].tensor)};
    constraint->adjust(values, gradients);
    for (size_t p = 0; p < parameters.size(); ++p) parameters[p].tensor.sub_(gradients[p], 0.15);
  }
  constraint->project(parameters);
}

std::span<const float> floats(const torch::Tensor& t) { return {t.data_ptr<float>(), static_cast<size_t>(t.numel())}; }

size_t entries_of(const torch::Tensor& weight, int tile) {
  return count_entries(floats(weight), {8, 8, 3, 3}, tile).kept;
}

/// Right after one projection, with masked retraining.
double one_shot(const Bowl& bowl, const PruneSpec& spec, int64_t steps) {
  std::vector<NamedTensor> parameters = start_of(bowl);
  GradualConstraint at_once(plan_of(spec), parameters, {0, 0, 1});
  descend(bowl, &at_once, parameters, 0, steps);
  return bowl.loss(parameters[1].tensor);
}

using Make = std::function<std::unique_ptr<MaskConstraint>(const std::vector<NamedTensor>&)>;

/// Stopped, everything copied into new objects, and gone on with: the same numbers.
void check_resume(const Make& make, int64_t stop, int64_t steps) {
  const Bowl bowl(11);
  std::vector<NamedTensor> whole = start_of(bowl), first = start_of(bowl), second = start_of(bowl);
  const auto a = make(whole), b = make(first), c = make(second);
  descend(bowl, a.get(), whole, 0, steps);
  descend(bowl, b.get(), first, 0, stop);
  const auto from = b->state(), to = c->state();
  REQUIRE(from.size() == to.size());
  for (size_t i = 0; i < from.size(); ++i) {
    REQUIRE(from[i].name == to[i].name);
    torch::Tensor(to[i].tensor).copy_(from[i].tensor);
  }
  for (size_t i = 0; i < first.size(); ++i) second[i].tensor.copy_(first[i].tensor);
  descend(bowl, c.get(), second, stop, steps);
  for (size_t i = 0; i < whole.size(); ++i) CHECK(torch::equal(whole[i].tensor, second[i].tensor));
  const auto end = a->state(), resumed = c->state();
  for (size_t i = 0; i < end.size(); ++i) CHECK(torch::equal(end[i].tensor, resumed[i].tensor));
}

}  // namespace

TEST_CASE("ADMM leads the weights to the set and ends in it") {
  const Bowl bowl(1);
  std::vector<NamedTensor> parameters = start_of(bowl);
  AdmmConstraint admm(plan_of(pattern(8)), parameters, {400, 20, 0.01, 3});
  descend(bowl, &admm, parameters, 0, 1);
  const double far = admm.gap(parameters);
  CHECK(entries_of(parameters[1].tensor, 8) == 18);
  descend(bowl, &admm, parameters, 1, 400);
  CHECK(admm.gap(parameters) < 0.05);
  CHECK(far > 0.5);
  CHECK(entries_of(parameters[1].tensor, 8) == 18);
  descend(bowl, &admm, parameters, 400, 500);
  CHECK(entries_of(parameters[1].tensor, 8) == 8);
  CHECK(torch::equal(parameters[0].tensor, torch::ones({kOutputs})));
  for (const Pattern p : admm.patterns()) CHECK((p & kCentre) != 0);
}

TEST_CASE("ADMM finds better positions than magnitude at once") {
  double admm_sum = 0, once_sum = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const Bowl bowl(seed);
    std::vector<NamedTensor> parameters = start_of(bowl);
    AdmmConstraint admm(plan_of(punched(4. / 9)), parameters, {400, 20, 0.01, 3});
    descend(bowl, &admm, parameters, 0, 700);
    admm_sum += bowl.loss(parameters[1].tensor);
    once_sum += one_shot(bowl, punched(4. / 9), 700);
  }
  CHECK(admm_sum < once_sum);
}

TEST_CASE("the penalty's gradient is rho (W - Z + U), and rho rises from one end to the other") {
  const Bowl bowl(2);
  std::vector<NamedTensor> parameters = start_of(bowl);
  AdmmConstraint admm(plan_of(punched(0.5)), parameters, {100, 10, 0.01, 1});
  CHECK(admm.rho_at(0) == Approx(0.01));
  CHECK(admm.rho_at(9) == Approx(0.01));
  CHECK(admm.rho_at(99) == Approx(1));
  descend(bowl, &admm, parameters, 0, 35);
  admm.begin_step(35, parameters);
  std::vector<torch::Tensor> gradients = {torch::zeros({kOutputs}), torch::zeros_like(parameters[1].tensor)};
  admm.adjust(parameters, gradients);
  torch::Tensor target, multiplier;
  for (const NamedTensor& s : admm.state()) {
    if (s.name == "conv.weight.target") target = s.tensor;
    if (s.name == "conv.weight.multiplier") multiplier = s.tensor;
  }
  const torch::Tensor expected = (parameters[1].tensor - target + multiplier) * admm.rho_at(35);
  CHECK((gradients[1] - expected).abs().max().item<double>() < 1e-6);
  CHECK(expected.abs().max().item<double>() > 1e-3);
  CHECK(gradients[0].abs().max().item<double>() == 0);
  CHECK(entries_of(target, 8) == 10);
}

TEST_CASE("gradual pruning follows the cubic, and what is gone stays gone") {
  const Bowl bowl(3);
  std::vector<NamedTensor> parameters = start_of(bowl);
  const PruneSpec final_spec{PruneKind::kPunched, 4, 1. / 3, true, false, 1};
  GradualConstraint gradual(plan_of(final_spec), parameters, {10, 110, 10});
  torch::Tensor before = torch::ones_like(parameters[1].tensor);
  for (int64_t i = 0; i < 130; ++i) {
    descend(bowl, &gradual, parameters, i, i + 1);
    const torch::Tensor now = gradual.state()[1].tensor.clone();
    CHECK((now > before).sum().item<int64_t>() == 0);
    const double s = std::clamp(static_cast<double>(i / 10 * 10 - 10) / 100.0, 0.0, 1.0);
    const double keep = 1.0 - 2. / 3 * (1.0 - std::pow(1.0 - s, 3));
    CHECK(count_entries(floats(now), {8, 8, 3, 3}, 4).kept == kept_positions(keep, 36));
    before = now;
  }
  CHECK(entries_of(parameters[1].tensor, 4) == 12);
}

TEST_CASE("gradual pruning ends in patterns") {
  const Bowl bowl(4);
  std::vector<NamedTensor> parameters = start_of(bowl);
  GradualConstraint gradual(plan_of(pattern(4)), parameters, {0, 50, 10});
  descend(bowl, &gradual, parameters, 0, 40);
  CHECK(gradual.patterns().empty());
  descend(bowl, &gradual, parameters, 40, 60);
  CHECK_FALSE(gradual.patterns().empty());
  CHECK(gradual.patterns().size() <= 4);
  CHECK(entries_of(parameters[1].tensor, 4) == 16);
}

TEST_CASE("masks of zeros hold what was pruned before") {
  const Bowl bowl(5);
  std::vector<NamedTensor> parameters = start_of(bowl);
  project({parameters[1].tensor.data_ptr<float>(), 8 * 8 * 9}, {8, 8, 3, 3}, punched(1. / 3), {});
  const torch::Tensor start = parameters[1].tensor.clone();
  MaskConstraint mask(plan_of({}), parameters);
  descend(bowl, &mask, parameters, 0, 50);
  CHECK(torch::equal(parameters[1].tensor.ne(0), start.ne(0)));
  CHECK_FALSE(torch::equal(parameters[1].tensor, start));
}

TEST_CASE("stopped and resumed equals uninterrupted, bit for bit") {
  const Make admm = [](const auto& v) {
    return std::make_unique<AdmmConstraint>(plan_of(pattern(8)), v, AdmmOptions{60, 10, 0.01, 1});
  };
  const Make gradual = [](const auto& v) {
    return std::make_unique<GradualConstraint>(plan_of(pattern(4)), v, GradualOptions{5, 65, 10});
  };
  const Make mask = [](const auto& v) { return std::make_unique<MaskConstraint>(plan_of({}), v); };
  for (const int64_t stop : {1, 20, 25, 60, 70}) {
    check_resume(admm, stop, 90);
    check_resume(gradual, stop, 90);
    check_resume(mask, stop, 90);
  }
}
