#include "apps/demo/panorama.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "apps/demo/font.h"

namespace coco::demo {
namespace {

constexpr double kPi = 3.14159265358979323846;

// SplitMix64's finaliser: a well-mixed 64-bit hash.
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

float unit_hash(uint64_t seed, int x, int y) {
  const uint64_t key = seed ^ (static_cast<uint64_t>(static_cast<uint32_t>(x)) << 32 | static_cast<uint32_t>(y));
  return static_cast<float>(mixed(key) >> 40) / 16777216.0f;
}

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  double next() { return static_cast<double>(mixed(state_++) >> 11) / 9007199254740992.0; }
  double between(double low, double high) { return low + (high - low) * next(); }

 private:
  uint64_t state_;
};

// Value noise, smoothstep between lattice points, -1..1.
float noise(uint64_t seed, float x, float y) {
  const float fx = std::floor(x), fy = std::floor(y);
  const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
  float tx = x - fx, ty = y - fy;
  tx = tx * tx * (3 - 2 * tx);
  ty = ty * ty * (3 - 2 * ty);
  const float top = std::lerp(unit_hash(seed, ix, iy), unit_hash(seed, ix + 1, iy), tx);
  const float bottom = std::lerp(unit_hash(seed, ix, iy + 1), unit_hash(seed, ix + 1, iy + 1), tx);
  return 2 * std::lerp(top, bottom, ty) - 1;
}

// Octaves of noise, each half the size and `gain` of the amplitude of the one before.
float fractal(uint64_t seed, float x, float y, int octaves, float gain) {
  float sum = 0, amplitude = 1;
  for (int i = 0; i < octaves; ++i) {
    sum += amplitude * noise(seed + static_cast<uint64_t>(i), x, y);
    x *= 2;
    y *= 2;
    amplitude *= gain;
  }
  return sum;
}

uint8_t to_byte(float value) { return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f)); }

Colour scaled(Colour c, float factor) { return {c.r * factor, c.g * factor, c.b * factor}; }

class Painter {
 public:
  Painter(Scenery& scenery, uint64_t seed) : s_(scenery), seed_(seed), horizon_(scenery.height * 9 / 20) {}

  void paint() {
    const int third = s_.width / 3;
    sky();
    cables();
    bricks(0, third);
    facade(2 * third, s_.width);
    ground(third, 2 * third);
    for (int i = 0; i < 3; ++i)
      foliage(third + third * (2 * i + 1) / 6.0, horizon_ + s_.height * 0.16, third * 0.28, i);
    poster(third / 8, horizon_ + s_.height / 10);
    zone_plate(2 * third + third * 0.62, horizon_ + s_.height * 0.30, third * 0.24);
  }

 private:
  void set(int x, int y, Colour c) { s_.blend(x, y, c, 1); }

  void sky() {
    for (int y = 0; y < horizon_; ++y) {
      const float t = static_cast<float>(y) / static_cast<float>(horizon_);
      for (int x = 0; x < s_.width; ++x) {
        const float cloud = fractal(seed_, x * 0.0025f, y * 0.005f, 6, 0.55f);
        const float cover = std::clamp(cloud * 1.4f - 0.1f, 0.0f, 1.0f);
        const Colour blue{0.25f + 0.45f * t, 0.48f + 0.32f * t, 0.82f + 0.1f * t};
        set(x, y, {std::lerp(blue.r, 0.97f, cover), std::lerp(blue.g, 0.96f, cover), std::lerp(blue.b, 0.94f, cover)});
      }
    }
  }

  void cables() {
    for (int i = 0; i < 5; ++i) {
      const double start = horizon_ * (0.2 + 0.11 * i);
      for (int x = 0; x < s_.width; x += 16) {
        const auto sag = [&](double at) { return start + 90 * std::sin(at * kPi / s_.width) + 0.02 * at; };
        draw_line(x, sag(x), x + 16, sag(x + 16), 2.2 + 0.5 * i, [&](int px, int py, float c) {
          s_.blend(px, py, {0.08f, 0.08f, 0.1f}, c);
        });
      }
    }
  }

