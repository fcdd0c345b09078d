#include "backends/cpu/block_op.h"

#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

// Below this many operations a task is not worth handing to another core.
constexpr double kMinTaskCost = 1 << 17;
constexpr int kTasksPerThread = 4;

/// Between the caller's planes and blocks, a row of a block at a time.
class BlockPlanesOp : public BlockOp {
 public:
  BlockPlanesOp(const BlockTensor& blocks, int threads)
      : tensor_(blocks), split_(split_blocks(blocks, 4.0 * static_cast<double>(blocks.floats()), threads)) {}
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    kernels::BlockRowArgs row;
    row.width = tensor_.width, row.plane = ptrdiff_t(tensor_.height) * tensor_.width, row.pixel = tensor_.pixel;
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      row.channels = std::min(kernels::kBlock, tensor_.channels - b * kernels::kBlock);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y)
        run_row(row, args, b * kernels::kBlock * row.plane + ptrdiff_t(y) * tensor_.width, tensor_.at(b, y, 0));
      finish(args, b, part.first_row, part.rows);
    }
  }

 protected:
  /// `plane` and `block`: floats from the start of either.
  virtual void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane,
                       ptrdiff_t block) const noexcept = 0;
  virtual void finish(const BlockArgs&, int, int, int) const noexcept {}
  const BlockTensor tensor_;

 private:
  const BlockSplit split_;
};

class BlockSource : public BlockPlanesOp {
 public:
  BlockSource(const BlockTensor& out, kernels::BlockLoadFn load, int threads)
      : BlockPlanesOp(out, threads), load_(load) {}

 private:
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane,
               ptrdiff_t block) const noexcept override {
    load_(row, args.in[0] + plane, args.out + block);
  }
  void finish(const BlockArgs& args, int block, int first, int rows) const noexcept override {
    clear_border(tensor_, args.out, block, first, rows);
  }
  const kernels::BlockLoadFn load_;
};

class BlockSink : public BlockPlanesOp {
 public:
  BlockSink(const BlockTensor& in, kernels::BlockStoreFn store, int threads)
      : BlockPlanesOp(in, threads), store_(store) {}

 private:
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane,
               ptrdiff_t block) const noexcept override {
    store_(row, args.in[0] + block, args.out + plane);
  }
  const kernels::BlockStoreFn store_;
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

std::unique_ptr<BlockOp> make_block_source(const BlockContext& context, const BlockTensor& output) {
  return std::make_unique<BlockSource>(output, choose<kernels::BlockLoadSlot>(context.capabilities), context.threads);
}
std::unique_ptr<BlockOp> make_block_sink(const BlockContext& context, const BlockTensor& input) {
  return std::make_unique<BlockSink>(input, choose<kernels::BlockStoreSlot>(context.capabilities), context.threads);
}

}  // namespace coco::backends
