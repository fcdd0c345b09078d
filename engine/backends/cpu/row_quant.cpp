// Integer rows: quantizing, and convolutions of words of four u8 channels.
#include <algorithm>
#include <map>

#include "backends/cpu/row_bind.h"
#include "kernels/qconv/qconv_row.h"

namespace coco::backends {
namespace {

class QuantizeOp : public PointwiseOp {
 public:
  QuantizeOp(const format::QuantizeParams& params, int channels, kernels::QuantizeRowFn run)
      : params_(params), channels_(channels), run_(run) {}
  void run(const RowArgs& args) const noexcept override {
    kernels::QuantizeRowArgs row;
    row.in = args.inputs[0].at(args.y, 0, args.x.begin);
    row.in_channel_stride = args.inputs[0].channel_stride;
    row.out = reinterpret_cast<uint32_t*>(args.out);
    row.out_plane_stride = args.out_channel_stride;
    row.channels = channels_;
    row.width = args.x.size();
    row.multiplier = params_.multiplier;
    row.zero_point = static_cast<int32_t>(params_.zero_point);
    run_(row);
  }

 private:
  format::QuantizeParams params_;
  int channels_;
  kernels::QuantizeRowFn run_;
};

/// The kernel rows [first, last) that lie inside the picture.
struct KernelRows {
  int first = 0, last = 0;
  auto operator<=>(const KernelRows&) const = default;
};

class QuantConvOp : public RowOp {
 public:
  QuantConvOp(const format::QuantConv2dParams& params, int height,
              std::map<KernelRows, kernels::QuantConvRowWeights> weights, kernels::QuantConvRowFn run)
      : params_(params), height_(height), weights_(std::move(weights)), run_(run) {}

  static int first_row(const format::QuantConv2dParams& p, int y) {
    return static_cast<int>(y * p.stride[0] - p.pads[0]);
  }
  static KernelRows inside(const format::QuantConv2dParams& p, int y, int height) {
    const int first = first_row(p, y);
    const auto dilation = static_cast<int>(p.dilation[0]), rows = static_cast<int>(p.kernel[0]);
    KernelRows valid{0, rows};
    while (valid.first < rows && first + valid.first * dilation < 0) ++valid.first;
    while (valid.last > valid.first && first + (valid.last - 1) * dilation >= height) --valid.last;
    return valid;
  }

  Interval rows_needed(int, int y) const override {
    const int first = first_row(params_, y);
    return {first, static_cast<int>(first + (params_.kernel[0] - 1) * params_.dilation[0] + 1)};
  }
  Interval cols_needed(int, Interval x) const override {
    const auto first = static_cast<int>(x.begin * params_.stride[1] - params_.pads[1]);
    const auto last = static_cast<int>((x.end - 1) * params_.stride[1] - params_.pads[1]);
    return {first, static_cast<int>(last + (params_.kernel[1] - 1) * params_.dilation[1] + 1)};
  }
  void run(const RowArgs& args) const noexcept override {
    const KernelRows valid = inside(params_, args.y, height_);
    const RowInput& in = args.inputs[0];
    kernels::QuantConvRowArgs conv;
    conv.weights = &weights_.find(valid)->second;
    const int first = first_row(params_, args.y);
    const auto column = static_cast<int>(args.x.begin * params_.stride[1] - params_.pads[1]);
    for (int ky = valid.first; ky < valid.last; ++ky) {
      const int row = first + ky * static_cast<int>(params_.dilation[0]);
      conv.rows[ky] = reinterpret_cast<const uint32_t*>(in.at(row, 0, column));
    }
    conv.in_plane_stride = in.channel_stride;
    conv.out = args.out;
    conv.out_plane_stride = args.out_channel_stride;
    conv.width = args.x.size();
    run_(conv);
  }

 private:
  format::QuantConv2dParams params_;
  int height_;
  /// Packed without the kernel rows outside the picture: what they would add is 0, and no row stands for them.
  std::map<KernelRows, kernels::QuantConvRowWeights> weights_;
  kernels::QuantConvRowFn run_;
};

/// OIHW weights with the kernel rows outside `rows` set to 0.
std::vector<int8_t> within(std::span<const int8_t> oihw, const format::QuantConv2dParams& p, KernelRows rows) {
  std::vector<int8_t> kept(oihw.begin(), oihw.end());
  const auto kw = static_cast<size_t>(p.kernel[1]), kh = static_cast<size_t>(p.kernel[0]);
  for (size_t i = 0; i < kept.size(); ++i) {
    const auto ky = static_cast<int>(i / kw % kh);
    if (ky < rows.first || ky >= rows.last) kept[i] = 0;
  }
  return kept;
}

}  // namespace

Result<BoundRowOp> bind_quantize(const BindContext& context) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  return BoundRowOp{std::make_unique<QuantizeOp>(std::get<format::QuantizeParams>(context.op().params), input.channels,
                                                 choose<kernels::QuantizeRowSlot>(context.capabilities)),
                    {0}};
}

Result<BoundRowOp> bind_quant_conv(const BindContext& context) {
  const auto& params = std::get<format::QuantConv2dParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  if (params.kernel[0] > kernels::kMaxQuantKernelRows) return context.unsupported("its kernel has too many rows");
  if (input.zero_point != params.in_zero_point)
    return context.unsupported("its zero point " + std::to_string(params.in_zero_point) + " is not its input's " +
                               std::to_string(input.zero_point));
  COCO_ASSIGN(const auto weight, context.constant<int8_t>(1));
  COCO_ASSIGN(const auto bias, context.constant<int32_t>(2));
  COCO_ASSIGN(const auto scale, context.constant(3));
  const float* negative = nullptr;
  if (context.has_input(4)) {
    COCO_ASSIGN(const auto slopes, context.constant(4));
    negative = slopes.data();
  }
  kernels::QuantConvRowWeights key;
  key.out_channels = result.channels, key.in_channels = input.channels;
  key.kernel_h = static_cast<int>(params.kernel[0]), key.kernel_w = static_cast<int>(params.kernel[1]);
  key.stride_x = static_cast<int>(params.stride[1]);
  const auto* row = kernels::select<kernels::QuantConvRowSlot>(key, context.capabilities);
  std::map<KernelRows, kernels::QuantConvRowWeights> packed;
  for (int y = 0; y < result.height; ++y) {
    const KernelRows valid = QuantConvOp::inside(params, y, input.height);
    if (packed.contains(valid)) continue;
    packed.emplace(
        valid, kernels::pack_quant_conv(params, result.channels, input.channels, within(weight, params, valid).data(),
                                        bias.data(), scale.data(), negative, row->function.oc_tile()));
  }
  return BoundRowOp{std::make_unique<QuantConvOp>(params, input.height, std::move(packed), row->function.run), {0}};
}

}  // namespace coco::backends
