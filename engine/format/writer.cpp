#include <algorithm>
#include <bit>
#include <new>
#include <type_traits>

#include "coco_generated.h"
#include "format/container.h"
#include "format/packing.h"
#include "format/program.h"

namespace coco::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

/// Where the fields of an operator's parameters are, in their order.
struct FieldAddresses {
  std::vector<const void*> fields;
  template <typename T>
  void operator()(const char*, const T& field) {
    fields.push_back(&field);
  }
};

template <typename T>
bool same(const T& a, const T& b) {
  return a == b;
}
bool same(float a, float b) { return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b); }
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) { return same(x, y); });
}

/// Writes the parameters that are not what params.h makes them by default; the reader leaves the others so.
struct AttrWriter {
  FlatBufferBuilder& out;
  std::vector<const void*> defaults;  ///< of the same type of parameters
  std::vector<Offset<fb::Attr>> attrs;
  size_t field_count = 0;

  template <typename T>
  void operator()(const char* name, const T& field) {
    if (same(*static_cast<const T*>(defaults[field_count++]), field)) return;
    Offset<flatbuffers::Vector<int64_t>> ints;
    Offset<flatbuffers::Vector<float>> floats;
    Offset<flatbuffers::String> text;
    if constexpr (std::is_enum_v<T>) {
      const std::string_view value = to_string(field);
      text = out.CreateSharedString(value.data(), value.size());
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
    const auto name_offset = out.CreateSharedString(name);
    attrs.push_back(fb::CreateAttr(out, name_offset, ints, floats, text));
  }
};

Error too_large() {
  return make_error(ErrorCode::kResourceLimit, "the model takes more than " + std::to_string(Limits::kMaxFileBytes) +
                                                   " bytes; a .coco file holds no more");
}

/// A constant as it goes into the constants region.
struct StoredConstant {
  uint64_t offset;
  std::span<const uint8_t> bytes;
  std::vector<uint8_t> packed;  ///< what bytes points to, when it is packed
};

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

  /// Bytes of the constants region and what lies there, known after run().
  uint64_t constant_bytes() const { return constant_bytes_; }
  const std::vector<StoredConstant>& constants() const { return constants_; }

 private:
  Offset<flatbuffers::String> text(const std::string& value) { return out_.CreateString(value.data(), value.size()); }

  Offset<fb::Value> write_value(const Value& value) {
    const auto name = text(value.name);
    const auto shape = out_.CreateVector(value.shape.dims());
    fb::Extent extent;
    Packing packing = Packing::kNone;
    if (value.is_constant()) {
      StoredConstant stored{constant_bytes_ = align_constant(constant_bytes_), value.constant.bytes, {}};
      stored.packed = pack_constant(value.type, value.shape, value.constant.bytes);
      if (!stored.packed.empty()) {
        packing = Packing::kBlocks;
        stored.bytes = stored.packed;
      }
      extent = fb::Extent(stored.offset, stored.bytes.size());
      constant_bytes_ += stored.bytes.size();
      constants_.push_back(std::move(stored));
    }
    return fb::CreateValue(out_, name, static_cast<uint8_t>(value.type), shape, value.is_constant() ? &extent : nullptr,
                           static_cast<uint8_t>(packing));
  }

  Offset<fb::Operator> write_operator(const Operator& op) {
    std::vector<Offset<fb::Attr>> own;
    std::visit(
        [&](auto params) {
          if constexpr (!std::is_same_v<decltype(params), std::monostate>) {
            decltype(params) by_default;
            FieldAddresses addresses;
            by_default.fields(addresses);
            AttrWriter writer{out_, std::move(addresses.fields), {}};
            params.fields(writer);
            own = std::move(writer.attrs);
          }
        },
        op.params);
    const auto attrs = out_.CreateVector(own);
    const auto inputs = out_.CreateVector(op.inputs);
    const auto outputs = out_.CreateVector(op.outputs);
    const auto name = text(op.name);
    const std::string_view kind_name = to_string(op.kind());
    const auto kind = out_.CreateSharedString(kind_name.data(), kind_name.size());
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
  std::vector<StoredConstant> constants_;
};

Result<std::vector<uint8_t>> assemble(const Program& program) {
  BodyWriter writer(program);
  COCO_ASSIGN(const std::span<const uint8_t> body, writer.run());
  const uint64_t constants_at = align_constant(kHeaderBytes + body.size());
  const uint64_t total = constants_at + writer.constant_bytes();
  if (total > Limits::kMaxFileBytes) return too_large();
  std::vector<uint8_t> file(total);
  std::copy(body.begin(), body.end(), file.begin() + kHeaderBytes);
  for (const StoredConstant& constant : writer.constants()) {
    std::copy(constant.bytes.begin(), constant.bytes.end(),
              file.begin() + static_cast<ptrdiff_t>(constants_at + constant.offset));
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
