#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "coco/disclosure.h"
#include "vision/disclosure/label_mask.h"
#include "vision/disclosure/mark_pattern.h"

namespace coco::vision {
namespace {

constexpr double kFullShare = 0.055, kCornerShare = 0.025;
constexpr int kPlateOpacity = 170;  // Of 255.

/// Calls fn(row) with the samples of a plane's row as T*.
template <typename T>
T* row_of(void* data, ptrdiff_t stride, int y) {
  return reinterpret_cast<T*>(static_cast<uint8_t*>(data) + stride * y);
}

int shift_of(SampleType type) { return type == SampleType::kU16Msb10 ? 6 : 0; }

/// value towards target by opacity / 255, rounded.
int blend(int value, int target, int opacity) { return value + ((target - value) * opacity + 127) / 255; }

/// The label over luma, and grey over the chroma under its plate.
template <typename T>
void draw(const MutableFrameView& frame, const LabelMask& mask, int left, int top) {
  const SampleType type = sample_type(frame.format);
  const int shift = shift_of(type), unit = type == SampleType::kU8 ? 1 : 4;
  for (int y = 0; y < mask.height && top + y < frame.height; ++y) {
    T* row = row_of<T>(frame.data[0], frame.stride[0], top + y);
    const size_t line = static_cast<size_t>(y) * static_cast<size_t>(mask.width);
    for (int x = 0; x < mask.width && left + x < frame.width; ++x) {
      const size_t i = line + static_cast<size_t>(x);
      int v = row[left + x] >> shift;
      v = blend(v, 24 * unit, mask.plate[i] * kPlateOpacity / 255);
      v = blend(v, 235 * unit, mask.letters[i]);
      row[left + x] = static_cast<T>(v << shift);
    }
  }
  const int planes = plane_count(frame.format);
  if (planes == 1) return;
  const bool interleaved = planes == 2;
  for (int p = 1; p < planes; ++p) {
    for (int y = 0; y < mask.height / 2 && top / 2 + y < (frame.height + 1) / 2; ++y) {
      T* row = row_of<T>(frame.data[static_cast<size_t>(p)], frame.stride[static_cast<size_t>(p)], top / 2 + y);
      for (int x = 0; x < mask.width / 2 && left / 2 + x < (frame.width + 1) / 2; ++x) {
        const size_t i = static_cast<size_t>(2 * y) * static_cast<size_t>(mask.width) + static_cast<size_t>(2 * x);
        const int opacity = std::max(mask.plate[i] * kPlateOpacity / 255, static_cast<int>(mask.letters[i]));
        for (int k = 0; k < (interleaved ? 2 : 1); ++k) {
          T& sample = row[interleaved ? 2 * (left / 2 + x) + k : left / 2 + x];
          sample = static_cast<T>(blend(sample >> shift, 128 * unit, opacity) << shift);
        }
      }
    }
  }
}

}  // namespace

struct Discloser::State {
  DiscloserConfig config;
  LabelSchedule schedule;
  LabelMask full, corner;
  std::vector<int8_t> pattern;    ///< Of the mark, a value a pixel, 64 is one.
  int chip_pixels = 1;            ///< Side of the squares whose liveliness sets the mark's strength.
  std::vector<int16_t> strength;  ///< One a square of a row; 16 is one code value.

