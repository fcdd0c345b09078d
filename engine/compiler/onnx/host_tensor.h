// Purpose: numbers known while importing: constants, and what exporters compute from shapes (Shape, Gather, Concat
// ...).
//
// Dynamic dimensions are followed by trial: each unknown dimension of the model's inputs is given kTrials different
// values, shape inference runs once per trial, and shape arithmetic is done on the numbers of every trial. A relation
// (a constant, a pure scale, an offset from a dimension) holds when it holds in every trial that is valid. Trials are
// primes and multiples of small composites, so that floors, ceilings and rounding to multiples show.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "coco/tensor.h"

namespace coco::compiler {

inline constexpr size_t kTrials = 8;
/// Trials that must know a relation before it is believed.
inline constexpr size_t kEnoughTrials = 2;
/// Tensors with more elements are not followed as numbers.
inline constexpr int64_t kMaxHostElements = 4096;

/// One shape per trial; empty where the trial's values do not fit the network.
using TrialShapes = std::array<std::optional<Shape>, kTrials>;

/// A small tensor's elements in every trial. NaN: unknown in that trial. Integers are exact up to 2^53; larger ones
/// (ONNX's "to the end") keep their magnitude.
struct HostTensor {
  DataType type = DataType::kS64;
  Shape shape;
  std::array<std::vector<double>, kTrials> values;

  size_t size() const { return values[0].size(); }
  bool is_float() const { return type == DataType::kF32; }
  /// The element's value when all trials that know it agree, and at least two do.
  std::optional<double> constant(size_t i) const;
  bool is_constant() const;
  /// The same numbers in every trial.
  static HostTensor of(DataType type, Shape shape, std::vector<double> numbers);
};

/// Trial values of the `root`-th unknown dimension. Batch dimensions get small numbers.
std::array<int64_t, kTrials> trial_values(size_t root, bool batch);

/// double -> int64_t, saturating; NaN gives 0.
int64_t to_int(double value);

}  // namespace coco::compiler
