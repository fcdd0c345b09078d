#include <type_traits>

#include "format/program.h"
#include "format/shape_rules.h"
#include "format/verify_quant.h"

namespace coco::format {
namespace {

Error bad(std::string message, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kInvalidData, std::move(message), file, line);
}

std::string describe_value(const Program& program, size_t number) {
  return "value " + std::to_string(number) + " '" + program.values[number].name + "'";
}

std::string describe_operator(const Program& program, size_t index) {
  return "operator " + std::to_string(index) + " '" + program.operators[index].name + "'";
}

Status check_name(const std::string& what, const std::string& name) {
  if (name.size() <= Limits::kMaxStringBytes) return {};
  return bad(what + " has a text of " + std::to_string(name.size()) + " bytes");
}

Status check_card(const ModelCard& card) {
  for (const std::string* text :
       {&card.name, &card.task, &card.description, &card.licence, &card.training_data, &card.command, &card.range}) {
    COCO_TRY(check_name("the model card", *text));
  }
  if (card.figures.size() > Limits::kMaxListLength) return bad("the model card has too many figures");
  for (const auto& [name, figure] : card.figures) {
    COCO_TRY(check_name("the model card", name));
    COCO_TRY(check_name("the model card", figure));
  }
  if (card.scale < 1 || card.scale > 16) {
    return bad("the model card's scale " + std::to_string(card.scale) + " is not in 1..16");
  }
  return {};
}

Status check_value(const Value& value, const std::string& where) {
  COCO_TRY(check_name(where, value.name.substr(0, Limits::kMaxStringBytes + 1)));
  if (to_string(value.type).empty()) return bad(where + " has an unknown type");
  const Shape& shape = value.shape;
  if (shape.rank() > Limits::kMaxRank) return bad(where + " has " + std::to_string(shape.rank()) + " dimensions");
  for (int64_t d : shape.dims()) {
    if (!is_dynamic(d) && (d < 0 || d > Limits::kMaxDim)) return bad(where + " has dimension " + std::to_string(d));
  }
  const std::optional<int64_t> count = shape.element_count();
  if (shape.is_static() && (!count || *count > Limits::kMaxElements)) {
    return bad(where + " of shape " + shape.to_string() + " has too many elements");
  }
  if (!value.is_constant()) return {};
  if (!count) return bad(where + " is a constant of unknown shape " + shape.to_string());
  const size_t bytes = static_cast<size_t>(*count) * byte_size(value.type);
  if (bytes == value.constant.bytes.size()) return {};
  return bad(where + " of shape " + shape.to_string() + " needs " + std::to_string(bytes) + " bytes, has " +
             std::to_string(value.constant.bytes.size()));
}

// Lists within bounds and enumerators that exist; ranges of numbers are the shape rules' business.
struct FieldChecker {
  const char* wrong = nullptr;

  template <typename T>
  void operator()(const char* name, const T& field) {
    if constexpr (std::is_enum_v<T>) {
      if (to_string(field).empty()) wrong = name;
    } else if constexpr (std::is_class_v<T>) {
      if (field.size() > Limits::kMaxListLength) wrong = name;
    }
  }
};

Status check_params(const OpParams& params, const std::string& where) {
  if (params.index() == 0) return bad(where + " has no kind");
  FieldChecker checker;
  std::visit(
      [&](auto copy) {
        if constexpr (!std::is_same_v<decltype(copy), std::monostate>) copy.fields(checker);
      },
      params);
  if (checker.wrong == nullptr) return {};
  return bad(where + " has a parameter '" + checker.wrong + "' out of bounds");
}

class Verifier {
 public:
  explicit Verifier(const Program& program) : program_(program), defined_(program.values.size()) {}

  Status run() {
    COCO_TRY(check_card(program_.card));
    COCO_TRY(check_counts());
    for (size_t i = 0; i < program_.values.size(); ++i) {
      COCO_TRY(check_value(program_.values[i], describe_value(program_, i)));
      defined_[i] = program_.values[i].is_constant();
    }
    for (int32_t number : program_.inputs) {
      COCO_TRY(define(number, "the input list"));
    }
    for (size_t i = 0; i < program_.operators.size(); ++i) COCO_TRY(check_operator(i));
    for (size_t i = 0; i < defined_.size(); ++i) {
      if (!defined_[i]) return bad(describe_value(program_, i) + " is never computed");
    }
    return check_outputs();
  }

