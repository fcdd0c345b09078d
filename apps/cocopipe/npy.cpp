#include "apps/cocopipe/npy.h"

#include <array>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/mapped_file.h"

namespace coco::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxHeader = 64 * 1024;
constexpr size_t kMaxRank = 8;
constexpr size_t kMaxFileBytes = size_t{1} << 33;

struct TypeName {
  std::string_view name;
  DataType type;
};
constexpr std::array<TypeName, 8> kTypes = {{{"<f4", DataType::kF32},
                                             {"<f2", DataType::kF16},
                                             {"|u1", DataType::kU8},
                                             {"|i1", DataType::kS8},
                                             {"<i4", DataType::kS32},
                                             {"<i8", DataType::kS64},
                                             {"<u2", DataType::kU16},
                                             {"|b1", DataType::kBool}}};

Error damaged(const std::string& what) {
  return make_error(ErrorCode::kInvalidData, "not a usable .npy file: " + what);
}

/// The header: a Python dictionary literal with three keys.
struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  Result<Header> parse() {
    Header header;
    bool seen[3] = {};
    if (!take('{')) return damaged("the header is no dictionary");
    while (!take('}')) {
      const auto key = take_string();
      if (!key || !take(':')) return damaged("the header's keys cannot be read");
      const int index = *key == "descr" ? 0 : *key == "fortran_order" ? 1 : *key == "shape" ? 2 : -1;
      if (index < 0 || seen[index]) return damaged("unknown or repeated header key '" + *key + "'");
      seen[index] = true;
      if (!take_value(index, header)) return damaged("the value of '" + *key + "' cannot be read");
      if (!take(',') && peek() != '}') return damaged("the header's keys are not separated by commas");
    }
    if (!seen[0] || !seen[1] || !seen[2]) return damaged("descr, fortran_order or shape is missing");
    return header;
  }

 private:
  bool take_value(int index, Header& header) {
    if (index == 0) {
      const auto value = take_string();
      if (value) header.descr = *value;
      return value.has_value();
    }
    if (index == 1) {
      header.fortran_order = take_word("True");
      return header.fortran_order || take_word("False");
    }
    return take_shape(header.shape);
  }

  char peek() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
    return position_ < text_.size() ? text_[position_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++position_;
    return true;
  }
  bool take_word(std::string_view word) {
    peek();
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }
  std::optional<std::string> take_string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos || end - position_ > 64) return std::nullopt;
    std::string value(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return value;
  }
  bool take_shape(std::vector<int64_t>& shape) {
    if (!take('(')) return false;
    while (!take(')')) {
      int64_t dim = 0;
      int digits = 0;
      for (char c = peek(); c >= '0' && c <= '9' && digits < 13;
           c = position_ < text_.size() ? text_[position_] : '\0') {
        dim = dim * 10 + (c - '0');
        ++digits;
        ++position_;
      }
      if (digits == 0 || shape.size() == kMaxRank) return false;
      shape.push_back(dim);
      if (!take(',') && peek() != ')') return false;
    }
    return true;
  }

  std::string_view text_;
  size_t position_ = 0;
};

std::optional<DataType> type_of(const std::string& descr) {
  // A one-byte type has no byte order; '=' is the writer's own, little-endian on everything cocopipe runs on.
  if (descr.size() != 3) return std::nullopt;
  for (const TypeName& entry : kTypes) {
    const bool one_byte = entry.name[0] == '|';
    const bool order_fits = one_byte ? descr[0] != '\0' : descr[0] == '<' || descr[0] == '=';
    if (order_fits && descr.substr(1) == entry.name.substr(1)) return entry.type;
  }
  return std::nullopt;
}

std::vector<uint8_t> narrowed(std::span<const uint8_t> doubles, size_t count) {
  std::vector<uint8_t> bytes(count * sizeof(float));
  for (size_t i = 0; i < count; ++i) {
    double value = 0;
    std::memcpy(&value, doubles.data() + i * sizeof value, sizeof value);
    const auto single = static_cast<float>(value);
    std::memcpy(bytes.data() + i * sizeof single, &single, sizeof single);
  }
  return bytes;
}

}  // namespace

Result<NpyArray> parse_npy(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10 || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return damaged("it does not start with the NumPy magic");
  }
  const int major = bytes[6];
  if (major < 1 || major > 3) return damaged("version " + std::to_string(major) + " is unknown");
  const size_t prefix = major == 1 ? 10 : 12;
  if (bytes.size() < prefix) return damaged("it ends inside the header");
  size_t length = bytes[8] | static_cast<size_t>(bytes[9]) << 8;
  if (major > 1) length |= static_cast<size_t>(bytes[10]) << 16 | static_cast<size_t>(bytes[11]) << 24;
  if (length > kMaxHeader || bytes.size() - prefix < length) return damaged("it ends inside the header");
  COCO_ASSIGN(const Header header,
              HeaderParser({reinterpret_cast<const char*>(bytes.data()) + prefix, length}).parse());
  if (header.fortran_order) return damaged("Fortran order; save numpy.ascontiguousarray(x)");
  const bool is_double = header.descr == "<f8" || header.descr == "=f8";
  const auto type = is_double ? std::optional(DataType::kF32) : type_of(header.descr);
  if (!type) return damaged("type '" + header.descr + "' is not taken; save float32, uint8 or an integer type");
  NpyArray array{*type, Shape(header.shape), {}};
  const auto count = array.shape.element_count();
  const std::span<const uint8_t> data = bytes.subspan(prefix + length);
  const size_t element = is_double ? sizeof(double) : byte_size(*type);
  const bool fits = count && static_cast<uint64_t>(*count) <= data.size() / element &&
                    static_cast<size_t>(*count) * element == data.size();
  if (!fits) {
    return damaged("shape " + array.shape.to_string() + " of " + header.descr + " does not match its " +
                   std::to_string(data.size()) + " bytes of data");
  }
  array.bytes =
      is_double ? narrowed(data, static_cast<size_t>(*count)) : std::vector<uint8_t>(data.begin(), data.end());
  return array;
}

Result<std::vector<uint8_t>> format_npy(const NpyArray& array) {
  std::string header = "{'descr': '";
  for (const TypeName& entry : kTypes) {
    if (entry.type == array.type) header += entry.name;
  }
  header += "', 'fortran_order': False, 'shape': (";
  for (size_t i = 0; i < array.shape.rank(); ++i) {
    header += std::to_string(array.shape[i]);
    header += i + 1 < array.shape.rank() ? ", " : array.shape.rank() == 1 ? "," : "";
  }
  header += "), }";
  // Magic, version, length and header together are padded to a multiple of 64.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  if (header.size() > 0xffff) return make_error(ErrorCode::kInvalidArgument, "shape too long for a .npy file");
  std::vector<uint8_t> bytes(kMagic.begin(), kMagic.end());
  bytes.insert(bytes.end(),
               {1, 0, static_cast<uint8_t>(header.size() & 0xff), static_cast<uint8_t>(header.size() >> 8)});
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return bytes;
}

Result<NpyArray> read_npy(const std::string& path) {
  COCO_ASSIGN(const auto file, MappedFile::open(path, kMaxFileBytes));
  Result<NpyArray> array = parse_npy(file->bytes());
  if (array.ok()) return array;
  Error error = array.take_error();
  error.message = "'" + path + "': " + error.message;
  return error;
}

Status write_npy(const std::string& path, const NpyArray& array) {
  COCO_ASSIGN(const std::vector<uint8_t> bytes, format_npy(array));
  return write_file_atomically(path, bytes);
}

}  // namespace coco::cli
