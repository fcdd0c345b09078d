// Integer rows: quantizing, and convolutions of words of four u8 channels.
#include <algorithm>
#include <map>

#include "backends/cpu/row_bind.h"
#include "backends/cpu/strided_rows.h"
#include "kernels/qconv/qconv_row.h"

namespace coco::backends {
namespace {

/// Samples of a gathered word: the one left of it, itself, the two right of it.
constexpr int kGathered = 4, kGatheredLeft = 1;

/// Words of a tensor with one channel would hold one sample each, and a convolution would multiply three quarters of
/// nothing. Gathered, a word holds four neighbours and one product serves a row of a kernel up to four wide. That fits
/// when all readers are convolutions whose windows lie on words of the picture: neighbours are gathered from the f32
/// row, whose margins are right, but the words in the integer row's own margins would not be.
bool is_gathered(const format::Program& program, int32_t value) {
  const Shape& shape = program.values[value].shape;
  if (shape.rank() != 4 || shape[1] != 1) return false;
  bool made = false, read = false;
  for (const format::Operator& op : program.operators) {
    if (op.outputs[0] == value) made = std::holds_alternative<format::QuantizeParams>(op.params);
    if (std::find(op.inputs.begin(), op.inputs.end(), value) == op.inputs.end()) continue;
    const auto* p = std::get_if<format::QuantConv2dParams>(&op.params);
    if (p == nullptr || p->kernel[1] > kGathered || p->stride[1] != 1 || p->dilation[1] != 1 ||
        p->pads[1] > kGatheredLeft || p->pads[3] > p->kernel[1] - 1 - kGatheredLeft)
      return false;
    read = true;
  }
  return made && read && std::find(program.outputs.begin(), program.outputs.end(), value) == program.outputs.end();
}

class QuantizeOp : public PointwiseOp {
 public:
  QuantizeOp(const format::QuantizeParams& params, RowTensor input, bool gather, const Capabilities& capabilities)
      : params_(params),
        input_(input),
        gather_(gather),
        run_(choose<kernels::QuantizeRowSlot>(capabilities)),
        gather_bytes_(choose<kernels::GatherRowSlot>(capabilities)) {}
  Interval cols_needed(int, Interval x) const override {
    return gather_ ? Interval{x.begin - kGatheredLeft, x.end + kGathered - 1 - kGatheredLeft} : x;
  }
  void input_is_bound(int binding) override { binding_ = binding; }
  void run(const RowArgs& args) const noexcept override {
    if (binding_ >= 0 && is_identity(args.bindings[binding_])) return gather_samples(args);
    kernels::QuantizeRowArgs row;
    row.out = reinterpret_cast<uint32_t*>(args.out);
    row.out_plane_stride = args.out_channel_stride;
    if (gather_) {
      // The same row four times, each a sample further.
      row.in = args.inputs[0].at(args.y, 0, args.x.begin - kGatheredLeft);
      row.in_channel_stride = 1;
      row.channels = kGathered;
    } else {
      row.in = args.inputs[0].at(args.y, 0, args.x.begin);
      row.in_channel_stride = args.inputs[0].channel_stride;
      row.channels = input_.channels;
    }
    row.width = args.x.size();
    row.multiplier = params_.multiplier;
    row.zero_point = static_cast<int32_t>(params_.zero_point);
    run_(row);
  }

 private:
  /// 8-bit samples become k / 255 and, times 255, themselves again.
  bool is_identity(const Binding& samples) const {
    return gather_ && samples.type == SampleType::kU8 && params_.multiplier == 255 && params_.zero_point == 0;
  }
  void gather_samples(const RowArgs& args) const noexcept {
    const Binding& samples = args.bindings[binding_];
    kernels::GatherRowArgs row;
    row.in = static_cast<const uint8_t*>(samples.data) + args.y * samples.row_stride;
    row.columns = input_.width;
    row.begin = args.x.begin, row.width = args.x.size();
    row.out = reinterpret_cast<uint32_t*>(args.out);
    gather_bytes_(row);
  }

