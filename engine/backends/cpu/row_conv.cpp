#include "backends/cpu/row_bind.h"

#include <algorithm>

#include "kernels/conv/conv_pair.h"
#include "kernels/conv/conv_row.h"
#include "kernels/conv/conv_taps.h"
#include "kernels/row/row.h"

namespace coco::backends {
namespace {

using PostFn = kernels::UnaryRowFn;  // of an activation the row kernel does not fuse; null otherwise

class ConvOp : public RowOp {
 public:
  ConvOp(const format::Conv2dParams& params, RowTensor input, kernels::ConvRowWeights weights, PostFn post)
      : params_(params), input_(input), weights_(std::move(weights)), post_(post) {}
  Interval rows_needed(int, int y) const override {
    const int first = first_row(y);
    return {first, static_cast<int>(first + (params_.kernel[0] - 1) * params_.dilation[0] + 1)};
  }
  Interval cols_needed(int, Interval x) const override {
    const auto first = static_cast<int>(x.begin * params_.stride[1] - params_.pads[1]);
    const auto last = static_cast<int>((x.end - 1) * params_.stride[1] - params_.pads[1]);
    return {first, static_cast<int>(last + (params_.kernel[1] - 1) * params_.dilation[1] + 1)};
  }

 protected:
  int first_row(int y) const { return static_cast<int>(y * params_.stride[0] - params_.pads[0]); }
  /// Row y of the input from the first tap of the first result column on; null outside the picture.
  const float* input_row(const RowArgs& args, int y) const {
    const auto column = static_cast<int>(args.x.begin * params_.stride[1] - params_.pads[1]);
    return y < 0 || y >= input_.height ? nullptr : args.inputs[0].at(y, 0, column);
  }
  void activate(const RowArgs& args, float* row) const {
    if (post_ == nullptr) return;
    const format::UnaryParams unary{params_.activation, params_.act_a, params_.act_b};
    for (int m = 0; m < weights_.out_channels; ++m) {
      float* out = row + m * args.out_channel_stride;
      post_(unary, out, args.x.size(), out);
    }
  }
  /// Runs a kernel of one row, whose rows of the input are set.
  template <typename ConvArgs>
  void finish(const RowArgs& args, ConvArgs& conv, void (*run)(const ConvArgs&)) const {
    conv.out = args.out;
    conv.out_channel_stride = args.out_channel_stride;
    conv.width = args.x.size();
    run(conv);
    activate(args, args.out);
  }
  const format::Conv2dParams params_;
  const RowTensor input_;
  const kernels::ConvRowWeights weights_;

 private:
  const PostFn post_;
};

class ConvRowOp : public ConvOp {
 public:
  ConvRowOp(const format::Conv2dParams& params, RowTensor input, kernels::ConvRowWeights weights, PostFn post,
            kernels::ConvRowFn run)
      : ConvOp(params, input, std::move(weights), post), run_(run) {}
  void run(const RowArgs& args) const noexcept override {
    kernels::ConvRowArgs conv;
    conv.weights = &weights_;
    for (int ky = 0; ky < weights_.kernel_h; ++ky) {
      const float* row = input_row(args, first_row(args.y) + ky * static_cast<int>(params_.dilation[0]));
      if (row == nullptr) continue;
      conv.ky[conv.row_count] = ky;
      conv.rows[conv.row_count++] = row;
    }
    conv.in_channel_stride = args.inputs[0].channel_stride;
    finish(args, conv, run_);
  }

 private:
  const kernels::ConvRowFn run_;
};

/// What is left of a pruned one (kernels/conv/conv_taps.h).
class ConvTapsOp : public ConvOp {
 public:
  ConvTapsOp(const format::Conv2dParams& params, RowTensor input, kernels::ConvTapsWeights weights, PostFn post,
             kernels::ConvTapsFn run)
      : ConvOp(params, input, weights.shape, post), taps_(std::move(weights)), run_(run) {}
  void run(const RowArgs& args) const noexcept override {
    kernels::ConvTapsArgs conv;
    conv.weights = &taps_;
    for (int ky = 0; ky < weights_.kernel_h; ++ky) {
      const float* row = input_row(args, first_row(args.y) + ky * static_cast<int>(params_.dilation[0]));
      if (row == nullptr) continue;
      conv.ky[conv.row_count] = ky;
      conv.rows[conv.row_count++] = row;
    }
    conv.in_channel_stride = args.inputs[0].channel_stride;
    finish(args, conv, run_);
  }

