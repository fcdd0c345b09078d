// Nothing here trusts the file: every length is held against Limits before it is used, and the decoded program's
// texts and lists together may take no more bytes than the body has, so that tables sharing one big list cannot ask
// for more memory than the file justifies.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <type_traits>

#include "coco/buffer.h"
#include "coco_generated.h"
#include "format/container.h"
#include "format/packing.h"
#include "format/program.h"

namespace coco::format {
namespace {

constexpr int kMaxDepth = 8;
constexpr int kMaxTables = 1 << 20;
constexpr size_t kMaxAttributes = 64;
constexpr size_t kTableBytes = 8;  // the least a table takes in a file: its place in a vector and its own head

Error damaged(const std::string& message, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return make_error(ErrorCode::kInvalidData, "damaged .coco model: " + message + "; copy or compile it anew", file,
                    line);
}

template <typename Vector>
size_t length(const Vector* list) {
  return list == nullptr ? 0 : list->size();
}

// The verifier does not hold lists of 8-byte numbers to their alignment, so Vector::Get may not be used on them.
template <typename T>
T number_at(const flatbuffers::Vector<T>* list, size_t index) {
  T value;
  std::memcpy(&value, list->Data() + index * sizeof(T), sizeof(T));
  return flatbuffers::EndianScalar(value);
}

std::string_view view(const flatbuffers::String* text) {
  return text == nullptr ? std::string_view() : std::string_view(text->c_str(), text->size());
}

// Copies texts and lists, and counts what they take against what the file justifies.
class Budget {
 public:
  explicit Budget(size_t bytes) : left_(bytes) {}

  Status charge(size_t bytes) {
    if (bytes > left_) return damaged("its parts overlap");
    left_ -= bytes;
    return {};
  }

  Result<std::string> text(const flatbuffers::String* text, const char* what) {
    const std::string_view value = view(text);
    if (value.size() > Limits::kMaxStringBytes) return damaged(std::string(what) + " is too long a text");
    COCO_TRY(charge(value.size()));
    return std::string(value);
  }

  template <typename T>
  Result<std::vector<T>> list(const flatbuffers::Vector<T>* list, size_t most, const char* what) {
    if (list == nullptr) return std::vector<T>();
    if (list->size() > most) return damaged(std::string(what) + " has " + std::to_string(list->size()) + " entries");
    COCO_TRY(charge(list->size() * sizeof(T)));
    std::vector<T> values(list->size());
    for (size_t i = 0; i < values.size(); ++i) values[i] = number_at(list, i);
    return values;
  }

 private:
  size_t left_;
};

using AttrList = flatbuffers::Vector<flatbuffers::Offset<fb::Attr>>;

// Visits the fields of a parameter struct and fills those the file gives; the rest keep their defaults.
class AttrReader {
 public:
  AttrReader(const AttrList* attrs, Budget& budget) : attrs_(attrs), used_(length(attrs)), budget_(budget) {}

  template <typename T>
  void operator()(const char* name, T& field) {
    if (!status_.ok()) return;
    const fb::Attr* attr = take(name);
    if (attr != nullptr && status_.ok()) status_ = read(name, *attr, field);
  }

  // The first error, or one for an attribute no field asked for.
  Status finish() {
    if (!status_.ok()) return status_;
    for (size_t i = 0; i < used_.size(); ++i) {
      if (used_[i]) continue;
      return make_error(ErrorCode::kUnsupported,
                        "attribute '" + std::string(name_of(i)) + "' is unknown to this build; use a newer cocopipe");
    }
    return {};
  }

 private:
  std::string_view name_of(size_t i) const {
    return view(attrs_->Get(static_cast<flatbuffers::uoffset_t>(i))->name()).substr(0, 64);
  }

  const fb::Attr* take(std::string_view name) {
    const fb::Attr* found = nullptr;
    for (size_t i = 0; i < used_.size(); ++i) {
      if (name_of(i) != name) continue;
      if (found != nullptr) status_ = damaged("attribute '" + std::string(name) + "' is given twice");
      used_[i] = true;
      found = attrs_->Get(static_cast<flatbuffers::uoffset_t>(i));
    }
    return found;
  }

  template <typename T>
  Status read(const char* name, const fb::Attr& attr, T& field) {
    if constexpr (std::is_enum_v<T>) {
      const std::string_view text = view(attr.text()).substr(0, 64);
      if (from_string(text, field)) return {};
      return make_error(ErrorCode::kUnsupported, "attribute '" + std::string(name) + "' has the value '" +
                                                     std::string(text) + "', unknown to this build");
    } else if constexpr (std::is_same_v<T, std::vector<float>>) {
      COCO_ASSIGN(field, budget_.list(attr.floats(), Limits::kMaxListLength, name));
    } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
      COCO_ASSIGN(field, budget_.list(attr.ints(), Limits::kMaxListLength, name));
    } else if constexpr (std::is_class_v<T>) {
      const auto* list = attr.ints();
      if (list == nullptr || list->size() != field.size()) return length_error(name, length(list), field.size());
      for (size_t i = 0; i < field.size(); ++i) field[i] = number_at(list, i);
    } else if constexpr (std::is_same_v<T, float>) {
      const auto* list = attr.floats();
      if (list == nullptr || list->size() != 1) return length_error(name, length(list), 1);
      field = number_at(list, 0);
    } else {
      const auto* list = attr.ints();
      if (list == nullptr || list->size() != 1) return length_error(name, length(list), 1);
      const int64_t value = number_at(list, 0);
      if (std::is_same_v<T, bool> && value != 0 && value != 1) {
        return damaged("attribute '" + std::string(name) + "' is neither true nor false");
      }
      field = static_cast<T>(value);
    }
    return {};
  }

