#include "backends/cpu/row_bind.h"

#include <algorithm>

#include "backends/cpu/resize_table.h"
#include "kernels/conv/conv_row.h"
#include "kernels/resample/rows.h"
#include "kernels/row/row.h"

namespace coco::backends {
namespace {

/// Padding or cropping of height and width.
class PadOp : public RowOp {
 public:
  PadOp(format::PadMode mode, float value, int top, int left, RowTensor input)
      : mode_(mode), value_(value), top_(top), left_(left), input_(input) {}
  Interval rows_needed(int, int y) const override {
    const int row = source(y - top_, input_.height);
    return {row, row + 1};
  }
  Interval cols_needed(int, Interval x) const override {
    // A reflected column can lie anywhere near the edge: the hull of what the interval's columns map to.
    int low = input_.width, high = 0;
    for (int i = x.begin; i < x.end; ++i) {
      const int column = std::clamp(source(i - left_, input_.width), 0, input_.width - 1);
      low = std::min(low, column), high = std::max(high, column + 1);
    }
    return {low, high};
  }
  void run(const RowArgs& args) const noexcept override {
    const int row = args.y - top_;
    const bool constant_row = mode_ == format::PadMode::kConstant && (row < 0 || row >= input_.height);
    for (int c = 0; c < input_.channels; ++c) {
      float* out = args.out + c * args.out_channel_stride;
      if (constant_row) {
        std::fill_n(out, args.x.size(), value_);
        continue;
      }
      const float* in = args.inputs[0].at(source(row, input_.height), c, 0);
      for (int x = args.x.begin; x < args.x.end; ++x) {
        const int column = x - left_;
        const bool outside = column < 0 || column >= input_.width;
        out[x - args.x.begin] =
            outside && mode_ == format::PadMode::kConstant ? value_ : in[source(column, input_.width)];
      }
    }
  }

 private:
  int source(int i, int size) const {
    if (mode_ == format::PadMode::kEdge) return std::clamp(i, 0, size - 1);
    if (mode_ == format::PadMode::kReflect) return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    return i;
  }
  format::PadMode mode_;
  float value_;
  int top_, left_;
  RowTensor input_;
};

/// Separable interpolation of both axes by tables: vertical first, then horizontal.
class ResampleOp : public RowOp {
 public:
  ResampleOp(kernels::FilterTable horizontal, kernels::FilterTable vertical, int channels,
             const Capabilities& capabilities)
      : horizontal_(std::move(horizontal)),
        vertical_(std::move(vertical)),
        channels_(channels),
        row_v_(choose<kernels::ResampleRowVSlot>(capabilities)),
        row_h_(choose<kernels::ResampleRowHSlot>(capabilities)) {}
  Interval rows_needed(int, int y) const override { return {vertical_.first[y], vertical_.first[y] + vertical_.taps}; }
  Interval cols_needed(int, Interval x) const override {
    // `first` never falls, so the ends of the interval bound it.
    return {horizontal_.first[x.begin], horizontal_.first[x.end - 1] + horizontal_.taps};
  }
  size_t scratch_floats(int width) const override {
    // Input columns under `width` results, whatever the ratio.
    const int64_t columns = int64_t(width) * horizontal_.in / std::max(horizontal_.out, 1) + 2 * horizontal_.taps + 8;
    return static_cast<size_t>(std::min<int64_t>(columns, horizontal_.in)) + kernels::kRowSlop +
           sizeof(const float*) * vertical_.taps;
  }
  void run(const RowArgs& args) const noexcept override {
    const RowInput& in = args.inputs[0];
    const Interval columns = cols_needed(0, args.x);
    auto** rows = reinterpret_cast<const float**>(args.scratch);
    float* filtered = args.scratch + (vertical_.taps * sizeof(const float*) / sizeof(float) + 15) / 16 * 16;
    for (int c = 0; c < channels_; ++c) {
      for (int k = 0; k < vertical_.taps; ++k) rows[k] = in.at(vertical_.first[args.y] + k, c, columns.begin);
      row_v_(vertical_, args.y, rows, columns.size(), filtered);
      row_h_(horizontal_, filtered, columns.begin, columns.size(), args.x.begin, args.x.end,
             args.out + c * args.out_channel_stride);
    }
  }

 private:
  kernels::FilterTable horizontal_, vertical_;
  int channels_;
  kernels::ResampleRowVFn row_v_;
  kernels::ResampleRowHFn row_h_;
};

class DepthToSpaceOp : public RowOp {
 public:
  DepthToSpaceOp(const format::DepthToSpaceParams& params, int out_channels, const Capabilities& capabilities)
      : block_(static_cast<int>(params.block)),
        crd_(params.mode == format::DepthToSpaceMode::kCrd),
        out_channels_(out_channels),
        interleave_(choose<kernels::InterleaveRowSlot>(capabilities)) {}
  Interval rows_needed(int, int y) const override { return {y / block_, y / block_ + 1}; }
  Interval cols_needed(int, Interval x) const override { return {x.begin / block_, (x.end - 1) / block_ + 1}; }
  size_t scratch_floats(int width) const override {
    return static_cast<size_t>(width) + 2 * block_ + kernels::kRowSlop + sizeof(const float*) * block_;
  }
  void run(const RowArgs& args) const noexcept override {
    const Interval columns = cols_needed(0, args.x);
    const int phase = args.y % block_;
    const int skip = args.x.begin - columns.begin * block_;
    const bool whole = skip == 0 && args.x.size() == columns.size() * block_;
    auto** rows = reinterpret_cast<const float**>(args.scratch);
    float* cut = args.scratch + (block_ * sizeof(const float*) / sizeof(float) + 15) / 16 * 16;
    for (int c = 0; c < out_channels_; ++c) {
      for (int b = 0; b < block_; ++b) {
        const int position = phase * block_ + b;
        const int channel = crd_ ? c * block_ * block_ + position : position * out_channels_ + c;
        rows[b] = args.inputs[0].at(args.y / block_, channel, columns.begin);
      }
      float* out = args.out + c * args.out_channel_stride;
      interleave_(block_, rows, columns.size(), whole ? out : cut);
      if (!whole) std::copy_n(cut + skip, args.x.size(), out);
    }
  }