  void bricks(int x0, int x1) {
    constexpr int kWide = 64, kHigh = 26, kMortar = 4;
    for (int y = horizon_; y < s_.height; ++y) {
      const int row = y / kHigh;
      for (int x = x0; x < x1; ++x) {
        const int moved = x + row % 2 * kWide / 2;
        const int in_x = moved % kWide, in_y = y % kHigh;
        const float grain = fractal(seed_ + 20, x * 0.11f, y * 0.11f, 4, 0.7f);
        if (in_x < kMortar || in_y < kMortar) {
          set(x, y, scaled({0.68f, 0.66f, 0.62f}, 1 + 0.10f * grain));
          continue;
        }
        const float tone = 0.75f + 0.45f * unit_hash(seed_ + 21, moved / kWide, row);
        const float edge = in_x == kMortar || in_y == kMortar ? 1.25f : in_y == kHigh - 1 ? 0.7f : 1;
        set(x, y, scaled({0.55f, 0.27f, 0.20f}, tone * edge * (1 + 0.16f * grain)));
      }
    }
  }

  // Windows with blinds: fine horizontal lines whose pitch shrinks from window to window.
  void facade(int x0, int x1) {
    constexpr int kWide = 150, kHigh = 190;
    const int top = horizon_ * 3 / 5;
    for (int y = top; y < s_.height; ++y) {
      for (int x = x0; x < x1; ++x) {
        const int in_x = (x - x0) % kWide, in_y = (y - top) % kHigh;
        const bool window = in_x > 30 && in_x < 122 && in_y > 34 && in_y < 160;
        const float grain = fractal(seed_ + 30, x * 0.2f, y * 0.2f, 3, 0.7f);
        if (!window) {
          set(x, y, scaled({0.80f, 0.76f, 0.68f}, 1 + 0.05f * grain));
          continue;
        }
        const int column = (x - x0) / kWide, floor = (y - top) / kHigh;
        const int pitch = 4 + (column + 2 * floor) % 7;
        const bool frame = in_x < 35 || in_x > 117 || in_y < 39 || in_y > 155 || std::abs(in_x - 76) < 3;
        const float lit = unit_hash(seed_ + 31, column, floor);
        const Colour glass{0.15f + 0.2f * lit, 0.2f + 0.2f * lit, 0.3f + 0.1f * lit};
        const bool slat = in_y % pitch < pitch / 2;
        set(x, y,
            frame  ? Colour{0.95f, 0.95f, 0.93f}
            : slat ? scaled({0.85f, 0.82f, 0.75f}, 0.6f + 0.4f * lit)
                   : glass);
      }
    }
  }

  void ground(int x0, int x1) {
    for (int y = horizon_; y < s_.height; ++y) {
      for (int x = x0; x < x1; ++x) {
        const float grain = fractal(seed_ + 40, x * 0.06f, y * 0.12f, 5, 0.75f);
        set(x, y, scaled({0.34f, 0.36f, 0.20f}, 1 + 0.35f * grain));
      }
    }
  }

  // Overlapping leaves of many sizes: sharp edges at every scale, as in photographs.
  void foliage(double cx, double cy, double radius, int index) {
    Random random(seed_ + 50 + static_cast<uint64_t>(index));
    for (double dy = 0; dy < radius * 1.6; dy += 1) {
      draw_line(cx - 18, cy + dy, cx + 18, cy + dy, 2, [&](int x, int y, float c) {
        s_.blend(x, y, {0.25f, 0.18f, 0.12f}, c);
      });
    }
    const int leaves = static_cast<int>(radius * radius / 14);
    for (int i = 0; i < leaves; ++i) {
      const double angle = random.between(0, 2 * kPi);
      const double reach = radius * std::sqrt(random.next()) * (0.85 + 0.25 * std::sin(5 * angle + index));
      const double light = random.between(0.35, 1.15) * (1 - 0.25 * reach / radius);
      const double size = 3.5 / std::pow(random.between(0.02, 1.0), 0.55);
      leaf(cx + reach * std::cos(angle), cy + 0.9 * reach * std::sin(angle), size, random.between(0, kPi),
           scaled({0.22f + 0.2f * static_cast<float>(random.next()), 0.46f, 0.12f}, static_cast<float>(light)));
    }
  }