  static Error length_error(const char* name, size_t have, size_t need) {
    return damaged("attribute '" + std::string(name) + "' has " + std::to_string(have) + " entries, needs " +
                   std::to_string(need));
  }

  const AttrList* attrs_;
  std::vector<bool> used_;
  Budget& budget_;
  Status status_;
};

class BodyReader {
 public:
  BodyReader(const Container& parts, const std::shared_ptr<const void>& keep_alive)
      : parts_(parts), keep_alive_(keep_alive), budget_(parts.body.size()), packed_left_(parts.constants.size()) {}

  Result<Program> run() {
    flatbuffers::Verifier verifier(parts_.body.data(), parts_.body.size(), kMaxDepth, kMaxTables);
    if (parts_.body.size() < 16 || !fb::VerifyProgramBuffer(verifier)) return damaged("its body is malformed");
    const fb::Program& body = *fb::GetProgram(parts_.body.data());
    if (length(body.values()) > Limits::kMaxValues) return damaged("it has too many values");
    if (length(body.operators()) > Limits::kMaxOperators) return damaged("it has too many operators");
    if (body.card() != nullptr) COCO_TRY(read_card(*body.card()));
    for (size_t i = 0; i < length(body.values()); ++i) {
      COCO_TRY(read_value(i, *body.values()->Get(static_cast<flatbuffers::uoffset_t>(i))));
    }
    for (size_t i = 0; i < length(body.operators()); ++i) {
      COCO_TRY(read_operator(i, *body.operators()->Get(static_cast<flatbuffers::uoffset_t>(i))));
    }
    COCO_ASSIGN(program_.inputs, budget_.list(body.inputs(), Limits::kMaxListLength, "the input list"));
    COCO_ASSIGN(program_.outputs, budget_.list(body.outputs(), Limits::kMaxListLength, "the output list"));
    return std::move(program_);
  }

 private:
  Status read_card(const fb::Card& in) {
    ModelCard& card = program_.card;
    COCO_ASSIGN(card.name, budget_.text(in.name(), "the card's name"));
    COCO_ASSIGN(card.task, budget_.text(in.task(), "the card's task"));
    COCO_ASSIGN(card.description, budget_.text(in.description(), "the card's description"));
    COCO_ASSIGN(card.licence, budget_.text(in.licence(), "the card's licence"));
    COCO_ASSIGN(card.training_data, budget_.text(in.training_data(), "the card's training data"));
    COCO_ASSIGN(card.command, budget_.text(in.command(), "the card's command"));
    COCO_ASSIGN(card.range, budget_.text(in.range(), "the card's range"));
    card.scale = in.scale();
    if (length(in.figures()) > Limits::kMaxListLength) return damaged("the card has too many figures");
    for (size_t i = 0; i < length(in.figures()); ++i) {
      const fb::Figure& figure = *in.figures()->Get(static_cast<flatbuffers::uoffset_t>(i));
      COCO_TRY(budget_.charge(kTableBytes));
      COCO_ASSIGN(std::string name, budget_.text(figure.name(), "a figure's name"));
      COCO_ASSIGN(std::string value, budget_.text(figure.value(), "a figure"));
      card.figures.emplace_back(std::move(name), std::move(value));
    }
    return {};
  }

  Status read_value(size_t index, const fb::Value& in) {
    COCO_TRY(budget_.charge(kTableBytes));
    Value value;
    COCO_ASSIGN(value.name, budget_.text(in.name(), "a value's name"));
    value.type = static_cast<DataType>(in.type());
    const std::string where = "value " + std::to_string(index);
    if (to_string(value.type).empty()) {
      return make_error(ErrorCode::kUnsupported, where + " has data type " + std::to_string(in.type()) +
                                                     ", unknown to this build; use a newer cocopipe");
    }
    COCO_ASSIGN(std::vector<int64_t> dims, budget_.list(in.shape(), Limits::kMaxRank, "a shape"));
    value.shape = Shape(std::move(dims));
    if (const fb::Extent* extent = in.constant()) {
      const uint64_t region = parts_.constants.size();
      if (extent->offset() % kConstantAlignment != 0 || extent->offset() > region ||
          extent->size() > region - extent->offset()) {
        return damaged(where + " lies outside the constants");
      }
      value.constant.bytes = parts_.constants.subspan(extent->offset(), extent->size());
      value.constant.keep_alive = keep_alive_;
      if (in.packing() != 0) {
        if (Status status = unpack(in.packing(), value); !status.ok()) {
          Error error = status.take_error();
          if (error.code != ErrorCode::kInvalidData) return error;
          return damaged(where + " '" + value.name.substr(0, 256) + "' " + error.message);
        }
      }
    }
    program_.values.push_back(std::move(value));
    return {};
  }

