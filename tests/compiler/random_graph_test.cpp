// Random graphs: as imported and optimised, layer by layer and as the engine chooses, with the references and without,
// all results are alike. COCO_FUZZ_SEEDS: how many; COCO_RANDOM_GRAPHS: a folder to write models, inputs and results
// to, for other engines to be compared with (tools/peers/random_graphs.js).
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.h"
#include "coco/compile.h"
#include "coco/session.h"
#include "compiler/onnx_builder.h"
#include "compiler/random_graph.h"

using namespace coco;
using coco::testing::RandomGraph;

namespace {

struct Output {
  std::string name;
  Shape shape;
  std::vector<float> data;
};

std::vector<Output> run(const RandomGraph& graph, bool optimize, const SessionOptions& options) {
  CompileOptions compile;
  compile.optimize = optimize;
  const auto bytes = compile_onnx_bytes(coco::testing::as_bytes(graph.onnx), compile);
  if (!bytes.ok()) FAIL(bytes.error().message);
  const auto model = Model::from_bytes(*bytes);
  if (!model.ok()) FAIL(model.error().message);
  std::vector<Shape> shapes;
  std::vector<TensorView> in;
  for (const auto& input : graph.inputs) {
    shapes.emplace_back(input.dims);
    in.push_back({DataType::kF32, shapes.back(), input.data.data()});
  }
  auto session = Session::create(*model, shapes, options);
  if (!session.ok()) FAIL(session.error().message);
  std::vector<Output> outputs;
  for (const TensorInfo& info : (*session)->outputs()) {
    outputs.push_back({info.name, info.shape, std::vector<float>(static_cast<size_t>(*info.shape.element_count()))});
  }
  std::vector<MutableTensorView> out;
  for (Output& output : outputs) out.push_back({DataType::kF32, output.shape, output.data.data()});
  const Status status = (*session)->run(in, out);
  if (!status.ok()) FAIL(status.error().message);
  return outputs;
}

/// The largest difference as a share of the largest number; NaN only where both have it.
double distance(const Output& a, const Output& b) {
  double largest = 1, worst = 0;
  for (const float v : a.data) {
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(static_cast<double>(v)));
  }
  for (size_t i = 0; i < a.data.size(); ++i) {
    const float x = a.data[i], y = b.data[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double difference = std::fabs(static_cast<double>(x) - y);
    worst = std::max(worst, std::isnan(difference) ? 1e30 : difference / largest);
  }
  return worst;
}

nlohmann::json numbers(const std::vector<float>& data) {
  nlohmann::json list = nlohmann::json::array();
  for (const float v : data) {
    if (std::isfinite(v)) {
      list.push_back(v);
    } else {
      list.push_back(std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    }
  }
  return list;
}

void write(const std::filesystem::path& folder, uint64_t seed, const RandomGraph& graph,
           const std::vector<Output>& outputs) {
  const std::string base = (folder / std::to_string(seed)).string();
  std::ofstream(base + ".onnx", std::ios::binary) << graph.onnx;
  nlohmann::json all;
  for (const auto& input : graph.inputs) {
    all["inputs"].push_back({{"name", input.name}, {"dims", input.dims}, {"data", numbers(input.data)}});
  }
  for (const Output& output : outputs) {
    all["outputs"].push_back({{"name", output.name}, {"dims", output.shape.dims()}, {"data", numbers(output.data)}});
  }
  all["operators"] = graph.operators;
  std::ofstream(base + ".json") << all;
}

}  // namespace

TEST_CASE("random graphs give the same however they are computed") {
  const char* wanted = std::getenv("COCO_FUZZ_SEEDS");
  const char* folder = std::getenv("COCO_RANDOM_GRAPHS");
  const uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 150;
  std::set<std::string> operators;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const RandomGraph graph = coco::testing::make_random_graph(seed);
    operators.insert(graph.operators.begin(), graph.operators.end());
    std::string list;
    for (const std::string& op : graph.operators) list += op + " ";
    INFO("seed " << seed << ": " << list);
    SessionOptions reference;
    reference.reference_kernels = true;
    reference.executor = ExecutorKind::kLayer;
    reference.threads = 1;
    const std::vector<Output> expected = run(graph, false, reference);
    SessionOptions fast;
    fast.threads = 2;
    const std::vector<Output> optimized = run(graph, true, fast);
    for (const std::vector<Output>& outputs : {optimized, run(graph, false, fast)}) {
      REQUIRE(outputs.size() == expected.size());
      for (size_t i = 0; i < outputs.size(); ++i) {
        INFO("output " << expected[i].name << " " << expected[i].shape.to_string());
        REQUIRE(outputs[i].shape == expected[i].shape);
        REQUIRE(distance(expected[i], outputs[i]) < 1e-3);
      }
    }
    if (folder != nullptr) write(folder, seed, graph, optimized);
  }
  CHECK(operators.size() >= 60);
}
