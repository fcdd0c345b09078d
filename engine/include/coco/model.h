// Purpose: a loaded .coco model: its card and its inputs and outputs.
// Ownership: a Model is shared and immutable; it keeps its file mapped while anyone holds it.
// Threads: any thread, concurrently.
// Failure: load() trusts nothing in the file; damage is kInvalidData, a newer version kUnsupported.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coco/export.h"
#include "coco/status.h"
#include "coco/tensor.h"

namespace coco {

/// What a model is, for people and for tools. Free text unless a range is given.
struct ModelCard {
  std::string name;  ///< short, for example "sr2x-s"
  std::string task;  ///< "super-resolution", "" when unknown
  std::string description;
  std::string licence;
  std::string training_data;
  std::string command;  ///< the command and seed that made the weights
  std::string range;    ///< value range expected of the input, for example "0..1 luma"
  int scale = 1;        ///< output size / input size of an image-to-image network, 1..16
  /// Measured figures, for example {"set5_psnr_y", "36.71"}.
  std::vector<std::pair<std::string, std::string>> figures;
};

struct TensorInfo {
  std::string name;
  DataType type = DataType::kF32;
  Shape shape;  ///< kDynamicDim where the model leaves it open
};

namespace format {
struct Program;
}

class COCO_API Model {
 public:
  /// Maps and verifies a .coco file.
  static Result<std::shared_ptr<const Model>> load(const std::string& path);
  /// The same from memory, which is copied.
  static Result<std::shared_ptr<const Model>> from_bytes(std::span<const uint8_t> bytes);
  /// Takes a program that is already in memory (from the compiler). The program is verified.
  static Result<std::shared_ptr<const Model>> from_program(format::Program program);
  ~Model();

  const ModelCard& card() const;
  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;
  /// Lower-case hexadecimal SHA-256 of the serialised program.
  const std::string& sha256() const;
  const format::Program& program() const;

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coco
