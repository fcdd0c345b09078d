#include <kissfft/kiss_fftnd.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <vector>

#include "coco/disclosure.h"
#include "vision/disclosure/mark_pattern.h"

namespace coco::vision {
namespace {

using Complex = std::complex<float>;
constexpr size_t kTilePixels = static_cast<size_t>(kTile) * kTile;

/// Two-dimensional transforms of tiles.
class TileTransform {
 public:
  TileTransform() {
    const int sides[] = {kTile, kTile};
    forward_ = kiss_fftnd_alloc(sides, 2, 0, nullptr, nullptr);
    backward_ = kiss_fftnd_alloc(sides, 2, 1, nullptr, nullptr);
  }
  ~TileTransform() {
    kiss_fft_free(forward_);
    kiss_fft_free(backward_);
  }
  TileTransform(const TileTransform&) = delete;
  TileTransform& operator=(const TileTransform&) = delete;

  std::vector<Complex> forward(const std::vector<float>& tile) const {
    const std::vector<Complex> in(tile.begin(), tile.end());
    return run(forward_, in);
  }
  std::vector<Complex> backward(const std::vector<Complex>& tile) const { return run(backward_, tile); }

 private:
  static std::vector<Complex> run(kiss_fftnd_cfg plan, const std::vector<Complex>& in) {
    std::vector<Complex> out(in.size());
    // std::complex<float> is laid out as two floats, as kiss_fft_cpx is.
    kiss_fftnd(plan, reinterpret_cast<const kiss_fft_cpx*>(in.data()), reinterpret_cast<kiss_fft_cpx*>(out.data()));
    return out;
  }
  kiss_fftnd_cfg forward_, backward_;
};

/// What says where the tile lies, as it looks in a tile of pixels; chips with bits are 0.
std::vector<float> sync_tile() {
  std::array<int8_t, kTileChips * kTileChips> chips{};
  const MarkPattern& pattern = mark_pattern();
  for (size_t i = 0; i < chips.size(); ++i) chips[i] = pattern.bit[i] < 0 ? pattern.sign[i] : int8_t{0};
  const MarkSurface surface(chips);
  std::vector<float> tile(kTilePixels);
  for (int y = 0; y < kTile; ++y) {
    for (int x = 0; x < kTile; ++x) {
      tile[static_cast<size_t>(y) * kTile + static_cast<size_t>(x)] = surface.at(
          MarkSurface::place(static_cast<float>(x) + 0.5f), MarkSurface::place(static_cast<float>(y) + 0.5f));
    }
  }
  return tile;
}

/// Means over squares of 2 * reach + 1 pixels, fewer at the edges.
std::vector<float> box_mean(const std::vector<float>& picture, int width, int height, int reach) {
  std::vector<double> sums(static_cast<size_t>(width + 1) * static_cast<size_t>(height + 1), 0);
  const auto sum = [&](int x, int y) -> double& {
    return sums[static_cast<size_t>(y) * static_cast<size_t>(width + 1) + static_cast<size_t>(x)];
  };
  for (int y = 0; y < height; ++y) {
    double row = 0;
    for (int x = 0; x < width; ++x) {
      row += static_cast<double>(picture[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)]);
      sum(x + 1, y + 1) = sum(x + 1, y) + row;
    }
  }
  std::vector<float> means(picture.size());
  for (int y = 0; y < height; ++y) {
    const int y0 = std::max(0, y - reach), y1 = std::min(height, y + reach + 1);
    for (int x = 0; x < width; ++x) {
      const int x0 = std::max(0, x - reach), x1 = std::min(width, x + reach + 1);
      const double all = sum(x1, y1) - sum(x0, y1) - sum(x1, y0) + sum(x0, y0);
      means[static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x)] =
          static_cast<float>(all / ((x1 - x0) * (y1 - y0)));
    }
  }
  return means;
}

struct Fit {
  double scale = 1;  ///< Units of the marked picture in one of this picture's.
  int x = 0, y = 0;  ///< Where the tile begins.
  double deviations = 0;
};

}  // namespace

