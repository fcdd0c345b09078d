#include "tune/explore/block_training.h"
#include "tune/patch_task.h"

#include <map>

#include "catch.h"
#include "tests/tune/explore/fixture.h"
#include "tune/copies.h"
#include "tune/explore/block_store.h"
#include "tune/prune/constraint.h"
#include "tune/training_run.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

Network make_teacher() {
  Random random(1);
  Network teacher(small_stack(), Branches::kPlain, random);
  teacher.set(from_plain(make_net(3, small_stack())));
  return teacher;
}

std::map<std::string, torch::Tensor> by_name(const std::vector<NamedTensor>& numbers) {
  std::map<std::string, torch::Tensor> all;
  for (const NamedTensor& n : numbers) all[n.name] = n.tensor;
  return all;
}

bool same_layer(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b, int layer) {
  auto left = by_name(a), right = by_name(b);
  const std::string l = std::to_string(layer);
  for (const std::string& name : {"conv" + l + ".weight", "conv" + l + ".bias", "prelu" + l + ".slope"}) {
    if (left.count(name) != right.count(name)) return false;
    if (left.count(name) == 1 && !torch::equal(left[name], right[name])) return false;
  }
  return true;
}

int64_t zeros_in(const std::vector<NamedTensor>& numbers, int layer) {
  return by_name(numbers)["conv" + std::to_string(layer) + ".weight"].eq(0).sum().item<int64_t>();
}

}  // namespace

TEST_CASE("a block learns what the teacher's layers do, and the layers outside stand still") {
  const Network teacher = make_teacher();
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  TrainOptions options = small_search(folder.string()).train;
  options.iterations = 60;
  const SearchSpace space =
      SearchSpace::create(import(dense_onnx()), small_search(folder.string()).modules, kMaxPatterns).value();
  const TuningBlock block{1, {2}, 2};
  const std::vector<LayerRange> ranges = {space.layers_of(block)};
  REQUIRE(ranges[0].first == 2);
  REQUIRE(ranges[0].end == 3);
  const PrunePlan plan = space.plan_of(block);
  BlockStudents students(teacher, ranges);
  BlockGradient gradient(teacher, ranges);
  GradualConstraint masks(plan, students.deployed(), {0, 0, 1});
  std::vector<NamedTensor> start = copies(teacher.deployed());
  prune_at_once(plan, start);
  Random random(5);
  PatchBatch patches;
  sample_patches(images, 8, 16, 2, random, patches);
  const double dense = gradient.errors(teacher.deployed(), patches)[0], before = gradient.errors(start, patches)[0];
  const std::vector<ImagePair> none;
  PatchTask task(students, &gradient, options, images, none);
  const auto result = run_training({students, &masks, task, options, "{}", TrainHooks{}, Random(1)}).value();
  const double after = gradient.errors(result, patches)[0];
  CHECK(dense == 0);
  CHECK(before > 0.01);
  CHECK(after < 0.8 * before);
  for (const int layer : {0, 1, 3}) CHECK(same_layer(result, teacher.deployed(), layer));
  CHECK_FALSE(same_layer(result, start, 2));
  CHECK(zeros_in(result, 2) == 8 * 8 * 5);
}

TEST_CASE("blocks that are trained side by side do not see each other") {
  const Network teacher = make_teacher();
  BlockGradient one(teacher, {{1, 2}}), both(teacher, {{1, 2}, {2, 3}});
  std::vector<NamedTensor> numbers = copies(teacher.deployed());
  for (NamedTensor& n : numbers) n.tensor.mul_(0.9);
  PatchBatch patches;
  Random random(5);
  sample_patches(make_images(2, 64, 31), 4, 16, 2, random, patches);
  CHECK(both.errors(numbers, patches)[0] == one.errors(numbers, patches)[0]);
  std::vector<torch::Tensor> alone, together;
  one.run(numbers, patches, LossKind::kSquared, alone);
  both.run(numbers, patches, LossKind::kSquared, together);
  for (size_t i = 0; i < numbers.size(); ++i) {
    INFO(numbers[i].name);
    if (numbers[i].name.find('1') != std::string::npos) CHECK(torch::equal(alone[i], together[i]));
    if (numbers[i].name.find('2') != std::string::npos) CHECK(alone[i].abs().max().item<float>() == 0);
    if (numbers[i].name.find('2') != std::string::npos) CHECK(together[i].abs().max().item<float>() > 0);
  }
}

TEST_CASE("networks are assembled of the right blocks in the right layers") {
  const Network teacher = make_teacher();
  const auto images = make_images(3, 64, 31);
  const TemporaryFolder folder;
  const ExploreOptions options = small_search(folder.string());
  const SearchSpace space = SearchSpace::create(import(dense_onnx()), options.modules, kMaxPatterns).value();
  const ExploreHooks hooks;
  const SearchRun run{teacher, space, options, images, images, hooks, ""};
  const std::vector<Configuration> all = {{0, 1}, {1, 2}, {2, 0}, {1, 1}, {2, 2}};
  BlockStore store(run, all);
  REQUIRE(store.train().ok());
  CHECK(store.blocks() == 4);  // of both layers: 6 of 9 and 4 of 9
  CHECK(store.groups().size() == 2);
  const int64_t zeros[] = {0, 8 * 8 * 3, 8 * 8 * 5};
  for (size_t c = 0; c < all.size(); ++c) {
    const auto made = store.assemble(c);
    REQUIRE(store.bag().assembly[c].size() == 2);
    for (int layer : {0, 3}) CHECK(same_layer(made, teacher.deployed(), layer));
    for (const int module : {0, 1}) {
      const size_t block = store.bag().assembly[c][static_cast<size_t>(module)];
      const int choice = all[c][static_cast<size_t>(module)];
      CHECK(store.bag().blocks[block].choices == std::vector<int>{choice});
      CHECK(zeros_in(made, module + 1) == zeros[choice]);
      CHECK(same_layer(made, teacher.deployed(), module + 1) == (choice == 0));
      if (choice != 0) CHECK(same_layer(made, store.trained(block), module + 1));
    }
  }
}
