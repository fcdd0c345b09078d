#include "compiler/onnx/import.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/checker.h>

#include <algorithm>
#include <exception>
#include <map>
#include <new>
#include <unordered_set>

#include "compiler/onnx/expand_node.h"
#include "compiler/onnx/external_data.h"
#include "compiler/onnx/import_graph.h"
#include "compiler/onnx/import_table.h"
#include "compiler/onnx/tensor_proto.h"

namespace coco::compiler {
namespace {

constexpr int kMaxMessageDepth = 32;
constexpr int kMaxGraphDepth = 8;
/// Newest IR version the checker knows; later ones only add fields that no opset up to 17 needs.
constexpr int kMaxIrVersion = 8;
/// Elements of all numbers one import may compute.
constexpr size_t kMaxNumberElements = size_t{1} << 21;

Result<onnx::ModelProto> parse_model(std::span<const uint8_t> bytes) {
  if (bytes.empty()) return make_error(ErrorCode::kInvalidData, "the ONNX model is empty");
  if (bytes.size() > format::Limits::kMaxFileBytes) {
    return make_error(ErrorCode::kResourceLimit, "the ONNX model is larger than 1 GiB");
  }
  google::protobuf::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream stream(&array);
  stream.SetRecursionLimit(kMaxMessageDepth);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    return make_error(ErrorCode::kInvalidData,
                      "not an ONNX model, or a truncated one: it does not parse; export or copy it anew");
  }
  if (!model.has_graph() || model.opset_import_size() == 0) {
    return make_error(ErrorCode::kInvalidData, "not an ONNX model: there is no graph or no opset inside");
  }
  return model;
}

Result<int> read_opset(const onnx::ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx") continue;
    if (opset.version() < kMinOpset || opset.version() > kMaxOpset) {
      return make_error(ErrorCode::kUnsupported, "the model uses opset " + std::to_string(opset.version()) +
                                                     "; opsets " + std::to_string(kMinOpset) + " to " +
                                                     std::to_string(kMaxOpset) + " are supported, export it with one");
    }
    return static_cast<int>(opset.version());
  }
  return make_error(ErrorCode::kUnsupported,
                    "the model does not use the standard ONNX operators (no opset_import for "
                    "the default domain)");
}

Status check_operator(const NodeContext& node, const ImportState& state) {
  const onnx::NodeProto& proto = node.proto();
  const bool standard = proto.domain().empty() || proto.domain() == "ai.onnx";
  if (!standard) {
    return node.unsupported("operator " + proto.domain() + "." + proto.op_type() +
                            " is outside the standard ONNX operators; export the model without custom operators");
  }
  const ImportRow* row = find_import_row(proto.op_type());
  if (row == nullptr) {
    return node.unsupported("operator " + proto.op_type() +
                            " is not supported; docs/operators.md lists those that "
                            "are");
  }
  if (state.opset < row->min_opset || state.opset > row->max_opset) {
    return node.unsupported("operator " + proto.op_type() + " is supported in opsets " +
                            std::to_string(row->min_opset) + " to " + std::to_string(row->max_opset) +
                            ", the model uses opset " + std::to_string(state.opset));
  }
  return {};
}

/// Names every operator that stands in the way, before anything else is looked at.
Status check_operators(const onnx::GraphProto& graph, ImportState& state) {
  for (int i = 0; i < graph.node_size(); ++i) COCO_TRY(check_operator(NodeContext(state, graph.node(i), i), state));
  return {};
}

Status check_bounds(const onnx::GraphProto& graph) {
  const auto too_many = [](const char* what) {
    return make_error(ErrorCode::kResourceLimit, std::string("the model has too many ") + what);
  };
  if (static_cast<size_t>(graph.node_size()) > format::Limits::kMaxOperators) return too_many("nodes");
  if (static_cast<size_t>(graph.initializer_size()) > format::Limits::kMaxValues) return too_many("initialisers");
  if (static_cast<size_t>(graph.input_size()) > format::Limits::kMaxValues) return too_many("inputs");
  if (static_cast<size_t>(graph.output_size()) > format::Limits::kMaxValues) return too_many("outputs");
  if (graph.sparse_initializer_size() > 0) {
    return make_error(ErrorCode::kUnsupported, "the model has sparse initialisers; store them as dense tensors");
  }
  if (graph.output_size() == 0) return make_error(ErrorCode::kInvalidData, "the model has no outputs");
  return {};
}