 private:
  const kernels::ConvTapsWeights taps_;
  const kernels::ConvTapsFn run_;
};

/// A stride along the row: columns a stride apart are brought together, a plane for each phase of the stride that a tap
/// meets, and the taps then read those planes with unit stride.
class ConvStridedOp : public ConvOp {
 public:
  ConvStridedOp(const format::Conv2dParams& params, RowTensor input, kernels::ConvTapsWeights weights, PostFn post,
                kernels::ConvTapsFn run)
      : ConvOp(params, input, weights.shape, post), taps_(std::move(weights)), run_(run) {
    const int stride = weights_.stride_x;
    std::vector<int> plane_of(static_cast<size_t>(stride), -1);
    for (int kx = 0; kx < weights_.kernel_w; ++kx) {
      const int phase = kx * weights_.dilation_x % stride;
      if (plane_of[static_cast<size_t>(phase)] >= 0) continue;
      plane_of[static_cast<size_t>(phase)] = static_cast<int>(phases_.size());
      phases_.push_back(phase);
    }
    for (kernels::ConvTap& tap : taps_.taps) {
      const int plane = plane_of[static_cast<size_t>(tap.offset % stride)];
      tap = {tap.channel * static_cast<int>(phases_.size()) + plane, tap.offset / stride};
    }
    taps_.shape.stride_x = 1;
  }
  size_t scratch_floats(int width) const override {
    return static_cast<size_t>(weights_.kernel_h) * row_planes() * static_cast<size_t>(plane_floats(width));
  }
  void run(const RowArgs& args) const noexcept override {
    kernels::ConvTapsArgs conv;
    conv.weights = &taps_;
    conv.in_channel_stride = plane_floats(args.x.size());
    float* planes = args.scratch;
    for (int ky = 0; ky < weights_.kernel_h; ++ky) {
      const float* row = input_row(args, first_row(args.y) + ky * static_cast<int>(params_.dilation[0]));
      if (row == nullptr) continue;
      conv.ky[conv.row_count] = ky;
      conv.rows[conv.row_count++] = planes;
      for (int c = 0; c < input_.channels; ++c, row += args.inputs[0].channel_stride) {
        for (const int phase : phases_) {
          gather(row, phase, args.x.size(), planes);
          planes += conv.in_channel_stride;
        }
      }
    }
    finish(args, conv, run_);
  }

 private:
  size_t row_planes() const { return static_cast<size_t>(input_.channels) * phases_.size(); }
  ptrdiff_t plane_floats(int width) const {
    constexpr ptrdiff_t kLine = 16;
    const ptrdiff_t reach = ptrdiff_t(weights_.kernel_w - 1) * weights_.dilation_x / weights_.stride_x;
    return (width + reach + kernels::kRowSlop + kLine - 1) / kLine * kLine;
  }
  /// plane[i] = row[i * stride + phase], as far as the row's taps go.
  void gather(const float* row, int phase, int width, float* plane) const {
    const ptrdiff_t stride = weights_.stride_x;
    const ptrdiff_t columns =
        ptrdiff_t(width - 1) * stride + ptrdiff_t(weights_.kernel_w - 1) * weights_.dilation_x + 1;
    const ptrdiff_t count = (columns - phase + stride - 1) / stride;
    if (stride == 2) {
      for (ptrdiff_t i = 0; i < count; ++i) plane[i] = row[2 * i + phase];
    } else {
      for (ptrdiff_t i = 0; i < count; ++i) plane[i] = row[i * stride + phase];
    }
  }

