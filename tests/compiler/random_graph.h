// Purpose: random ONNX models of the importer's operators, for comparing engines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace coco::testing {

struct RandomInput {
  std::string name;
  std::vector<int64_t> dims;
  std::vector<float> data;
};

struct RandomGraph {
  std::string onnx;  ///< serialised, opset 17, every result an output
  std::vector<RandomInput> inputs;
  std::vector<std::string> operators;  ///< in order
};

/// The same for the same seed, everywhere. Operators whose results jump (rounding, comparisons, indices) read only what
/// every engine has to the bit: inputs and what is moved from them.
RandomGraph make_random_graph(uint64_t seed);

}  // namespace coco::testing
