// Purpose: an operator as the line executor sees it: which rows and columns of its inputs a row of its result needs,
// and how to compute that row. Immutable once made; any number of tiles run it at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "coco/buffer.h"
#include "coco/status.h"
#include "coco/tensor.h"
#include "format/program.h"
#include "kernels/registry.h"
#include "kernels/resample/filter.h"

namespace coco::backends {

/// Half-open range of rows or columns.
struct Interval {
  int begin = 0, end = 0;
  int size() const { return end - begin; }
};

/// A row tensor: one picture of `channels` channels. Its rows are planes of 4-byte words: an f32 tensor has a plane a
/// channel, a u8 tensor a plane for every four channels (kernels/qconv/qconv_row.h).
struct RowTensor {
  int channels = 0, height = 0, width = 0;
  DataType type = DataType::kF32;
  int zero_point = 0;  ///< u8: the byte that stands for 0, also outside the picture
  int planes() const { return type == DataType::kU8 ? (channels + 3) / 4 : channels; }
  /// The word that stands outside the picture.
  uint32_t margin() const { return type == DataType::kU8 ? 0x01010101u * static_cast<uint32_t>(zero_point) : 0; }
};

/// Which of a ring's slots holds a row: y % capacity, by two multiplications (Lemire, Kaser, Kurz: Faster remainder by
/// direct computation, 2019).
class RingSlots {
 public:
  explicit RingSlots(int capacity = 1)
      : capacity_(static_cast<uint32_t>(capacity)), inverse_(UINT64_MAX / capacity_ + 1) {}
  int operator()(int y) const {
    const uint64_t fraction = inverse_ * static_cast<uint32_t>(y);
    return static_cast<int>(static_cast<uint64_t>((static_cast<Wide>(fraction) * capacity_) >> 64));
  }

 private:
  __extension__ using Wide = unsigned __int128;
  uint32_t capacity_;
  uint64_t inverse_;
};

/// The ring of rows a tile holds of one input. Columns are counted from the tile's first column `x_begin`. Zeros (a u8
/// tensor: zero points) stand left of column 0 and right of the last column, as far as the consumers said they read.
/// Planes of u8 tensors are addressed as if their words were floats.
struct RowInput {
  const float* base = nullptr;
  ptrdiff_t row_stride = 0;      ///< words between slots
  ptrdiff_t channel_stride = 0;  ///< words between planes of a row
  RingSlots slots;
  Interval x;  ///< columns held
  /// Channel 0 of row y, at column x.begin.
  const float* row(int y) const { return base + slots(y) * row_stride; }
  /// Channel c of row y, at column `column`, which may lie in the zero margins.
  const float* at(int y, int c, int column) const { return row(y) + c * channel_stride + (column - x.begin); }
};

/// The caller's samples, bound for one run: channel c of row y starts at data + y * row_stride + c * channel_stride.
struct Binding {
  SampleType type = SampleType::kF32;
  void* data = nullptr;
  ptrdiff_t row_stride = 0;      ///< bytes
  ptrdiff_t channel_stride = 0;  ///< bytes
};

struct RowArgs {
  int y = 0;                     ///< row of the result; a multiple of rows_per_step()
  Interval x;                    ///< columns of the result
  float* out = nullptr;          ///< channel 0, column x.begin; null for a sink
  ptrdiff_t out_row_stride = 0;  ///< words between the rows of a step, all of which there is room for
  ptrdiff_t out_channel_stride = 0;
  const RowInput* inputs = nullptr;
  const Binding* bindings = nullptr;  ///< of the run, by number
  float* scratch = nullptr;           ///< scratch_floats() floats, 64-byte aligned
};

class RowOp {
 public:
  virtual ~RowOp() = default;
  /// Rows of input i that row y of the result reads. May reach outside the picture; the executor clips.
  virtual Interval rows_needed(int input, int y) const = 0;
  /// Columns of input i that columns x of the result read. What reaches outside the picture is read as zeros.
  virtual Interval cols_needed(int input, Interval x) const = 0;
  /// Working memory of one call for result columns of this width.
  virtual size_t scratch_floats(int width) const {
    static_cast<void>(width);
    return 0;
  }
  /// Rows of the result one run makes: those from a multiple of this number on. At the lower edge some may lie outside
  /// the picture; nothing reads them.
  /// A sink's columns come in runs of this number as well.
  virtual int rows_per_step() const { return 1; }
  /// Tells that input 0 holds the samples of this binding, which an operator may then read itself.
  virtual void input_is_bound(int binding) { static_cast<void>(binding); }
  /// Lets an operator of four f32 channels store them as make_shuffled_sink does, itself: the sink, whose inputs are
  /// the base and then the operator's own, and which takes the operator's place. Null where there is no such way.
  virtual std::unique_ptr<RowOp> into_shuffled_sink(int binding) {
    static_cast<void>(binding);
    return nullptr;
  }
  virtual void run(const RowArgs& args) const noexcept = 0;
};

/// A row operator and which of the program operator's inputs (positions) are row tensors, in RowOp order.
struct BoundRowOp {
  std::unique_ptr<RowOp> op;
  std::vector<int> inputs;
  RowTensor result = {};
  std::string_view kernel = {};  ///< name of the row of kernels.def that does the work; "": none does
};

/// Binds an operator of a program to row kernels. `shapes` are the resolved shapes of all values. kUnsupported (naming
/// the operator) when it does not work row by row on [1, C, H, W] tensors.
Result<BoundRowOp> make_row_op(const format::Program& program, size_t operator_index, std::span<const Shape> shapes,
                               const kernels::Capabilities& capabilities);

/// The byte that stands for 0 in a u8 value of the program: as its producer says, through operators that leave bytes as
/// they are; where nothing in the program makes it, as its readers say; where nobody says, and so nobody reads beyond
/// the picture, 0.
int zero_point_of(const format::Program& program, int32_t value);

/// Loads rows of the caller's samples; no inputs.
std::unique_ptr<RowOp> make_source(int binding, RowTensor tensor, const kernels::Capabilities& capabilities);
/// Stores rows into the caller's samples; input 0 is stored, there is no result.
std::unique_ptr<RowOp> make_sink(int binding, RowTensor tensor, const kernels::Capabilities& capabilities);
/// Depth to space by two, sum and sink in one: stores input 0 (1 channel) plus the shuffled input 1 (4 channels, half
/// the size).
std::unique_ptr<RowOp> make_shuffled_sink(int binding, const kernels::Capabilities& capabilities);
/// Polyphase resampling of both axes.
std::unique_ptr<RowOp> make_resample(kernels::FilterTable horizontal, kernels::FilterTable vertical, int channels,
                                     const kernels::Capabilities& capabilities);

}  // namespace coco::backends
