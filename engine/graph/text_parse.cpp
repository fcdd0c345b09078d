#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <type_traits>
#include <unordered_map>

#include "graph/text.h"

namespace coco::graph {
namespace {

/// Reads the text form by recursive descent. The first error wins; afterwards every step is a no-op.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Graph> run() {
    expect_word("graph");
    expect('{');
    while (ok() && !accept('}')) statement();
    skip_space();
    if (ok() && pos_ != text_.size()) fail("expected the end of the text");
    if (!ok()) return make_error(ErrorCode::kInvalidData, message_);
    return std::move(graph_);
  }

 private:
  bool ok() const { return message_.empty(); }

  void fail(const std::string& what) { fail_at(pos_, what); }
  void fail_at(size_t pos, const std::string& what) {
    if (!ok()) return;
    size_t line = 1, column = 1;
    for (size_t i = 0; i < pos && i < text_.size(); ++i) {
      column = text_[i] == '\n' ? 1 : column + 1;
      line += text_[i] == '\n';
    }
    message_ = "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what;
  }

  void skip_space() {
    while (pos_ < text_.size()) {
      if (text_[pos_] == '#') {
        while (pos_ < text_.size() && text_[pos_] != '\n') ++pos_;
      } else if (std::strchr(" \t\r\n", text_[pos_]) != nullptr && text_[pos_] != '\0') {
        ++pos_;
      } else {
        return;
      }
    }
  }

  char peek() {
    skip_space();
    return pos_ < text_.size() ? text_[pos_] : '\0';
  }
  bool accept(char c) {
    if (!ok() || peek() != c) return false;
    ++pos_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }

  static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  static bool is_name(char c) { return is_word(c) || c == '.' || c == '/' || c == ':' || c == '-'; }

  std::string_view word() {
    skip_space();
    const size_t begin = pos_;
    while (pos_ < text_.size() && is_word(text_[pos_])) ++pos_;
    if (begin == pos_) fail("expected a word");
    return text_.substr(begin, pos_ - begin);
  }
  void expect_word(std::string_view expected) {
    skip_space();
    const size_t begin = pos_;
    if (word() != expected) fail_at(begin, "expected '" + std::string(expected) + "'");
  }

  std::string string() {
    expect('"');
    std::string out;
    while (ok() && pos_ < text_.size() && text_[pos_] != '"') {
      char c = text_[pos_++];
      if (c == '\\' && pos_ < text_.size()) {
        c = text_[pos_++];
        if (c == 'n') c = '\n';
      }
      out += c;
    }
    if (pos_ >= text_.size()) fail("the string has no closing quote");
    ++pos_;
    return out;
  }

  /// %name or %"any name"
  std::string value_name() {
    expect('%');
    if (!ok()) return {};
    if (pos_ < text_.size() && text_[pos_] == '"') return string();
    const size_t begin = pos_;
    while (pos_ < text_.size() && is_name(text_[pos_])) ++pos_;
    // A colon that ends a name separates it from its type.
    while (pos_ > begin && text_[pos_ - 1] == ':') --pos_;
    if (begin == pos_) fail("expected a value name");
    return std::string(text_.substr(begin, pos_ - begin));
  }

  Value* value_reference() {
    skip_space();
    const size_t begin = pos_;
    const std::string name = value_name();
    auto it = by_name_.find(name);
    if (it != by_name_.end()) return it->second;
    fail_at(begin, "no value '" + name + "' has been defined before this point");
    return nullptr;
  }

  template <typename T>
  void parse_number(T& out) {
    skip_space();
    const char* begin = text_.data() + pos_;
    const char* end = text_.data() + text_.size();
    auto result = std::from_chars(begin, end, out);
    if (result.ec != std::errc()) return fail("expected a number that fits");
    pos_ += static_cast<size_t>(result.ptr - begin);
  }

  template <typename T>
  void parse_field(T& out) {
    if constexpr (std::is_same_v<T, bool>) {
      skip_space();
      const size_t begin = pos_;
      const std::string_view text = word();
      if (text != "true" && text != "false") fail_at(begin, "expected true or false");
      out = text == "true";
    } else if constexpr (std::is_enum_v<T>) {
      skip_space();
      const size_t begin = pos_;
      const std::string_view text = word();
      if (!format::from_string(text, out)) fail_at(begin, "unknown enumerator '" + std::string(text) + "'");
    } else if constexpr (std::is_arithmetic_v<T>) {
      parse_number(out);
    } else {
      parse_list(out);
    }
  }

  template <typename T>
  void parse_list(std::vector<T>& out) {
    out.clear();
    expect('[');
    while (ok() && !accept(']')) {
      if (!out.empty()) expect(',');
      T element{};
      parse_number(element);
      out.push_back(element);
    }
  }
  template <typename T, size_t N>
  void parse_list(std::array<T, N>& out) {
    skip_space();
    const size_t begin = pos_;
    std::vector<T> elements;
    parse_list(elements);
    if (ok() && elements.size() != N) return fail_at(begin, "expected " + std::to_string(N) + " numbers");
    for (size_t i = 0; ok() && i < N; ++i) out[i] = elements[i];
  }

  std::pair<DataType, Shape> type() {
    skip_space();
    const size_t begin = pos_;
    const std::string_view name = word();
    const auto type = data_type_from_string(name);
    if (!type) fail_at(begin, "unknown type '" + std::string(name) + "'");
    std::vector<int64_t> dims;
    expect('[');
    while (ok() && !accept(']')) {
      if (!dims.empty()) expect(',');
      dims.push_back(kDynamicDim);
      if (accept('?')) continue;
      const size_t at = pos_;
      parse_number(dims.back());
      if (ok() && dims.back() < 0) fail_at(at, "a dimension is a number from 0 on, or ?");
    }
    return {type.value_or(DataType::kF32), Shape(std::move(dims))};
  }