  kernels::ConvTapsWeights taps_;
  const kernels::ConvTapsFn run_;
  std::vector<int> phases_;  ///< a plane each
};

/// Two rows a step (kernels/conv/conv_pair.h).
class ConvPairOp : public ConvOp {
 public:
  ConvPairOp(const format::Conv2dParams& params, RowTensor input, kernels::ConvRowWeights weights, PostFn post,
             kernels::ConvPairFn run)
      : ConvOp(params, input, std::move(weights), post), run_(run) {}
  int rows_per_step() const override { return 2; }
  size_t scratch_floats(int) const override { return kernels::conv_pair_scratch(weights_); }
  void run(const RowArgs& args) const noexcept override {
    kernels::ConvPairArgs conv;
    conv.weights = &weights_;
    for (int r = 0; r < kernels::kPairRows; ++r) conv.rows[r] = input_row(args, first_row(args.y) + r);
    conv.in_channel_stride = args.inputs[0].channel_stride;
    conv.out[0] = args.out;
    conv.out[1] = args.out + args.out_row_stride;
    conv.out_channel_stride = args.out_channel_stride;
    conv.width = args.x.size();
    conv.scratch = args.scratch;
    run_(conv);
    activate(args, conv.out[0]);
    activate(args, conv.out[1]);
  }

 private:
  const kernels::ConvPairFn run_;
};

/// The share of products up to which leaving out the others is faster than two dense rows at once.
constexpr double kSparse = 0.6;

/// Two rows at once save a third of the products and pay with sums: worth it from four channels on either side.
bool pairs_pay(const format::Conv2dParams& params, const kernels::ConvRowWeights& weights,
               const Capabilities& capabilities) {
  constexpr int kFewest = 4;
  return !capabilities.target.empty() && capabilities.row_pairs && weights.kernel_h == 3 &&
         weights.kernel_w == kernels::kPairWidth && params.stride[0] == 1 && params.stride[1] == 1 &&
         params.dilation[0] == 1 && weights.out_channels / weights.groups >= kFewest &&
         weights.in_channels / weights.groups >= kFewest;
}

/// Transposed convolution, one output row: the taps whose stride phase meets the row.
class ConvTransposeOp : public RowOp {
 public:
  ConvTransposeOp(const format::ConvTranspose2dParams& params, RowTensor input, int out_channels,
                  std::vector<float> weights, std::vector<float> bias)
      : p_(params), input_(input), out_channels_(out_channels), weights_(std::move(weights)), bias_(std::move(bias)) {}
  Interval rows_needed(int, int y) const override { return span(0, y, y + 1); }
  Interval cols_needed(int, Interval x) const override { return span(1, x.begin, x.end); }
  void run(const RowArgs& args) const noexcept override {
    const auto groups = static_cast<int>(p_.group);
    const int out_per_group = out_channels_ / groups;
    const int in_per_group = input_.channels / groups;
    const auto kh = static_cast<int>(p_.kernel[0]), kw = static_cast<int>(p_.kernel[1]);
    for (int m = 0; m < out_channels_; ++m) {
      float* out = args.out + m * args.out_channel_stride;
      std::fill_n(out, args.x.size(), bias_[m]);
      for (int ky = 0; ky < kh; ++ky) {
        const int64_t lifted = args.y + p_.pads[0] - ky * p_.dilation[0];
        if (lifted < 0 || lifted % p_.stride[0] != 0 || lifted / p_.stride[0] >= input_.height) continue;
        const auto row = static_cast<int>(lifted / p_.stride[0]);
        for (int c = 0; c < in_per_group; ++c) {
          const int channel = m / out_per_group * in_per_group + c;
          const float* k = weights_.data() + ((size_t(channel) * out_per_group + m % out_per_group) * kh + ky) * kw;
          const float* in = args.inputs[0].at(row, channel, 0);
          for (int kx = 0; kx < kw; ++kx) accumulate(args, kx, k[kx], in, out);
        }
      }
    }
  }

 private:
  void accumulate(const RowArgs& args, int kx, float weight, const float* in, float* out) const {
    const int64_t stride = p_.stride[1];
    const int64_t shift = p_.pads[1] - kx * p_.dilation[1];  // input column = (x + shift) / stride
    int64_t x = args.x.begin;
    while ((x + shift < 0 || (x + shift) % stride != 0) && x < args.x.end) ++x;
    for (; x < args.x.end; x += stride) {
      const int64_t column = (x + shift) / stride;
      if (column >= input_.width) break;
      out[x - args.x.begin] += in[column] * weight;
    }
  }
  Interval span(int axis, int begin, int end) const {
    const int64_t reach = (p_.kernel[axis] - 1) * p_.dilation[axis];
    const auto floor_div = [](int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); };
    return {static_cast<int>(floor_div(begin + p_.pads[axis] - reach + p_.stride[axis] - 1, p_.stride[axis])),
            static_cast<int>(floor_div(end - 1 + p_.pads[axis], p_.stride[axis])) + 1};
  }
  format::ConvTranspose2dParams p_;
  RowTensor input_;
  int out_channels_;
  std::vector<float> weights_, bias_;
};

}  // namespace