  // Replaces the packed bytes of a constant by its elements. A byte of the file may be unpacked once, so that values
  // sharing one extent cannot ask for more memory than the file justifies.
  Status unpack(uint8_t packing, Value& value) {
    if (packing != static_cast<uint8_t>(Packing::kBlocks)) {
      return make_error(ErrorCode::kUnsupported, "constant '" + value.name.substr(0, 256) + "' has packing " +
                                                     std::to_string(packing) +
                                                     ", unknown to this build; use a newer cocopipe");
    }
    if (value.constant.bytes.size() > packed_left_) return make_error(ErrorCode::kInvalidData, "overlaps another one");
    packed_left_ -= value.constant.bytes.size();
    COCO_ASSIGN(Buffer unpacked, unpack_constant(value.type, value.shape, value.constant.bytes));
    if (unpacked.size() > unpacked_left_) return make_error(ErrorCode::kInvalidData, "takes the model beyond 1 GiB");
    unpacked_left_ -= unpacked.size();
    value.constant.bytes = {static_cast<const uint8_t*>(unpacked.data()), unpacked.size()};
    value.constant.keep_alive = std::make_shared<Buffer>(std::move(unpacked));
    return {};
  }

  Status read_operator(size_t index, const fb::Operator& in) {
    COCO_TRY(budget_.charge(kTableBytes));
    Operator op;
    COCO_ASSIGN(op.name, budget_.text(in.name(), "an operator's name"));
    const std::string where = "operator " + std::to_string(index) + " '" + op.name.substr(0, 256) + "'";
    const std::string_view kind_name = view(in.kind()).substr(0, 64);
    const std::optional<OpKind> kind = op_kind_from_string(kind_name);
    if (!kind) {
      return make_error(ErrorCode::kUnsupported, where + " is of kind '" + std::string(kind_name) +
                                                     "', unknown to this build; use a newer cocopipe");
    }
    if (length(in.attrs()) > kMaxAttributes) return damaged(where + " has too many attributes");
    op.params = make_params(*kind);
    AttrReader reader(in.attrs(), budget_);
    std::visit(
        [&](auto& params) {
          if constexpr (!std::is_same_v<std::decay_t<decltype(params)>, std::monostate>) params.fields(reader);
        },
        op.params);
    if (Status status = reader.finish(); !status.ok()) {
      Error error = status.take_error();
      error.message = where + " (" + std::string(kind_name) + "): " + error.message;
      return error;
    }
    COCO_ASSIGN(op.inputs, budget_.list(in.inputs(), Limits::kMaxListLength, "an operator's input list"));
    COCO_ASSIGN(op.outputs, budget_.list(in.outputs(), Limits::kMaxListLength, "an operator's output list"));
    program_.operators.push_back(std::move(op));
    return {};
  }

  const Container& parts_;
  const std::shared_ptr<const void>& keep_alive_;
  Budget budget_;
  size_t packed_left_, unpacked_left_ = Limits::kMaxFileBytes;
  Program program_;
};

Result<Program> read_aligned(std::span<const uint8_t> bytes, const std::shared_ptr<const void>& keep_alive,
                             std::string* sha256_hex) {
  COCO_ASSIGN(const Container parts, open_container(bytes));
  COCO_ASSIGN(Program program, BodyReader(parts, keep_alive).run());
  complete_inputs(program);
  if (Status status = verify(program); !status.ok()) return damaged(status.error().message);
  if (sha256_hex != nullptr) *sha256_hex = parts.sha256;
  return program;
}

}  // namespace

Result<Program> read_program(std::span<const uint8_t> bytes, std::shared_ptr<const void> keep_alive,
                             std::string* sha256_hex) {
  try {
    const bool aligned = reinterpret_cast<uintptr_t>(bytes.data()) % kConstantAlignment == 0;
    if (keep_alive != nullptr && aligned) return read_aligned(bytes, keep_alive, sha256_hex);
    if (bytes.size() > Limits::kMaxFileBytes) return damaged("it is larger than 1 GiB");
    // One aligned copy of the whole file serves the body and all constants.
    COCO_ASSIGN(const Buffer copy, Buffer::allocate(bytes.size()));
    if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
    const std::span<const uint8_t> copied(static_cast<const uint8_t*>(copy.data()), bytes.size());
    return read_aligned(copied, std::make_shared<Buffer>(copy), sha256_hex);
  } catch (const std::bad_alloc&) {
    return make_error(ErrorCode::kResourceLimit, "out of memory while reading the model");
  }
}

}  // namespace coco::format
