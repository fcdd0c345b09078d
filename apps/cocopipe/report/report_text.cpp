// The report for people.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <map>

#include "apps/cocopipe/report/report.h"

namespace coco::cli {
namespace {

constexpr size_t kRows = 12;  ///< of the slowest operators

using format::printable;

__attribute__((format(printf, 1, 2))) std::string text_of(const char* format, ...) {
  char line[512];
  va_list list;
  va_start(list, format);
  std::vsnprintf(line, sizeof line, format, list);
  va_end(list);
  return line;
}

std::string bytes_text(size_t bytes) {
  if (bytes < 10240) return std::to_string(bytes) + " bytes";
  return bytes < (10u << 20) ? text_of("%.1f KiB", static_cast<double>(bytes) / 1024)
                             : text_of("%.1f MiB", static_cast<double>(bytes) / 1048576);
}

/// "66: Add 2, Conv 53, ..."
std::string counts_text(const std::vector<OperatorCount>& counts) {
  size_t all = 0;
  std::string list;
  for (const OperatorCount& count : counts) {
    all += count.count;
    list += (list.empty() ? "" : ", ") + printable(count.op) + " " + std::to_string(count.count);
  }
  return std::to_string(all) + (list.empty() ? "" : ": " + list);
}

std::string kinds_text(const std::vector<NodeName>& nodes) {
  std::map<std::string, size_t> counts;
  for (const NodeName& node : nodes) ++counts[node.op];
  std::vector<OperatorCount> list;
  for (const auto& [op, count] : counts) list.push_back({op, count});
  return counts_text(list);
}

std::string passes_text(const std::vector<PassEffect>& passes) {
  std::string text;
  for (const PassEffect& pass : passes) {
    std::string done;
    if (!pass.removed.empty()) done += "; removed " + kinds_text(pass.removed);
    if (!pass.added.empty()) done += "; added " + kinds_text(pass.added);
    if (!pass.changed.empty()) done += "; changed " + kinds_text(pass.changed);
    if (!done.empty()) text += text_of("  %-24s", pass.pass.c_str()) + done.substr(2) + "\n";
  }
  return text.empty() ? "  nothing to do\n" : text;
}

/// First names of many.
std::string names_text(const std::vector<std::string>& names) {
  constexpr size_t kNames = 3;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kNames); ++i)
    text += (i > 0 ? ", '" : "'") + printable(names[i]).substr(0, 64) + "'";
  return names.size() > kNames ? text + " and " + std::to_string(names.size() - kNames) + " more" : text;
}

std::string precision_text(const Report& report) {
  size_t integers = 0;
  std::map<std::string, std::vector<std::string>> reasons;
  for (const OperatorPrecision& op : report.operators) {
    integers += op.integer ? 1 : 0;
    if (!op.integer && !op.reason.empty()) reasons[op.reason].push_back(op.name);
  }
  std::string text = std::to_string(integers) + " operators on integers, " +
                     std::to_string(report.operators.size() - integers) + " on floats\n";
  for (const auto& [reason, names] : reasons) {
    text +=
        "  " + std::to_string(names.size()) + " in f32, because " + printable(reason) + ": " + names_text(names) + "\n";
  }
  return text;
}

std::string memory_text(const Report& report) {
  std::string text = bytes_text(report.file_bytes) + " in the file, of them " + bytes_text(report.weights.file) +
                     " convolutions' weights; " + bytes_text(report.constant_bytes) + " constants when loaded";
  if (!report.measured) return text;
  text += "; " + bytes_text(report.measured->stats.arena_bytes) + " working memory";
  if (report.measured->session_bytes > 0)
    text += ", " + bytes_text(report.measured->session_bytes) + " with packed weights";
  return text + "; peak " + bytes_text(report.peak_bytes()) + " with inputs and outputs";
}

std::string inputs_text(const Report& report) {
  std::string text;
  for (const auto& [name, shape] : report.inputs)
    text += (text.empty() ? "'" : ", '") + printable(name) + "' " + shape.to_string();
  return text;
}

std::string speed_text(const Report& report) {
  if (!report.measured) return "time            not measured: " + printable(report.not_measured) + "\n";
  const Measured& m = *report.measured;
  std::string text = text_of("time            %.4f ms a run (median of %zu, least %.4f), %d threads, %s executor\n",
                             m.ms_p50, m.runs, m.ms_min, m.stats.threads, m.stats.executor.c_str());
  return text + profile_table(m, true, kRows);
}

std::string accuracy_text(const Report& report) {
  if (!report.accuracy) return "accuracy        not compared: " + printable(report.not_compared) + "\n";
  std::string text = "accuracy        against the graph as imported, in f32, on " + report.accuracy->samples + "\n";
  if (report.accuracy->outputs.empty()) text += "  no output is f32\n";
  for (const OutputAccuracy& output : report.accuracy->outputs) {
    const bool equal = output.snr_db >= kNoNoise;
    text += "  " + printable(output.name).substr(0, 64) +
            (equal ? ": equal" : text_of(": SNR %.2f dB", output.snr_db)) + text_of(", cosine %.6f\n", output.cosine);
  }
  return text;
}

std::string advice_text(const Report& report) {
  if (!report.measured) return "";
  const std::string tried = text_of("operators of %.0f %% of the time", 100 * report.advice.tried);
  if (report.advice.best.empty()) return "faster          no change tried would save 1 %; looked at " + tried + "\n";
  std::string text = "faster          estimates, which do not add up; looked at " + tried + "\n";
  for (size_t i = 0; i < report.advice.best.size(); ++i) {
    const Advice& advice = report.advice.best[i];
    text += "  " + std::to_string(i + 1) + ". " + advice.change + ": " + names_text(advice.layers) +
            text_of("\n     saves about %.3f of %.3f ms; why: ", advice.saves_ms, report.measured->profiled_ms()) +
            advice.reason + "\n     basis: " + advice.basis + "\n";
  }
  return text;
}

}  // namespace

std::string to_text(const Report& report) {
  const CompileTrace& trace = report.trace;
  std::string text = "file            opset " + std::to_string(trace.opset);
  if (!trace.producer.empty()) text += ", written by " + printable(trace.producer);
  text += "; operators " + counts_text(trace.file) + "\n";
  text += "imported        operators " + counts_text(trace.imported) + "\n";
  text += "passes\n" + passes_text(trace.passes);
  text += "program         operators " + counts_text(trace.program) + "\n";
  text += "precision       " + precision_text(report);
  text += "at              " + inputs_text(report) + "\n";
  text += "memory          " + memory_text(report) + "\n";
  text += speed_text(report);
  text += accuracy_text(report);
  return text + advice_text(report);
}

}  // namespace coco::cli