Status check_with_library(onnx::ModelProto& model) {
  if (model.ir_version() > kMaxIrVersion) model.set_ir_version(kMaxIrVersion);
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& e) {
    std::string message = e.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    return make_error(ErrorCode::kInvalidData, "the ONNX checker refuses the model: " + message);
  }
  return {};
}

/// `replace`: a name that is defined already gets the new tensor (the next turn of a loop).
Status import_initializers(const onnx::GraphProto& graph, ImportState& state, bool replace) {
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    Imported imported;
    if (is_float_type(tensor.data_type())) {
      COCO_ASSIGN(const std::vector<float> data, tensor_floats(tensor));
      COCO_ASSIGN(Shape shape, tensor_shape(tensor));
      imported.value = state.graph.add_constant(tensor.name(), std::move(shape), data);
    } else {
      COCO_TRY(take_integers(tensor, imported));
    }
    const bool added = state.names.insert_or_assign(tensor.name(), std::move(imported)).second;
    if (!added && !replace) {
      return make_error(ErrorCode::kInvalidData, "initialiser '" + tensor.name() + "' is defined twice");
    }
  }
  return {};
}

/// The declared shape, with the caller's pins put in.
Result<Shape> input_shape(const onnx::ValueInfoProto& input, const ImportOptions& options) {
  const auto& type = input.type();
  if (!type.has_tensor_type()) {
    return make_error(ErrorCode::kUnsupported, "input '" + input.name() + "' is not a tensor");
  }
  const int element = type.tensor_type().elem_type();
  if (!is_float_type(element) && !is_integer_type(element)) {
    return make_error(ErrorCode::kUnsupported, "input '" + input.name() + "' holds " + type_name(element) +
                                                   "; only numbers and truth values are supported");
  }
  std::vector<int64_t> dims;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
    dims.push_back(known ? dim.dim_value() : kDynamicDim);
    if (dims.back() > format::Limits::kMaxDim) {
      return make_error(ErrorCode::kInvalidData, "input '" + input.name() + "' has a dimension out of bounds");
    }
  }
  for (const auto& [name, pinned] : options.input_shapes) {
    if (name != input.name()) continue;
    bool fits = !type.tensor_type().has_shape() || pinned.rank() == dims.size();
    if (!type.tensor_type().has_shape()) dims.assign(pinned.rank(), kDynamicDim);
    for (size_t i = 0; fits && i < dims.size(); ++i) {
      fits = pinned[i] == kDynamicDim || dims[i] == kDynamicDim || dims[i] == pinned[i];
      if (pinned[i] != kDynamicDim) dims[i] = pinned[i];
    }
    if (!fits) {
      return make_error(ErrorCode::kInvalidArgument, "input '" + name + "' cannot be given the shape " +
                                                         pinned.to_string() + "; the model declares another one");
    }
    return Shape(std::move(dims));
  }
  if (!type.tensor_type().has_shape()) {
    return make_error(ErrorCode::kUnsupported, "input '" + input.name() + "' declares no shape; give it one");
  }
  if (dims.size() > format::Limits::kMaxRank) {
    return make_error(ErrorCode::kUnsupported, "input '" + input.name() + "' has too many dimensions");
  }
  return Shape(std::move(dims));
}

Status import_inputs(const onnx::GraphProto& graph, const ImportOptions& options, ImportState& state) {
  std::unordered_map<std::string, std::array<int64_t, kTrials>> symbols;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (state.names.contains(input.name())) continue;  // old models list their initialisers here, too
    COCO_ASSIGN(const Shape shape, input_shape(input, options));
    const DataType type = engine_type(input.type().tensor_type().elem_type());
    graph::Value* value = state.graph.add_input(input.name(), type, shape);
    TrialShapes trials;
    trials.fill(shape);
    for (size_t i = 0; i < shape.rank(); ++i) {
      if (shape[i] != kDynamicDim) continue;
      const auto& dims = input.type().tensor_type().shape().dim();
      std::string symbol = static_cast<int>(i) < dims.size() ? dims[static_cast<int>(i)].dim_param() : "";
      if (symbol.empty()) symbol = "\n" + std::to_string(state.roots);  // no exporter's name
      auto [it, added] = symbols.try_emplace(symbol);
      if (added) it->second = trial_values(state.roots++, i == 0 && shape.rank() == 4);
      for (size_t k = 0; k < kTrials; ++k) (*trials[k])[i] = it->second[k];
    }
    state.shapes[value] = std::move(trials);
    state.names[input.name()].value = value;
  }
  for (const auto& [name, shape] : options.input_shapes) {
    const auto& inputs = state.graph.inputs();
    if (std::none_of(inputs.begin(), inputs.end(), [&n = name](const auto* v) { return v->name() == n; })) {
      return make_error(ErrorCode::kInvalidArgument, "the model has no input '" + name + "'");
    }
  }
  return {};
}

