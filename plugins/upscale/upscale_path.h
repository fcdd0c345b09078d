// Purpose: where frames are made - a device or the CPU -, the way back to the CPU when the device is lost, and the
// second opinion of the other one. Knows nothing of GStreamer. Threads: one process() at a time per object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coco/vision.h"

namespace coco::plugins {

/// The first tile of 64 x 64 samples in which two frames differ, plane by plane, row by row.
struct TileDifference {
  int plane = 0, x = 0, y = 0;  ///< of the tile's first sample; of interleaved chroma, pairs are counted
  int samples = 0;              ///< of the tile that differ
  int largest = 0;              ///< difference of two samples there
};

/// Frames of equal formats and sizes.
std::optional<TileDifference> first_difference(const FrameView& a, const FrameView& b);

/// Something that makes frames, and its name, such as "cpu:AVX2".
struct FrameMaker {
  std::string path;
  std::function<Status(const FrameView&, const MutableFrameView&)> process;
  std::function<ReuseStats()> reuse = [] { return ReuseStats{}; };
};
using MakeFrames = std::function<Result<FrameMaker>()>;

/// An Upscaler as a maker: on config.session.vulkan, or on the CPU.
Result<FrameMaker> upscaler_on(std::shared_ptr<const Model> model, const vision::UpscalerConfig& config);

class UpscalePath {
 public:
  struct Options {
    PixelFormat format = PixelFormat::kI420;  ///< of the frames made, with the size
    int width = 0, height = 0;
    MakeFrames spare;     ///< takes over when the first one is kUnavailable; null: that is an error
    MakeFrames other;     ///< whose frames verified ones are compared with
    uint64_t verify = 0;  ///< every so many frames, from the first on; 0: none
  };
  /// Makes `other` at once when frames are to be verified, `spare` when it is needed.
  static Result<std::unique_ptr<UpscalePath>> create(FrameMaker first, Options options);

  struct Outcome {
    std::optional<Error> lost;                 ///< the spare one made this frame and makes those to come
    bool verified = false;                     ///< this frame was compared
    std::optional<TileDifference> difference;  ///< and differs here
    std::optional<Error> unverified;           ///< the other one failed; no more frames are compared
  };
  Result<Outcome> process(const FrameView& in, const MutableFrameView& out);

  const std::string& path() const { return maker_.path; }
  const std::string& other_path() const { return other_.path; }
  ReuseStats reuse_stats() const { return maker_.reuse(); }

 private:
  UpscalePath(FrameMaker maker, Options options) : maker_(std::move(maker)), options_(std::move(options)) {}
  void make_frame();
  bool is_verified(uint64_t frame) const { return options_.verify > 0 && frame % options_.verify == 0; }

  FrameMaker maker_, other_;
  Options options_;
  uint64_t frames_ = 0;
  std::vector<uint8_t> bytes_;  ///< of the other's frame
  MutableFrameView frame_;
};

}  // namespace coco::plugins
