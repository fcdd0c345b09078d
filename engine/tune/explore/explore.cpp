#include "tune/explore/explore.h"

#include <torch/types.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/file.h"
#include "compiler/onnx/import.h"
#include "tune/copies.h"
#include "tune/evaluate_network.h"
#include "tune/explore/block_store.h"
#include "tune/explore/candidate_times.h"
#include "tune/network_source.h"
#include "tune/onnx_export.h"
#include "tune/patch_task.h"
#include "tune/prune/constraint.h"
#include "tune/recognize_stack.h"
#include "tune/training_run.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<NamedTensor>;

constexpr int kPreviewPatches = 64;

class Explorer {
 public:
  explicit Explorer(SearchRun run) : run_(std::move(run)) {
    Random random(run_.options.train.seed);
    configurations_ = make_configurations(run_.space.choices(), run_.options.most, random);
    Random others(run_.options.train.seed + 2);
    const ImagePair& any = run_.images.front();
    sample_patches(run_.images, kPreviewPatches, run_.options.train.patch, any.hr.width / any.lr.width, others,
                   patches_);
  }

  Result<ExploreOutcome> run(const MeasureTime& measure);

 private:
  Status prepare(const MeasureTime& measure);
  Status train_blocks();
  Numbers start_of(size_t configuration) const;
  double preview(size_t configuration);
  Search rank();
  Status tune_all(Search& search);
  Result<TriedConfiguration> tune(size_t configuration, size_t tried, size_t most, std::string& onnx) const;
  ExploreOutcome finish(const Search& search);

  const SearchRun run_;
  std::vector<Configuration> configurations_;
  std::vector<double> milliseconds_;
  std::vector<size_t> worth_;  ///< configurations that the objective lets the search try
  std::optional<BlockStore> blocks_;
  PatchBatch patches_;
  ExploreOutcome outcome_;
};

Status Explorer::prepare(const MeasureTime& measure) {
  const Stopwatch watch;
  outcome_.configurations = configurations_.size();
  COCO_ASSIGN(milliseconds_, measure_candidates(run_, configurations_, measure));
  outcome_.seconds_measuring = watch.seconds();
  std::vector<Candidate> candidates;
  for (const double time : milliseconds_) candidates.push_back({time, 0});
  worth_ = Search(run_.options.objective, candidates).order();
  std::sort(worth_.begin(), worth_.end());
  return {};
}

Status Explorer::train_blocks() {
  if (!run_.options.blocks || worth_.empty()) return {};
  const Stopwatch watch;
  std::vector<Configuration> all;
  for (const size_t c : worth_) all.push_back(configurations_[c]);
  blocks_.emplace(run_, all);
  COCO_TRY(blocks_->train());
  outcome_.blocks = blocks_->blocks();
  outcome_.groups = blocks_->groups().size();
  outcome_.seconds_blocks = watch.seconds();
  return {};
}

/// Before fine-tuning: of pre-trained blocks, or the dense weights pruned.
Numbers Explorer::start_of(size_t configuration) const {
  Numbers numbers;
  if (blocks_) {
    const auto at = std::lower_bound(worth_.begin(), worth_.end(), configuration);
    numbers = blocks_->assemble(static_cast<size_t>(at - worth_.begin()));
  } else {
    numbers = copies(run_.teacher.deployed());
  }
  prune_at_once(run_.space.plan_of(configurations_[configuration]), numbers);
  return numbers;
}

/// PSNR of a network on some patches before fine-tuning, which is what is expected of it.
double Explorer::preview(size_t configuration) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor made = run_.teacher.forward(start_of(configuration), low_resolution(patches_, torch::kCPU));
  const torch::Tensor loss = loss_of(made, high_resolution(patches_, torch::kCPU), LossKind::kSquared);
  return -10.0 * std::log10(std::max(loss.item<double>(), 1e-12));
}

Search Explorer::rank() {
  std::vector<Candidate> candidates;
  for (const double time : milliseconds_) candidates.push_back({time, 0});
  for (const size_t c : worth_) {
    candidates[c].expected = preview(c);
    run_.tell({{"phase", "candidate"},
               {"choices", configurations_[c]},
               {"milliseconds", milliseconds_[c]},
               {"expected", candidates[c].expected}},
              false);
  }
  return {run_.options.objective, std::move(candidates)};
}

