// The report for programs.
#include "apps/cocopipe/report/report.h"
#include "coco/device.h"

namespace coco::cli {
namespace {

using Json = nlohmann::ordered_json;

Json counts_json(const std::vector<OperatorCount>& counts) {
  Json json = Json::object();
  for (const OperatorCount& count : counts) json[count.op] = count.count;
  return json;
}

Json nodes_json(const std::vector<NodeName>& nodes) {
  Json list = Json::array();
  for (const NodeName& node : nodes) list.push_back({{"name", node.name}, {"op", node.op}});
  return list;
}

Json trace_json(const CompileTrace& trace) {
  Json passes = Json::array();
  for (const PassEffect& pass : trace.passes) {
    passes.push_back({{"pass", pass.pass},
                      {"removed", nodes_json(pass.removed)},
                      {"added", nodes_json(pass.added)},
                      {"changed", nodes_json(pass.changed)}});
  }
  return {{"opset", trace.opset},
          {"producer", trace.producer},
          {"file", counts_json(trace.file)},
          {"imported", counts_json(trace.imported)},
          {"passes", passes},
          {"program", counts_json(trace.program)}};
}

Json precision_json(const std::vector<OperatorPrecision>& operators) {
  Json list = Json::array();
  for (const OperatorPrecision& op : operators) {
    Json entry = {{"name", op.name}, {"op", op.op}, {"integer", op.integer}};
    if (!op.reason.empty()) entry["reason"] = op.reason;
    if (op.snr_db) entry["snr_db"] = *op.snr_db;
    list.push_back(entry);
  }
  return list;
}

Json memory_json(const Report& report) {
  Json json = {{"file_bytes", report.file_bytes},
               {"weight_bytes", report.weights.file},
               {"constant_bytes", report.constant_bytes}};
  if (!report.measured) return json;
  json["arena_bytes"] = report.measured->stats.arena_bytes;
  json["session_bytes"] = report.measured->session_bytes;
  json["tensor_bytes"] = report.tensor_bytes;
  json["peak_bytes"] = report.peak_bytes();
  return json;
}

Json time_json(const Report& report) {
  if (!report.measured) return {{"not_measured", report.not_measured}};
  const Measured& m = *report.measured;
  return {{"ms_p50", m.ms_p50},         {"ms_min", m.ms_min},          {"runs", m.runs},
          {"threads", m.stats.threads}, {"target", active_target()},   {"executor", m.stats.executor},
          {"macs", m.stats.macs},       {"operators", profile_json(m)}};
}

Json accuracy_json(const Report& report) {
  if (!report.accuracy) return {{"not_compared", report.not_compared}};
  Json outputs = Json::array();
  for (const OutputAccuracy& output : report.accuracy->outputs)
    outputs.push_back({{"name", output.name}, {"snr_db", output.snr_db}, {"cosine", output.cosine}});
  return {{"samples", report.accuracy->samples}, {"outputs", outputs}};
}

}  // namespace

Json to_json(const Report& report) {
  Json inputs = Json::object();
  for (const auto& [name, shape] : report.inputs) inputs[name] = shape.dims();
  Json advice = Json::array();
  for (const Advice& a : report.advice.best) {
    advice.push_back({{"rule", a.rule},
                      {"change", a.change},
                      {"reason", a.reason},
                      {"layers", a.layers},
                      {"saves_ms", a.saves_ms},
                      {"basis", a.basis}});
  }
  return {{"operators", trace_json(report.trace)},
          {"precision", precision_json(report.operators)},
          {"inputs", inputs},
          {"memory", memory_json(report)},
          {"time", time_json(report)},
          {"accuracy", accuracy_json(report)},
          {"advice", advice},
          {"tried", report.advice.tried}};
}

}  // namespace coco::cli
