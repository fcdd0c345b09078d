#include "tune/network_source.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "tune/evaluate.h"
#include "tune/graph_network.h"
#include "tune/network.h"

namespace coco::tune {
namespace {

using Init = NetworkSource::Init;

constexpr const char* kModelKey = "model";

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Result<std::unique_ptr<GraphNetwork>> import_network(const std::string& model) {
  COCO_ASSIGN(graph::Graph graph, compiler::import_onnx(bytes_of(model), {}));
  COCO_TRY(compiler::run_passes(graph));
  COCO_ASSIGN(GraphNetwork network, GraphNetwork::create(std::move(graph)));
  return std::make_unique<GraphNetwork>(std::move(network));
}

/// The model's number of that name, in the shape that is wanted.
Result<torch::Tensor> number_for(const NamedTensor& wanted, const std::vector<NamedTensor>& numbers) {
  for (const NamedTensor& number : numbers) {
    if (number.name == wanted.name && number.tensor.numel() == wanted.tensor.numel()) {
      return number.tensor.detach().view(wanted.tensor.sizes());
    }
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "the model to start from has no '" + wanted.name + "' of " + std::to_string(wanted.tensor.numel()) +
                        " numbers; it must be an export of the same architecture, or be trained without one");
}

/// Slopes of PReLU are named after the convolution once the passes have joined them.
std::vector<NamedTensor> with_slope_names(std::vector<NamedTensor> numbers) {
  for (NamedTensor& number : numbers) {
    const size_t dot = number.name.find(".slope");
    if (number.name.rfind("conv", 0) == 0 && dot != std::string::npos) {
      number.name = "prelu" + number.name.substr(4);
    }
  }
  return numbers;
}

Status start_from(Network& network, const std::string& model) {
  COCO_ASSIGN(const std::unique_ptr<GraphNetwork> imported, import_network(model));
  const std::vector<NamedTensor> numbers = with_slope_names(imported->deployed());
  std::vector<NamedTensor> first;
  for (const NamedTensor& wanted : network.deployed()) {
    COCO_ASSIGN(const torch::Tensor number, number_for(wanted, numbers));
    first.push_back({wanted.name, number});
  }
  network.set(first);
  return {};
}

/// The loop gives luma patches and wants them `scale` times as large.
Status check_upscales(const GraphNetwork& network, const PairOptions& pairs) {
  const int64_t side = 8 * pairs.multiple;
  COCO_TRY(check_input(network, {1, 1, side, side}));
  const torch::NoGradGuard no_grad;
  const torch::Tensor out = network.forward(network.deployed(), torch::zeros({1, 1, side, side}));
  if (out.sizes() == torch::IntArrayRef({1, 1, side * pairs.scale, side * pairs.scale})) return {};
  return make_error(ErrorCode::kUnsupported, "the model makes no enlarged luma plane of a luma plane");
}

}  // namespace

Result<PairOptions> pairs_for(const NetworkSource& source) {
  if (source.init != Init::kWhole) return PairOptions{source.architecture.scale, source.architecture.unshuffle};
  COCO_ASSIGN(const auto model, compile_model(source.model));
  return pairs_for(*model);
}

Result<std::unique_ptr<Trainable>> make_network(const NetworkSource& source, Random& random) {
  if (source.init == Init::kWhole) {
    COCO_ASSIGN(const PairOptions pairs, pairs_for(source));
    COCO_ASSIGN(std::unique_ptr<GraphNetwork> network, import_network(source.model));
    COCO_TRY(check_upscales(*network, pairs));
    return std::unique_ptr<Trainable>(std::move(network));
  }
  COCO_TRY(check_architecture(source.architecture));
  auto network = std::make_unique<Network>(source.architecture, source.branches, random);
  if (source.init == Init::kStart) COCO_TRY(start_from(*network, source.model));
  return std::unique_ptr<Trainable>(std::move(network));
}

std::string name_of(const NetworkSource& source) { return source.architecture.name; }

std::string to_json(const NetworkSource& source) {
  nlohmann::json json = {{"name", name_of(source)}, {"init", static_cast<int>(source.init)}};
  if (source.init != Init::kNone) json["model"] = sha256_hex(bytes_of(source.model));
  if (source.init != Init::kWhole) {
    json["architecture"] = nlohmann::json::parse(to_json(source.architecture));
    json["branches"] = source.branches == Branches::kRich ? "rich" : "plain";
  }
  return json.dump();
}

std::vector<NamedTensor> model_to_keep(const NetworkSource& source) {
  if (source.init != Init::kWhole) return {};
  const auto size = static_cast<int64_t>(source.model.size());
  return {{kModelKey, torch::from_blob(const_cast<char*>(source.model.data()), {size}, torch::kUInt8).clone()}};
}

Result<NetworkSource> read_source(const Checkpoint& checkpoint) {
  COCO_ASSIGN(const std::string subject, checkpoint.text("subject"));
  try {
    const nlohmann::json json = nlohmann::json::parse(subject).at("network");
    NetworkSource source;
    if (json.at("init") == static_cast<int>(Init::kWhole)) {
      COCO_ASSIGN(const torch::Tensor model, checkpoint.tensor(kModelKey));
      source.init = Init::kWhole;
      source.model.assign(reinterpret_cast<const char*>(model.data_ptr<uint8_t>()), static_cast<size_t>(model.numel()));
      source.architecture.name = json.at("name").get<std::string>();
      return source;
    }
    COCO_ASSIGN(source.architecture, architecture_from_json(json.at("architecture").dump()));
    source.branches = json.at("branches") == "rich" ? Branches::kRich : Branches::kPlain;
    return source;
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData, std::string("the checkpoint describes no network: ") + e.what());
  }
}

}  // namespace coco::tune
