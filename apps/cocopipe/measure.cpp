#include "apps/cocopipe/measure.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "apps/cocopipe/percentile.h"
#include "base/random.h"
#include "format/program.h"

namespace coco::cli {
namespace {

constexpr int kWarmUps = 2;
constexpr size_t kMostRuns = 100000;  ///< of the smallest networks
using Clock = std::chrono::steady_clock;

/// Bytes allocated by the process and not given back; 0 where the allocator does not tell.
size_t memory_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// Of the quarter of the runs that took least: other work on the machine makes runs longer, never shorter.
std::vector<double> mean_of_fastest(std::vector<std::vector<double>> runs) {
  const auto total = [](const std::vector<double>& run) { return std::accumulate(run.begin(), run.end(), 0.0); };
  std::sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) { return total(a) < total(b); });
  const size_t count = (runs.size() + 3) / 4;
  std::vector<double> means(runs[0].size());
  for (size_t r = 0; r < count; ++r) {
    for (size_t i = 0; i < means.size(); ++i) means[i] += runs[r][i] / static_cast<double>(count);
  }
  return means;
}

/// Milliseconds of each run; `after_run` is called behind every one that counts.
Result<std::vector<double>> time_runs(Session& session, const Tensors& tensors, double seconds,
                                      const std::function<void()>& after_run) {
  std::vector<double> times;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  do {
    const auto start = Clock::now();
    COCO_TRY(session.run(tensors.in, tensors.out));
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    after_run();
  } while (Clock::now() < end && times.size() < kMostRuns);
  return times;
}

Result<std::unique_ptr<Session>> warm_session(const std::shared_ptr<const Model>& model, std::span<const Shape> shapes,
                                              const SessionOptions& options, double seconds, Tensors& tensors) {
  COCO_ASSIGN(auto session, Session::create(model, shapes, options));
  tensors = make_tensors(*model, *session, shapes);
  const auto start = Clock::now();
  for (int i = 0; i < kWarmUps && (i == 0 || Clock::now() - start < std::chrono::duration<double>(seconds)); ++i) {
    COCO_TRY(session->run(tensors.in, tensors.out));
  }
  return session;
}

}  // namespace

double Measured::profiled_ms() const {
  return std::accumulate(operators.begin(), operators.end(), 0.0,
                         [](double sum, const OperatorProfile& row) { return sum + row.ms; });
}

std::vector<Shape> shapes_at(const Model& model, const Size& size) {
  std::vector<Shape> shapes;
  for (const TensorInfo& input : model.inputs()) {
    Shape shape = input.shape;
    const size_t rank = shape.rank();
    for (size_t i = 0; i < rank; ++i) {
      if (shape[i] != kDynamicDim) continue;
      shape[i] = i + 2 == rank ? size.height : i + 1 == rank ? size.width : 1;
    }
    shapes.push_back(shape);
  }
  return shapes;
}

Tensors make_tensors(const Model& model, const Session& session, std::span<const Shape> shapes) {
  Tensors tensors;
  Random random(1);
  for (size_t i = 0; i < shapes.size(); ++i) {
    const DataType type = model.inputs()[i].type;
    const auto count = static_cast<size_t>(shapes[i].element_count().value_or(0));
    tensors.memory.emplace_back(count * byte_size(type));
    auto* values = reinterpret_cast<float*>(tensors.memory.back().data());
    for (size_t k = 0; type == DataType::kF32 && k < count; ++k) values[k] = static_cast<float>(random.normal());
    tensors.in.push_back({type, shapes[i], tensors.memory.back().data()});
  }
  for (const TensorInfo& info : session.outputs()) {
    const auto count = static_cast<size_t>(info.shape.element_count().value_or(0));
    tensors.memory.emplace_back(count * byte_size(info.type));
    tensors.out.push_back({info.type, info.shape, tensors.memory.back().data()});
  }
  return tensors;
}

