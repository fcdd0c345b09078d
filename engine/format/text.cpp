#include <charconv>
#include <type_traits>

#include "format/program.h"

namespace coco::format {
namespace {

std::string number_text(float value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end.ptr);
}
std::string number_text(int64_t value) { return std::to_string(value); }

template <typename T>
std::string field_text(const T& field) {
  if constexpr (std::is_same_v<T, bool>) {
    return field ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(to_string(field));
  } else if constexpr (std::is_class_v<T>) {
    std::string text = "[";
    for (size_t i = 0; i < field.size(); ++i) text += (i > 0 ? ", " : "") + number_text(field[i]);
    return text + "]";
  } else {
    return number_text(field);
  }
}

struct FieldLister {
  std::vector<std::pair<std::string, std::string>> fields;

  template <typename T>
  void operator()(const char* name, const T& field) {
    fields.emplace_back(name, field_text(field));
  }
};

FieldLister list_fields(OpParams params) {
  FieldLister lister;
  std::visit(
      [&](auto& p) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) p.fields(lister);
      },
      params);
  return lister;
}

class Listing {
 public:
  Listing(const Program& program, std::span<const Shape> shapes) : program_(program), shapes_(shapes) {
    if (shapes_.size() != program_.values.size()) shapes_ = {};
  }

  std::string run() {
    header();
    for (int32_t number : program_.inputs) line("input  " + value_text(number));
    for (size_t i = 0; i < program_.values.size(); ++i) {
      if (!program_.values[i].is_constant()) continue;
      const auto number = static_cast<int32_t>(i);
      line("const  " + value_text(number) + "  " + std::to_string(bytes_of(number)) + " bytes");
    }
    for (const Operator& op : program_.operators) line(operator_text(op));
    for (int32_t number : program_.outputs) line("output " + value_text(number));
    return std::move(text_);
  }

 private:
  void line(const std::string& text) { text_ += text + "\n"; }

  void header() {
    const ModelCard& card = program_.card;
    std::string first = "program '" + printable(card.name) + "'";
    if (!card.task.empty()) first += " " + printable(card.task);
    line(first + " x" + std::to_string(card.scale));
    if (!shapes_.empty()) line("macs   " + std::to_string(count_macs(program_, shapes_)));
  }

  const Shape& shape_of(int32_t number) const {
    const auto index = static_cast<size_t>(number);
    return shapes_.empty() ? program_.values[index].shape : shapes_[index];
  }

  int64_t bytes_of(int32_t number) const {
    const auto size = static_cast<int64_t>(byte_size(program_.values[static_cast<size_t>(number)].type));
    const std::optional<int64_t> count = shape_of(number).element_count();
    return count && *count <= Limits::kMaxElements ? *count * size : 0;
  }

  std::string value_text(int32_t number) const {
    const Value& value = program_.values[static_cast<size_t>(number)];
    return "%" + std::to_string(number) + " '" + printable(value.name) + "' " + std::string(to_string(value.type)) +
           " " + shape_of(number).to_string();
  }

  std::string operator_text(const Operator& op) const {
    std::string text;
    for (int32_t number : op.outputs) text += (text.empty() ? "" : ", ") + value_text(number);
    text += " = " + std::string(to_string(op.kind())) + "(";
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      text += i > 0 ? ", " : "";
      text += op.inputs[i] == kNoValue ? "-" : "%" + std::to_string(op.inputs[i]);
    }
    text += ")";
    if (const std::string params = to_text(op.params); !params.empty()) text += " " + params;
    text += "  # " + printable(op.name);
    if (shapes_.empty()) return text;
    int64_t bytes = 0;
    for (int32_t number : op.outputs) bytes += bytes_of(number);
    return text + ", " + std::to_string(count_macs(op, shapes_)) + " macs, " + std::to_string(bytes) + " bytes";
  }

  const Program& program_;
  std::span<const Shape> shapes_;
  std::string text_;
};

}  // namespace

std::string printable(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      out += c;
    } else {
      out += std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15];
    }
  }
  return out;
}

std::string to_text(const OpParams& params) {
  if (params.index() == 0) return {};
  const FieldLister given = list_fields(params);
  const FieldLister defaults = list_fields(make_params(op_kind(params)));
  std::string text;
  for (size_t i = 0; i < given.fields.size(); ++i) {
    if (given.fields[i].second == defaults.fields[i].second) continue;
    text += (text.empty() ? "" : " ") + given.fields[i].first + "=" + given.fields[i].second;
  }
  return text;
}

std::string to_text(const Program& program, std::span<const Shape> shapes) { return Listing(program, shapes).run(); }

}  // namespace coco::format
