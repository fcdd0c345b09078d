#include "tune/onnx_export.h"

#include <onnx/onnx_pb.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "catch.h"
#include "compiler/onnx/import.h"
#include "graph/text.h"
#include "tests/tune/synthetic.h"
#include "tune/evaluate.h"
#include "tune/lower.h"

using namespace coco;
using namespace coco::tune;
using namespace coco::tune::testing;

namespace {

onnx::ModelProto parse(const std::string& bytes) {
  onnx::ModelProto model;
  REQUIRE(model.ParseFromString(bytes));
  return model;
}

std::string export_net(const PlainNet& net) { return to_onnx(lower(net).value(), net.architecture.name).value(); }

}  // namespace

TEST_CASE("the export says the same twice") {
  const PlainNet net = make_net(2);
  CHECK(export_net(net) == export_net(net));
  CHECK(parse(export_net(net)).opset_import(0).version() == 13);
}

TEST_CASE("the export has the agreed inputs, outputs and operators") {
  const onnx::ModelProto model = parse(export_net(make_net(2)));
  const onnx::GraphProto& graph = model.graph();
  REQUIRE(graph.input_size() == 1);
  CHECK(graph.input(0).name() == "luma");
  const auto& shape = graph.input(0).type().tensor_type().shape();
  REQUIRE(shape.dim_size() == 4);
  CHECK(shape.dim(1).dim_value() == 1);
  CHECK(shape.dim(2).dim_param() == "luma_height");
  CHECK(shape.dim(3).dim_param() == "luma_width");
  REQUIRE(graph.output_size() == 1);
  CHECK(graph.output(0).name() == "upscaled");
  std::string operators;
  for (const auto& node : graph.node()) operators += node.op_type() + " ";
  CHECK(operators == "Conv PRelu Conv PRelu Conv PRelu Conv PRelu Conv PRelu Conv DepthToSpace Resize Add ");
}

TEST_CASE("the export carries the weights unchanged") {
  const PlainNet net = make_net(7);
  const onnx::ModelProto model = parse(export_net(net));
  for (size_t l = 0; l < net.layers.size(); ++l) {
    const std::string name = "conv" + std::to_string(l) + ".weight";
    bool found = false;
    for (const auto& t : model.graph().initializer()) {
      if (t.name() != name) continue;
      found = true;
      const std::vector<float>& weight = net.layers[l].weight;
      REQUIRE(t.raw_data().size() == weight.size() * sizeof(float));
      CHECK(std::memcmp(t.raw_data().data(), weight.data(), t.raw_data().size()) == 0);
    }
    CHECK(found);
  }
}

namespace {

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::filesystem::path source_folder() {
  const char* folder = std::getenv("COCO_SOURCE_DIR");
  return folder ? folder : ".";
}

std::vector<float> initializer(const onnx::ModelProto& model, const std::string& name) {
  for (const auto& t : model.graph().initializer()) {
    if (t.name() != name) continue;
    std::vector<float> values(t.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), t.raw_data().data(), t.raw_data().size());
    return values;
  }
  return {};
}

/// The imported graph as text, numbers and all.
std::string structure(const std::string& onnx) {
  auto graph = compiler::import_onnx({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}).value();
  graph.erase_unused_constants();
  return graph::print(graph);
}

PlainNet shipped_net() {
  const onnx::ModelProto model = parse(read(source_folder() / "engine/models/f32/sr2x-s.onnx"));
  PlainNet net{find_architecture("sr2x-s").value(), {}};
  for (size_t l = 0; l < net.architecture.layers.size(); ++l) {
    const std::string n = std::to_string(l);
    net.layers.push_back({net.architecture.layers[l], initializer(model, "conv" + n + ".weight"),
                          initializer(model, "conv" + n + ".bias"), initializer(model, "prelu" + n + ".slope")});
  }
  return net;
}

/// Every model that is shipped: the deployed ones, and in f32/ what they were made from.
std::vector<std::filesystem::path> shipped_cards() {
  std::vector<std::filesystem::path> cards;
  for (const char* folder : {"engine/models", "engine/models/f32"}) {
    for (const auto& entry : std::filesystem::directory_iterator(source_folder() / folder)) {
      if (entry.path().extension() == ".json") cards.push_back(entry.path());
    }
  }
  std::sort(cards.begin(), cards.end());
  return cards;
}

std::string onnx_of(const std::filesystem::path& card) {
  const std::string path = card.string();
  return read(path.substr(0, path.size() - std::string(".card.json").size()) + ".onnx");
}

}  // namespace

TEST_CASE("the shipped small network is an export of its architecture") {
  const bool same =
      structure(export_net(shipped_net())) == structure(read(source_folder() / "engine/models/f32/sr2x-s.onnx"));
  CHECK(same);
}

TEST_CASE("every shipped model has a complete card and fits into its share of the repository") {
  CHECK(shipped_cards().size() >= 2);
  for (const auto& path : shipped_cards()) {
    CAPTURE(path);
    const nlohmann::json card = nlohmann::json::parse(read(path));
    for (const char* key : {"name", "task", "description", "licence", "training_data", "command", "range"}) {
      CHECK_FALSE(card.at(key).get<std::string>().empty());
    }
    CHECK(path.filename().string() == card.at("name").get<std::string>() + ".card.json");
    CHECK(card.at("scale") == (card.at("task") == "super-resolution" ? 2 : 1));
    for (const auto& figure : card.at("figures")) CHECK(figure.is_string());
    CHECK(onnx_of(path).size() < 2'000'000);
  }
}

TEST_CASE("the shipped cards tell the measured figures") {
  const char* data = std::getenv("COCO_DATA_DIR");
  const std::filesystem::path root = data ? std::filesystem::path(data) : source_folder() / "../shared/data";
  for (const std::string set : {"set5", "set14", "b100"}) {
    const std::filesystem::path folder = root / "sr/benchmarks" / set;
    if (!std::filesystem::is_directory(folder)) {
      std::cout << "skipped: " << folder << " is not there (set COCO_DATA_DIR)\n";
      continue;
    }
    const std::vector<ImagePair> pairs = load_pairs({folder.string()}, {}).value().pairs;
    for (const auto& path : shipped_cards()) {
      CAPTURE(path);
      if (nlohmann::json::parse(read(path)).at("task") != "super-resolution") continue;
      const Figures figures = evaluate(compile_model(onnx_of(path)).value(), pairs).value();
      const nlohmann::json card = nlohmann::json::parse(read(path)).at("figures");
      CHECK(figures.psnr_y == Approx(std::stod(card.at(set + "_psnr_y").get<std::string>())).margin(0.006));
      CHECK(figures.ssim_y == Approx(std::stod(card.at(set + "_ssim_y").get<std::string>())).margin(0.0002));
    }
  }
}