  void leaf(double cx, double cy, double size, double angle, Colour colour) {
    const double c = std::cos(angle), s = std::sin(angle);
    const int reach = static_cast<int>(size) + 1;
    for (int dy = -reach; dy <= reach; ++dy) {
      for (int dx = -reach; dx <= reach; ++dx) {
        const double along = (dx * c + dy * s) / size, across = (dy * c - dx * s) / size;
        const double half = 0.42 * (1 - along * along);  // pointed at both ends
        if (std::abs(along) >= 1 || std::abs(across) >= half) continue;
        const bool vein = size > 7 && std::abs(across) < 0.05;
        const float shade = vein ? 1.35f : static_cast<float>(1 + 0.5 * across);
        s_.blend(static_cast<int>(cx) + dx, static_cast<int>(cy) + dy, scaled(colour, shade), 1);
      }
    }
  }

  void poster(int x0, int y0) {
    const int width = s_.width / 4, height = s_.height / 3;
    for (int y = y0; y < y0 + height; ++y) {
      for (int x = x0; x < x0 + width; ++x) {
        const bool border = x < x0 + 10 || x >= x0 + width - 10 || y < y0 + 10 || y >= y0 + height - 10;
        const float t = static_cast<float>(x - x0) / static_cast<float>(width);
        set(x, y, border ? Colour{0.1f, 0.12f, 0.3f} : Colour{0.98f, 0.97f - 0.06f * t, 0.92f - 0.2f * t});
      }
    }
    constexpr std::string_view kLines[] = {"COCOPIPE",
                                           "ANY VIDEO IN, 4K OUT",
                                           "0123456789 ABCDEFGHIJKLM",
                                           "SHARP EDGES, FINE LINES, SMALL PRINT",
                                           "NOPQRSTUVWXYZ 3840X2160 1920X1080 25.00",
                                           "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG 1234567890"};
    double y = y0 + 40;
    double letter = height / 6.0;
    for (const std::string_view line : kLines) {
      const double fitted = std::min(letter, (width - 60) / (text_width(1, line)));
      draw_text(x0 + 30, y, fitted, line, [&](int px, int py, float c) { s_.blend(px, py, {0.08f, 0.08f, 0.15f}, c); });
      y += fitted * 1.55;
      letter *= 0.72;
    }
  }

  // cos(k r^2): frequency grows outwards and ends below the clip's own limit.
  void zone_plate(double cx, double cy, double radius) {
    const double rate = kPi / 2 * 0.45 / radius;
    for (int y = static_cast<int>(cy - radius); y <= static_cast<int>(cy + radius); ++y) {
      for (int x = static_cast<int>(cx - radius); x <= static_cast<int>(cx + radius); ++x) {
        const double r2 = (x - cx) * (x - cx) + (y - cy) * (y - cy);
        if (r2 > radius * radius) continue;
        const auto value = static_cast<float>(0.5 + 0.42 * std::cos(rate * r2));
        set(x, y, {value, value, value});
      }
    }
  }

  Scenery& s_;
  uint64_t seed_;
  int horizon_;
};

}  // namespace

// BT.709: Y = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), Cb = 128 + 224 (B - Y') / 1.8556, Cr = 128 + 224 (R - Y')
// / 1.5748.
void Scenery::blend(int px, int py, Colour c, float coverage) {
  if (px < 0 || py < 0 || px >= width || py >= height) return;
  const float r = std::clamp(c.r, 0.0f, 1.0f), g = std::clamp(c.g, 0.0f, 1.0f), b = std::clamp(c.b, 0.0f, 1.0f);
  const float luma = 0.2126f * r + 0.7152f * g + 0.0722f * b;
  const size_t at = static_cast<size_t>(py) * static_cast<size_t>(width) + static_cast<size_t>(px);
  const auto mix = [&](uint8_t& sample, float value) {
    sample = to_byte(std::lerp(static_cast<float>(sample), value, coverage));
  };
  mix(y[at], 16 + 219 * luma);
  mix(u[at], 128 + 224 * (b - luma) / 1.8556f);
  mix(v[at], 128 + 224 * (r - luma) / 1.5748f);
}

Scenery paint_scenery(int width, int height, uint64_t seed) {
  const size_t count = static_cast<size_t>(width) * static_cast<size_t>(height);
  Scenery scenery{width, height, std::vector<uint8_t>(count, 16), std::vector<uint8_t>(count, 128),
                  std::vector<uint8_t>(count, 128)};
  Painter(scenery, seed).paint();
  return scenery;
}

}  // namespace coco::demo
