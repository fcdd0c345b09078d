#include "backends/cpu/row_bind.h"

#include <algorithm>
#include <optional>

#include "kernels/row/row.h"

namespace coco::backends {
namespace {

class UnaryOp : public PointwiseOp {
 public:
  UnaryOp(std::vector<format::UnaryParams> per_channel, const Capabilities& capabilities)
      : params_(std::move(per_channel)), unary_(choose<kernels::UnaryRowSlot>(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    for (size_t c = 0; c < params_.size(); ++c)
      unary_(params_[c], args.inputs[0].at(args.y, static_cast<int>(c), args.x.begin), args.x.size(),
             args.out + static_cast<ptrdiff_t>(c) * args.out_channel_stride);
  }

 private:
  std::vector<format::UnaryParams> params_;  ///< one per channel
  kernels::UnaryRowFn unary_;
};

/// Two row tensors of equal size; one with a single channel serves all channels of the other.
class BinaryOp : public PointwiseOp {
 public:
  BinaryOp(format::BinaryKind kind, int channels, bool broadcast_a, bool broadcast_b, const Capabilities& capabilities)
      : kind_(kind),
        channels_(channels),
        broadcast_a_(broadcast_a),
        broadcast_b_(broadcast_b),
        binary_(choose<kernels::BinaryRowSlot>(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    for (int c = 0; c < channels_; ++c)
      binary_(kind_, args.inputs[0].at(args.y, broadcast_a_ ? 0 : c, args.x.begin),
              args.inputs[1].at(args.y, broadcast_b_ ? 0 : c, args.x.begin), args.x.size(),
              args.out + c * args.out_channel_stride);
  }

 private:
  format::BinaryKind kind_;
  int channels_;
  bool broadcast_a_, broadcast_b_;
  kernels::BinaryRowFn binary_;
};

class BinaryConstOp : public PointwiseOp {
 public:
  BinaryConstOp(format::BinaryKind kind, int in_channels, std::vector<float> constants, bool constant_first,
                const Capabilities& capabilities)
      : kind_(kind),
        in_channels_(in_channels),
        constants_(std::move(constants)),
        constant_first_(constant_first),
        binary_(choose<kernels::BinaryConstRowSlot>(capabilities)) {}
  void run(const RowArgs& args) const noexcept override {
    for (size_t c = 0; c < constants_.size(); ++c)
      binary_(kind_, args.inputs[0].at(args.y, in_channels_ == 1 ? 0 : static_cast<int>(c), args.x.begin),
              constants_[c], constant_first_, args.x.size(),
              args.out + static_cast<ptrdiff_t>(c) * args.out_channel_stride);
  }

 private:
  format::BinaryKind kind_;
  int in_channels_;
  std::vector<float> constants_;  ///< one per result channel
  bool constant_first_;
  kernels::BinaryConstRowFn binary_;
};

/// Copies channels: concat, and slices of channels.
class ChannelCopyOp : public PointwiseOp {
 public:
  struct From {
    int input, channel;
  };
  explicit ChannelCopyOp(std::vector<From> from) : from_(std::move(from)) {}
  void run(const RowArgs& args) const noexcept override {
    for (size_t c = 0; c < from_.size(); ++c)
      std::copy_n(args.inputs[from_[c].input].at(args.y, from_[c].channel, args.x.begin), args.x.size(),
                  args.out + static_cast<ptrdiff_t>(c) * args.out_channel_stride);
  }

 private:
  std::vector<From> from_;
};

/// A constant operand as one value per channel of the result; nullopt when it varies within a channel.
std::optional<std::vector<float>> per_channel(std::span<const float> values, const Shape& shape, int channels) {
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  const size_t rank = shape.rank();
  const bool flat = rank >= 3 && shape[rank - 1] == 1 && shape[rank - 2] == 1 && shape[rank - 3] == channels;
  if (!flat || values.size() != static_cast<size_t>(channels)) return std::nullopt;
  return std::vector<float>(values.begin(), values.end());
}

}  // namespace

Result<BoundRowOp> bind_unary(const BindContext& context) {
  if (context.result_type() != DataType::kF32) return context.unsupported("its result is not f32");
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  const auto& params = std::get<format::UnaryParams>(context.op().params);
  return BoundRowOp{std::make_unique<UnaryOp>(std::vector(input.channels, params), context.capabilities), {0}};
}

Result<BoundRowOp> bind_prelu(const BindContext& context) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const auto values, context.constant(1));
  const auto slopes = per_channel(values, context.input_shape(1), input.channels);
  if (!slopes) return context.unsupported("its slope varies within a channel");
  std::vector<format::UnaryParams> params;
  for (float slope : *slopes) params.push_back({format::UnaryKind::kLeakyRelu, slope, 0});
  return BoundRowOp{std::make_unique<UnaryOp>(std::move(params), context.capabilities), {0}};
}

Result<BoundRowOp> bind_binary(const BindContext& context) {
  if (context.result_type() != DataType::kF32) return context.unsupported("its result is not f32");
  const auto kind = std::get<format::BinaryParams>(context.op().params).kind;
  COCO_ASSIGN(const RowTensor result, context.row_result());
  const bool const_a = context.is_constant(0), const_b = context.is_constant(1);
  if (const_a && const_b) return context.unsupported("both operands are constant");
  if (const_a || const_b) {
    const int constant = const_a ? 0 : 1, moving = 1 - constant;
    COCO_ASSIGN(const RowTensor input, context.row_tensor(moving));
    if (input.height != result.height || input.width != result.width)
      return context.unsupported("it broadcasts over height or width");
    COCO_ASSIGN(const auto values, context.constant(constant));
    auto constants = per_channel(values, context.input_shape(constant), result.channels);
    if (!constants) return context.unsupported("its constant operand varies within a channel");
    return BoundRowOp{
        std::make_unique<BinaryConstOp>(kind, input.channels, std::move(*constants), const_a, context.capabilities),
        {moving}};
  }
  COCO_ASSIGN(const RowTensor a, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor b, context.row_tensor(1));
  for (const RowTensor& operand : {a, b})
    if (operand.height != result.height || operand.width != result.width)
      return context.unsupported("it broadcasts over height or width");
  return BoundRowOp{std::make_unique<BinaryOp>(kind, result.channels, a.channels != result.channels,
                                               b.channels != result.channels, context.capabilities),
                    {0, 1}};
}

Result<BoundRowOp> bind_concat(const BindContext& context) {
  if (std::get<format::ConcatParams>(context.op().params).axis != 1)
    return context.unsupported("it joins another axis than the channels");
  std::vector<ChannelCopyOp::From> from;
  std::vector<int> inputs;
  for (int i = 0; i < static_cast<int>(context.op().inputs.size()); ++i) {
    COCO_ASSIGN(const RowTensor input, context.row_tensor(i));
    for (int c = 0; c < input.channels; ++c) from.push_back({i, c});
    inputs.push_back(i);
  }
  return BoundRowOp{std::make_unique<ChannelCopyOp>(std::move(from)), std::move(inputs)};
}

Result<BoundRowOp> bind_channel_slice(const BindContext& context, int64_t start, int64_t step) {
  COCO_ASSIGN(const RowTensor result, context.row_result());
  std::vector<ChannelCopyOp::From> from;
  for (int c = 0; c < result.channels; ++c) from.push_back({0, static_cast<int>(start + c * step)});
  return BoundRowOp{std::make_unique<ChannelCopyOp>(std::move(from)), {0}};
}

}  // namespace coco::backends
