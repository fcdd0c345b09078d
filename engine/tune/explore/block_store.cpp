#include "tune/explore/block_store.h"

#include <nlohmann/json.hpp>

#include "tune/copies.h"
#include "tune/explore/block_training.h"
#include "tune/patch_task.h"
#include "tune/prune/constraint.h"
#include "tune/training_run.h"

namespace coco::tune {
namespace {

/// Writes the numbers of the layers in `range`.
void copy_layers(const Architecture& architecture, LayerRange range, const std::vector<NamedTensor>& from,
                 std::vector<NamedTensor>& to) {
  size_t next = 0;
  for (size_t l = 0; l < range.end; ++l) {
    for (const size_t end = next + numbers_of(architecture.layers[l]); next < end; ++next) {
      if (l >= range.first) to[next].tensor.copy_(from[next].tensor);
    }
  }
}

}  // namespace

BlockStore::BlockStore(const SearchRun& run, const std::vector<Configuration>& configurations)
    : run_(run), bag_(find_tuning_blocks(configurations)), trained_(bag_.blocks.size()) {
  std::vector<TuningBlock> pruned;
  std::vector<size_t> numbers;  // in the bag
  for (size_t b = 0; b < bag_.blocks.size(); ++b) {
    if (run.space.plan_of(bag_.blocks[b]).layers.empty()) continue;
    pruned.push_back(bag_.blocks[b]);
    numbers.push_back(b);
  }
  groups_ = pack_blocks(pruned);
  for (auto& group : groups_) {
    for (size_t& b : group) b = numbers[b];
  }
}

size_t BlockStore::blocks() const {
  size_t count = 0;
  for (const auto& group : groups_) count += group.size();
  return count;
}

Status BlockStore::train() {
  for (size_t g = 0; g < groups_.size(); ++g) COCO_TRY(train_group(g));
  return {};
}

Status BlockStore::train_group(size_t number) {
  const std::vector<size_t>& blocks = groups_[number];
  std::vector<LayerRange> ranges;
  PrunePlan plan = run_.space.plan_of(Configuration{});
  nlohmann::json names = nlohmann::json::array();
  for (const size_t b : blocks) {
    const TuningBlock& block = bag_.blocks[b];
    ranges.push_back(run_.space.layers_of(block));
    names.push_back({{"module", block.first}, {"choices", block.choices}, {"frequency", block.frequency}});
    const PrunePlan part = run_.space.plan_of(block);
    plan.layers.insert(plan.layers.end(), part.layers.begin(), part.layers.end());
  }
  const Stopwatch watch;
  BlockStudents students(run_.teacher, ranges);
  BlockGradient gradient(run_.teacher, ranges);
  GradualConstraint masks(plan, students.deployed(), {0, 0, 1});
  std::vector<NamedTensor> before = copies(students.deployed());
  prune_at_once(plan, before);
  const TrainOptions options = run_.run_options("blocks" + std::to_string(number), run_.options.block_iterations);
  const nlohmann::json subject = {{"blocks", names}, {"library", plan.library}, {"from", run_.origin}};
  const TrainHooks hooks = hooks_of_part(run_.hooks, "blocks, run", number, groups_.size(), false);
  const std::vector<ImagePair> none;
  PatchTask task(students, &gradient, options, run_.images, none);
  COCO_ASSIGN(const std::vector<NamedTensor> after,
              run_training({students, &masks, task, options, subject.dump(), hooks, Random(options.seed)}));
  PatchBatch patches;
  Random random(options.seed + 1);
  const ImagePair& any = run_.images.front();
  sample_patches(run_.images, 2 * options.batch, options.patch, any.hr.width / any.lr.width, random, patches);
  const auto errors_before = gradient.errors(before, patches), errors = gradient.errors(after, patches);
  for (size_t i = 0; i < blocks.size(); ++i) {
    trained_[blocks[i]] = after;
    names[i]["error_before"] = errors_before[i];
    names[i]["error"] = errors[i];
  }
  run_.tell({{"phase", "blocks"},
             {"run", number + 1},
             {"runs", groups_.size()},
             {"blocks", names},
             {"seconds", watch.seconds()}},
            true);
  return {};
}

std::vector<NamedTensor> BlockStore::assemble(size_t configuration) const {
  const torch::NoGradGuard no_grad;
  std::vector<NamedTensor> numbers = copies(run_.teacher.deployed());
  for (const size_t b : bag_.assembly[configuration]) {
    if (trained_[b].empty()) continue;
    copy_layers(run_.teacher.architecture(), run_.space.layers_of(bag_.blocks[b]), trained_[b], numbers);
  }
  return numbers;
}

}  // namespace coco::tune
