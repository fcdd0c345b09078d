#include "apps/cocopipe-tune/job_prune.h"

#include <charconv>
#include <optional>

namespace coco::jobs {
namespace {

using tune::PruneKind;
using tune::PruneMethod;

constexpr int64_t kManySteps = 1000000000;

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// A share above 0 and at most 1: a number, or "4/9".
std::optional<double> parse_share(std::string_view text) {
  const size_t slash = text.find('/');
  std::optional<double> share = parse_number(text.substr(0, slash));
  if (share && slash != std::string_view::npos) {
    const std::optional<double> whole = parse_number(text.substr(slash + 1));
    share = whole && *whole > 0 ? std::optional(*share / *whole) : std::nullopt;
  }
  return share && *share > 0 && *share <= 1 ? share : std::nullopt;
}

void read_share(MapReader& reader, const char* key, double& share) {
  std::string text;
  reader.text(key, text);
  if (text.empty()) return;
  if (const std::optional<double> parsed = parse_share(text)) {
    share = *parsed;
  } else {
    reader.fail(reader.position(), std::string("'") + key +
                                       "' must be a share above 0 and at most 1, such as 4/9 or "
                                       "0.5, not '" +
                                       text + "'");
  }
}

void read_keys(MapReader& reader, tune::PruneSpec& spec) {
  reader.choice("shape", spec.kind,
                {std::pair{"dense", PruneKind::kDense}, std::pair{"punched", PruneKind::kPunched},
                 std::pair{"pattern", PruneKind::kPattern}});
  reader.choice("block", spec.block_outputs, {std::pair{"8", 8}, std::pair{"4", 4}});
  read_share(reader, "keep", spec.keep);
  read_share(reader, "blocks", spec.blocks);
  reader.choice("per", spec.per_layer, {std::pair{"block", false}, std::pair{"layer", true}});
  reader.flag("centre", spec.centre);
}

void read_method(MapReader& reader, tune::PruneOptions& o) {
  reader.choice("method", o.method,
                {std::pair{"admm", PruneMethod::kAdmm}, std::pair{"gradual", PruneMethod::kGradual}});
  int64_t begin = 0, steps = o.admm.iterations, interval = o.admm.interval;
  reader.whole("begin", begin, 0, kManySteps);
  reader.whole("steps", steps, 1, kManySteps);
  reader.whole("interval", interval, 1, kManySteps);
  reader.number("rho", o.admm.rho, 1e-12, 1e12);
  reader.number("rho_end", o.admm.rho_end, 1e-12, 1e12);
  if (o.method == PruneMethod::kAdmm && begin != 0) reader.fail(reader.position(), "'begin' goes with method gradual");
  o.admm.iterations = steps;
  o.admm.interval = o.gradual.interval = interval;
  o.gradual.begin = begin;
  o.gradual.end = begin + steps;
}

}  // namespace

Status read_shape(const JobSource& source, const loader::YamlNode& node, const std::string& what,
                  tune::PruneSpec& spec) {
  MapReader reader(source, node, what);
  read_keys(reader, spec);
  return reader.finish();
}

Status read_pruning(const JobSource& source, const loader::YamlNode& node, tune::PruneOptions& options) {
  MapReader reader(source, node, "'prune'");
  options.request.all = {PruneKind::kPattern, 8, 4. / 9, false, false, 1};
  read_keys(reader, options.request.all);
  read_method(reader, options);
  reader.whole("patterns", options.request.patterns, 1, tune::kMaxPatterns);
  if (const loader::YamlNode* layers = reader.map("layers")) {
    for (const loader::YamlEntry& entry : layers->entries) {
      tune::PruneSpec spec = options.request.all;
      Status status = read_shape(source, entry.value, "'" + entry.key.value + "'", spec);
      if (!status.ok()) reader.adopt(status.take_error());
      options.request.layers[entry.key.value] = spec;
    }
  }
  return reader.finish();
}

}  // namespace coco::jobs
