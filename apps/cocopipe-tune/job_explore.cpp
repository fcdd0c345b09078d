#include "apps/cocopipe-tune/job_explore.h"

#include "apps/cocopipe-tune/job_prune.h"

namespace coco::jobs {
namespace {

using loader::YamlNode;
using tune::ObjectiveKind;

constexpr int64_t kManySteps = 1000000000;
constexpr double kTolerance = 0.04;  // of measured times: their spread on a loaded machine, by processor time

/// Carries an inner mapping's error into the outer reader.
void adopt(MapReader& reader, Status status) {
  if (!status.ok()) reader.adopt(status.take_error());
}

std::vector<tune::PruneSpec> read_choices(const JobSource& source, MapReader& reader, const YamlNode& node,
                                          const std::string& name) {
  std::vector<tune::PruneSpec> choices;
  if (node.kind != YamlNode::Kind::kList || node.items.empty()) {
    reader.fail(node.position, "'" + name + "' must be a list of shapes, such as [{shape: dense}, {keep: 4/9}]");
  }
  for (const YamlNode& item : node.items) {
    choices.push_back({tune::PruneKind::kPattern, 8, 4. / 9, false, false, 1});
    adopt(reader, read_shape(source, item, "a choice of '" + name + "'", choices.back()));
  }
  return choices;
}

/// A list of names, which all have `choices`, or a mapping from names to their own.
void read_modules(const JobSource& source, MapReader& reader, std::vector<tune::ExploreModule>& modules) {
  const YamlNode* all = reader.find("choices");
  std::vector<tune::PruneSpec> choices;
  if (all != nullptr) choices = read_choices(source, reader, *all, "choices");
  const YamlNode* node = reader.find("modules");
  if (node == nullptr || node->kind == YamlNode::Kind::kScalar) {
    reader.fail(node == nullptr ? reader.position() : node->position,
                "no list 'modules:'; it names the layers to choose for");
    return;
  }
  for (const YamlNode& item : node->items) {
    if (item.kind != YamlNode::Kind::kScalar) reader.fail(item.position, "'modules' must be a list of names of layers");
    modules.push_back({item.scalar, choices});
  }
  if (!node->items.empty() && all == nullptr) {
    reader.fail(node->position,
                "no 'choices:' for these modules; it lists shapes, such as {shape: dense}, {keep: 4/9}");
  }
  for (const loader::YamlEntry& entry : node->entries) {
    modules.push_back({entry.key.value, read_choices(source, reader, entry.value, entry.key.value)});
  }
}

void read_objective(const JobSource& source, MapReader& reader, tune::Objective& objective) {
  const YamlNode* node = reader.map("objective");
  if (node == nullptr) {
    reader.fail(reader.position(),
                "no 'objective:'; give 'psnr: X' for the fastest network that good, or 'milliseconds: Y' for the best "
                "one that fast");
    return;
  }
  MapReader inner(source, *node, "'objective'");
  double psnr = 0, milliseconds = 0;
  int patience = static_cast<int>(objective.patience);
  inner.number("psnr", psnr, 0, 100);
  inner.number("milliseconds", milliseconds, 0, 1e6);
  inner.whole("patience", patience, 1, 1000000);
  adopt(reader, inner.finish());
  if ((psnr > 0) == (milliseconds > 0)) {
    reader.fail(node->position, "'objective' has one of 'psnr' and 'milliseconds', above 0");
  }
  objective.kind = psnr > 0 ? ObjectiveKind::kSmallestTime : ObjectiveKind::kBestQuality;
  objective.limit = psnr > 0 ? psnr : milliseconds;
  objective.patience = static_cast<size_t>(patience);
}

void read_measuring(const JobSource& source, MapReader& reader, tune::ExploreOptions& options,
                    EngineTimeOptions& time) {
  options.objective.tolerance = kTolerance;
  const YamlNode* node = reader.map("measure");
  if (node == nullptr) return;
  MapReader inner(source, *node, "'measure'");
  inner.whole("width", time.width, 16, 16384);
  inner.whole("height", time.height, 16, 16384);
  inner.whole("threads", time.threads, 0, 1024);
  inner.whole("runs", time.runs, 1, 100000);
  inner.whole("passes", options.passes, 1, 1000);
  inner.number("tolerance", options.objective.tolerance, 0, 1);
  adopt(reader, inner.finish());
}

}  // namespace

Status read_exploring(const JobSource& source, const YamlNode& node, tune::ExploreOptions& options,
                      EngineTimeOptions& time) {
  MapReader reader(source, node, "'explore'");
  int most = static_cast<int>(options.most);
  read_modules(source, reader, options.modules);
  read_objective(source, reader, options.objective);
  read_measuring(source, reader, options, time);
  reader.whole("configurations", most, 1, 100000);
  reader.whole("patterns", options.patterns, 1, tune::kMaxPatterns);
  reader.flag("pretrain_blocks", options.blocks);
  reader.whole("block_steps", options.block_iterations, 1, kManySteps);
  reader.whole("steps", options.tuning_iterations, 1, kManySteps);
  options.most = static_cast<size_t>(most);
  return reader.finish();
}

}  // namespace coco::jobs
