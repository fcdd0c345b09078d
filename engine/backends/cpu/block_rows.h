// Purpose: block operators that make their result row by row of a block, of elements T.
#pragma once

#include "backends/cpu/block_op.h"

namespace coco::backends {

template <typename T>
class BlockRowsOp : public BlockOp {
 public:
  /// `cost`: operations an element.
  BlockRowsOp(const BlockTensor& out, double cost, int threads)
      : out_(out), split_(split_blocks(out, cost * static_cast<double>(out.elements()), threads)) {}
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float* scratch) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      clear_border(out_, args.out, b, part.first_row, part.rows);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y)
        run_row(args, b, y, args.result<T>() + out_.at(b, y, 0), scratch);
    }
  }

 protected:
  virtual void run_row(const BlockArgs& args, int block, int y, T* out, float* scratch) const noexcept = 0;
  int row_elements() const { return out_.width * kernels::kBlock; }
  const BlockTensor out_;

 private:
  const BlockSplit split_;
};

}  // namespace coco::backends
