#include "backends/cpu/block_op.h"

namespace coco::backends {
namespace {

// Below this many operations a task is not worth handing to another core.
constexpr double kMinTaskCost = 1 << 17;
constexpr int kTasksPerThread = 4;

/// Dense planes to blocks, a row of pixels at a time.
class BlockSource : public BlockOp {
 public:
  BlockSource(const BlockTensor& out, int threads)
      : out_(out), split_(split_blocks(out, 4.0 * static_cast<double>(out.floats()), threads)) {}
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    const ptrdiff_t plane = ptrdiff_t(out_.height) * out_.width;
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      clear_border(out_, args.out, b, part.first_row, part.rows);
      const int channels = std::min(kernels::kBlock, out_.channels - b * kernels::kBlock);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y) {
        const float* from = args.in[0] + b * kernels::kBlock * plane + ptrdiff_t(y) * out_.width;
        float* to = args.out + out_.at(b, y, 0);
        for (int x = 0; x < out_.width; ++x)
          for (int c = 0; c < out_.pixel; ++c)
            to[ptrdiff_t(x) * out_.pixel + c] = c < channels ? from[c * plane + x] : 0;
      }
    }
  }

 private:
  const BlockTensor out_;
  const BlockSplit split_;
};

class BlockSink : public BlockOp {
 public:
  BlockSink(const BlockTensor& in, int threads)
      : in_(in), split_(split_blocks(in, 4.0 * static_cast<double>(in.floats()), threads)) {}
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    const ptrdiff_t plane = ptrdiff_t(in_.height) * in_.width;
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      const int channels = std::min(kernels::kBlock, in_.channels - b * kernels::kBlock);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y) {
        const float* from = args.in[0] + in_.at(b, y, 0);
        float* to = args.out + b * kernels::kBlock * plane + ptrdiff_t(y) * in_.width;
        for (int c = 0; c < channels; ++c)
          for (int x = 0; x < in_.width; ++x) to[c * plane + x] = from[ptrdiff_t(x) * in_.pixel + c];
      }
    }
  }

 private:
  const BlockTensor in_;
  const BlockSplit split_;
};

}  // namespace

BlockSplit split_blocks(const BlockTensor& tensor, double cost, int threads) {
  BlockSplit split;
  split.blocks = tensor.blocks(), split.rows = tensor.height;
  if (threads <= 1) return split;
  const auto wanted = static_cast<int>(std::clamp<double>(cost / kMinTaskCost, 1, threads * kTasksPerThread));
  split.row_parts = std::min(wanted, split.rows);
  split.block_parts = std::min((wanted + split.row_parts - 1) / split.row_parts, split.blocks);
  return split;
}

void clear_border(const BlockTensor& t, float* data, int block, int first, int rows) {
  if (t.border == 0) return;
  float* start = data + block * t.block();
  const ptrdiff_t side = ptrdiff_t(t.border) * t.pixel, edge = t.border * t.row();
  if (first == 0) std::fill_n(start, edge, 0.0f);
  if (first + rows == t.height) std::fill_n(start + t.block() - edge, edge, 0.0f);
  for (int y = first; y < first + rows; ++y) {
    float* row = start + (y + t.border) * t.row();
    std::fill_n(row, side, 0.0f);
    std::fill_n(row + t.row() - side, side, 0.0f);
  }
}

std::unique_ptr<BlockOp> make_block_source(const BlockTensor& output, int threads) {
  return std::make_unique<BlockSource>(output, threads);
}
std::unique_ptr<BlockOp> make_block_sink(const BlockTensor& input, int threads) {
  return std::make_unique<BlockSink>(input, threads);
}

}  // namespace coco::backends
