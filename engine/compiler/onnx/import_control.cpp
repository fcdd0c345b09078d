// If and Loop whose course is known when compiling: the nodes of the branch that is taken, or of every turn.
#include <limits>

#include "compiler/onnx/import_graph.h"
#include "compiler/onnx/import_ops.h"

namespace coco::compiler {
namespace {

using graph::Value;

constexpr int64_t kMostTurns = 4096;

Result<bool> known_condition(NodeContext& node, const std::string& name) {
  COCO_ASSIGN(const Value* value, node.materialise(name));
  if (!value->is_constant() || value->type() != DataType::kBool || value->constant().bytes.size() != 1) {
    return node.unsupported("the condition '" + name +
                            "' is computed at run time; only conditions known when compiling are supported");
  }
  return value->constant().bytes[0] != 0;
}

Result<const onnx::GraphProto*> subgraph(const NodeContext& node, const char* name) {
  const auto* attribute = node.find(name);
  if (attribute == nullptr || !attribute->has_g()) return node.invalid("lacks the graph '" + std::string(name) + "'");
  return &attribute->g();
}

void alias(ImportState& state, const std::string& from, const std::string& to) {
  const auto it = state.names.find(from);
  if (it != state.names.end() && from != to) state.names[to] = Imported(it->second);
}

struct LoopPlan {
  const onnx::GraphProto* body = nullptr;
  int64_t turns = std::numeric_limits<int64_t>::max();
  int carried = 0;  ///< values handed from turn to turn
  int scanned = 0;  ///< results collected from all turns
};

Result<LoopPlan> read_loop(NodeContext& node) {
  LoopPlan plan;
  COCO_ASSIGN(plan.body, subgraph(node, "body"));
  plan.carried = node.proto().input_size() - 2;
  plan.scanned = plan.body->output_size() - 1 - plan.carried;
  if (plan.carried < 0 || plan.scanned < 0 || plan.body->input_size() != plan.carried + 2 ||
      node.proto().output_size() > plan.carried + plan.scanned) {
    return node.invalid("its body has other inputs and outputs than the node");
  }
  if (node.has_input(0)) {
    COCO_ASSIGN(const std::vector<int64_t> turns, node.constant_ints(0, "M"));
    if (turns.size() != 1) return node.invalid("input 'M' must be one number");
    plan.turns = turns[0];
  }
  if (node.has_input(1)) {
    COCO_ASSIGN(const bool enters, known_condition(node, node.proto().input(1)));
    if (!enters) plan.turns = 0;
  }
  return plan;
}

/// Collected results, one row a turn.
Result<Value*> stacked(NodeContext& node, const std::vector<Value*>& rows) {
  std::vector<Value*> parts;
  for (Value* row : rows) {
    if (!row->shape().is_static()) return node.unsupported("collects results of dynamic dimensions");
    format::ReshapeParams params;
    params.shape = row->shape().dims();
    params.shape.insert(params.shape.begin(), 1);
    params.allow_zero = true;
    COCO_ASSIGN(Value * part, node.add(params, {row}));
    parts.push_back(part);
  }
  if (parts.empty()) return node.unsupported("collects results of a loop that never turns");
  return node.add(format::ConcatParams{0}, std::move(parts));
}

}  // namespace

Status import_if(NodeContext& node) {
  if (!node.has_input(0)) return node.invalid("lacks its condition");
  COCO_ASSIGN(const bool condition, known_condition(node, node.proto().input(0)));
  COCO_ASSIGN(const onnx::GraphProto* branch, subgraph(node, condition ? "then_branch" : "else_branch"));
  if (branch->output_size() < node.proto().output_size()) return node.invalid("its branch has too few outputs");
  COCO_TRY(import_subgraph(node.state(), *branch));
  for (int i = 0; i < node.proto().output_size(); ++i) {
    alias(node.state(), branch->output(i).name(), node.proto().output(i));
  }
  return {};
}

Status import_loop(NodeContext& node) {
  COCO_ASSIGN(const LoopPlan plan, read_loop(node));
  ImportState& state = node.state();
  const onnx::GraphProto& body = *plan.body;
  std::vector<std::string> carried;
  for (int i = 0; i < plan.carried; ++i) carried.push_back(node.proto().input(i + 2));
  std::vector<std::vector<Value*>> rows(static_cast<size_t>(plan.scanned));
  bool goes_on = true;
  for (int64_t turn = 0; turn < plan.turns && goes_on; ++turn) {
    if (turn >= kMostTurns) return node.unsupported("turns more than " + std::to_string(kMostTurns) + " times");
    state.names[body.input(0).name()] = {};
    state.names[body.input(0).name()].value = node.add_number("turn", DataType::kS64, static_cast<double>(turn));
    state.names[body.input(1).name()] = {};
    state.names[body.input(1).name()].value = node.add_number("goes_on", DataType::kBool, 1);
    std::vector<Imported> values;
    for (const std::string& name : carried) values.push_back(state.names[name]);
    for (int i = 0; i < plan.carried; ++i) state.names[body.input(i + 2).name()] = values[static_cast<size_t>(i)];
    COCO_TRY(import_subgraph(state, body));
    COCO_ASSIGN(goes_on, known_condition(node, body.output(0).name()));
    for (int i = 0; i < plan.carried; ++i) carried[static_cast<size_t>(i)] = body.output(i + 1).name();
    for (int i = 0; i < plan.scanned; ++i) {
      COCO_ASSIGN(Value * row, node.materialise(body.output(1 + plan.carried + i).name()));
      rows[static_cast<size_t>(i)].push_back(row);
    }
  }
  for (int i = 0; i < node.proto().output_size(); ++i) {
    if (i < plan.carried) {
      alias(state, carried[static_cast<size_t>(i)], node.proto().output(i));
    } else {
      COCO_ASSIGN(Value * all, stacked(node, rows[static_cast<size_t>(i - plan.carried)]));
      node.set_output(static_cast<size_t>(i), all);
    }
  }
  return {};
}

}  // namespace coco::compiler
