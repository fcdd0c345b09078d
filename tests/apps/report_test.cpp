#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/drawing/drawing.h"
#include "apps/program.h"
#include "runtime/program_builder.h"

using namespace coco;
using namespace coco::test;
using nlohmann::json;

namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("compile: the report tells what was done, what it costs and what would be faster") {
  const TemporaryFolder folder;
  const Outcome run = run_cocopipe({"compile", shipped_onnx(), "-o", folder / "net.coco", "--input-size", "96x64",
                                    "--threads", "1", "--report", folder / "net.json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  for (const char* part : {"fuse_activations", "peak", "ms a run", "accuracy", "cosine", "GMAC/s", "faster"}) {
    INFO(part);
    CHECK(run.out.find(part) != std::string::npos);
  }
  const json report = json::parse(read_text(folder / "net.json"));
  CHECK(report["operators"]["opset"] > 0);
  size_t removed = 0, added = 0;
  const auto total = [](const json& counts) {
    size_t sum = 0;
    for (const json& n : counts) sum += n.get<size_t>();
    return sum;
  };
  for (const json& pass : report["operators"]["passes"]) {
    removed += pass["removed"].size();
    added += pass["added"].size();
  }
  CHECK(removed > 0);
  CHECK(total(report["operators"]["imported"]) + added - removed == total(report["operators"]["program"]));
  CHECK(report["precision"].size() == total(report["operators"]["program"]));
  CHECK(std::none_of(report["precision"].begin(), report["precision"].end(),
                     [](const json& op) { return op["integer"].get<bool>(); }));
  CHECK(report["inputs"]["luma"] == json({1, 1, 64, 96}));
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator does not tell what is in use
  CHECK(report["memory"]["peak_bytes"] > report["memory"]["arena_bytes"]);
#endif
  CHECK(report["memory"]["tensor_bytes"] == 4 * 96 * 64 * 5);
  CHECK(report["time"]["ms_p50"] > 0);
  CHECK(report["accuracy"]["samples"].get<std::string>().find("noise") == 0);
  CHECK(report["accuracy"]["outputs"][0]["snr_db"] > 90);
  CHECK(report["accuracy"]["outputs"][0]["cosine"] > 0.999999);
  CHECK(report["advice"].size() <= 3);
  for (const json& advice : report["advice"]) {
    CHECK(advice["layers"].size() > 0);
    CHECK(advice["saves_ms"] > 0);
    CHECK(advice["basis"].get<std::string>().find(advice["layers"][0].get<std::string>()) != std::string::npos);
  }
}

TEST_CASE("compile: a report of an integer model says what stayed f32 and why; --no-measure runs nothing") {
  const TemporaryFolder folder;
  const Outcome run = run_cocopipe({"compile", shipped_onnx(), "-o", folder / "net.coco", "--precision", "int8",
                                    "--max-loss", "20", "--no-measure", "--report", folder / "net.json"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  CHECK(run.out.find("not measured: left out") != std::string::npos);
  const json report = json::parse(read_text(folder / "net.json"));
  size_t integers = 0;
  for (const json& op : report["precision"]) {
    INFO(op.dump());
    integers += op["integer"].get<bool>() ? 1 : 0;
    CHECK(op["integer"].get<bool>() != op.contains("reason"));
    if (op["op"] == "QuantConv2d") CHECK(op["snr_db"] > 5);
  }
  CHECK(integers >= 5);
  CHECK(report["time"]["not_measured"] == "left out");
  CHECK(report["advice"].empty());
  const Outcome quiet = run_cocopipe(
      {"compile", shipped_onnx(), "-o", folder / "net.coco", "--no-measure", "--quiet", "--report", folder / "q.json"});
  CHECK(quiet.code == 0);
  CHECK(quiet.out.empty());
  CHECK(json::parse(read_text(folder / "q.json"))["memory"]["file_bytes"] > 1000);
  const Outcome nowhere = run_cocopipe(
      {"compile", shipped_onnx(), "-o", folder / "net.coco", "--no-measure", "--report", folder / "no/such/net.json"});
  CHECK(nowhere.code == 1);
  CHECK(nowhere.err_has("no/such"));
}

TEST_CASE("bench model --profile: a row an operator") {
  const std::vector<std::string> bench = {"bench",     "model", shipped_onnx(), "--input-shape", "luma=1,1,24,32",
                                          "--seconds", "0",     "--profile"};
  std::vector<std::string> with_json = bench;
  with_json.push_back("--json");
  const Outcome run = run_cocopipe(with_json);
  INFO(run.err);
  REQUIRE(run.code == 0);
  const json result = json::parse(run.out);
  double share = 0;
  int64_t macs = 0;
  for (const json& row : result["profile"]) {
    share += row["share"].get<double>();
    macs += row["macs"].get<int64_t>();
    if (row["op"] == "Conv2d") CHECK(row["kernel"].get<std::string>().find("conv") == 0);
  }
  CHECK(share == Approx(1));
  CHECK(macs == result["macs"]);
  const Outcome table = run_cocopipe(bench);
  CHECK(table.out.find("row by row") != std::string::npos);
  CHECK(table.out.find("conv0") != std::string::npos);
  CHECK(run_cocopipe({"bench", "model", shipped_onnx(), "--slowest"}).code == 2);
}

TEST_CASE("a drawing holds every operator once, boxes its steps, and no name leaves its quotes") {
  testing::ProgramBuilder b;
  const int32_t x = b.input("in\"];\x1b[2J", {1, 3, 8, 8});
  b.output(b.op(format::TransposeParams{{0, 1, 3, 2}}, {b.conv(b.conv(x, 4, 3), 4, 1)}));
  b.program.operators[0].name = "a\\\" -> b" + std::string(200, 'n');
  std::vector<OperatorProfile> rows(3);
  for (int i = 0; i < 3; ++i) {
    rows[static_cast<size_t>(i)].index = i;
    rows[static_cast<size_t>(i)].step = i / 2;
    rows[static_cast<size_t>(i)].row_by_row = i < 2;
    rows[static_cast<size_t>(i)].ms = i + 1;
  }
  std::vector<cli::DrawnProgram> drawn = {{"before", &b.program, {}, {}, false}, {"after", &b.program, {}, rows, true}};
  const std::string dot = cli::to_dot(drawn);
  CHECK(count(dot, "Conv2d 3x3") == 2);
  CHECK(count(dot, "Transpose") == 2);
  CHECK(count(dot, "step 0, row by row\\n3.000 ms, 50.0 %") == 1);
  CHECK(count(dot, "step 1") == 0);  // one operator: no box
  CHECK(count(dot, "3.000 ms, 50.0 %") == 2);
  CHECK(count(dot, "1x4x8x8 f32") >= 4);
  CHECK(dot.find('\x1b') == std::string::npos);
  CHECK(dot.find("in\\\"];\\\\x1b[2J") != std::string::npos);
  CHECK(count(dot, "nnn") < 250);
  CHECK(count(dot, "  b0 -> b1;\n") == 1);
  CHECK(count(dot, "  b2 -> bo0;\n") == 1);
  drawn[1].times = false;
  CHECK(count(cli::to_dot(drawn), " ms, ") == 0);

  const auto svg = cli::svg_from_dot(dot, 6);
  if (svg.ok()) {
    CHECK(count(*svg, "Conv2d 3x3") == 2);
    CHECK(count(*svg, "</svg>") == 1);
    CHECK(cli::svg_from_dot(dot, 100000).error().code == ErrorCode::kResourceLimit);
  } else {
    CHECK(svg.error().code == ErrorCode::kUnavailable);
  }
}

TEST_CASE("inspect --dot and --svg") {
  const TemporaryFolder folder;
  const Outcome run =
      run_cocopipe({"inspect", shipped_onnx(), "--dot", folder / "net.dot", "--input-size", "64x48", "--threads", "1"});
  INFO(run.err);
  REQUIRE(run.code == 0);
  const std::string dot = read_text(folder / "net.dot");
  CHECK(count(dot, "as imported") == 1);
  CHECK(count(dot, "as it runs") == 1);
  CHECK(count(dot, " ms, ") > 5);
  CHECK(dot.find("1x1x48x64 f32") != std::string::npos);
  const Outcome still = run_cocopipe({"inspect", shipped_onnx(), "--dot", folder / "still.dot", "--no-times"});
  CHECK(still.code == 0);
  CHECK(count(read_text(folder / "still.dot"), " ms, ") == 0);
  CHECK(count(read_text(folder / "still.dot"), "row by row") == 1);
  const Outcome svg = run_cocopipe({"inspect", shipped_onnx(), "--svg", folder / "net.svg", "--no-times"});
  if (svg.code == 0) {
    CHECK(read_text(folder / "net.svg").find("<svg") != std::string::npos);
  } else {
    CHECK(svg.error_lines() == 1);
    CHECK(svg.err_has("libgraphviz-dev"));
  }
}