  void prepare_mark();
  template <typename T>
  void measure_row(const MutableFrameView& frame, int top);
  template <typename T>
  void mark(const MutableFrameView& frame);
  void label(const MutableFrameView& frame, LabelKind kind) const;
};

void Discloser::State::prepare_mark() {
  const MarkSurface surface(mark_chips(mark_bits(*config.mark)));
  const float units = static_cast<float>(kMarkShortSide) / static_cast<float>(std::min(config.width, config.height));
  std::vector<MarkSurface::Place> columns;
  columns.reserve(static_cast<size_t>(config.width));
  for (int x = 0; x < config.width; ++x) columns.push_back(MarkSurface::place((static_cast<float>(x) + 0.5f) * units));
  pattern.resize(static_cast<size_t>(config.width) * static_cast<size_t>(config.height));
  size_t i = 0;
  for (int y = 0; y < config.height; ++y) {
    const MarkSurface::Place row = MarkSurface::place((static_cast<float>(y) + 0.5f) * units);
    for (const MarkSurface::Place& column : columns) {
      pattern[i++] = static_cast<int8_t>(std::lround(64 * surface.at(column, row)));
    }
  }
  chip_pixels = std::max(4, static_cast<int>(std::lround(kChip / units)));
  strength.resize(static_cast<size_t>((config.width + chip_pixels - 1) / chip_pixels));
}

/// The eye sees less where the picture is lively: up to three and a half code values there, one where it is flat.
template <typename T>
void Discloser::State::measure_row(const MutableFrameView& frame, int top) {
  const SampleType type = sample_type(config.format);
  const int shift = shift_of(type), unit = type == SampleType::kU8 ? 1 : 4;
  const int step = std::max(1, chip_pixels / 4), bottom = std::min(config.height, top + chip_pixels);
  for (size_t square = 0; square < strength.size(); ++square) {
    const int left = static_cast<int>(square) * chip_pixels, right = std::min(config.width - 2, left + chip_pixels);
    int sum = 0, count = 0;
    for (int y = top; y < bottom; y += step) {
      const T* row = row_of<const T>(const_cast<void*>(frame.data[0]), frame.stride[0], y);
      for (int x = left; x < right; x += step) {
        sum += std::abs((row[x + 2] >> shift) - (row[x] >> shift));
        ++count;
      }
    }
    const double lively = count > 0 ? static_cast<double>(sum) / count / unit : 0;
    const double codes = std::clamp(1.0 + 0.3 * lively, 1.0, 3.5) * config.mark_strength * unit;
    strength[square] = static_cast<int16_t>(std::lround(16 * codes));
  }
}

template <typename T>
void Discloser::State::mark(const MutableFrameView& frame) {
  const SampleType type = sample_type(config.format);
  const int shift = shift_of(type), high = max_value(type);
  for (int top = 0; top < config.height; top += chip_pixels) {
    measure_row<T>(frame, top);
    for (int y = top; y < std::min(config.height, top + chip_pixels); ++y) {
      T* row = row_of<T>(frame.data[0], frame.stride[0], y);
      const int8_t* wave = pattern.data() + static_cast<size_t>(y) * static_cast<size_t>(config.width);
      for (size_t square = 0; square < strength.size(); ++square) {
        const int left = static_cast<int>(square) * chip_pixels, right = std::min(config.width, left + chip_pixels);
        const int s = strength[square];
        for (int x = left; x < right; ++x) {
          row[x] = static_cast<T>(std::clamp((row[x] >> shift) + ((wave[x] * s + 512) >> 10), 0, high) << shift);
        }
      }
    }
  }
}

void Discloser::State::label(const MutableFrameView& frame, LabelKind kind) const {
  if (kind == LabelKind::kNone) return;
  const LabelMask& mask = kind == LabelKind::kFull ? full : corner;
  // The upper right corner; on even samples, where chroma begins.
  const int margin = std::min(config.width, config.height) / 50;
  const int left = std::max(0, config.width - mask.width - margin) & ~1, top = margin & ~1;
  if (sample_type(config.format) == SampleType::kU8)
    draw<uint8_t>(frame, mask, left, top);
  else
    draw<uint16_t>(frame, mask, left, top);
}

Discloser::Discloser(std::unique_ptr<State> state) : state_(std::move(state)) {}
Discloser::~Discloser() = default;

Result<std::unique_ptr<Discloser>> Discloser::create(const DiscloserConfig& config) {
  if (config.width < 16 || config.height < 16 || config.width > 16384 || config.height > 16384) {
    return make_error(ErrorCode::kInvalidArgument, "pictures of " + std::to_string(config.width) + "x" +
                                                       std::to_string(config.height) +
                                                       " cannot be labelled; 16 to 16384 pixels a side can");
  }
  if (!(config.mark_strength >= 0.25 && config.mark_strength <= 4)) {
    return make_error(ErrorCode::kInvalidArgument, "the mark's strength is 0.25 to 4");
  }
  if (config.mark && config.mark->session >> 40 != 0) {
    return make_error(ErrorCode::kInvalidArgument, "the mark's session number has at most 40 bits");
  }
  auto state = std::make_unique<State>();
  state->config = config;
  const int short_side = std::min(config.width, config.height);
  const auto cap = [short_side](double share) { return std::max(7, static_cast<int>(std::ceil(share * short_side))); };
  state->full = draw_label(cap(kFullShare));
  state->corner = draw_label(cap(kCornerShare));
  if (config.mark) state->prepare_mark();
  return std::unique_ptr<Discloser>(new Discloser(std::move(state)));
}

Result<LabelKind> Discloser::process(const MutableFrameView& frame, double seconds, bool altered,
                                     std::string_view source) {
  State& s = *state_;
  if (frame.format != s.config.format || frame.width != s.config.width || frame.height != s.config.height) {
    return make_error(ErrorCode::kInvalidArgument, "the frame is not of the size and format that were announced");
  }
  if (altered && s.config.mark) {
    if (sample_type(frame.format) == SampleType::kU8)
      s.mark<uint8_t>(frame);
    else
      s.mark<uint16_t>(frame);
  }
  LabelKind kind = s.schedule.next(seconds, altered, source);
  if (!s.config.label) kind = LabelKind::kNone;
  s.label(frame, kind);
  return kind;
}

}  // namespace coco::vision
