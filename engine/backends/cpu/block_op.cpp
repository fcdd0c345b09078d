#include "backends/cpu/block_op.h"

#include <cstring>

#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

// Below this many operations a task is not worth handing to another core.
constexpr double kMinTaskCost = 1 << 14;
constexpr int kTasksPerThread = 4;

/// Between the caller's planes and blocks, a row of a block at a time.
class BlockPlanesOp : public BlockOp {
 public:
  BlockPlanesOp(const BlockTensor& blocks, int threads)
      : tensor_(blocks), split_(split_blocks(blocks, 4.0 * static_cast<double>(blocks.elements()), threads)) {}
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float* scratch) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    kernels::BlockRowArgs row;
    row.width = tensor_.width, row.plane = ptrdiff_t(tensor_.height) * tensor_.width, row.pixel = tensor_.pixel;
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      row.channels = std::min(kernels::kBlock, tensor_.channels - b * kernels::kBlock);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y)
        run_row(row, args, b * kernels::kBlock * row.plane + ptrdiff_t(y) * tensor_.width, tensor_.at(b, y, 0),
                scratch);
      finish(args, b, part.first_row, part.rows);
    }
  }

 protected:
  /// `plane` and `block`: elements from the start of either.
  virtual void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
                       float* scratch) const noexcept = 0;
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
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
               float*) const noexcept override {
    load_(row, args.input<float>(0) + plane, args.result<float>() + block);
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
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
               float*) const noexcept override {
    store_(row, args.input<float>(0) + block, args.result<float>() + plane);
  }
  const kernels::BlockStoreFn store_;
};

/// Planes of bytes as they are.
class BlockBytesSource : public BlockPlanesOp {
 public:
  using BlockPlanesOp::BlockPlanesOp;

 private:
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
               float*) const noexcept override {
    const uint8_t* in = args.input<uint8_t>(0) + plane;
    uint8_t* out = args.result<uint8_t>() + block;
    for (int x = 0; x < row.width; ++x)
      for (int c = 0; c < row.pixel; ++c)
        out[ptrdiff_t(x) * row.pixel + c] = c < row.channels ? in[c * row.plane + x] : tensor_.zero;
  }
  void finish(const BlockArgs& args, int block, int first, int rows) const noexcept override {
    clear_border(tensor_, args.out, block, first, rows);
  }
};

class BlockBytesSink : public BlockPlanesOp {
 public:
  using BlockPlanesOp::BlockPlanesOp;

 private:
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
               float*) const noexcept override {
    const uint8_t* in = args.input<uint8_t>(0) + block;
    uint8_t* out = args.result<uint8_t>() + plane;
    for (int c = 0; c < row.channels; ++c)
      for (int x = 0; x < row.width; ++x) out[c * row.plane + x] = in[ptrdiff_t(x) * kernels::kBlock + c];
  }
};

/// Planes of floats to blocks of bytes.
class BlockQuantizeSource : public BlockPlanesOp {
 public:
  BlockQuantizeSource(const format::QuantizeParams& params, const BlockTensor& out, const BlockContext& context)
      : BlockPlanesOp(out, context.threads),
        p_(params),
        load_(choose<kernels::BlockLoadSlot>(context.capabilities)),
        quantize_(choose<kernels::QuantizeBlockSlot>(context.capabilities)),
        quantize_words_(choose<kernels::QuantizeRowSlot>(context.capabilities)) {}
  size_t scratch_floats() const override { return static_cast<size_t>(tensor_.width) * kernels::kBlock; }

 private:
  void run_row(const kernels::BlockRowArgs& row, const BlockArgs& args, ptrdiff_t plane, ptrdiff_t block,
               float* scratch) const noexcept override {
    const float* in = args.input<float>(0) + plane;
    uint8_t* out = args.result<uint8_t>() + block;
    if (row.pixel == kernels::kBlock) {
      load_(row, in, scratch);
      quantize_({scratch, out, row.width, p_.multiplier, static_cast<int32_t>(p_.zero_point)});
      return;
    }
    // Kernels over words work in whole vectors: what is left of the row goes by way of copies.
    const int whole = row.width / kWholeWords * kWholeWords, left = row.width - whole;
    if (whole > 0) quantize_words(in, row.plane, row.channels, whole, out);
    float samples[kernels::kWordChannels * kWholeWords] = {};
    uint32_t words[kWholeWords];
    for (int c = 0; c < row.channels && left > 0; ++c)
      std::copy_n(in + c * row.plane + whole, left, samples + c * kWholeWords);
    quantize_words(samples, kWholeWords, row.channels, kWholeWords, words);
    std::memcpy(out + ptrdiff_t(whole) * row.pixel, words, static_cast<size_t>(left) * sizeof(uint32_t));
  }
  void quantize_words(const float* in, ptrdiff_t plane, int channels, int width, void* out) const noexcept {
    kernels::QuantizeRowArgs row;
    row.in = in, row.in_channel_stride = plane, row.channels = channels, row.width = width;
    row.out = static_cast<uint32_t*>(out);
    row.multiplier = p_.multiplier, row.zero_point = static_cast<int32_t>(p_.zero_point);
    quantize_words_(row);
  }
  void finish(const BlockArgs& args, int block, int first, int rows) const noexcept override {
    clear_border(tensor_, args.out, block, first, rows);
  }
  static constexpr int kWholeWords = 16;  // of the widest vectors
  const format::QuantizeParams p_;
  const kernels::BlockLoadFn load_;
  const kernels::QuantizeBlockFn quantize_;
  const kernels::QuantizeRowFn quantize_words_;
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

void clear_border(const BlockTensor& t, void* data, int block, int first, int rows) {
  if (t.border == 0) return;
  const auto element = static_cast<ptrdiff_t>(byte_size(t.type));
  auto* start = static_cast<uint8_t*>(data) + block * t.block() * element;
  const ptrdiff_t side = t.border * t.pixel * element, row_bytes = t.row() * element, edge = t.border * row_bytes;
  const auto fill = [&](uint8_t* from, ptrdiff_t bytes) { std::memset(from, t.zero, static_cast<size_t>(bytes)); };
  if (first == 0) fill(start, edge);
  if (first + rows == t.height) fill(start + t.block() * element - edge, edge);
  for (int y = first; y < first + rows; ++y) {
    uint8_t* row = start + (y + t.border) * row_bytes;
    fill(row, side);
    fill(row + row_bytes - side, side);
  }
}

std::unique_ptr<BlockOp> make_block_source(const BlockContext& context, const BlockTensor& output) {
  if (output.type == DataType::kU8) return std::make_unique<BlockBytesSource>(output, context.threads);
  return std::make_unique<BlockSource>(output, choose<kernels::BlockLoadSlot>(context.capabilities), context.threads);
}
std::unique_ptr<BlockOp> make_block_sink(const BlockContext& context, const BlockTensor& input) {
  if (input.type == DataType::kU8) return std::make_unique<BlockBytesSink>(input, context.threads);
  return std::make_unique<BlockSink>(input, choose<kernels::BlockStoreSlot>(context.capabilities), context.threads);
}
std::unique_ptr<BlockOp> make_block_quantize_source(const BlockContext& context, const BlockNode& node,
                                                    const BlockTensor& output) {
  const auto& params = std::get<format::QuantizeParams>(context.program.operators[node.op].params);
  return std::make_unique<BlockQuantizeSource>(params, output, context);
}

}  // namespace coco::backends
