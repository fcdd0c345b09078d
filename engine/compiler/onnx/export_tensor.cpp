// Products, reductions, normalisation, gathering and recurrence in the words of opset 13.
#include "compiler/onnx/program_exporter.h"

namespace coco::compiler {

Result<onnx::NodeProto*> ProgramExporter::whole_node(const char* name, const Operator& op) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  onnx::NodeProto* node = writer_.node(name, in, result(op));
  for (size_t i = 1; i < op.outputs.size(); ++i) node->add_output(names_[static_cast<size_t>(op.outputs[i])]);
  return node;
}

// Matrices are turned by Transpose; Gemm has a bias and no batch.
Status ProgramExporter::write(const Operator& op, const format::MatMulParams& p) {
  COCO_ASSIGN(std::vector<std::string> in, operands(op));
  const size_t a_rank = value(op.inputs[0]).shape.rank(), b_rank = value(op.inputs[1]).shape.rank();
  const bool gemm = a_rank == 2 && b_rank == 2 && value(op.inputs[0]).type == DataType::kF32;
  if (gemm) {
    onnx::NodeProto* node = writer_.node("Gemm", in, result(op));
    set_int(node, "transA", p.transpose_a ? 1 : 0);
    set_int(node, "transB", p.transpose_b ? 1 : 0);
    return {};
  }
  for (size_t i = 0; i < 2; ++i) {
    if (!(i == 0 ? p.transpose_a : p.transpose_b)) continue;
    std::vector<int64_t> perm;
    for (size_t axis = 0; axis < (i == 0 ? a_rank : b_rank); ++axis) perm.push_back(static_cast<int64_t>(axis));
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    const std::string turned = unique(in[i] + ".turned");
    set_ints(writer_.node("Transpose", {in[i]}, turned), "perm", perm);
    in[i] = turned;
  }
  const bool bias = in.size() > 2;
  const std::string product = bias ? unique(result(op) + ".product") : result(op);
  writer_.node("MatMul", {in[0], in[1]}, product);
  if (bias) writer_.node("Add", {product, in[2]}, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ReduceParams& p) {
  static constexpr const char* kNames[] = {"ReduceSum",    "ReduceMean",     "ReduceMax", "ReduceMin",
                                           "ReduceProd",   "ReduceL1",       "ReduceL2",  "ReduceSumSquare",
                                           "ReduceLogSum", "ReduceLogSumExp"};
  COCO_ASSIGN(const std::string in, operand(op, 0));
  const std::string& out = result(op);
  if (p.axes.empty()) return unsupported(op, "it reduces no axis");
  const bool input = p.kind == format::ReduceKind::kSum;
  std::vector<std::string> inputs{in};
  if (input) inputs.push_back(writer_.ints(unique(out + ".axes"), p.axes));
  onnx::NodeProto* node = writer_.node(kNames[static_cast<size_t>(p.kind)], inputs, out);
  if (!input) set_ints(node, "axes", p.axes);
  set_int(node, "keepdims", p.keep_dims ? 1 : 0);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ArgReduceParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node(p.smallest ? "ArgMin" : "ArgMax", op));
  set_int(node, "axis", p.axis);
  set_int(node, "keepdims", p.keep_dims ? 1 : 0);
  set_int(node, "select_last_index", p.last ? 1 : 0);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::TopKParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node("TopK", op));
  node->add_input(writer_.ints(unique(result(op) + ".k"), std::span(&p.k, 1)));
  set_int(node, "axis", p.axis);
  set_int(node, "largest", p.smallest ? 0 : 1);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::SoftmaxParams& p) {
  if (p.end != p.axis + 1) return unsupported(op, "opset 13 has no Softmax over several axes");
  COCO_ASSIGN(onnx::NodeProto * node, whole_node(p.log ? "LogSoftmax" : "Softmax", op));
  set_int(node, "axis", p.axis);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::Pool2dParams& p) {
  static constexpr const char* kNames[] = {"MaxPool", "AveragePool", "LpPool"};
  const bool most = p.kind == format::PoolKind::kMax, lp = p.kind == format::PoolKind::kLp;
  if (!most && (p.dilation[0] != 1 || p.dilation[1] != 1)) return unsupported(op, "opset 13 dilates only MaxPool");
  if (!most && value(op.inputs[0]).type == DataType::kU8) return write_steps(op, p);
  if (lp && p.ceil_mode) return unsupported(op, "opset 13 has no ceil_mode in LpPool");
  COCO_ASSIGN(onnx::NodeProto * node, whole_node(kNames[static_cast<size_t>(p.kind)], op));
  set_ints(node, "kernel_shape", p.kernel);
  set_ints(node, "pads", p.pads);
  set_ints(node, "strides", p.stride);
  if (most) set_ints(node, "dilations", p.dilation);
  if (lp) set_int(node, "p", p.p);
  if (!lp) set_int(node, "ceil_mode", p.ceil_mode ? 1 : 0);
  if (p.kind == format::PoolKind::kAverage) set_int(node, "count_include_pad", p.count_padding ? 1 : 0);
  return {};
}

