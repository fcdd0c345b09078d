// prune_blocks IN.coco OUT.coco: an integer network with half of the weights of its convolutions gone, in blocks of 16
// output x 4 input channels with all their taps, which kernels over blocks of channels leave out
// (kernels/block/quant_block.h). Not trained again: its speed means something, its results do not. Depthwise
// convolutions and those of one block keep their weights.
#include <algorithm>
#include <cstring>
#include <random>

#include "tests/bench/model_tool.h"

namespace coco::bench {
namespace {

constexpr int64_t kOut = 16, kIn = 4;

/// Every other block of a row of blocks in a random order: each output keeps half of its inputs.
void prune(const Shape& shape, std::vector<uint8_t>& weights, std::mt19937& random) {
  const int64_t taps = shape[2] * shape[3], columns = (shape[1] + kIn - 1) / kIn;
  if (columns < 2) return;
  std::vector<int64_t> order(static_cast<size_t>(columns));
  for (int64_t first = 0; first < shape[0]; first += kOut) {
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random() % (i + 1)]);
    for (size_t i = 0; i < order.size() / 2; ++i)
      for (int64_t m = first; m < std::min(first + kOut, shape[0]); ++m) {
        const int64_t begin = order[i] * kIn, end = std::min(begin + kIn, shape[1]);
        std::memset(weights.data() + (m * shape[1] + begin) * taps, 0, static_cast<size_t>((end - begin) * taps));
      }
  }
}

Result<format::Program> pruned(std::span<const uint8_t> file) {
  COCO_ASSIGN(format::Program program, format::read_program(file, nullptr));
  std::mt19937 random(1);
  for (const format::Operator& op : program.operators) {
    const auto* p = std::get_if<format::QuantConv2dParams>(&op.params);
    if (p == nullptr || p->group != 1) continue;
    format::Value& weight = program.values[op.inputs[1]];
    std::vector<uint8_t> bytes(weight.constant.bytes.begin(), weight.constant.bytes.end());
    prune(weight.shape, bytes, random);
    weight.constant = format::ConstantData::copy_of(bytes);
  }
  return program;
}

}  // namespace
}  // namespace coco::bench

int main(int argc, char** argv) { return coco::bench::make_model(argc, argv, coco::bench::pruned); }
