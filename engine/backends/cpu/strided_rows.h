// Purpose: lets integer convolutions that step over columns run on kernels of unit stride: columns are parted by their
// remainder, each part a word plane of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/qconv/qconv_row.h"

namespace coco::backends {

class StridedRows {
 public:
  /// `planes`: of the input.
  StridedRows(const format::QuantConv2dParams& params, int planes)
      : stride_(static_cast<int>(params.stride[1])), rows_(static_cast<int>(params.kernel[0])), planes_(planes) {
    const auto dilation = static_cast<int>(params.dilation[1]);
    for (int kx = 0; kx < params.kernel[1]; ++kx) {
      const int phase = kx * dilation % stride_;
      if (std::find(phases_.begin(), phases_.end(), phase) == phases_.end()) phases_.push_back(phase);
    }
    last_tap_ = static_cast<int>(params.kernel[1] - 1) * dilation;
    reach_ = last_tap_ / stride_;
  }

  /// Entries read the parted columns.
  void adapt(kernels::QuantConvRowWeights& weights) const {
    for (kernels::QuantEntry& entry : weights.entries) {
      const auto phase = std::find(phases_.begin(), phases_.end(), entry.offset % stride_) - phases_.begin();
      entry.plane = entry.plane * static_cast<int>(phases_.size()) + static_cast<int>(phase);
      entry.offset /= stride_;
    }
    weights.stride_x = 1;
  }

  size_t scratch_words(int width) const {
    return static_cast<size_t>(rows_) * static_cast<size_t>(planes_) * phases_.size() * pitch(width) +
           kernels::kQuantRowSlop;
  }

  /// Parts the columns of kernel rows [first, last) into `scratch` and points the arguments there.
  void part(int first, int last, uint32_t* scratch, kernels::QuantConvRowArgs& args) const noexcept {
    const size_t plane_words = pitch(args.width);
    for (int ky = first; ky < last; ++ky) {
      const uint32_t* row = args.rows[ky];
      args.rows[ky] = scratch;
      for (int p = 0; p < planes_; ++p) {
        for (const int phase : phases_) {
          const uint32_t* in = row + p * args.in_plane_stride + phase;
          const int most = ((args.width - 1) * stride_ + last_tap_ - phase) / stride_ + 1;
          if (stride_ == 2) {
            for (int x = 0; x < most; ++x) scratch[x] = in[2 * x];
          } else {
            for (int x = 0; x < most; ++x) scratch[x] = in[x * stride_];
          }
          scratch += plane_words;
        }
      }
    }
    args.in_plane_stride = static_cast<ptrdiff_t>(plane_words);
  }

 private:
  size_t pitch(int width) const { return static_cast<size_t>((width + reach_ + 15) / 16 * 16); }

  int stride_, rows_, planes_;
  int last_tap_ = 0, reach_ = 0;  ///< columns from the first tap to the last, before and after
  std::vector<int> phases_;
};

}  // namespace coco::backends
