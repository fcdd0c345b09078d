#include <algorithm>
#include <new>
#include <type_traits>

#include "coco_generated.h"
#include "format/container.h"
#include "format/program.h"

namespace coco::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

struct AttrWriter {
  FlatBufferBuilder& out;
  std::vector<Offset<fb::Attr>> attrs;

  template <typename T>
  void operator()(const char* name, const T& field) {
    Offset<flatbuffers::Vector<int64_t>> ints;
    Offset<flatbuffers::Vector<float>> floats;
    Offset<flatbuffers::String> text;
    if constexpr (std::is_enum_v<T>) {
      const std::string_view value = to_string(field);
      text = out.CreateString(value.data(), value.size());
    } else if constexpr (std::is_same_v<T, float>) {
      floats = out.CreateVector(&field, 1);
    } else if constexpr (std::is_same_v<T, std::vector<float>>) {
      floats = out.CreateVector(field.data(), field.size());
    } else if constexpr (std::is_class_v<T>) {
      ints = out.CreateVector(field.data(), field.size());
    } else {
      const int64_t value = field;
      ints = out.CreateVector(&value, 1);
    }
    const auto name_offset = out.CreateString(name);
    attrs.push_back(fb::CreateAttr(out, name_offset, ints, floats, text));
  }
};

Error too_large() {
  return make_error(ErrorCode::kResourceLimit, "the model takes more than " + std::to_string(Limits::kMaxFileBytes) +
                                                   " bytes; a .coco file holds no more");
}

class BodyWriter {
 public:
  explicit BodyWriter(const Program& program) : program_(program) {}

  // The body, held by this object. The size is watched because the builder stops the process at 2 GiB.
  Result<std::span<const uint8_t>> run() {
    std::vector<Offset<fb::Value>> values;
    for (const Value& value : program_.values) {
      values.push_back(write_value(value));
      if (out_.GetSize() > Limits::kMaxFileBytes) return too_large();
    }
    std::vector<Offset<fb::Operator>> operators;
    for (const Operator& op : program_.operators) {
      operators.push_back(write_operator(op));
      if (out_.GetSize() > Limits::kMaxFileBytes) return too_large();
    }
    const auto value_list = out_.CreateVector(values);
    const auto operator_list = out_.CreateVector(operators);
    const auto inputs = out_.CreateVector(program_.inputs);
    const auto outputs = out_.CreateVector(program_.outputs);
    const auto card = write_card(program_.card);
    fb::FinishProgramBuffer(out_, fb::CreateProgram(out_, card, value_list, operator_list, inputs, outputs));
    return std::span<const uint8_t>(out_.GetBufferPointer(), out_.GetSize());
  }

  /// Bytes of the constants region, known after run().
  uint64_t constant_bytes() const { return constant_bytes_; }

 private:
  Offset<flatbuffers::String> text(const std::string& value) { return out_.CreateString(value.data(), value.size()); }

  Offset<fb::Value> write_value(const Value& value) {
    const auto name = text(value.name);
    const auto shape = out_.CreateVector(value.shape.dims());
    fb::Extent extent;
    if (value.is_constant()) {
      constant_bytes_ = align_constant(constant_bytes_);
      extent = fb::Extent(constant_bytes_, value.constant.bytes.size());
      constant_bytes_ += value.constant.bytes.size();
    }
    return fb::CreateValue(out_, name, static_cast<uint8_t>(value.type), shape,
                           value.is_constant() ? &extent : nullptr);
  }

  Offset<fb::Operator> write_operator(const Operator& op) {
    AttrWriter writer{out_, {}};
    std::visit(
        [&](auto params) {
          if constexpr (!std::is_same_v<decltype(params), std::monostate>) params.fields(writer);
        },
        op.params);
    const auto attrs = out_.CreateVector(writer.attrs);
    const auto inputs = out_.CreateVector(op.inputs);
    const auto outputs = out_.CreateVector(op.outputs);
    const auto name = text(op.name);
    const auto kind = text(std::string(to_string(op.kind())));
    return fb::CreateOperator(out_, kind, name, inputs, outputs, attrs);
  }

  Offset<fb::Card> write_card(const ModelCard& card) {
    std::vector<Offset<fb::Figure>> figures;
    for (const auto& [name, value] : card.figures) {
      const auto name_offset = text(name);
      const auto value_offset = text(value);
      figures.push_back(fb::CreateFigure(out_, name_offset, value_offset));
    }
    const auto figure_list = out_.CreateVector(figures);
    const auto name = text(card.name), task = text(card.task), description = text(card.description);
    const auto licence = text(card.licence), data = text(card.training_data), command = text(card.command);
    const auto range = text(card.range);
    return fb::CreateCard(out_, name, task, description, licence, data, command, range, card.scale, figure_list);
  }

  const Program& program_;
  FlatBufferBuilder out_;
  uint64_t constant_bytes_ = 0;
};

Result<std::vector<uint8_t>> assemble(const Program& program) {
  BodyWriter writer(program);
  COCO_ASSIGN(const std::span<const uint8_t> body, writer.run());
  const uint64_t constants_at = align_constant(kHeaderBytes + body.size());
  const uint64_t total = constants_at + writer.constant_bytes();
  if (total > Limits::kMaxFileBytes) return too_large();
  std::vector<uint8_t> file(total);
  std::copy(body.begin(), body.end(), file.begin() + kHeaderBytes);
  uint64_t at = 0;
  for (const Value& value : program.values) {
    if (!value.is_constant()) continue;
    at = align_constant(at);
    const auto bytes = value.constant.bytes;
    std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<ptrdiff_t>(constants_at + at));
    at += bytes.size();
  }
  seal_container(file, body.size());
  return file;
}

}  // namespace

Result<std::vector<uint8_t>> write_program(const Program& program) {
  COCO_TRY(verify(program));
  try {
    return assemble(program);
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResourceLimit, "out of memory while writing the model");
  }
}

}  // namespace coco::format
