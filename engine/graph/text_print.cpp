#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <type_traits>

#include "graph/text.h"

namespace coco::graph {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string reference(const Value* value) {
  if (value == nullptr) return "_";
  auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || std::strchr("_./:-", c) != nullptr; };
  const std::string& name = value->name();
  const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return c != '\0' && plain(static_cast<unsigned char>(c));
  });
  return "%" + (is_plain ? name : quoted(name));
}

template <typename T>
std::string number(T value) {
  char buffer[48];
  auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, result.ptr);
}

std::string type_text(const Value& value) { return std::string(to_string(value.type())) + value.shape().to_string(); }

template <typename T>
std::string data_text(std::span<const uint8_t> bytes, size_t max_elements) {
  const size_t count = bytes.size() / sizeof(T);
  auto element = [&](size_t i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    return value;
  };
  bool equal = count > 1;
  for (size_t i = 1; i < count && equal; ++i) {
    equal = std::memcmp(bytes.data(), bytes.data() + i * sizeof(T), sizeof(T)) == 0;
  }
  if (equal) return "fill " + number(element(0));
  if (count > max_elements) return "...";
  std::string out = "[";
  for (size_t i = 0; i < count; ++i) out += (i != 0 ? ", " : "") + number(element(i));
  return out + "]";
}

std::string constant_text(const Value& value, size_t max_elements) {
  std::span<const uint8_t> bytes = value.constant().bytes;
  switch (value.type()) {
    case DataType::kF32:
      return data_text<float>(bytes, max_elements);
    case DataType::kS64:
      return data_text<int64_t>(bytes, max_elements);
    case DataType::kS32:
      return data_text<int32_t>(bytes, max_elements);
    case DataType::kF16:
    case DataType::kU16:
      return data_text<uint16_t>(bytes, max_elements);
    case DataType::kS8:
      return data_text<int8_t>(bytes, max_elements);
    case DataType::kU8:
    case DataType::kBool:
      return data_text<uint8_t>(bytes, max_elements);
  }
  return "...";
}

template <typename T>
std::string field_text(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::string(format::to_string(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number(value);
  } else {
    std::string out = "[";
    for (size_t i = 0; i < value.size(); ++i) out += (i != 0 ? ", " : "") + number(value[i]);
    return out + "]";
  }
}

std::string params_text(const format::OpParams& params) {
  std::string out;
  std::visit(
      [&](auto copy) {
        using P = decltype(copy);
        if constexpr (!std::is_same_v<P, std::monostate>) {
          std::vector<std::string> defaults;
          P initial;
          initial.fields([&](std::string_view, auto& member) { defaults.push_back(field_text(member)); });
          size_t i = 0;
          copy.fields([&](std::string_view name, auto& member) {
            const std::string text = field_text(member);
            if (text != defaults[i++]) out += (out.empty() ? "" : ", ") + std::string(name) + " = " + text;
          });
        }
      },
      params);
  return out.empty() ? "" : " {" + out + "}";
}

}  // namespace

std::string print(const Graph& graph, size_t max_elements) {
  std::string out = "graph {\n";
  for (const Value* input : graph.inputs()) out += "  input " + reference(input) + ": " + type_text(*input) + "\n";
  for (const Value& value : graph.values()) {
    if (!value.is_constant()) continue;
    out += "  const " + reference(&value) + ": " + type_text(value) + " = " + constant_text(value, max_elements) + "\n";
  }
  for (const Node& node : graph.nodes()) {
    out += "  ";
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Value* result = node.outputs()[i];
      out += (i != 0 ? ", " : "") + reference(result) + ": " + type_text(*result);
    }
    out += " = " + std::string(format::to_string(node.kind())) + "(";
    for (size_t i = 0; i < node.inputs().size(); ++i) out += (i != 0 ? ", " : "") + reference(node.inputs()[i]);
    out += ")" + params_text(node.params());
    if (node.name() != node.output()->name()) out += " " + quoted(node.name());
    out += "\n";
  }
  for (const Output& output : graph.outputs()) {
    out += "  output " + reference(output.value);
    if (output.name != output.value->name()) out += " " + quoted(output.name);
    out += "\n";
  }
  return out + "}\n";
}

}  // namespace coco::graph