Status import_node(NodeContext& node, const ImportRow& row) {
  bool known = node.input_count() > 0;
  for (size_t i = 0; i < node.input_count(); ++i) known = known && (!node.has_input(i) || node.numbers(i) != nullptr);
  if (known && row.evaluate != nullptr) return row.evaluate(node);
  if (row.import != nullptr) return row.import(node);
  return node.unsupported("operator " + std::string(row.op) +
                          " is supported only where it computes sizes from constants and shapes");
}

}  // namespace

Status import_one(ImportState& state, const onnx::NodeProto& proto, int index) {
  NodeContext node(state, proto, index);
  COCO_TRY(check_operator(node, state));
  COCO_TRY(import_node(node, *find_import_row(proto.op_type())));
  if (state.number_elements > kMaxNumberElements || ++state.nodes > 4 * format::Limits::kMaxOperators) {
    return make_error(ErrorCode::kResourceLimit, node.where() + ": the model computes too much at import");
  }
  return {};
}

Status import_subgraph(ImportState& state, const onnx::GraphProto& graph) {
  if (++state.depth > kMaxGraphDepth) {
    return make_error(ErrorCode::kResourceLimit,
                      "the model has graphs in graphs, more than " + std::to_string(kMaxGraphDepth) + " deep");
  }
  COCO_TRY(import_initializers(graph, state, true));
  for (int i = 0; i < graph.node_size(); ++i) COCO_TRY(import_one(state, graph.node(i), i));
  --state.depth;
  return {};
}

namespace {

void describe_file(const onnx::ModelProto& model, int opset, CompileTrace& trace) {
  trace.opset = opset;
  trace.producer = model.producer_name();
  if (!model.producer_version().empty()) trace.producer += " " + model.producer_version();
  std::map<std::string, size_t> counts;
  for (const onnx::NodeProto& node : model.graph().node()) ++counts[node.op_type()];
  for (const auto& [op, count] : counts) trace.file.push_back({op, count});
}

Result<graph::Graph> import_model(std::span<const uint8_t> bytes, const ImportOptions& options) {
  COCO_ASSIGN(onnx::ModelProto model, parse_model(bytes));
  ImportState state;
  COCO_ASSIGN(state.opset, read_opset(model));
  const onnx::GraphProto& graph = model.graph();
  COCO_TRY(check_bounds(graph));
  COCO_TRY(load_external_data(model, options.folder));
  COCO_TRY(check_operators(graph, state));
  COCO_TRY(import_initializers(graph, state, false));
  COCO_TRY(check_with_library(model));
  if (options.trace != nullptr) describe_file(model, state.opset, *options.trace);
  COCO_TRY(import_inputs(graph, options, state));
  for (int i = 0; i < graph.node_size(); ++i) COCO_TRY(import_one(state, graph.node(i), i));
  std::unordered_set<std::string> names;
  for (const onnx::ValueInfoProto& output : graph.output()) {
    onnx::NodeProto reader;
    reader.set_name(output.name());
    reader.set_op_type("graph output");
    NodeContext context(state, reader, graph.node_size());
    COCO_ASSIGN(graph::Value * value, context.materialise(output.name()));
    if (!names.insert(output.name()).second) {
      return make_error(ErrorCode::kInvalidData, "output '" + output.name() + "' is listed twice");
    }
    state.graph.add_output(output.name(), value);
  }
  return std::move(state.graph);
}

}  // namespace

Result<graph::Graph> import_onnx(std::span<const uint8_t> bytes, const ImportOptions& options) {
  try {
    return import_model(bytes, options);
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResourceLimit, "the ONNX model needs more memory than there is");
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInvalidData, std::string("the ONNX model cannot be read: ") + e.what());
  }
}

}  // namespace coco::compiler
