#include "tune/prune/constraint.h"

#include <algorithm>
#include <bit>

namespace coco::tune {
namespace {

std::span<float> floats_of(const torch::Tensor& t) { return {t.data_ptr<float>(), static_cast<size_t>(t.numel())}; }

/// A contiguous copy in the processor's memory.
torch::Tensor copy_of(const torch::Tensor& t) {
  return t.detach().to(torch::kCPU, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true).contiguous();
}

}  // namespace

MaskConstraint::MaskConstraint(PrunePlan plan, const std::vector<NamedTensor>& values) : plan_(std::move(plan)) {
  for (const PruneLayer& layer : plan_.layers) {
    const auto it = std::find_if(values.begin(), values.end(),
                                 [&layer](const NamedTensor& value) { return value.name == layer.weight; });
    COCO_CHECK(it != values.end(), "a pruned layer is none of the network's");
    COCO_CHECK(static_cast<size_t>(it->tensor.numel()) == layer.shape.size(), "a pruned layer has another shape");
    slots_.push_back({static_cast<size_t>(it - values.begin()), torch::ones_like(it->tensor.detach())});
  }
  patterns_ = torch::zeros({kMaxPatterns}, torch::kInt64);
}

void MaskConstraint::begin_step(int64_t iteration, const std::vector<NamedTensor>& values) {
  if (iteration != 0) return;
  for (const Slot& slot : slots_) slot.mask.copy_(values[slot.value].tensor.detach().ne(0));
}

void MaskConstraint::project(std::vector<NamedTensor>& values) const {
  const torch::NoGradGuard no_grad;
  for (const Slot& slot : slots_) values[slot.value].tensor.mul_(slot.mask);
}

void MaskConstraint::adjust(const std::vector<NamedTensor>&, std::vector<torch::Tensor>& gradients) const {
  const torch::NoGradGuard no_grad;
  for (const Slot& slot : slots_) gradients[slot.value].mul_(slot.mask);
}

std::vector<NamedTensor> MaskConstraint::state() const {
  std::vector<NamedTensor> all{{"patterns", patterns_}};
  for (size_t l = 0; l < slots_.size(); ++l) all.push_back({plan_.layers[l].weight + ".mask", slots_[l].mask});
  return all;
}

std::vector<Pattern> MaskConstraint::patterns() const {
  std::vector<Pattern> all;
  for (int64_t i = 0; i < patterns_.numel(); ++i) {
    const int64_t pattern = patterns_.data_ptr<int64_t>()[i];
    if (pattern != 0) all.push_back(static_cast<Pattern>(pattern));
  }
  return all;
}

torch::Tensor MaskConstraint::masked(size_t layer, const std::vector<NamedTensor>& values) const {
  const Slot& slot = slots_[layer];
  return copy_of(values[slot.value].tensor.detach() * slot.mask);
}

void MaskConstraint::learn(const std::vector<torch::Tensor>& weights) {
  std::vector<Pattern> library = plan_.library;
  if (library.empty()) {
    std::vector<std::span<const float>> spans;
    for (const torch::Tensor& w : weights) spans.push_back(floats_of(w));
    library = learn_library(plan_, spans);
  }
  COCO_CHECK(library.size() <= static_cast<size_t>(patterns_.numel()), "too many patterns");
  patterns_.zero_();
  std::copy(library.begin(), library.end(), patterns_.data_ptr<int64_t>());
}

torch::Tensor MaskConstraint::nearest(size_t layer, const torch::Tensor& weights, const PruneSpec& spec,
                                      torch::Tensor* mask) const {
  const KernelShape& shape = plan_.layers[layer].shape;
  std::vector<Pattern> usable;
  const auto positions = static_cast<int>(kept_positions(spec.keep, 9));
  for (const Pattern p : patterns()) {
    if (std::popcount(p) == positions) usable.push_back(p);
  }
  torch::Tensor result = copy_of(weights);
  const auto entries = choose_entries(floats_of(result), shape, spec, usable);
  keep_entries(floats_of(result), shape, spec.block_outputs, entries);
  if (mask != nullptr) {
    torch::Tensor ones = torch::ones_like(result);
    keep_entries(floats_of(ones), shape, spec.block_outputs, entries);
    mask->copy_(ones);
  }
  return result;
}

}  // namespace coco::tune
