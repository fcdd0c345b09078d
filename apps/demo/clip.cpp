#include "apps/demo/clip.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "apps/demo/font.h"
#include "base/thread_pool.h"

namespace coco::demo {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kMargin = 8;
// Bicubic (a = -0.5) widened to shrink by 2, in 1/256; the taps are centred between samples 3 and 4.
constexpr std::array<int, 8> kShrink = {-3, -9, 29, 111, 111, 29, -9, -3};
constexpr std::array<int, 4> kChroma = {1, 3, 3, 1};

uint8_t to_byte(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

void for_rows(int rows, const std::function<void(int begin, int end)>& fn) {
  constexpr int kChunk = 32;
  ThreadPool::process().parallel_for((rows + kChunk - 1) / kChunk, 0,
                                     [&](int task, int) { fn(task * kChunk, std::min(rows, (task + 1) * kChunk)); });
}

}  // namespace

Clip::Clip(const ClipSettings& settings)
    : settings_(settings),
      // Room to pan; small clips need their margins at least.
      scenery_(paint_scenery(std::max(2 * settings.width * 6 / 5, 2 * settings.width + 4 * kMargin),
                             std::max(2 * settings.height * 16 / 15, 2 * settings.height + 4 * kMargin),
                             settings.seed)) {
  window_.width = 2 * settings.width + 2 * kMargin;
  window_.height = 2 * settings.height + 2 * kMargin;
  const size_t count = static_cast<size_t>(window_.width) * static_cast<size_t>(window_.height);
  window_.y.resize(count);
  window_.u.resize(count);
  window_.v.resize(count);
  const size_t luma = static_cast<size_t>(settings.width) * static_cast<size_t>(settings.height);
  narrow_.resize(static_cast<size_t>(settings.width) * static_cast<size_t>(window_.height));
  y_.resize(luma);
  u_.resize(luma / 4);
  v_.resize(luma / 4);
}

// The camera pans over the scenery and sways a little; offsets are whole samples of the scenery, half samples of the
// clip.
void Clip::copy_window(int index) {
  const double t = static_cast<double>(index) / std::max(1, settings_.frames - 1);
  const int room_x = scenery_.width - window_.width, room_y = scenery_.height - window_.height;
  const int x0 = static_cast<int>(room_x * t);
  const int y0 = static_cast<int>(room_y * (0.5 + 0.5 * std::sin(2 * kPi * t)));
  for_rows(window_.height, [&](int begin, int end) {
    for (int y = begin; y < end; ++y) {
      const auto from = static_cast<ptrdiff_t>(y0 + y) * scenery_.width + x0;
      const auto to = static_cast<ptrdiff_t>(y) * window_.width;
      std::copy_n(scenery_.y.begin() + from, window_.width, window_.y.begin() + to);
      std::copy_n(scenery_.u.begin() + from, window_.width, window_.u.begin() + to);
      std::copy_n(scenery_.v.begin() + from, window_.width, window_.v.begin() + to);
    }
  });
}

// A turning star of 36 rays: detail that is finer the closer to its hub.
void Clip::draw_wheel(int index) {
  const double cx = window_.width * 0.5, cy = window_.height * 0.24, radius = window_.height * 0.17;
  const double turn = 0.03 * index;
  for_rows(window_.height, [&](int begin, int end) {
    const int top = std::max(begin, static_cast<int>(cy - radius)),
              bottom = std::min(end, static_cast<int>(cy + radius) + 1);
    for (int y = top; y < bottom; ++y) {
      for (int x = static_cast<int>(cx - radius); x <= static_cast<int>(cx + radius); ++x) {
        const double dx = x - cx, dy = y - cy, r = std::hypot(dx, dy);
        if (r > radius) continue;
        const double ray = std::sin(36 * (std::atan2(dy, dx) + turn));
        // One sample of softness along the arc.
        const auto value = static_cast<float>(std::clamp(0.5 + 0.5 * ray * r / 36, 0.0, 1.0));
        const bool rim = r > radius - 6;
        window_.blend(
            x, y,
            rim ? Colour{0.7f, 0.1f, 0.1f} : Colour{0.05f + 0.9f * value, 0.05f + 0.85f * value, 0.1f + 0.6f * value},
            1);
      }
    }
  });
}

void Clip::draw_ticker(int index) {
  constexpr std::string_view kText =
      "COCOPIPE DEMO CLIP - RENDERED, NOT FILMED - LETTERS MOVE TWO AND A HALF SAMPLES A FRAME - 1920X1080 AT 25 FPS";
  const int top = window_.height - window_.height / 14, high = window_.height / 22;
  for (int y = top; y < top + high; ++y) {
    for (int x = 0; x < window_.width; ++x) window_.blend(x, y, {0.05f, 0.05f, 0.08f}, 0.8f);
  }
  draw_text(window_.width * 0.6 - 5.0 * index - window_.width * 0.5, top + high * 0.28, high * 0.42, kText,
            [&](int x, int y, float c) {
              window_.blend(x, y, {0.95f, 0.92f, 0.7f}, c);
            });
}

void Clip::shrink_luma() {
  const int width = settings_.width;
  for_rows(window_.height, [&](int begin, int end) {
    for (int y = begin; y < end; ++y) {
      const uint8_t* in = window_.y.data() + static_cast<ptrdiff_t>(y) * window_.width + kMargin - 3;
      int16_t* out = narrow_.data() + static_cast<ptrdiff_t>(y) * width;
      for (int x = 0; x < width; ++x) {
        int sum = 0;
        for (int k = 0; k < 8; ++k) sum += kShrink[static_cast<size_t>(k)] * in[2 * x + k];
        out[x] = static_cast<int16_t>((sum + 8) >> 4);  // 4 extra bits
      }
    }
  });
  for_rows(settings_.height, [&](int begin, int end) {
    for (int y = begin; y < end; ++y) {
      const int16_t* in = narrow_.data() + static_cast<ptrdiff_t>(2 * y + kMargin - 3) * width;
      uint8_t* out = y_.data() + static_cast<ptrdiff_t>(y) * width;
      for (int x = 0; x < width; ++x) {
        int sum = 0;
        for (int k = 0; k < 8; ++k) sum += kShrink[static_cast<size_t>(k)] * in[k * width + x];
        out[x] = to_byte((sum + (1 << 11)) >> 12);
      }
    }
  });
}

// Chroma sample (cx, cy) of left siting lies at (4 cx + 0.5, 4 cy + 1.5) of the scenery.
void Clip::shrink_chroma(const std::vector<uint8_t>& from, std::vector<uint8_t>& to) {
  const int width = settings_.width / 2;
  for_rows(settings_.height / 2, [&](int begin, int end) {
    for (int cy = begin; cy < end; ++cy) {
      const uint8_t* in = from.data() + static_cast<ptrdiff_t>(4 * cy + kMargin) * window_.width + kMargin - 1;
      uint8_t* out = to.data() + static_cast<ptrdiff_t>(cy) * width;
      for (int cx = 0; cx < width; ++cx) {
        int sum = 0;
        for (int j = 0; j < 4; ++j) {
          const uint8_t* row = in + static_cast<ptrdiff_t>(j) * window_.width + 4 * cx;
          for (int i = 0; i < 4; ++i) sum += kChroma[static_cast<size_t>(j)] * kChroma[static_cast<size_t>(i)] * row[i];
        }
        out[cx] = to_byte((sum + 32) >> 6);
      }
    }
  });
}

FrameView Clip::render(int index) {
  copy_window(index);
  draw_wheel(index);
  draw_ticker(index);
  shrink_luma();
  shrink_chroma(window_.u, u_);
  shrink_chroma(window_.v, v_);
  const int chroma_width = settings_.width / 2;
  return {PixelFormat::kI420,
          settings_.width,
          settings_.height,
          {y_.data(), u_.data(), v_.data()},
          {settings_.width, chroma_width, chroma_width}};
}

}  // namespace coco::demo
