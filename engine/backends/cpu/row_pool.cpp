// Pools of pictures, row by row.
#include <algorithm>
#include <limits>

#include "backends/cpu/row_bind.h"
#include "kernels/row/row.h"

namespace coco::backends {
namespace {

/// The rows of a window are brought together with vectors, then its columns one by one. What lies outside the picture
/// takes no part.
class PoolOp : public RowOp {
 public:
  PoolOp(const format::Pool2dParams& params, RowTensor input, const Capabilities& capabilities)
      : p_(params), input_(input), binary_(choose<kernels::BinaryRowSlot>(capabilities)) {}
  Interval rows_needed(int, int y) const override { return pool_reach(p_, 0, {y, y + 1}, input_.height); }
  Interval cols_needed(int, Interval x) const override { return pool_reach(p_, 1, x, input_.width); }
  size_t scratch_floats(int width) const override {
    const Interval x = {0, width};
    const int64_t columns = (x.size() - 1) * p_.stride[1] + (p_.kernel[1] - 1) * p_.dilation[1] + 1;
    return static_cast<size_t>(columns) + kernels::kRowSlop;
  }
  void run(const RowArgs& args) const noexcept override {
    const Interval columns = cols_needed(0, args.x);
    const auto dilation = static_cast<int>(p_.dilation[0]);
    const auto first = static_cast<int>(args.y * p_.stride[0] - p_.pads[0]);
    const bool most = p_.kind == format::PoolKind::kMax;
    for (int c = 0; c < input_.channels; ++c) {
      int rows = 0;
      for (int ky = 0; ky < p_.kernel[0]; ++ky) {
        const int y = first + ky * dilation;
        if (y < 0 || y >= input_.height) continue;
        const float* in = args.inputs[0].at(y, c, columns.begin);
        if (rows++ == 0) {
          std::copy_n(in, columns.size(), args.scratch);
        } else {
          binary_(most ? format::BinaryKind::kMax : format::BinaryKind::kAdd, args.scratch, in, columns.size(),
                  args.scratch);
        }
      }
      float* out = args.out + c * args.out_channel_stride;
      for (int x = args.x.begin; x < args.x.end; ++x) out[x - args.x.begin] = column(args, columns, x, rows);
    }
  }

 private:
  float column(const RowArgs& args, Interval columns, int x, int rows) const {
    const auto first = static_cast<int>(x * p_.stride[1] - p_.pads[1]);
    float most = -std::numeric_limits<float>::infinity(), sum = 0;
    int seen = 0;
    for (int kx = 0; kx < p_.kernel[1]; ++kx) {
      const int at = first + kx * static_cast<int>(p_.dilation[1]);
      if (at < 0 || at >= input_.width) continue;
      const float v = args.scratch[at - columns.begin];
      most = v > most || v != v ? v : most;
      sum += v;
      ++seen;
    }
    if (p_.kind == format::PoolKind::kMax) return most;
    const int64_t count = p_.count_padding ? padded(0, args.y, input_.height) * padded(1, x, input_.width)
                                           : static_cast<int64_t>(rows) * seen;
    return sum / static_cast<float>(count);
  }
  /// Samples of a window on the picture and its padding.
  int64_t padded(size_t axis, int64_t at, int64_t size) const {
    const int64_t first = at * p_.stride[axis] - p_.pads[axis];
    const int64_t end = std::min(first + p_.kernel[axis] * p_.dilation[axis], size + p_.pads[axis + 2]);
    return (end - first + p_.dilation[axis] - 1) / p_.dilation[axis];
  }

  const format::Pool2dParams p_;
  const RowTensor input_;
  const kernels::BinaryRowFn binary_;
};

}  // namespace

Result<BoundRowOp> bind_pool(const BindContext& context) {
  const auto& params = std::get<format::Pool2dParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  if (params.kind == format::PoolKind::kLp) return context.unsupported("it is no maximum and no average");
  return BoundRowOp{std::make_unique<PoolOp>(params, input, context.capabilities), {0}};
}

}  // namespace coco::backends
