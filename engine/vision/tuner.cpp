#include "vision/tuner.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "coco/device.h"
#include "coco/log.h"
#include "vision/geometry.h"
#include "vision/tuning_cache.h"

namespace coco::vision {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kColumns = 32;        // strips are whole vectors wide
constexpr int kMinRounds = 3;       // of a race that decides
constexpr int kMaxRounds = 200;     // of tiny pictures
constexpr double kHopeless = 1.08;  // times the fastest: not raced any further
// Rings this many times the cache are not worth a try, unless the planner's own are as large.
constexpr size_t kMaxCaches = 4;

int round_up(int value, int unit) { return (value + unit - 1) / unit * unit; }

double fastest(const std::vector<double>& ms) { return *std::min_element(ms.begin(), ms.end()); }

/// How far the fastest round was from being reproduced: the second fastest over it, less one.
double doubt(std::vector<double> ms) {
  if (ms.size() < 2) return 1;
  std::partial_sort(ms.begin(), ms.begin() + 2, ms.end());
  return ms[1] / ms[0] - 1;
}

struct Frame {
  Buffer memory;
  MutableFrameView view;
};

Result<Frame> make_frame(PixelFormat format, int width, int height) {
  Frame frame;
  frame.view = {format, width, height, {}, {}};
  std::array<size_t, 3> offsets{};
  size_t bytes = 0;
  for (int plane = 0; plane < plane_count(format); ++plane) {
    const auto index = static_cast<size_t>(plane);
    const PlaneSize size = plane_size(format, plane, width, height);
    frame.view.stride[index] = round_up(size.row_bytes, static_cast<int>(kBufferAlignment));
    offsets[index] = bytes;
    bytes += static_cast<size_t>(frame.view.stride[index]) * static_cast<size_t>(size.rows);
  }
  COCO_ASSIGN(frame.memory, Buffer::allocate(bytes));
  for (size_t p = 0; p < static_cast<size_t>(plane_count(format)); ++p)
    frame.view.data[p] = static_cast<uint8_t*>(frame.memory.data()) + offsets[p];
  return frame;
}

/// Noise over a slope, in every plane; frames of seeds 0 and 1 differ everywhere.
void paint(Frame& frame, uint32_t seed) {
  const bool wide = sample_type(frame.view.format) != SampleType::kU8;
  for (int plane = 0; plane < plane_count(frame.view.format); ++plane) {
    const auto index = static_cast<size_t>(plane);
    const PlaneSize size = plane_size(frame.view.format, plane, frame.view.width, frame.view.height);
    for (int y = 0; y < size.rows; ++y) {
      uint8_t* row = static_cast<uint8_t*>(frame.view.data[index]) + y * frame.view.stride[index];
      for (int x = 0; x < size.row_bytes; ++x) {
        uint32_t hash = (static_cast<uint32_t>(x) * 73856093u) ^ (static_cast<uint32_t>(y) * 19349663u);
        hash = (hash ^ (hash >> 13)) * 0x85ebca6bu;
        // The high byte of a 10-bit sample stays within its two bits.
        const uint32_t value = wide && x % 2 == 1 ? hash >> 24 & 3 : (hash >> 28) + static_cast<uint32_t>(y);
        row[x] = static_cast<uint8_t>(value ^ (wide && x % 2 == 1 ? seed : seed * 64));
      }
    }
  }
}

struct Contender {
  TunedPlan plan;
  std::unique_ptr<Upscaler> upscaler;
  std::vector<double> ms;
  bool racing = true;
  size_t turn = 0;  // of all races: the other picture has to come next, or reuse finds it unmoved
};

/// Frames, contenders and races of one job.
class Tuner {
 public:
  Tuner(std::shared_ptr<const Model> model, const UpscalerConfig& config) : model_(std::move(model)), config_(config) {
    config_.tuning = Tuning::kOff;
    config_.session.strip_width = config_.session.band_height = 0;
  }

