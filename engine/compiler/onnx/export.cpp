#include "compiler/onnx/export.h"

#include <exception>
#include <new>
#include <type_traits>

#include "compiler/onnx/program_exporter.h"

namespace coco::compiler {

int onnx_type(DataType type) {
  switch (type) {
    case DataType::kF32:
      return onnx::TensorProto::FLOAT;
    case DataType::kU8:
      return onnx::TensorProto::UINT8;
    case DataType::kS8:
      return onnx::TensorProto::INT8;
    case DataType::kS32:
      return onnx::TensorProto::INT32;
    case DataType::kS64:
      return onnx::TensorProto::INT64;
    case DataType::kBool:
      return onnx::TensorProto::BOOL;
    default:
      return onnx::TensorProto::UNDEFINED;
  }
}

ProgramExporter::ProgramExporter(const format::Program& program)
    : program_(program),
      writer_("cocopipe", program.card.name.empty() ? "model" : program.card.name),
      written_(program.values.size()) {}

std::string ProgramExporter::unique(const std::string& wanted) {
  std::string name = wanted.empty() ? "v" : wanted;
  for (size_t i = 1; !taken_.insert(name).second; ++i) name = wanted + "." + std::to_string(i);
  return name;
}

void ProgramExporter::name_values() {
  names_.resize(program_.values.size());
  // The callers' names first.
  for (const auto* list : {&program_.inputs, &program_.outputs}) {
    for (int32_t number : *list) {
      std::string& name = names_[static_cast<size_t>(number)];
      if (name.empty()) name = unique(value(number).name);
    }
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) names_[i] = unique(program_.values[i].name);
  }
}

Error ProgramExporter::unsupported(const Operator& op, const std::string& what) const {
  return make_error(ErrorCode::kUnsupported, "operator '" + op.name + "' (" + std::string(to_string(op.kind())) +
                                                 ") cannot be written as ONNX: " + what);
}

Status ProgramExporter::declare(onnx::ValueInfoProto* info, int32_t number) {
  const format::Value& v = value(number);
  const std::string& name = names_[static_cast<size_t>(number)];
  if (onnx_type(v.type) == onnx::TensorProto::UNDEFINED) {
    return make_error(ErrorCode::kUnsupported,
                      "'" + name + "' is " + std::string(to_string(v.type)) + "; it cannot be written as ONNX");
  }
  static constexpr const char* kImageDims[] = {"batch", "channels", "height", "width"};
  std::vector<std::string> dims;
  for (size_t i = 0; i < v.shape.rank(); ++i) {
    dims.push_back(name + "_" + (v.shape.rank() == 4 ? kImageDims[i] : std::to_string(i)));
  }
  set_type(info, name, onnx_type(v.type), v.shape.dims(), dims);
  return {};
}

void ProgramExporter::describe(const ModelCard& card) {
  const std::pair<const char*, const std::string*> fields[] = {
      {"name", &card.name},       {"task", &card.task},   {"description", &card.description},
      {"licence", &card.licence}, {"range", &card.range}, {"training_data", &card.training_data},
      {"command", &card.command}};
  for (const auto& [key, text] : fields) {
    if (!text->empty()) writer_.metadata(key, *text);
  }
}

Result<std::string> ProgramExporter::operand(const Operator& op, size_t slot) {
  if (slot >= op.inputs.size() || op.inputs[slot] == format::kNoValue) return std::string();
  const auto number = static_cast<size_t>(op.inputs[slot]);
  const format::Value& v = program_.values[number];
  if (v.is_constant() && !written_[number]) {
    if (onnx_type(v.type) == onnx::TensorProto::UNDEFINED) {
      return unsupported(op, "a constant of type " + std::string(to_string(v.type)));
    }
    writer_.raw(names_[number], onnx_type(v.type), v.shape.dims(), v.constant.bytes);
    written_[number] = true;
  }
  return names_[number];
}

Result<std::vector<std::string>> ProgramExporter::operands(const Operator& op) {
  std::vector<std::string> names;
  for (size_t slot = 0; slot < op.inputs.size(); ++slot) {
    COCO_ASSIGN(std::string name, operand(op, slot));
    names.push_back(std::move(name));
  }
  while (!names.empty() && names.back().empty()) names.pop_back();
  return names;
}

Result<std::string> ProgramExporter::run() {
  name_values();
  for (int32_t number : program_.inputs) COCO_TRY(declare(writer_.graph().add_input(), number));
  for (const Operator& op : program_.operators) {
    COCO_TRY(std::visit(
        [&](const auto& params) -> Status {
          if constexpr (std::is_same_v<std::decay_t<decltype(params)>, std::monostate>) {
            return make_error(ErrorCode::kInvalidData, "operator '" + op.name + "' has no kind");
          } else {
            return write(op, params);
          }
        },
        op.params));
  }
  for (int32_t number : program_.outputs) COCO_TRY(declare(writer_.graph().add_output(), number));
  describe(program_.card);
  return writer_.finish();
}

Result<std::string> export_onnx(const format::Program& program) {
  try {
    return ProgramExporter(program).run();
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResourceLimit, "the ONNX model needs more memory than there is");
  } catch (const std::exception& e) {
    return make_error(ErrorCode::kInternal, std::string("the ONNX model cannot be written: ") + e.what());
  }
}

}  // namespace coco::compiler