 private:
  Status check_counts() const {
    if (program_.values.size() > Limits::kMaxValues) return bad("the program has too many values");
    if (program_.operators.size() > Limits::kMaxOperators) return bad("the program has too many operators");
    if (program_.inputs.empty()) return bad("the program has no input");
    if (program_.outputs.empty()) return bad("the program has no output");
    if (program_.inputs.size() > Limits::kMaxListLength) return bad("the program has too many inputs");
    if (program_.outputs.size() > Limits::kMaxListLength) return bad("the program has too many outputs");
    return {};
  }

  Status check_number(int32_t number, const std::string& where) const {
    if (number >= 0 && static_cast<size_t>(number) < program_.values.size()) return {};
    return bad(where + " names value " + std::to_string(number) + "; there are " +
               std::to_string(program_.values.size()));
  }

  Status define(int32_t number, const std::string& where) {
    COCO_TRY(check_number(number, where));
    const auto index = static_cast<size_t>(number);
    if (defined_[index]) return bad(where + " defines " + describe_value(program_, index) + " a second time");
    defined_[index] = true;
    return {};
  }

  Status use(int32_t number, const std::string& where) const {
    COCO_TRY(check_number(number, where));
    const auto index = static_cast<size_t>(number);
    if (!defined_[index]) return bad(where + " uses " + describe_value(program_, index) + " before it is computed");
    return {};
  }

  Status check_operator(size_t i) {
    const Operator& op = program_.operators[i];
    const std::string where = describe_operator(program_, i);
    COCO_TRY(check_name("operator " + std::to_string(i), op.name));
    COCO_TRY(check_params(op.params, where));
    if (op.inputs.size() > Limits::kMaxListLength) return bad(where + " has too many inputs");
    std::vector<std::optional<Shape>> shapes;
    for (int32_t number : op.inputs) {
      if (number == kNoValue) {
        shapes.emplace_back();
        continue;
      }
      COCO_TRY(use(number, where));
      shapes.emplace_back(program_.values[static_cast<size_t>(number)].shape);
    }
    Result<std::vector<Shape>> results = infer_shapes(op.params, shapes);
    if (!results.ok()) return bad(where + ": " + results.error().message);
    if (op.outputs.size() != results->size()) {
      return bad(where + " has " + std::to_string(op.outputs.size()) + " results, makes " +
                 std::to_string(results->size()));
    }
    for (size_t n = 0; n < op.outputs.size(); ++n) COCO_TRY(check_result(op, n, (*results)[n], where));
    return {};
  }

  Status check_result(const Operator& op, size_t result, const Shape& inferred, const std::string& where) {
    const int32_t number = op.outputs[result];
    COCO_TRY(define(number, where));
    const auto index = static_cast<size_t>(number);
    const Value& value = program_.values[index];
    if (!may_equal(value.shape, inferred)) {
      return bad(describe_value(program_, index) + " is declared " + value.shape.to_string() + ", but " + where +
                 " makes " + inferred.to_string());
    }
    return check_types(op, result, where);
  }

  // Executors and kernels read operands as the types the operator's rule says.
  Status check_types(const Operator& op, size_t result, const std::string& where) const {
    std::vector<std::optional<DataType>> types;
    for (int32_t input : op.inputs)
      types.push_back(input == kNoValue ? std::nullopt
                                        : std::optional(program_.values[static_cast<size_t>(input)].type));
    const auto inferred = infer_types(op.params, types);
    if (!inferred.ok()) return bad(where + ": " + inferred.error().message);
    const DataType makes = (*inferred)[result];
    const DataType declared = program_.values[static_cast<size_t>(op.outputs[result])].type;
    if (makes != declared) {
      return bad(where + " makes " + std::string(to_string(makes)) + ", declared is " +
                 std::string(to_string(declared)));
    }
    return op.kind() == OpKind::kQuantConv2d ? check_quant_conv(program_, op, where) : Status();
  }

  Status check_outputs() const {
    std::vector<bool> seen(program_.values.size());
    for (int32_t number : program_.outputs) {
      COCO_TRY(use(number, "the output list"));
      const auto index = static_cast<size_t>(number);
      if (seen[index]) return bad("the output list names " + describe_value(program_, index) + " twice");
      seen[index] = true;
    }
    return {};
  }

  const Program& program_;
  std::vector<bool> defined_;
};

}  // namespace

Status verify(const Program& program) { return Verifier(program).run(); }

}  // namespace coco::format