  format::QuantizeParams params_;
  RowTensor input_;
  bool gather_;
  int binding_ = -1;
  kernels::QuantizeRowFn run_;
  kernels::GatherRowFn gather_bytes_;
};

/// The kernel rows [first, last) that lie inside the picture.
struct KernelRows {
  int first = 0, last = 0;
  auto operator<=>(const KernelRows&) const = default;
};

class QuantConvOp : public RowOp {
 public:
  /// `strided`: null where the kernel steps over columns itself.
  QuantConvOp(const format::QuantConv2dParams& params, int height, bool gathered,
              std::map<KernelRows, kernels::QuantConvRowWeights> weights, kernels::QuantConvRowFn run,
              std::unique_ptr<StridedRows> strided)
      : params_(params),
        height_(height),
        gathered_(gathered),
        weights_(std::move(weights)),
        run_(run),
        strided_(std::move(strided)) {
    const auto whole = weights_.find({0, static_cast<int>(params.kernel[0])});
    if (whole != weights_.end()) whole_ = &whole->second;
  }

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
    const int first = first_column(x.begin), last = first_column(x.end - 1);
    if (gathered_) return {first, last + 1};
    return {first, static_cast<int>(last + (params_.kernel[1] - 1) * params_.dilation[1] + 1)};
  }
  std::unique_ptr<RowOp> into_shuffled_sink(int binding) override;
  void run(const RowArgs& args) const noexcept override {
    kernels::QuantConvRowArgs conv;
    conv.out = args.out;
    conv.out_plane_stride = args.out_channel_stride;
    run_row(args.inputs[0], args.y, args.x, conv, args.scratch);
  }
  size_t scratch_floats(int width) const override { return strided_ != nullptr ? strided_->scratch_words(width) : 0; }
  /// Row y, columns x of the result, to where `conv` says.
  void run_row(const RowInput& in, int y, Interval x, kernels::QuantConvRowArgs& conv, float* scratch) const noexcept {
    const int first = first_row(params_, y);
    KernelRows valid{0, static_cast<int>(params_.kernel[0])};
    conv.weights = whole_;
    if (first < 0 || rows_needed(0, y).end > height_) {
      valid = inside(params_, y, height_);
      conv.weights = &weights_.find(valid)->second;
    }
    const int column = first_column(x.begin);
    for (int ky = valid.first; ky < valid.last; ++ky) {
      const int row = first + ky * static_cast<int>(params_.dilation[0]);
      conv.rows[ky] = reinterpret_cast<const uint32_t*>(in.at(row, 0, column));
    }
    conv.in_plane_stride = in.channel_stride;
    conv.width = x.size();
    if (strided_ != nullptr) strided_->part(valid.first, valid.last, reinterpret_cast<uint32_t*>(scratch), conv);
    run_(conv);
  }

 private:
  /// The first word an output reads.
  int first_column(int x) const {
    return static_cast<int>(x * params_.stride[1] - params_.pads[1]) + (gathered_ ? kGatheredLeft : 0);
  }
  format::QuantConv2dParams params_;
  int height_;
  bool gathered_;
  /// Packed without the kernel rows outside the picture: what they would add is 0, and no row stands for them.
  std::map<KernelRows, kernels::QuantConvRowWeights> weights_;
  const kernels::QuantConvRowWeights* whole_ = nullptr;  ///< of the rows that no edge cuts
  kernels::QuantConvRowFn run_;
  std::unique_ptr<StridedRows> strided_;
};

/// The last convolution of a network together with the pixel shuffle, the sum and the conversion behind it: two rows of
/// samples from each row of its sums.
class QuantConvSinkOp : public RowOp {
 public:
  QuantConvSinkOp(int binding, QuantConvOp conv) : binding_(binding), conv_(std::move(conv)) {}
  int rows_per_step() const override { return 2; }
  size_t scratch_floats(int width) const override { return conv_.scratch_floats(width / 2 + 1); }
  Interval rows_needed(int input, int y) const override {
    return input == 0 ? Interval{y, y + 1} : conv_.rows_needed(0, y / 2);
  }
  Interval cols_needed(int input, Interval x) const override {
    return input == 0 ? x : conv_.cols_needed(0, {x.begin / 2, x.end / 2});
  }
  void run(const RowArgs& args) const noexcept override {
    const Binding& binding = args.bindings[binding_];
    kernels::QuantShuffledRows to;
    to.type = binding.type;
    const ptrdiff_t column = args.x.begin * static_cast<ptrdiff_t>(byte_size(binding.type));
    for (int row = 0; row < 2; ++row) {
      to.base[row] = args.inputs[0].at(args.y + row, 0, args.x.begin);
      to.samples[row] = static_cast<char*>(binding.data) + (args.y + row) * binding.row_stride + column;
    }
    kernels::QuantConvRowArgs conv;
    conv.shuffled = &to;
    conv_.run_row(args.inputs[1], args.y / 2, {args.x.begin / 2, args.x.end / 2}, conv, args.scratch);
  }

