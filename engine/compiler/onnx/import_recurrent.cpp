// LSTM and GRU.
#include <cctype>

#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using graph::Value;

/// Only the activations that are an operator's defaults.
Status check_activations(const NodeContext& node, const std::vector<std::string>& defaults) {
  if (node.has("clip")) return node.unsupported("attribute 'clip'");
  const auto* attribute = node.find("activations");
  if (attribute == nullptr) return {};
  for (int i = 0; i < attribute->strings_size(); ++i) {
    std::string name = attribute->strings(i);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (name != defaults[static_cast<size_t>(i) % defaults.size()]) {
      return node.unsupported("activation '" + attribute->strings(i) + "'; only the operator's defaults are supported");
    }
  }
  return {};
}

Result<Value*> transposed(NodeContext& node, Value* x, std::vector<int64_t> perm) {
  format::TransposeParams params;
  params.perm = std::move(perm);
  return node.add(params, {x});
}

/// Reads the inputs, with the batch in ONNX's default place, adds the operator and sets its results.
template <typename Params>
Status finish_recurrent(NodeContext& node, Params params, size_t total) {
  params.hidden = node.get_int("hidden_size", 0);
  const std::string direction = node.get_string("direction", "forward");
  if (!format::from_string(direction, params.direction)) {
    return node.invalid("attribute 'direction' has the unknown value '" + direction + "'");
  }
  const bool batch_first = node.get_int("layout", 0) != 0;
  std::vector<Value*> inputs;
  for (size_t i = 0; i < std::min(total, node.input_count()); ++i) {
    inputs.push_back(nullptr);
    if (!node.has_input(i)) continue;
    COCO_ASSIGN(inputs[i], i == 4 ? node.converted(i, DataType::kS32) : node.tensor(i));
    const bool has_batch = i == 0 || i == 5 || i == 6;
    if (!batch_first || !has_batch) continue;
    COCO_ASSIGN(inputs[i], transposed(node, inputs[i], {1, 0, 2}));
  }
  while (!inputs.empty() && inputs.back() == nullptr) inputs.pop_back();
  COCO_ASSIGN(auto results, node.add_all(params, inputs));
  for (size_t i = 0; i < results.size(); ++i) {
    if (i >= node.output_count() || node.proto().output(static_cast<int>(i)).empty()) continue;
    if (batch_first) {
      COCO_ASSIGN(results[i],
                  i == 0 ? transposed(node, results[i], {2, 0, 1, 3}) : transposed(node, results[i], {1, 0, 2}));
    }
    node.set_output(i, results[i]);
  }
  return {};
}

}  // namespace

Status import_lstm(NodeContext& node) {
  COCO_TRY(check_activations(node, {"sigmoid", "tanh", "tanh"}));
  format::LstmParams params;
  params.input_forget = node.get_int("input_forget", 0) != 0;
  return finish_recurrent(node, params, 8);
}

Status import_gru(NodeContext& node) {
  COCO_TRY(check_activations(node, {"sigmoid", "tanh"}));
  format::GruParams params;
  params.reset_after = node.get_int("linear_before_reset", 0) != 0;
  return finish_recurrent(node, params, 6);
}

}  // namespace coco::compiler