  Result<TuningResult> run(double seconds) {
    COCO_TRY(prepare());
    COCO_ASSIGN(const int strips, planned_strips());
    for (const int width : strip_widths_to_try(config_.out_width, strips)) COCO_TRY(add({width, 0}));
    COCO_TRY(race(seconds / 2, kMinRounds - 1));
    const size_t winner = choose_contender();
    keep(winner);
    const SessionStats& stats = contenders_[0].upscaler->stats();
    // With reuse the rows are cut for comparing, not for the threads.
    if (!config_.session.reuse) {
      for (const int height : band_heights_to_try(config_.out_height, stats.threads))
        COCO_TRY(add({contenders_.back().plan.strip_width, height}));
    }
    if (contenders_.size() > 1) COCO_TRY(race(seconds / 2, kMinRounds));
    const size_t best = choose_contender();
    TuningResult result;
    result.plan = contenders_[best].plan;
    result.default_ms = fastest(contenders_[0].ms);
    result.tuned_ms = fastest(contenders_[best].ms);
    result.candidates = tried_;
    result.frames = frames_;
    return result;
  }

 private:
  Status prepare() {
    for (uint32_t i = 0; i < 2; ++i) {
      COCO_ASSIGN(Frame frame, make_frame(config_.format, config_.in_width, config_.in_height));
      paint(frame, i);
      in_.push_back(std::move(frame));
    }
    COCO_ASSIGN(out_, make_frame(config_.format, config_.out_width, config_.out_height));
    COCO_TRY(add({}));
    if (contenders_.empty()) return make_error(ErrorCode::kInternal, "the planner's own plan was not taken");
    COCO_TRY(sample(contenders_[0]));  // touches the memory of the frames
    contenders_[0].ms.clear();
    return {};
  }

  /// Strips computed in one go; with reuse the statistics count the narrower tiles it compares.
  Result<int> planned_strips() const {
    UpscalerConfig config = config_;
    config.session.reuse = false;
    COCO_ASSIGN(const auto upscaler, Upscaler::create(model_, config));
    return upscaler->stats().strips;
  }

  Status add(TunedPlan plan) {
    UpscalerConfig config = config_;
    config.session.strip_width = plan.strip_width;
    config.session.band_height = plan.band_height;
    COCO_ASSIGN(auto upscaler, Upscaler::create(model_, config));
    const auto per_thread = [](const SessionStats& stats) {
      return stats.arena_bytes / static_cast<size_t>(std::max(stats.threads, 1));
    };
    if (!contenders_.empty()) {
      const size_t most = std::max(kMaxCaches * cpu_info().l2_bytes, per_thread(contenders_[0].upscaler->stats()));
      if (per_thread(upscaler->stats()) > most) return {};
    }
    contenders_.push_back({plan, std::move(upscaler), {}});
    ++tried_;
    return {};
  }

  /// One frame, every sample of which differs from the one before: what reuse cannot help with has to be fast.
  Status sample(Contender& contender) {
    const size_t picture = contender.turn++ % 2;
    const auto start = Clock::now();
    COCO_TRY(contender.upscaler->process(in_[picture].view, out_.view));
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    contender.ms.push_back(ms);
    ++frames_;
    return {};
  }

  /// Rounds in turns until the time is up; who is clearly slower drops out, the planner's choice never.
  Status race(double seconds, int min_rounds) {
    for (Contender& contender : contenders_) contender.ms.clear(), contender.racing = true;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    for (int round = 0; round < kMaxRounds && (round < min_rounds || Clock::now() < end); ++round) {
      for (size_t i = 0; i < contenders_.size(); ++i) {
        // Every round starts with another one, so that no rhythm of the machine meets always the same.
        Contender& contender = contenders_[(i + static_cast<size_t>(round)) % contenders_.size()];
        if (contender.racing) COCO_TRY(sample(contender));
      }
      double best = fastest(contenders_[0].ms);
      for (const Contender& contender : contenders_) best = std::min(best, fastest(contender.ms));
      for (size_t i = 1; i < contenders_.size(); ++i)
        contenders_[i].racing = contenders_[i].racing && fastest(contenders_[i].ms) <= best * kHopeless;
    }
    return {};
  }

