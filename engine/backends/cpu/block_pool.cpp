// Pools in blocks of channels; a mean over all pixels is one of them.
#include "backends/cpu/block_bind.h"
#include "backends/cpu/row_bind.h"

namespace coco::backends {
namespace {

class BlockPoolOp : public BlockOp {
 public:
  BlockPoolOp(const format::Pool2dParams& params, const BlockTensor& in, const BlockTensor& out,
              kernels::BlockPoolFn run, int threads)
      : p_(params), in_(in), out_(out), run_(run) {
    const auto window = static_cast<double>(p_.kernel[0] * p_.kernel[1]);
    split_ = split_blocks(out, static_cast<double>(out.elements()) * window, threads);
  }
  int tasks() const override { return split_.tasks(); }
  void run(int task, const BlockArgs& args, float*) const noexcept override {
    const BlockSplit::Part part = split_.part(task);
    for (int b = part.first_block; b < part.first_block + part.blocks; ++b) {
      clear_border(out_, args.out, b, part.first_row, part.rows);
      for (int y = part.first_row; y < part.first_row + part.rows; ++y) run_row(args, b, y);
    }
  }

 private:
  void run_row(const BlockArgs& args, int b, int y) const {
    const auto dilation = static_cast<int>(p_.dilation[0]);
    const auto first = static_cast<int>(y * p_.stride[0] - p_.pads[0]);
    int begin = 0, end = static_cast<int>(p_.kernel[0]);
    while (begin < end && first + begin * dilation < 0) ++begin;
    while (end > begin && first + (end - 1) * dilation >= in_.height) --end;
    kernels::BlockPoolArgs pool;
    pool.most = p_.kind == format::PoolKind::kMax;
    pool.in = args.input<float>(0) + in_.at(b, first + begin * dilation, 0);
    pool.in_row = in_.row() * dilation;
    pool.rows = end - begin;
    pool.width = in_.width;
    pool.first = -static_cast<int>(p_.pads[1]);
    pool.stride = static_cast<int>(p_.stride[1]), pool.dilation = static_cast<int>(p_.dilation[1]);
    pool.kernel = static_cast<int>(p_.kernel[1]);
    pool.pixels = out_.width;
    pool.out = args.result<float>() + out_.at(b, y, 0);
    run_(pool);
  }

  const format::Pool2dParams p_;
  const BlockTensor in_, out_;
  const kernels::BlockPoolFn run_;
  BlockSplit split_;
};

}  // namespace

Result<BlockNode> block_pool_node(const BlockContext& context, size_t index) {
  const format::Operator& op = context.program.operators[index];
  if (const auto* p = std::get_if<format::ReduceParams>(&op.params)) {
    if (p->kind != format::ReduceKind::kMean || p->axes != std::vector<int64_t>{2, 3} || !p->keep_dims)
      return block_unsupported(op, "it is no mean of pictures");
  } else {
    const auto& pool = std::get<format::Pool2dParams>(op.params);
    const bool pads = *std::max_element(pool.pads.begin(), pool.pads.end()) > 0 || pool.ceil_mode;
    if (pool.kind == format::PoolKind::kLp) return block_unsupported(op, "it is no maximum and no mean");
    if (pool.kind == format::PoolKind::kAverage && pool.count_padding && pads)
      return block_unsupported(op, "it counts its padding");
  }
  return BlockNode{index, {op.inputs[0]}, op.outputs[0]};
}

std::unique_ptr<BlockOp> bind_block_pool(const BlockContext& context, const BlockNode& node,
                                         std::span<const BlockTensor> inputs, const BlockTensor& output) {
  const auto& params = context.program.operators[node.op].params;
  format::Pool2dParams whole;
  whole.kind = format::PoolKind::kAverage;
  whole.kernel = {inputs[0].height, inputs[0].width};
  const auto* pool = std::get_if<format::Pool2dParams>(&params);
  return std::make_unique<BlockPoolOp>(pool != nullptr ? *pool : whole, inputs[0], output,
                                       choose<kernels::BlockPoolSlot>(context.capabilities), context.threads);
}

}  // namespace coco::backends
