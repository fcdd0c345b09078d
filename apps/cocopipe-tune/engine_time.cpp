#include "apps/cocopipe-tune/engine_time.h"

#include <time.h>

#include "coco/compile.h"
#include "coco/session.h"
#include "tune/qat/calibration.h"
#include "tune/random.h"

namespace coco::jobs {
namespace {

constexpr int kSamples = 4, kSide = 48;

double milliseconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

/// What the integers cost does not matter here, only where weights are 0.
CompileOptions quick_options(const std::vector<tune::ImagePair>& pictures) {
  CompileOptions options;
  options.precision = Precision::kInt8;
  options.quantize.equalize = options.quantize.fit_weights = false;
  options.quantize.refine_ranges = options.quantize.correct_bias = false;
  options.quantize.min_snr_db = -1000;
  options.quantize.samples = tune::calibration_samples(pictures, kSamples, kSide);
  return options;
}

}  // namespace

Result<double> engine_milliseconds(const std::string& onnx, const std::vector<tune::ImagePair>& pictures,
                                   const EngineTimeOptions& options) {
  const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size());
  COCO_ASSIGN(const auto file, compile_onnx_bytes(bytes, quick_options(pictures)));
  COCO_ASSIGN(const auto model, Model::from_bytes(file));
  ImageJob job;
  job.in_width = options.width, job.in_height = options.height;
  job.out_width = options.width * model->card().scale, job.out_height = options.height * model->card().scale;
  SessionOptions session_options;
  session_options.threads = options.threads;
  COCO_ASSIGN(const auto session, ImageSession::create(model, job, session_options));
  std::vector<uint8_t> in(static_cast<size_t>(job.in_width) * static_cast<size_t>(job.in_height));
  std::vector<uint8_t> out(static_cast<size_t>(job.out_width) * static_cast<size_t>(job.out_height));
  tune::Random random(1);
  for (uint8_t& v : in) v = static_cast<uint8_t>(random.below(256));
  const PlaneView from{in.data(), job.in_width, job.in_width, job.in_height, SampleType::kU8};
  const MutablePlaneView to{out.data(), job.out_width, job.out_width, job.out_height, SampleType::kU8};
  const clockid_t clock = options.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
  double fastest = 0;
  for (int i = 0; i <= options.runs; ++i) {
    const double start = milliseconds_of(clock);
    COCO_TRY(session->run(from, to));
    const double now = milliseconds_of(clock) - start;
    if (i == 1 || (i > 1 && now < fastest)) fastest = now;  // the first one warms up
  }
  return fastest;
}

}  // namespace coco::jobs