// LayerNormalization came with opset 17.
Status ProgramExporter::write(const Operator& op, const format::LayerNormParams& p) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  const std::string& out = result(op);
  std::vector<int64_t> axes;
  for (auto i = p.axis; i < static_cast<int64_t>(value(op.inputs[0]).shape.rank()); ++i) axes.push_back(i);
  const auto name = [&](const char* role) { return unique(out + "." + role); };
  const auto node = [&](const char* kind, const std::vector<std::string>& inputs, const char* role) {
    std::string made = name(role);
    writer_.node(kind, inputs, made);
    return made;
  };
  const auto mean_of = [&](const std::string& x, const char* role) {
    std::string made = name(role);
    set_ints(writer_.node("ReduceMean", {x}, made), "axes", axes);
    return made;
  };
  const std::string centred = node("Sub", {in[0], mean_of(in[0], "mean")}, "centred");
  const std::string variance = mean_of(node("Mul", {centred, centred}, "squares"), "variance");
  const std::string raised = node("Add", {variance, writer_.scalar(name("epsilon"), p.epsilon)}, "raised");
  std::string last = node("Div", {centred, node("Sqrt", {raised}, "deviation")}, "normal");
  if (in.size() > 1 && !in[1].empty()) last = node("Mul", {last, in[1]}, "scaled");
  if (in.size() > 2) last = node("Add", {last, in[2]}, "shifted");
  writer_.node("Identity", {last}, out);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::GroupNormParams& p) {
  COCO_ASSIGN(std::vector<std::string> in, operands(op));
  if (value(op.inputs[0]).shape[1] != p.groups) {
    return unsupported(op, "opset 13 has no GroupNormalization; instance normalisation it has");
  }
  in.resize(3);
  const std::vector<float> ones(static_cast<size_t>(p.groups), 1), zeros(static_cast<size_t>(p.groups), 0);
  if (in[1].empty()) in[1] = writer_.floats(unique(result(op) + ".scale"), {p.groups}, ones);
  if (in[2].empty()) in[2] = writer_.floats(unique(result(op) + ".bias"), {p.groups}, zeros);
  set_float(writer_.node("InstanceNormalization", in, result(op)), "epsilon", p.epsilon);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::GatherParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node("Gather", op));
  set_int(node, "axis", p.axis);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::GatherElementsParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node("GatherElements", op));
  set_int(node, "axis", p.axis);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ScatterNdParams& p) {
  if (p.kind != format::ScatterKind::kSet) return unsupported(op, "opset 13 has no reduction in ScatterND");
  COCO_TRY(whole_node("ScatterND", op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::ExpandParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  writer_.node("Expand", {in, writer_.ints(unique(result(op) + ".shape"), p.shape)}, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::TileParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  writer_.node("Tile", {in, writer_.ints(unique(result(op) + ".repeats"), p.repeats)}, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::WhereParams&) {
  COCO_ASSIGN(const std::vector<std::string> in, operands(op));
  writer_.node("Where", in, result(op));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::CastParams& p) {
  COCO_ASSIGN(const std::string in, operand(op, 0));
  set_int(writer_.node("Cast", {in}, result(op)), "to", onnx_type(p.to));
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::NonMaxSuppressionParams&) {
  return unsupported(op, "its result has a fixed size, that of ONNX's operator depends on the data");
}

Status ProgramExporter::write(const Operator& op, const format::GridSampleParams&) {
  return unsupported(op, "GridSample came with opset 16");
}

Status ProgramExporter::write(const Operator& op, const format::LstmParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node("LSTM", op));
  set_int(node, "hidden_size", p.hidden);
  set_text(node, "direction", std::string(to_string(p.direction)));
  set_int(node, "input_forget", p.input_forget ? 1 : 0);
  return {};
}

Status ProgramExporter::write(const Operator& op, const format::GruParams& p) {
  COCO_ASSIGN(onnx::NodeProto * node, whole_node("GRU", op));
  set_int(node, "hidden_size", p.hidden);
  set_text(node, "direction", std::string(to_string(p.direction)));
  set_int(node, "linear_before_reset", p.reset_after ? 1 : 0);
  return {};
}

}  // namespace coco::compiler
