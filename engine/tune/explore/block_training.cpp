#include "tune/explore/block_training.h"

#include <algorithm>

#include "tune/copies.h"

namespace coco::tune {
namespace {

bool within(const std::vector<LayerRange>& ranges, size_t layer) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [layer](const LayerRange& r) { return r.first <= layer && layer < r.end; });
}

}  // namespace

BlockStudents::BlockStudents(const Network& teacher, const std::vector<LayerRange>& ranges)
    : teacher_(teacher), deployed_(copies(teacher.deployed())) {
  const Architecture& a = teacher.architecture();
  size_t next = 0;
  for (size_t l = 0; l < a.layers.size(); ++l) {
    for (size_t end = next + numbers_of(a.layers[l]); next < end; ++next) {
      if (!within(ranges, l)) continue;
      deployed_[next].tensor.set_requires_grad(true);
      parameters_.push_back(deployed_[next]);
    }
  }
}

BlockGradient::BlockGradient(const Network& teacher, std::vector<LayerRange> ranges)
    : teacher_(teacher), numbers_(copies(teacher.deployed())), ranges_(std::move(ranges)) {}

// The teacher's: [l] enters layer l.
std::vector<torch::Tensor> BlockGradient::activations(PatchBatch& patches) const {
  const torch::NoGradGuard no_grad;
  size_t end = 0;
  for (const LayerRange& r : ranges_) end = std::max(end, r.end);
  std::vector<torch::Tensor> all = {low_resolution(patches, torch::kCPU)};
  for (size_t l = 0; l < end; ++l) all.push_back(run_layers(teacher_.architecture(), numbers_, l, l + 1, all.back()));
  return all;
}

torch::Tensor BlockGradient::error(size_t block, const std::vector<NamedTensor>& values,
                                   const std::vector<torch::Tensor>& activations) const {
  const auto [first, end] = ranges_[block];
  const torch::Tensor made = run_layers(teacher_.architecture(), values, first, end, activations[first]);
  return (made - activations[end]).square().mean() / activations[end].square().mean().clamp_min(1e-12);
}

double BlockGradient::run(const std::vector<NamedTensor>& values, PatchBatch& patches, LossKind,
                          std::vector<torch::Tensor>& gradients) {
  const std::vector<torch::Tensor> teachers = activations(patches);
  const auto loss = [&](const std::vector<NamedTensor>& v) {
    torch::Tensor sum = error(0, v, teachers);
    for (size_t b = 1; b < ranges_.size(); ++b) sum = sum + error(b, v, teachers);
    return sum;
  };
  return differentiate(values, loss, gradients);
}

std::vector<double> BlockGradient::errors(const std::vector<NamedTensor>& values, PatchBatch& patches) const {
  const torch::NoGradGuard no_grad;
  const std::vector<torch::Tensor> teachers = activations(patches);
  std::vector<double> all;
  for (size_t b = 0; b < ranges_.size(); ++b) all.push_back(error(b, values, teachers).item<double>());
  return all;
}

}  // namespace coco::tune