  template <typename T>
  std::vector<uint8_t> data(const Shape& shape) {
    skip_space();
    const size_t begin = pos_;
    const auto count = shape.element_count();
    if (!count || *count > (int64_t{1} << 26)) fail_at(begin, "a constant needs a static shape of moderate size");
    if (!ok()) return {};
    std::vector<T> elements;
    if (peek() == '[') {
      parse_list(elements);
    } else {
      expect_word("fill");
      T element{};
      parse_number(element);
      elements.assign(static_cast<size_t>(*count), element);
    }
    if (static_cast<int64_t>(elements.size()) != *count) {
      fail_at(begin, "expected " + std::to_string(*count) + " elements, found " + std::to_string(elements.size()));
    }
    std::vector<uint8_t> bytes(elements.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), elements.data(), bytes.size());
    return bytes;
  }

  std::vector<uint8_t> constant_data(DataType type, const Shape& shape) {
    switch (type) {
      case DataType::kF32:
        return data<float>(shape);
      case DataType::kS64:
        return data<int64_t>(shape);
      case DataType::kS32:
        return data<int32_t>(shape);
      case DataType::kF16:
      case DataType::kU16:
        return data<uint16_t>(shape);
      case DataType::kS8:
        return data<int8_t>(shape);
      case DataType::kU8:
      case DataType::kBool:
        return data<uint8_t>(shape);
    }
    return {};
  }

  void define(size_t at, const std::string& name, Value* value) {
    if (value->name() != name || !by_name_.emplace(name, value).second) fail_at(at, "'" + name + "' is defined twice");
  }

  void statement() {
    if (peek() == '%') return node();
    const size_t begin = pos_;
    const std::string_view keyword = word();
    skip_space();
    const size_t at = pos_;
    if (keyword == "input" || keyword == "const") {
      const std::string name = value_name();
      expect(':');
      auto [data_type, shape] = type();
      if (!ok()) return;
      if (keyword == "input") return define(at, name, graph_.add_input(name, data_type, shape));
      expect('=');
      const std::vector<uint8_t> bytes = constant_data(data_type, shape);
      if (ok()) define(at, name, graph_.add_constant(name, data_type, shape, format::ConstantData::copy_of(bytes)));
    } else if (keyword == "output") {
      Value* value = value_reference();
      if (!ok()) return;
      graph_.add_output(peek() == '"' ? string() : value->name(), value);
    } else if (ok()) {
      fail_at(begin, "expected input, const, output or a node, found '" + std::string(keyword) + "'");
    }
  }

  void params(format::OpParams& params) {
    if (!accept('{')) return;
    bool first = true;
    while (ok() && !accept('}')) {
      if (!first) expect(',');
      first = false;
      skip_space();
      const size_t begin = pos_;
      const std::string_view field = word();
      expect('=');
      bool known = false;
      std::visit(
          [&](auto& p) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(p)>, std::monostate>) {
              p.fields([&](std::string_view name, auto& member) {
                if (name != field || known) return;
                known = true;
                parse_field(member);
              });
            }
          },
          params);
      if (!known) fail_at(begin, "unknown parameter '" + std::string(field) + "'");
    }
  }

  void node() {
    std::vector<Declaration> results;
    do {
      skip_space();
      Declaration result{pos_, value_name(), {}};
      if (accept(':')) result.type = type();
      results.push_back(std::move(result));
    } while (ok() && accept(','));
    expect('=');
    skip_space();
    const size_t op_at = pos_;
    const std::string_view op = word();
    const auto kind = format::op_kind_from_string(op);
    if (ok() && !kind) fail_at(op_at, "unknown operator '" + std::string(op) + "'");
    std::vector<Value*> inputs;
    expect('(');
    bool first = true;
    while (ok() && !accept(')')) {
      if (!first) expect(',');
      first = false;
      inputs.push_back(accept('_') ? nullptr : value_reference());
    }
    if (!ok()) return;
    format::OpParams op_params = format::make_params(*kind);
    params(op_params);
    const std::string name = peek() == '"' ? string() : results[0].name;
    if (!ok()) return;
    auto made = graph_.append(std::move(op_params), std::move(inputs), name, results[0].name);
    if (!made.ok()) return fail_at(op_at, made.error().message);
    if ((*made)->outputs().size() != results.size()) {
      return fail_at(op_at, std::string(op) + " has " + std::to_string((*made)->outputs().size()) + " results");
    }
    for (size_t i = 0; i < results.size(); ++i) declare(results[i], (*made)->outputs()[i]);
  }

  /// The name and type that stand before a node's '='.
  struct Declaration {
    size_t at;
    std::string name;
    std::optional<std::pair<DataType, Shape>> type;
  };

  void declare(const Declaration& result, Value* value) {
    graph_.rename(value, result.name);
    define(result.at, result.name, value);
    if (result.type && (result.type->first != value->type() || result.type->second != value->shape())) {
      fail_at(result.at, "'" + result.name + "' is declared as " + result.type->second.to_string() + " but is " +
                             value->shape().to_string());
    }
  }

  std::string_view text_;
  size_t pos_ = 0;
  std::string message_;
  Graph graph_;
  std::unordered_map<std::string, Value*> by_name_;
};

}  // namespace

Result<Graph> parse(std::string_view text) { return Parser(text).run(); }

}  // namespace coco::graph