 private:
  int binding_;
  QuantConvOp conv_;
};

std::unique_ptr<RowOp> QuantConvOp::into_shuffled_sink(int binding) {
  if (!params_.dequantize || whole_ == nullptr || whole_->out_channels != 4) return nullptr;
  return std::make_unique<QuantConvSinkOp>(binding, std::move(*this));
}

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

/// [M][1][kh][kw] as a kernel of one column over four channels, the neighbours of a gathered word.
std::vector<int8_t> gathered_weights(std::span<const int8_t> oihw, const format::QuantConv2dParams& p) {
  const auto kw = static_cast<size_t>(p.kernel[1]), kh = static_cast<size_t>(p.kernel[0]);
  std::vector<int8_t> result(oihw.size() / kw * kGathered);
  for (size_t i = 0; i < oihw.size(); ++i) {
    const size_t kx = i % kw, ky = i / kw % kh, m = i / kw / kh;
    result[(m * kGathered + kx) * kh + ky] = oihw[i];
  }
  return result;
}

kernels::QuantConvRowWeights pack(const format::QuantConv2dParams& params, const RowTensor& input,
                                  const RowTensor& result, bool gathered, const std::vector<int8_t>& weight,
                                  const int32_t* bias, const float* scale, const float* negative,
                                  const kernels::QuantConvRowKernel& kernel, bool skip_zeros) {
  if (!gathered)
    return kernels::pack_quant_conv_finest(params, result.channels, input.channels, weight.data(), bias, scale,
                                           negative, kernel, skip_zeros);
  format::QuantConv2dParams column = params;
  column.kernel[1] = 1;
  return kernels::pack_quant_conv_finest(column, result.channels, kGathered, gathered_weights(weight, params).data(),
                                         bias, scale, negative, kernel, skip_zeros);
}

}  // namespace

Result<BoundRowOp> bind_quantize(const BindContext& context) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  const auto& params = std::get<format::QuantizeParams>(context.op().params);
  const bool gather = is_gathered(context.program, context.op().outputs[0]);
  return BoundRowOp{std::make_unique<QuantizeOp>(params, input, gather, context.capabilities), {0}};
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
  std::unique_ptr<StridedRows> strided;
  if (params.stride[1] > 1 && !context.capabilities.target.empty())
    strided = std::make_unique<StridedRows>(params, input.planes());
  key.stride_x = strided != nullptr ? 1 : static_cast<int>(params.stride[1]);
  const auto* row = kernels::select<kernels::QuantConvRowSlot>(key, context.capabilities);
  const bool gathered = is_gathered(context.program, context.op().inputs[0]);
  std::map<KernelRows, kernels::QuantConvRowWeights> packed;
  for (int y = 0; y < result.height; ++y) {
    const KernelRows valid = QuantConvOp::inside(params, y, input.height);
    if (packed.contains(valid)) continue;
    const bool all = valid == KernelRows{0, key.kernel_h};  // others have no row to multiply with their zeros
    auto made =
        packed.emplace(valid, pack(params, input, result, gathered, within(weight, params, valid), bias.data(),
                                   scale.data(), negative, row->function, context.capabilities.skip_zeros || !all));
    if (strided != nullptr) strided->adapt(made.first->second);
  }
  return BoundRowOp{std::make_unique<QuantConvOp>(params, input.height, gathered, std::move(packed), row->function.run,
                                                  std::move(strided)),
                    {0},
                    {},
                    row->name};
}

}  // namespace coco::backends