 private:
  int block_;
  bool crd_;
  int out_channels_;
  kernels::InterleaveRowFn interleave_;
};

class SpaceToDepthOp : public RowOp {
 public:
  SpaceToDepthOp(int block, int in_channels) : block_(block), in_channels_(in_channels) {}
  Interval rows_needed(int, int y) const override { return {y * block_, (y + 1) * block_}; }
  Interval cols_needed(int, Interval x) const override { return {x.begin * block_, x.end * block_}; }
  void run(const RowArgs& args) const noexcept override {
    for (int by = 0; by < block_; ++by)
      for (int bx = 0; bx < block_; ++bx)
        for (int c = 0; c < in_channels_; ++c) {
          const float* in = args.inputs[0].at(args.y * block_ + by, c, args.x.begin * block_ + bx);
          float* out = args.out + ((by * block_ + bx) * in_channels_ + c) * args.out_channel_stride;
          for (int x = 0; x < args.x.size(); ++x) out[x] = in[x * block_];
        }
  }

 private:
  int block_, in_channels_;
};

}  // namespace

std::unique_ptr<RowOp> make_resample(kernels::FilterTable horizontal, kernels::FilterTable vertical, int channels,
                                     const Capabilities& capabilities) {
  return std::make_unique<ResampleOp>(std::move(horizontal), std::move(vertical), channels, capabilities);
}

Result<BoundRowOp> bind_pad(const BindContext& context) {
  const auto& params = std::get<format::PadParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  const auto& pads = params.pads;
  if (pads.size() != 8 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0)
    return context.unsupported("it pads the batch or the channels");
  if (params.mode == format::PadMode::kReflect &&
      (std::max(pads[2], pads[6]) >= input.height || std::max(pads[3], pads[7]) >= input.width))
    return context.unsupported("it reflects more than the picture holds");
  return BoundRowOp{
      std::make_unique<PadOp>(params.mode, params.value, static_cast<int>(pads[2]), static_cast<int>(pads[3]), input),
      {0}};
}

Result<BoundRowOp> bind_slice(const BindContext& context) {
  const auto& params = std::get<format::SliceParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  const int64_t sizes[4] = {1, input.channels, input.height, input.width};
  int64_t start[4] = {0, 0, 0, 0}, step[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < params.axes.size(); ++i) {
    const int64_t axis = params.axes[i];
    const int64_t last = params.steps[i] > 0 ? sizes[axis] : sizes[axis] - 1;
    const int64_t from = params.starts[i] < 0 ? params.starts[i] + sizes[axis] : params.starts[i];
    start[axis] = std::clamp<int64_t>(from, 0, last);
    step[axis] = params.steps[i];
  }
  const bool cuts_channels = start[1] != 0 || step[1] != 1 || context.input_shape(0)[1] != context.result_shape()[1];
  const bool crops =
      context.input_shape(0)[2] != context.result_shape()[2] || context.input_shape(0)[3] != context.result_shape()[3];
  if (step[2] != 1 || step[3] != 1) return context.unsupported("it steps over rows or columns");
  if (cuts_channels && crops) return context.unsupported("it cuts channels and crops at once");
  if (cuts_channels) return bind_channel_slice(context, start[1], step[1]);
  return BoundRowOp{std::make_unique<PadOp>(format::PadMode::kConstant, 0.0f, static_cast<int>(-start[2]),
                                            static_cast<int>(-start[3]), input),
                    {0}};
}

Result<BoundRowOp> bind_resize(const BindContext& context) {
  const auto& params = std::get<format::ResizeParams>(context.op().params);
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  if (input.channels != result.channels) return context.unsupported("it resizes the channels");
  return BoundRowOp{
      make_resample(make_resize_table(params, 3, input.width, result.width),
                    make_resize_table(params, 2, input.height, result.height), input.channels, context.capabilities),
      {0}};
}

Result<BoundRowOp> bind_depth_to_space(const BindContext& context) {
  COCO_TRY(context.row_tensor(0));
  COCO_ASSIGN(const RowTensor result, context.row_result());
  const auto& params = std::get<format::DepthToSpaceParams>(context.op().params);
  return BoundRowOp{std::make_unique<DepthToSpaceOp>(params, result.channels, context.capabilities), {0}};
}

Result<BoundRowOp> bind_space_to_depth(const BindContext& context) {
  COCO_ASSIGN(const RowTensor input, context.row_tensor(0));
  const auto& params = std::get<format::SpaceToDepthParams>(context.op().params);
  return BoundRowOp{std::make_unique<SpaceToDepthOp>(static_cast<int>(params.block), input.channels), {0}};
}

}  // namespace coco::backends