struct MarkDetector::State {
  PixelFormat format;
  int width, height;  ///< Of the frames.
  int columns, rows;  ///< Of the picture in units.
  int frames = 0;
  std::vector<float> sum;  ///< Of the frames' whitened residuals.
  TileTransform transform;
  std::vector<Complex> sync;  ///< Its transform, conjugated.

  std::vector<float> in_units(const FrameView& frame) const;
  std::vector<float> fold(double scale) const;
  Fit best_at(double scale) const;
  Fit search() const;
  uint64_t read(const Fit& fit) const;
};

MarkDetector::MarkDetector(std::unique_ptr<State> state) : state_(std::move(state)) {}
MarkDetector::~MarkDetector() = default;

Result<std::unique_ptr<MarkDetector>> MarkDetector::create(PixelFormat format, int width, int height) {
  const int short_side = std::min(width, height), long_side = std::max(width, height);
  if (short_side < 96 || long_side > 16384 || long_side > 8 * short_side) {
    return make_error(ErrorCode::kUnsupported, "a mark cannot be looked for in pictures of " + std::to_string(width) +
                                                   "x" + std::to_string(height));
  }
  auto state = std::make_unique<State>();
  state->format = format;
  state->width = width;
  state->height = height;
  const double units = static_cast<double>(kMarkShortSide) / short_side;
  state->columns = static_cast<int>(std::lround(width * units));
  state->rows = static_cast<int>(std::lround(height * units));
  state->sum.assign(static_cast<size_t>(state->columns) * static_cast<size_t>(state->rows), 0);
  state->sync = state->transform.forward(sync_tile());
  for (Complex& c : state->sync) c = std::conj(c);
  return std::unique_ptr<MarkDetector>(new MarkDetector(std::move(state)));
}

/// The luma in units, 0..255, each the mean of the samples it covers.
std::vector<float> MarkDetector::State::in_units(const FrameView& frame) const {
  const SampleType type = sample_type(format);
  std::vector<float> picture(sum.size());
  const auto luma = [&](int x, int y) {
    const auto* row = static_cast<const uint8_t*>(frame.data[0]) + frame.stride[0] * y;
    if (type == SampleType::kU8) return static_cast<float>(row[x]);
    const uint16_t word = reinterpret_cast<const uint16_t*>(row)[x];
    return static_cast<float>(type == SampleType::kU16Msb10 ? word >> 6 : word) * 0.25f;
  };
  for (int r = 0; r < rows; ++r) {
    const int y0 = r * height / rows, y1 = std::max(y0 + 1, (r + 1) * height / rows);
    for (int c = 0; c < columns; ++c) {
      const int x0 = c * width / columns, x1 = std::max(x0 + 1, (c + 1) * width / columns);
      float total = 0;
      for (int y = y0; y < y1; ++y) {
        for (int x = x0; x < x1; ++x) total += luma(x, y);
      }
      picture[static_cast<size_t>(r) * static_cast<size_t>(columns) + static_cast<size_t>(c)] =
          total / static_cast<float>((y1 - y0) * (x1 - x0));
    }
  }
  return picture;
}

Status MarkDetector::add(const FrameView& frame) {
  State& s = *state_;
  if (frame.format != s.format || frame.width != s.width || frame.height != s.height) {
    return make_error(ErrorCode::kInvalidArgument, "the frame is not of the size and format that were announced");
  }
  std::vector<float> picture = s.in_units(frame);
  const std::vector<float> mean = box_mean(picture, s.columns, s.rows, 4);
  std::vector<float> energy(picture.size());
  for (size_t i = 0; i < picture.size(); ++i) {
    picture[i] = std::clamp(picture[i] - mean[i], -12.0f, 12.0f);
    energy[i] = std::abs(picture[i]);
  }
  energy = box_mean(energy, s.columns, s.rows, 6);
  for (size_t i = 0; i < picture.size(); ++i) s.sum[i] += picture[i] / (energy[i] * energy[i] + 1.0f);
  ++s.frames;
  return {};
}