Result<BoundRowOp> bind_conv(const BindContext& context) {
  const auto& params = std::get<format::Conv2dParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  if (params.kernel[0] > kernels::kMaxKernelRows) return context.unsupported("its kernel has too many rows");
  COCO_ASSIGN(const auto oihw, context.constant(1));
  kernels::ConvRowWeights weights;
  weights.out_channels = result.channels, weights.in_channels = input.channels;
  weights.groups = static_cast<int>(params.group);
  weights.kernel_h = static_cast<int>(params.kernel[0]), weights.kernel_w = static_cast<int>(params.kernel[1]);
  weights.dilation_x = static_cast<int>(params.dilation[1]), weights.stride_x = static_cast<int>(params.stride[1]);
  weights.bias.assign(result.channels, 0.0f);
  if (context.has_input(2)) {
    COCO_ASSIGN(const auto bias, context.constant(2));
    std::copy(bias.begin(), bias.end(), weights.bias.begin());
  }
  const auto epilogue = epilogue_of(params.activation);
  weights.epilogue = epilogue.value_or(kernels::Epilogue::kNone);
  weights.a = params.act_a, weights.b = params.act_b;
  if (context.has_input(3)) {
    COCO_ASSIGN(const auto slope, context.constant(3));
    weights.epilogue = kernels::Epilogue::kPrelu;
    weights.slope.assign(slope.begin(), slope.end());
  }
  const bool fused = epilogue.has_value() || context.has_input(3);
  const PostFn post = fused ? nullptr : choose<kernels::UnaryRowSlot>(context.capabilities);
  if (!context.capabilities.target.empty() && (context.capabilities.skip_zeros || weights.stride_x > 1)) {
    kernels::ConvRowWeights unit = weights;  // as the kernel sees it
    unit.stride_x = 1;
    const auto* taps = kernels::select<kernels::ConvTapsSlot>(unit, context.capabilities);
    weights.oc_tile = taps->function.oc_tile();
    auto left = kernels::make_conv_taps(oihw.data(), weights);
    if (weights.stride_x > 1)
      return BoundRowOp{std::make_unique<ConvStridedOp>(params, input, std::move(left), post, taps->function.run),
                        {0},
                        {},
                        taps->name};
    if (left.density() <= kSparse)
      return BoundRowOp{
          std::make_unique<ConvTapsOp>(params, input, std::move(left), post, taps->function.run), {0}, {}, taps->name};
  }
  if (pairs_pay(params, weights, context.capabilities)) {
    const auto* pair = kernels::select<kernels::ConvPairSlot>(weights, context.capabilities);
    weights.oc_tile = pair->function.oc_tile();
    kernels::pack_conv_pair_weights(oihw.data(), weights);
    return BoundRowOp{
        std::make_unique<ConvPairOp>(params, input, std::move(weights), post, pair->function.run), {0}, {}, pair->name};
  }
  const auto* row = kernels::select<kernels::ConvRowSlot>(weights, context.capabilities);
  weights.oc_tile = row->function.oc_tile();
  kernels::pack_conv_weights(oihw.data(), weights);
  return BoundRowOp{
      std::make_unique<ConvRowOp>(params, input, std::move(weights), post, row->function.run), {0}, {}, row->name};
}

Result<BoundRowOp> bind_conv_transpose(const BindContext& context) {
  const auto& params = std::get<format::ConvTranspose2dParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  COCO_ASSIGN(const auto weights, context.constant(1));
  std::vector<float> bias(result.channels, 0.0f);
  if (context.has_input(2)) {
    COCO_ASSIGN(const auto values, context.constant(2));
    std::copy(values.begin(), values.end(), bias.begin());
  }
  return BoundRowOp{
      std::make_unique<ConvTransposeOp>(params, input, result.channels,
                                        std::vector<float>(weights.begin(), weights.end()), std::move(bias)),
      {0}};
}

}  // namespace coco::backends