Result<TriedConfiguration> Explorer::tune(size_t configuration, size_t tried_before, size_t most,
                                          std::string& onnx) const {
  const Stopwatch watch;
  TriedConfiguration tried{configurations_[configuration], milliseconds_[configuration], 0, 0};
  const Numbers start = start_of(configuration);
  COCO_ASSIGN(const Figures before, evaluate(run_.teacher, start, run_.validation));
  Random random(run_.options.train.seed);
  Network network(run_.teacher.architecture(), Branches::kPlain, random);
  network.set(start);
  const PrunePlan plan = run_.space.plan_of(tried.choices);
  MaskConstraint masks(plan, network.deployed());
  std::string folder = run_.options.blocks ? "tuned" : "plain";
  for (const int choice : tried.choices) folder += "-" + std::to_string(choice);
  const TrainOptions options = run_.run_options(folder, run_.options.tuning_iterations);
  const nlohmann::json subject = {
      {"network", nlohmann::json::parse(to_json(NetworkSource{network.architecture(), Branches::kPlain}))},
      {"choices", tried.choices},
      {"library", plan.library},
      {"block_steps", run_.options.blocks ? run_.options.block_iterations : 0},
      {"from", run_.origin}};
  const TrainHooks hooks = hooks_of_part(run_.hooks, "configuration", tried_before, most, true);
  const std::vector<ImagePair> none;
  PatchTask task(network, nullptr, options, run_.images, none);
  COCO_ASSIGN(const Numbers result, run_training({network, &masks, task, options, subject.dump(), hooks, random}));
  COCO_ASSIGN(const Figures after, evaluate(run_.teacher, result, run_.validation));
  COCO_ASSIGN(graph::Graph graph, network.graph(result));
  COCO_ASSIGN(onnx, to_onnx(std::move(graph), "explored"));
  tried.psnr_start = before.psnr_y, tried.psnr = after.psnr_y;
  run_.tell({{"phase", "tune"},
             {"number", tried_before + 1},
             {"at_most", most},
             {"choices", tried.choices},
             {"milliseconds", tried.milliseconds},
             {"psnr_start", tried.psnr_start},
             {"psnr_y", tried.psnr},
             {"seconds", watch.seconds()}},
            true);
  return tried;
}

Status Explorer::tune_all(Search& search) {
  std::string onnx;
  while (const auto next = search.next()) {
    COCO_ASSIGN(TriedConfiguration tried, tune(*next, search.tried(), search.order().size(), onnx));
    search.report(tried.psnr);
    if (search.best() == next) outcome_.onnx = onnx;
    outcome_.tried.push_back(std::move(tried));
  }
  return {};
}

ExploreOutcome Explorer::finish(const Search& search) {
  outcome_.found = search.best().has_value();
  outcome_.verdict = search.verdict();
  run_.tell({{"phase", "end"},
             {"found", outcome_.found},
             {"verdict", outcome_.verdict},
             {"configurations", outcome_.configurations},
             {"tried", outcome_.tried.size()},
             {"blocks", outcome_.blocks},
             {"block_runs", outcome_.groups},
             {"seconds_measuring", outcome_.seconds_measuring},
             {"seconds_blocks", outcome_.seconds_blocks},
             {"seconds_tuning", outcome_.seconds_tuning}},
            false);
  return std::move(outcome_);
}

Result<ExploreOutcome> Explorer::run(const MeasureTime& measure) {
  COCO_TRY(prepare(measure));
  COCO_TRY(train_blocks());
  const Stopwatch watch;
  Search search = rank();
  COCO_TRY(tune_all(search));
  outcome_.seconds_tuning = watch.seconds();
  return finish(search);
}

Status check_request(const ExploreOptions& options, const std::vector<ImagePair>& images,
                     const std::vector<ImagePair>& validation) {
  const auto refuse = [](const char* why) { return make_error(ErrorCode::kInvalidArgument, why); };
  if (options.block_iterations < 1 || options.tuning_iterations < 1 || options.most < 1 || options.passes < 1) {
    return refuse("a search needs at least one step, one configuration and one pass over them");
  }
  if (options.train.cuda) return refuse("explore trains on the processor; leave out 'device: cuda'");
  if (images.empty() || validation.empty()) return refuse("a search needs images to train on and others to judge by");
  return check_patch_size(images, options.train.patch);
}

}  // namespace

Result<ExploreOutcome> explore(const std::string& onnx, const ExploreOptions& options,
                               const std::vector<ImagePair>& images, const std::vector<ImagePair>& validation,
                               const MeasureTime& measure, const ExploreHooks& hooks) {
  COCO_TRY(check_request(options, images, validation));
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size());
  COCO_ASSIGN(graph::Graph graph, compiler::import_onnx(bytes, {}));
  const std::optional<PlainNet> net = recognize_stack(graph);
  if (!net) {
    return make_error(ErrorCode::kUnsupported, "explore works on plain 3x3 stacks as cocopipe-tune exports them");
  }
  COCO_ASSIGN(const SearchSpace space, SearchSpace::create(graph, options.modules, options.patterns));
  try {
    fs::create_directories(options.train.out);
    fs::remove(fs::path(options.train.out) / "explore.jsonl");
    Random random(options.train.seed);
    Network teacher(net->architecture, Branches::kPlain, random);
    teacher.set(from_plain(*net));
    return Explorer({teacher, space, options, images, validation, hooks, sha256_hex(bytes)}).run(measure);
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("exploring failed: ") + e.what());
  }
}

}  // namespace coco::tune
