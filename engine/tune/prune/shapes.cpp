#include "tune/prune/shapes.h"

#include <algorithm>
#include <cmath>

namespace coco::tune {
namespace {

constexpr size_t kWord = 4;  // input channels, or columns, of an entry

std::string text_of(const KernelShape& s) {
  return std::to_string(s.outputs) + " x " + std::to_string(s.inputs) + " x " + std::to_string(s.height) + " x " +
         std::to_string(s.width);
}

}  // namespace

size_t KernelShape::size() const {
  return static_cast<size_t>(outputs) * static_cast<size_t>(inputs) * static_cast<size_t>(height) *
         static_cast<size_t>(width);
}

Status check_spec(const PruneSpec& spec, const KernelShape& shape) {
  const auto refuse = [](std::string reason) { return make_error(ErrorCode::kInvalidArgument, std::move(reason)); };
  if (shape.size() == 0) return refuse("a layer without weights cannot be pruned");
  if (spec.kind == PruneKind::kDense) return {};
  if (spec.block_outputs != 4 && spec.block_outputs != 8) {
    return refuse("blocks are 4 or 8 output channels high, not " + std::to_string(spec.block_outputs));
  }
  if (!(spec.keep > 0 && spec.keep <= 1) || !(spec.blocks > 0 && spec.blocks <= 1)) {
    return refuse("the shares of positions and of blocks that stay must be above 0 and at most 1");
  }
  if (spec.kind == PruneKind::kPattern && (shape.height != 3 || shape.width != 3 || shape.gathered)) {
    return refuse("patterns are for 3x3 kernels, not for " + text_of(shape) + "; use punched blocks");
  }
  if (spec.per_layer && (spec.kind == PruneKind::kPattern || spec.centre || spec.blocks < 1)) {
    return refuse("a rate for the whole layer goes with punched blocks alone, which may lose all their positions");
  }
  return {};
}

BlockGrid::BlockGrid(const KernelShape& shape, int block_outputs)
    : shape_(shape), block_outputs_(static_cast<size_t>(block_outputs)) {
  const auto channels = static_cast<size_t>(shape.gathered ? shape.width : shape.inputs);
  words_ = (channels + kWord - 1) / kWord;
  blocks_ = (static_cast<size_t>(shape.outputs) + block_outputs_ - 1) / block_outputs_ * words_;
  positions_ = static_cast<size_t>(shape.gathered ? shape.height : shape.height * shape.width);
}

size_t BlockGrid::entry_of(size_t index) const {
  const auto inputs = static_cast<size_t>(shape_.inputs), taps = static_cast<size_t>(shape_.height * shape_.width);
  const auto width = static_cast<size_t>(shape_.width);
  const size_t tap = index % taps, input = index / taps % inputs, output = index / (taps * inputs);
  const size_t word = (shape_.gathered ? tap % width : input) / kWord;
  const size_t position = shape_.gathered ? tap / width : tap;
  return (output / block_outputs_ * words_ + word) * positions_ + position;
}

std::vector<double> BlockGrid::energies(std::span<const float> weights) const {
  COCO_CHECK(weights.size() == shape_.size(), "weights of another shape");
  std::vector<double> sums(entries());
  for (size_t i = 0; i < weights.size(); ++i) {
    sums[entry_of(i)] += static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
  }
  return sums;
}

EntryCount count_entries(std::span<const float> weights, const KernelShape& shape, int tile) {
  const BlockGrid grid(shape, tile);
  std::vector<uint8_t> used(grid.entries());
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] != 0) used[grid.entry_of(i)] = 1;
  }
  return {static_cast<size_t>(std::count(used.begin(), used.end(), 1)), used.size()};
}

double sparsity(std::span<const float> weights) {
  if (weights.empty()) return 0;
  return static_cast<double>(std::count(weights.begin(), weights.end(), 0.f)) / static_cast<double>(weights.size());
}

}  // namespace coco::tune