/// The picture laid over itself tile by tile.
std::vector<float> MarkDetector::State::fold(double scale) const {
  std::vector<float> tile(kTilePixels, 0);
  std::vector<int> place(static_cast<size_t>(columns));
  for (int c = 0; c < columns; ++c) place[static_cast<size_t>(c)] = static_cast<int>((c + 0.5) * scale) & (kTile - 1);
  for (int r = 0; r < rows; ++r) {
    float* to = tile.data() + static_cast<size_t>(static_cast<int>((r + 0.5) * scale) & (kTile - 1)) * kTile;
    const float* from = sum.data() + static_cast<size_t>(r) * static_cast<size_t>(columns);
    for (int c = 0; c < columns; ++c) to[place[static_cast<size_t>(c)]] += from[c];
  }
  return tile;
}

Fit MarkDetector::State::best_at(double scale) const {
  std::vector<Complex> spectrum = transform.forward(fold(scale));
  for (size_t i = 0; i < spectrum.size(); ++i) {
    // Only phases count: what a picture has much of says nothing about the mark.
    const float size = std::abs(spectrum[i]);
    spectrum[i] = (size > 0 ? spectrum[i] / size : Complex(0)) * sync[i];
  }
  spectrum[0] = 0;
  const std::vector<Complex> match = transform.backward(spectrum);
  double square = 0;
  size_t peak = 0;
  for (size_t i = 0; i < match.size(); ++i) {
    square += static_cast<double>(match[i].real() * match[i].real());
    if (match[i].real() > match[peak].real()) peak = i;
  }
  const double deviation = std::sqrt(square / static_cast<double>(match.size()));
  return {scale, static_cast<int>(peak % kTile), static_cast<int>(peak / kTile),
          deviation > 0 ? static_cast<double>(match[peak].real()) / deviation : 0};
}

constexpr double kSure = 9;

Fit MarkDetector::State::search() const {
  Fit best = best_at(1);
  if (best.deviations > kSure) return best;
  for (int step = 600; step <= 1400; ++step) {
    const Fit fit = best_at(step / 1000.0);
    if (fit.deviations > best.deviations) best = fit;
  }
  return best;
}

uint64_t MarkDetector::State::read(const Fit& fit) const {
  const std::vector<float> tile = fold(fit.scale);
  const MarkPattern& pattern = mark_pattern();
  std::array<float, kMarkBits> votes{};
  for (int row = 0; row < kTileChips; ++row) {
    for (int column = 0; column < kTileChips; ++column) {
      const auto chip = static_cast<size_t>(row) * kTileChips + static_cast<size_t>(column);
      if (pattern.bit[chip] < 0) continue;
      float value = 0;
      for (int y = 0; y < kChip; ++y) {
        for (int x = 0; x < kChip; ++x) {
          const int ty = (row * kChip + y + fit.y) & (kTile - 1), tx = (column * kChip + x + fit.x) & (kTile - 1);
          value += tile[static_cast<size_t>(ty) * kTile + static_cast<size_t>(tx)];
        }
      }
      votes[static_cast<uint8_t>(pattern.bit[chip])] += value * static_cast<float>(pattern.sign[chip]);
    }
  }
  uint64_t bits = 0;
  for (size_t b = 0; b < votes.size(); ++b) bits |= votes[b] > 0 ? uint64_t{1} << b : 0;
  return bits;
}

MarkDetector::Finding MarkDetector::find() const {
  Finding finding;
  finding.frames = state_->frames;
  if (state_->frames == 0) return finding;
  const Fit fit = state_->search();
  const uint64_t bits = finding.bits = state_->read(fit);
  finding.payload = {static_cast<uint8_t>(bits >> 56), bits >> 16 & 0xFFFFFFFFFFu};
  finding.confidence = fit.deviations;
  finding.shown = fit.scale;
  finding.found = mark_bits(finding.payload) == bits && fit.deviations > 5;
  return finding;
}

}  // namespace coco::vision