Result<std::vector<OperatorProfile>> profile_operators(const std::shared_ptr<const Model>& model,
                                                       std::span<const Shape> shapes, SessionOptions options,
                                                       double seconds) {
  options.profile = true;
  Tensors tensors;
  COCO_ASSIGN(const auto session, warm_session(model, shapes, options, seconds, tensors));
  std::vector<OperatorProfile> before = session->profile();
  std::vector<std::vector<double>> runs;
  COCO_TRY(time_runs(*session, tensors, seconds, [&] {
    std::vector<OperatorProfile> now = session->profile();
    std::vector<double>& run = runs.emplace_back();
    for (size_t i = 0; i < now.size(); ++i) run.push_back(now[i].ms - before[i].ms);
    before = std::move(now);
  }));
  const std::vector<double> means = mean_of_fastest(std::move(runs));
  for (size_t i = 0; i < before.size(); ++i) before[i].ms = means[i];
  return before;
}

Result<Measured> measure(const std::shared_ptr<const Model>& model, std::span<const Shape> shapes,
                         const SessionOptions& options, double seconds, bool profile) {
  Tensors tensors;
  const size_t before = memory_in_use();
  COCO_ASSIGN(const auto session, warm_session(model, shapes, options, seconds, tensors));
  size_t taken = memory_in_use() - before;
  for (const std::vector<uint8_t>& tensor : tensors.memory) taken -= std::min(taken, tensor.size());
  COCO_ASSIGN(std::vector<double> times, time_runs(*session, tensors, seconds, [] {}));
  std::sort(times.begin(), times.end());
  Measured measured{session->stats(), taken, times.size(), percentile(times, 0.5), percentile(times, 0.95),
                    times[0],         {}};
  if (profile) {
    COCO_ASSIGN(measured.operators, profile_operators(model, shapes, options, seconds));
  }
  return measured;
}

std::string profile_table(const Measured& measured, bool slowest_first, size_t most) {
  std::vector<const OperatorProfile*> rows;
  for (const OperatorProfile& row : measured.operators) rows.push_back(&row);
  if (slowest_first) {
    std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->ms > b->ms; });
  }
  const size_t left_out = rows.size() - std::min(rows.size(), most);
  double rest = 0;
  for (; rows.size() > most; rows.pop_back()) rest += rows.back()->ms;
  size_t width = 8;
  for (const OperatorProfile* row : rows) width = std::max(width, format::printable(row->name).size());
  const int name_width = static_cast<int>(std::min<size_t>(width, 48));
  char line[256];
  std::snprintf(line, sizeof line, "step  %-17s  %-*s  %9s  %6s  %7s  %s\n", "operator", name_width, "name", "ms",
                "share", "GMAC/s", "kernel");
  std::string text = line;
  const double total = measured.profiled_ms();
  for (const OperatorProfile* row : rows) {
    char rate[32] = "";
    if (row->macs > 0 && row->ms > 0)
      std::snprintf(rate, sizeof rate, "%.2f", static_cast<double>(row->macs) / row->ms / 1e6);
    std::snprintf(line, sizeof line, "%4d%c %-17s  %-*.*s  %9.4f  %5.1f%%  %7s  %s\n", row->step,
                  row->row_by_row ? '*' : ' ', row->op.c_str(), name_width, name_width,
                  format::printable(row->name).c_str(), row->ms, total > 0 ? 100 * row->ms / total : 0.0, rate,
                  row->kernel.empty() ? "-" : row->kernel.c_str());
    text += line;
  }
  if (left_out > 0) {
    std::snprintf(line, sizeof line, "      %-17s  %-*s  %9.4f  %5.1f%%\n", "others", name_width,
                  std::to_string(left_out).c_str(), rest, total > 0 ? 100 * rest / total : 0.0);
    text += line;
  }
  std::snprintf(line, sizeof line, "sum %.3f ms; *: row by row, operators of the same step in one go\n", total);
  return text + line;
}

nlohmann::ordered_json profile_json(const Measured& measured) {
  auto list = nlohmann::ordered_json::array();
  const double total = measured.profiled_ms();
  for (const OperatorProfile& row : measured.operators) {
    list.push_back({{"step", row.step},
                    {"row_by_row", row.row_by_row},
                    {"index", row.index},
                    {"op", row.op},
                    {"name", row.name},
                    {"kernel", row.kernel},
                    {"ms", row.ms},
                    {"share", total > 0 ? row.ms / total : 0.0},
                    {"macs", row.macs},
                    {"gmacs_per_second", row.ms > 0 ? static_cast<double>(row.macs) / row.ms / 1e6 : 0.0}});
  }
  return list;
}

}  // namespace coco::cli
