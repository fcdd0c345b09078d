// Purpose: an operator over pictures in blocks of channels (kernels/block/block.h), as a block segment of the layer
// executor sees it: what border of zeros it wants around its inputs, and independent tasks that write its result.
// Immutable once made.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "coco/status.h"
#include "format/program.h"
#include "kernels/block/block.h"
#include "kernels/registry.h"

namespace coco::backends {

/// One picture in blocks of channels, f32 or u8. Strides are elements.
struct BlockTensor {
  int channels = 0, height = 0, width = 0;
  DataType type = DataType::kF32;
  uint8_t zero = 0;             ///< what stands for 0: each byte of the border
  int border = 0;               ///< rows and columns of zeros on every side
  int pixel = kernels::kBlock;  ///< elements of a pixel; fewer for a single block of few channels
  int blocks() const { return kernels::channel_blocks(channels); }
  ptrdiff_t row() const { return ptrdiff_t(width + 2 * border) * pixel; }
  ptrdiff_t block() const { return ptrdiff_t(height + 2 * border) * row(); }
  size_t elements() const { return static_cast<size_t>(blocks() * block()); }
  size_t bytes() const { return elements() * byte_size(type); }
  /// Elements from the start of its memory to pixel (y, x) of block b.
  ptrdiff_t at(int b, int y, int x) const { return b * block() + (y + border) * row() + ptrdiff_t(x + border) * pixel; }
};

/// The memory of the inputs and of the result. Caller's planes (make_block_source, make_block_sink) are dense NCHW.
struct BlockArgs {
  const void* const* in = nullptr;
  void* out = nullptr;
  template <typename T>
  const T* input(size_t i) const {
    return static_cast<const T*>(in[i]);
  }
  template <typename T>
  T* result() const {
    return static_cast<T*>(out);
  }
};

class BlockOp {
 public:
  virtual ~BlockOp() = default;
  virtual int tasks() const = 0;
  /// Working memory of a task.
  virtual size_t scratch_floats() const { return 0; }
  /// Writes a part of the result, the border beside it too. `scratch`: scratch_floats() floats, 64-byte aligned.
  virtual void run(int task, const BlockArgs& args, float* scratch) const noexcept = 0;
};

/// What stands behind a convolution's sums.
struct BlockActivation {
  format::UnaryKind kind = format::UnaryKind::kIdentity;
  float a = 0, b = 0;
};

/// How an operator of the program takes part in a block segment.
struct BlockNode {
  size_t op = 0;                ///< of the program
  std::vector<int32_t> inputs;  ///< values that are pictures, in the order of BlockArgs::in
  int32_t output = 0;
  int32_t add = format::kNoValue;   ///< of a convolution: what is added to it; the last of `inputs`
  bool add_first = false;           ///< before its activation
  BlockActivation activation = {};  ///< of a convolution
  /// A depthwise convolution whose result this 1x1 convolution alone reads: both in one go, a few rows at a time.
  static constexpr size_t kNone = ~size_t{0};
  size_t depthwise = kNone;
  BlockActivation depthwise_activation = {};
};

/// What is known when operators are bound.
struct BlockContext {
  const format::Program& program;
  std::span<const Shape> shapes;  ///< of one picture of the batch
  kernels::Capabilities capabilities;
  int threads = 1;
};

/// The operator as a node; kUnsupported when it does not work in blocks of channels.
Result<BlockNode> make_block_node(const BlockContext& context, size_t op);
/// The border a node wants around input `input`.
int block_border(const BlockContext& context, const BlockNode& node, size_t input);
/// Share of a node's multiplications that its weights need: unused channels of blocks and zeros count against it. 1
/// where there are none.
double block_density(const BlockContext& context, const BlockNode& node);
/// Binds a node; its tensors as the segment laid them out.
Result<std::unique_ptr<BlockOp>> make_block_op(const BlockContext& context, const BlockNode& node,
                                               std::span<const BlockTensor> inputs, const BlockTensor& output);
/// From and to the caller's dense [C, H, W] of the tensor's type.
std::unique_ptr<BlockOp> make_block_source(const BlockContext& context, const BlockTensor& output);
std::unique_ptr<BlockOp> make_block_sink(const BlockContext& context, const BlockTensor& input);
/// A source and the Quantize that alone reads it.
std::unique_ptr<BlockOp> make_block_quantize_source(const BlockContext& context, const BlockNode& node,
                                                    const BlockTensor& output);

/// Splits a picture's rows and blocks into tasks: about `cost` operations all together.
struct BlockSplit {
  int blocks = 1, rows = 1;  ///< of the whole result
  int block_parts = 1, row_parts = 1;
  int unit = 1;  ///< blocks are handed out by so many
  struct Part {
    int first_block, blocks, first_row, rows;
  };
  int tasks() const { return block_parts * row_parts; }
  Part part(int task) const {
    const int b = task % block_parts, r = task / block_parts;
    const int units = (blocks + unit - 1) / unit;
    const int b0 = units * b / block_parts * unit, r0 = rows * r / row_parts;
    return {b0, std::min(blocks, units * (b + 1) / block_parts * unit) - b0, r0, rows * (r + 1) / row_parts - r0};
  }
};
/// Rows first, then blocks, until there is work for every thread and none is too small to hand over.
BlockSplit split_blocks(const BlockTensor& tensor, double cost, int threads);

/// Zeros in the border beside rows [first, first + rows) of a block; above and below at the picture's ends.
void clear_border(const BlockTensor& tensor, void* data, int block, int first, int rows);

}  // namespace coco::backends
