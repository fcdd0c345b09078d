#include "runtime/matmul_step.h"

#include <algorithm>
#include <functional>

#include "backends/cpu/block_op.h"
#include "base/thread_pool.h"
#include "runtime/line_program.h"

namespace coco::runtime {
namespace {

using kernels::kBlock;

class MatMulStep : public LayerStep {
 public:
  MatMulStep(kernels::BlockConvWeights weights, kernels::BlockConvFn run, int rows, int threads)
      : weights_(std::move(weights)), run_(run), threads_(threads) {
    constexpr double kMinTaskCost = 1 << 16;
    constexpr int kTasksPerThread = 4;
    const double cost = double(weights_.panel()) * kernels::channel_blocks(weights_.out_channels) * rows;
    split_.blocks = kernels::channel_blocks(weights_.out_channels), split_.rows = rows, split_.unit = 2;
    if (threads <= 1) return;
    const auto wanted = static_cast<int>(std::clamp<double>(cost / kMinTaskCost, 1, threads * kTasksPerThread));
    split_.block_parts = std::min(wanted, (split_.blocks + 1) / 2);
    split_.row_parts = std::min((wanted + split_.block_parts - 1) / split_.block_parts, rows);
  }
  Status allocate() {
    COCO_ASSIGN(blocks_, Buffer::allocate(static_cast<size_t>(split_.blocks) * static_cast<size_t>(split_.rows) *
                                          kBlock * sizeof(float)));
    task_ = [this](int task, int) { run_part(split_.part(task)); };
    return {};
  }
  void run(std::span<const TensorView> in, std::span<const MutableTensorView> out) override {
    in_ = in[0].as<float>();
    out_ = static_cast<float*>(out[0].data);
    ThreadPool::process().parallel_for(split_.tasks(), threads_, task_);
  }
  size_t memory_bytes() const override { return blocks_.size(); }

 private:
  void run_part(const backends::BlockSplit::Part& part) const {
    if (part.blocks <= 0 || part.rows <= 0) return;
    const ptrdiff_t depth = weights_.in_channels, width = weights_.out_channels;
    const ptrdiff_t block = ptrdiff_t(split_.rows) * kBlock;
    float* results =
        static_cast<float*>(blocks_.data()) + part.first_block * block + ptrdiff_t(part.first_row) * kBlock;
    kernels::BlockConvArgs args;
    args.weights = &weights_;
    args.first_block = part.first_block, args.blocks = part.blocks;
    args.pixels = part.rows;
    args.in = in_ + part.first_row * depth, args.in_block = kBlock, args.in_pixel = depth;
    args.out = results, args.out_block = block;
    run_(args);
    for (int b = 0; b < part.blocks; ++b) {
      const ptrdiff_t first = ptrdiff_t(part.first_block + b) * kBlock;
      const ptrdiff_t columns = std::min<ptrdiff_t>(kBlock, width - first);
      for (ptrdiff_t row = 0; row < part.rows; ++row)
        std::copy_n(results + b * block + row * kBlock, columns, out_ + (part.first_row + row) * width + first);
    }
  }

  const kernels::BlockConvWeights weights_;
  const kernels::BlockConvFn run_;
  const int threads_;
  backends::BlockSplit split_;
  Buffer blocks_;              // the result in blocks of columns
  const float* in_ = nullptr;  // of the run at hand
  float* out_ = nullptr;
  std::function<void(int, int)> task_;
};

std::span<const float> floats_of(const format::Value& value) {
  return {reinterpret_cast<const float*>(value.constant.bytes.data()), value.constant.bytes.size() / sizeof(float)};
}

}  // namespace

Result<LayerStepSpec> make_matmul_step(const format::Program& program, std::span<const Shape> shapes, size_t index,
                                       const SessionOptions& options, int threads) {
  const format::Operator& op = program.operators[index];
  const auto* params = std::get_if<format::MatMulParams>(&op.params);
  const kernels::Capabilities capabilities = capabilities_for(options);
  if (params == nullptr || params->transpose_a || capabilities.target.empty()) return LayerStepSpec{};
  const format::Value &a = program.values[op.inputs[0]], &b = program.values[op.inputs[1]];
  const bool has_bias = op.inputs.size() > 2 && op.inputs[2] != format::kNoValue;
  if (a.type != DataType::kF32 || a.is_constant() || b.type != DataType::kF32 || !b.is_constant() ||
      shapes[op.inputs[1]].rank() != 2 || (has_bias && !program.values[op.inputs[2]].is_constant()))
    return LayerStepSpec{};
  const Shape& from = shapes[op.inputs[0]];
  const int64_t depth = from[from.rank() - 1], width = shapes[op.inputs[1]][params->transpose_b ? 0 : 1];
  const int64_t rows = depth > 0 ? from.element_count().value_or(0) / depth : 0;
  constexpr int64_t kMost = 1 << 24;
  // Few columns leave most of a block unused.
  if (rows < 1 || depth < 1 || width < kBlock / 2 || std::max({rows, depth, width}) > kMost) return LayerStepSpec{};

  std::vector<float> weights(floats_of(b).begin(), floats_of(b).end());
  if (!params->transpose_b) {
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t n = 0; n < width; ++n)
        weights[static_cast<size_t>(n * depth + k)] = floats_of(b)[static_cast<size_t>(k * width + n)];
  }
  kernels::BlockConvWeights packed;
  packed.in_channels = static_cast<int>(depth), packed.out_channels = static_cast<int>(width);
  packed.bias.assign(static_cast<size_t>(width), 0.0f);
  if (has_bias) {
    const auto bias = floats_of(program.values[op.inputs[2]]);
    std::copy(bias.begin(), bias.end(), packed.bias.begin());
  }
  if (!kernels::pack_block_weights(weights.data(), packed))
    return make_error(ErrorCode::kResourceLimit, "no memory for the weights of operator '" + op.name + "'");
  const auto run = kernels::select<kernels::BlockConvSlot>(packed, capabilities)->function;
  auto step = std::make_unique<MatMulStep>(std::move(packed), run, static_cast<int>(rows), threads);
  COCO_TRY(step->allocate());
  return LayerStepSpec{index, index + 1, {op.inputs[0]}, op.outputs, std::move(step)};
}

}  // namespace coco::runtime
