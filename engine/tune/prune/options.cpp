#include "tune/prune/options.h"

#include <nlohmann/json.hpp>

namespace coco::tune {

Status check_options(const PruneOptions& o, int64_t iterations) {
  const auto refuse = [](std::string reason) { return make_error(ErrorCode::kInvalidArgument, std::move(reason)); };
  const bool admm = o.method == PruneMethod::kAdmm;
  const int64_t begin = admm ? 0 : o.gradual.begin, end = admm ? o.admm.iterations : o.gradual.end;
  const int64_t interval = admm ? o.admm.interval : o.gradual.interval;
  if (begin < 0 || end < begin || (admm && end < 1) || interval < 1) {
    return refuse("pruning goes from one step to a later one, at intervals of at least one step");
  }
  if (end >= iterations) {
    return refuse("pruning ends at step " + std::to_string(end) + " of " + std::to_string(iterations) +
                  ": leave steps for retraining what is left");
  }
  if (admm && (!(o.admm.rho > 0) || !(o.admm.rho_end >= o.admm.rho))) {
    return refuse("rho must be positive, and not above the rho it ends with");
  }
  return {};
}

std::string to_json(const PrunePlan& plan, const PruneOptions& o) {
  nlohmann::json j = {{"patterns", plan.patterns}};
  for (const PruneLayer& l : plan.layers) {
    j["layers"][l.weight] = {
        {"kind", static_cast<int>(l.spec.kind)}, {"block", l.spec.block_outputs}, {"keep", l.spec.keep},
        {"per_layer", l.spec.per_layer},         {"centre", l.spec.centre},       {"blocks", l.spec.blocks}};
  }
  if (o.method == PruneMethod::kAdmm) {
    j["admm"] = {o.admm.iterations, o.admm.interval, o.admm.rho, o.admm.rho_end};
  } else {
    j["gradual"] = {o.gradual.begin, o.gradual.end, o.gradual.interval};
  }
  return j.dump();
}

}  // namespace coco::tune
