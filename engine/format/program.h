// Purpose: the decoded program of a .coco file: what the compiler emits and the run time executes.
// Values are numbered; an operator reads and writes value numbers. Constants are values with data. Operators stand in
// execution order. Program is plain data: verify() says whether it is well formed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coco/model.h"
#include "coco/status.h"
#include "coco/tensor.h"
#include "format/params.h"

namespace coco::format {

inline constexpr int32_t kNoValue = -1;

/// Data of a constant. Either owned here, or a span into a mapping that `keep_alive` holds; 64-byte aligned either way
/// when it came from a file.
struct ConstantData {
  std::span<const uint8_t> bytes;
  std::shared_ptr<const void> keep_alive;

  static ConstantData copy_of(std::span<const uint8_t> bytes);
  explicit operator bool() const { return keep_alive != nullptr; }
};

struct Value {
  std::string name;
  DataType type = DataType::kF32;
  Shape shape;            ///< kDynamicDim where unknown until a session is prepared
  ConstantData constant;  ///< empty for activations
  bool is_constant() const { return static_cast<bool>(constant); }
};

struct Operator {
  std::string name;  ///< the ONNX node's, for messages and profiles
  OpParams params;
  std::vector<int32_t> inputs;   ///< value numbers, kNoValue for an absent optional input
  std::vector<int32_t> outputs;  ///< value numbers
  OpKind kind() const { return op_kind(params); }
};

struct Program {
  std::vector<Value> values;
  std::vector<Operator> operators;
  std::vector<int32_t> inputs;   ///< value numbers
  std::vector<int32_t> outputs;  ///< value numbers
  ModelCard card;
};

/// Bounds on everything read from a file. A program beyond them is refused, never trimmed.
struct Limits {
  static constexpr size_t kMaxFileBytes = size_t{1} << 30;
  static constexpr size_t kMaxValues = 1 << 16;
  static constexpr size_t kMaxOperators = 1 << 16;
  static constexpr size_t kMaxRank = 8;
  static constexpr int64_t kMaxDim = int64_t{1} << 24;
  static constexpr int64_t kMaxElements = int64_t{1} << 31;  ///< of one tensor
  static constexpr size_t kMaxListLength = 4096;             ///< of one parameter list
  static constexpr size_t kMaxStringBytes = 64 * 1024;
};

/// Inputs an operator takes, by position: the first `required` are present, the rest up to `total` may be absent.
struct OpArity {
  size_t required = 1;
  size_t total = 1;
  /// Any number of inputs from `required` on, all present.
  bool variadic() const { return total == Limits::kMaxListLength; }
};
OpArity op_arity(OpKind kind);

/// Gives every operator its full arity: optional inputs left off at the end become kNoValue. Model does this to every
/// program, so that executors may index all inputs.
void complete_inputs(Program& program);

/// Shapes of one operator's results for these input shapes (dynamic dimensions allowed and carried through).
/// `inputs` has one entry per operator input; an absent input has an empty optional. The error names what does not fit.
/// Constant inputs' values are never needed: everything that decides a shape is in the parameters.
Result<std::vector<Shape>> infer_shapes(const OpParams& params, std::span<const std::optional<Shape>> inputs);

/// Element types of one operator's results for these input types (absent inputs are empty). The error names what does
/// not fit.
Result<std::vector<DataType>> infer_types(const OpParams& params, std::span<const std::optional<DataType>> inputs);

/// Concrete shapes of every value of the program for these input shapes (one per program input, all static). Errors
/// name the operator. Also bounds every tensor by Limits.
Result<std::vector<Shape>> resolve_shapes(const Program& program, std::span<const Shape> input_shapes);

/// Well-formedness: value numbers in range, defined before use and once, operators' arity and parameter ranges,
/// constant sizes match type and shape, dimensions within Limits, inputs and outputs exist.
Status verify(const Program& program);

/// Multiply-accumulates of one operator, and of one run, with these resolved shapes (convolutions; the rest counts 0).
int64_t count_macs(const Operator& op, std::span<const Shape> shapes);
int64_t count_macs(const Program& program, std::span<const Shape> shapes);

/// Serialises to the bytes of a .coco file: magic, version, FlatBuffers body, constants 64-byte aligned, SHA-256.
Result<std::vector<uint8_t>> write_program(const Program& program);

/// Parses and verifies bytes of a .coco file. `keep_alive` keeps `bytes` valid for as long as the program's constants
/// are used; without it the constants are copied. `sha256_hex` receives the checksum when not null.
Result<Program> read_program(std::span<const uint8_t> bytes, std::shared_ptr<const void> keep_alive,
                             std::string* sha256_hex = nullptr);

/// Names come from files: without the control characters that could steer a terminal or break a line ("\\x1b").
std::string printable(std::string_view text);
/// Parameters that differ from their defaults, as "kernel=[3, 3] group=2".
std::string to_text(const OpParams& params);
/// Human-readable listing: one line per operator with shapes, parameters, MACs and bytes. Shapes may be empty.
std::string to_text(const Program& program, std::span<const Shape> shapes);

}  // namespace coco::format