  size_t choose_contender() const {
    std::vector<std::vector<double>> rounds;
    for (const Contender& contender : contenders_) rounds.push_back(contender.ms);
    return choose(rounds);
  }

  /// The planner's choice and the winner stay.
  void keep(size_t winner) {
    std::vector<Contender> kept;
    kept.push_back(std::move(contenders_[0]));
    if (winner != 0) kept.push_back(std::move(contenders_[winner]));
    contenders_ = std::move(kept);
  }

  std::shared_ptr<const Model> model_;
  UpscalerConfig config_;
  std::vector<Frame> in_;
  Frame out_;
  std::vector<Contender> contenders_;
  int tried_ = 0, frames_ = 0;
};

}  // namespace

std::vector<int> strip_widths_to_try(int width, int strips) {
  const auto cut = [width](int count) { return round_up((width + count - 1) / count, kColumns); };
  const auto count = [width](int strip) { return (width + strip - 1) / strip; };
  std::vector<int> widths;
  std::vector<int> counts{strips};
  for (const int wanted : {strips - 1, strips + 1, strips / 2, strips * 2, strips / 3, strips * 3 / 2, strips * 3}) {
    if (wanted < 1) continue;
    const int strip = cut(wanted);
    if (strip < kMinTunedStrip || strip > kMaxTunedStrip) continue;
    if (std::find(counts.begin(), counts.end(), count(strip)) != counts.end()) continue;
    counts.push_back(count(strip));
    widths.push_back(strip);
  }
  return widths;
}

std::vector<int> band_heights_to_try(int height, int threads) {
  std::vector<int> heights;
  for (const int bands : {2 * threads, 3 * threads, 4 * threads}) {
    const int band = round_up((height + bands - 1) / bands, 2);
    // Lower bands would compute more rows twice than they could ever win.
    if (band < 2 * kMinTunedBand || band > kMaxTunedBand) continue;
    if (std::find(heights.begin(), heights.end(), band) == heights.end()) heights.push_back(band);
  }
  return heights;
}

size_t choose(std::span<const std::vector<double>> rounds) {
  const std::vector<double>& first = rounds[0];
  size_t best = 0;
  for (size_t i = 1; i < rounds.size(); ++i) {
    const std::vector<double>& other = rounds[i];
    const double gain = std::max({kTuningGain, doubt(first), doubt(other)});
    if (fastest(other) >= fastest(rounds[best]) || fastest(other) > fastest(first) * (1 - gain)) continue;
    std::vector<double> ratios;
    for (size_t r = 0; r < std::min(first.size(), other.size()); ++r) ratios.push_back(other[r] / first[r]);
    std::nth_element(ratios.begin(), ratios.begin() + static_cast<ptrdiff_t>(ratios.size() / 2), ratios.end());
    if (ratios[ratios.size() / 2] <= 1 - kTuningGain / 2) best = i;
  }
  return best;
}

Result<TuningResult> tune(std::shared_ptr<const Model> model, const UpscalerConfig& config, double seconds) {
  const TuningKey key = tuning_key(model.get(), config);
  TuningResult result;
  if (config.in_width != config.out_width || config.in_height != config.out_height) {
    COCO_ASSIGN(result, Tuner(std::move(model), config).run(seconds));
  }
  const std::string folder = tuning_folder();
  const Status written = write_tuning(folder, key, result);
  if (written.ok()) {
    result.file = tuning_file(folder, key);
  } else {
    log(LogLevel::kWarning, "tuning is not kept: " + written.error().message);
  }
  return result;
}

}  // namespace coco::vision
