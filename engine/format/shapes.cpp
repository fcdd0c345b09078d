#include <array>

#include "format/program.h"
#include "format/shape_rules.h"

namespace coco::format {
namespace {

template <typename Params>
Result<std::vector<Shape>> apply_rule(const OpParams& params, InputShapes in) {
  auto result = shape_rule(*std::get_if<Params>(&params), in);
  if constexpr (std::is_same_v<decltype(result), Result<Shape>>) {
    if (!result.ok()) return result.take_error();
    return std::vector<Shape>{std::move(result).value()};
  } else {
    return result;
  }
}

using Rule = Result<std::vector<Shape>> (*)(const OpParams&, InputShapes);

// Indexed by OpKind.
constexpr std::array<Rule, kOpKindCount> kRules{
#define COCO_OP(name, params) &apply_rule<params>,
#include "format/ops.def"
#undef COCO_OP
};

Status check_bounds(const char* what, const Shape& shape) {
  if (shape.rank() > Limits::kMaxRank) {
    return shape_error(std::string(what) + " has " + std::to_string(shape.rank()) + " dimensions; at most " +
                       std::to_string(Limits::kMaxRank) + " are supported");
  }
  for (int64_t d : shape.dims()) {
    if (!is_dynamic(d)) COCO_TRY(check_range(what, d, 0, Limits::kMaxDim));
  }
  const std::optional<int64_t> count = shape.element_count();
  if (shape.is_static() && (!count || *count > Limits::kMaxElements)) {
    return make_error(ErrorCode::kResourceLimit, std::string(what) + " " + shape.to_string() + " has more than " +
                                                     std::to_string(Limits::kMaxElements) + " elements");
  }
  return {};
}

Error in_front(std::string prefix, Error error) {
  error.message = std::move(prefix) + error.message;
  return error;
}

// Every rule sees its operator's full arity; optional inputs left off at the end are absent.
Result<std::vector<Shape>> infer_complete(const OpParams& params, InputShapes inputs) {
  const OpArity arity = op_arity(op_kind(params));
  if (inputs.size() < arity.required || inputs.size() > arity.total) {
    return shape_error("takes " + std::to_string(arity.required) + (arity.total == arity.required ? "" : " or more") +
                       " inputs, has " + std::to_string(inputs.size()));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool optional = i >= arity.required && !arity.variadic();
    if (!inputs[i] && !optional) return shape_error("input " + std::to_string(i) + " is absent");
    if (inputs[i]) COCO_TRY(check_bounds("an input", *inputs[i]));
  }
  const auto rule = kRules[static_cast<size_t>(op_kind(params))];
  if (arity.variadic() || inputs.size() == arity.total) return rule(params, inputs);
  std::vector<std::optional<Shape>> complete(inputs.begin(), inputs.end());
  complete.resize(arity.total);
  return rule(params, complete);
}

}  // namespace

bool may_equal(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (size_t i = 0; i < a.rank(); ++i) {
    if (!may_equal(a[i], b[i])) return false;
  }
  return true;
}

Status check_range(const char* what, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return shape_error(std::string(what) + " " + std::to_string(value) + " is not in " + std::to_string(low) + ".." +
                     std::to_string(high));
}

OpArity op_arity(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
      return {2, 4};
    case OpKind::kConvTranspose2d:
      return {2, 3};
    case OpKind::kQuantConv2d:
      return {4, 5};
    case OpKind::kDequantize:
      return {2, 3};
    case OpKind::kPrelu:
    case OpKind::kBinary:
    case OpKind::kLookup:
    case OpKind::kQuantBinary:
    case OpKind::kGather:
    case OpKind::kGatherElements:
    case OpKind::kNonMaxSuppression:
    case OpKind::kGridSample:
      return {2, 2};
    case OpKind::kScatterNd:
    case OpKind::kWhere:
      return {3, 3};
    case OpKind::kMatMul:
      return {2, 3};
    case OpKind::kLayerNorm:
    case OpKind::kGroupNorm:
      return {1, 3};
    case OpKind::kLstm:
      return {3, 8};
    case OpKind::kGru:
      return {3, 6};
    case OpKind::kConcat:
      return {1, Limits::kMaxListLength};
    default:
      return {1, 1};
  }
}

Result<std::vector<Shape>> infer_shapes(const OpParams& params, std::span<const std::optional<Shape>> inputs) {
  if (params.index() == 0) return shape_error("operator without a kind");
  const std::string kind(to_string(op_kind(params)));
  Result<std::vector<Shape>> shapes = infer_complete(params, inputs);
  if (!shapes.ok()) return in_front(kind + ": ", shapes.take_error());
  for (const Shape& shape : *shapes) {
    if (Status bounded = check_bounds("the result", shape); !bounded.ok()) {
      return in_front(kind + ": ", bounded.take_error());
    }
  }
  return shapes;
}

Result<std::vector<Shape>> resolve_shapes(const Program& program, std::span<const Shape> input_shapes) {
  if (input_shapes.size() != program.inputs.size()) {
    return shape_error("the model has " + std::to_string(program.inputs.size()) + " inputs, " +
                       std::to_string(input_shapes.size()) + " shapes were given");
  }
  std::vector<Shape> shapes(program.values.size());
  for (size_t i = 0; i < shapes.size(); ++i) shapes[i] = program.values[i].shape;
  for (size_t i = 0; i < input_shapes.size(); ++i) {
    const auto number = static_cast<size_t>(program.inputs[i]);
    if (!input_shapes[i].is_static() || !may_equal(shapes[number], input_shapes[i])) {
      return shape_error("input '" + program.values[number].name + "' takes " + shapes[number].to_string() + ", not " +
                         input_shapes[i].to_string());
    }
    COCO_TRY(check_bounds("input", input_shapes[i]));
    shapes[number] = input_shapes[i];
  }
  for (const Operator& op : program.operators) {
    std::vector<std::optional<Shape>> in;
    for (int32_t number : op.inputs) {
      in.push_back(number == kNoValue ? std::nullopt : std::optional(shapes[static_cast<size_t>(number)]));
    }
    Result<std::vector<Shape>> out = infer_shapes(op.params, in);
    if (!out.ok()) return in_front("operator '" + op.name + "': ", out.take_error());
    for (size_t i = 0; i < op.outputs.size(); ++i) {
      Shape& shape = shapes[static_cast<size_t>(op.outputs[i])];
      if (!may_equal(shape, (*out)[i])) {
        return shape_error("operator '" + op.name + "': result is declared " + shape.to_string() + ", comes out as " +
                           (*out)[i].to_string());
      }
      shape = std::move((*out)[i]);
    }
  }
  return shapes;
}

}  // namespace coco::format
