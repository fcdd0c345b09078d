#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "quality/quality.h"

namespace coco::quality {
namespace {

constexpr int kWindow = 11;
constexpr double kSigma = 1.5;

std::string size_text(const Plane8& plane) { return std::to_string(plane.width) + "x" + std::to_string(plane.height); }

Status check_pair(const Plane8& a, const Plane8& b, int border, int smallest) {
  if (a.width != b.width || a.height != b.height) {
    return make_error(ErrorCode::kInvalidArgument,
                      "cannot compare a " + size_text(a) + " plane with a " + size_text(b) + " one; sizes must match");
  }
  if (border < 0 || a.width - 2 * border < smallest || a.height - 2 * border < smallest) {
    return make_error(ErrorCode::kInvalidArgument,
                      "a " + size_text(a) + " plane is too small to compare with a border of " +
                          std::to_string(border) + "; at least " + std::to_string(2 * border + smallest) +
                          " pixels a side are needed");
  }
  return {};
}

std::array<double, kWindow> gaussian() {
  std::array<double, kWindow> w{};
  double sum = 0.0;
  for (int i = 0; i < kWindow; ++i) {
    const int d = i - kWindow / 2;
    w[static_cast<size_t>(i)] = std::exp(-d * d / (2.0 * kSigma * kSigma));
    sum += w[static_cast<size_t>(i)];
  }
  for (double& v : w) v /= sum;
  return w;
}

/// Weighted first and second moments of both planes, one value per column.
struct Moments {
  std::vector<double> a, b, aa, bb, ab;
  explicit Moments(size_t n) : a(n), b(n), aa(n), bb(n), ab(n) {}
};

// Vertical pass of the window whose first row is `top`, for columns border .. border + n - 1.
void vertical_moments(const Plane8& a, const Plane8& b, int top, int border, const std::array<double, kWindow>& w,
                      Moments& m) {
  for (size_t x = 0; x < m.a.size(); ++x) {
    double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
    for (int k = 0; k < kWindow; ++k) {
      const size_t at = static_cast<size_t>(top + k) * static_cast<size_t>(a.width) + static_cast<size_t>(border) + x;
      const double pa = a.data[at], pb = b.data[at], weight = w[static_cast<size_t>(k)];
      sa += weight * pa;
      sb += weight * pb;
      saa += weight * pa * pa;
      sbb += weight * pb * pb;
      sab += weight * pa * pb;
    }
    m.a[x] = sa;
    m.b[x] = sb;
    m.aa[x] = saa;
    m.bb[x] = sbb;
    m.ab[x] = sab;
  }
}

double window_sum(const std::vector<double>& line, size_t x, const std::array<double, kWindow>& w) {
  double sum = 0;
  for (size_t k = 0; k < kWindow; ++k) sum += w[k] * line[x + k];
  return sum;
}

// SSIM = (2 ma mb + C1)(2 cov + C2) / ((ma^2 + mb^2 + C1)(va + vb + C2)), C1 = (0.01 L)^2, C2 = (0.03 L)^2, L = 255
double ssim_at(const Moments& m, size_t x, const std::array<double, kWindow>& w) {
  constexpr double kC1 = (0.01 * 255) * (0.01 * 255), kC2 = (0.03 * 255) * (0.03 * 255);
  const double ma = window_sum(m.a, x, w), mb = window_sum(m.b, x, w);
  const double va = window_sum(m.aa, x, w) - ma * ma, vb = window_sum(m.bb, x, w) - mb * mb;
  const double cov = window_sum(m.ab, x, w) - ma * mb;
  return (2 * ma * mb + kC1) * (2 * cov + kC2) / ((ma * ma + mb * mb + kC1) * (va + vb + kC2));
}

}  // namespace

Result<double> psnr(const Plane8& a, const Plane8& b, int border) {
  COCO_TRY(check_pair(a, b, border, 1));
  uint64_t sum = 0;
  for (int y = border; y < a.height - border; ++y) {
    const size_t row = static_cast<size_t>(y) * static_cast<size_t>(a.width);
    for (int x = border; x < a.width - border; ++x) {
      const int d = a.data[row + static_cast<size_t>(x)] - b.data[row + static_cast<size_t>(x)];
      sum += static_cast<uint64_t>(d * d);
    }
  }
  if (sum == 0) return std::numeric_limits<double>::infinity();
  const double pixels = static_cast<double>(a.width - 2 * border) * (a.height - 2 * border);
  return 10.0 * std::log10(255.0 * 255.0 * pixels / static_cast<double>(sum));
}

Result<double> ssim(const Plane8& a, const Plane8& b, int border) {
  COCO_TRY(check_pair(a, b, border, kWindow));
  const auto w = gaussian();
  Moments moments(static_cast<size_t>(a.width - 2 * border));
  const size_t across = moments.a.size() - kWindow + 1;
  const int last_top = a.height - border - kWindow;
  double sum = 0;
  for (int top = border; top <= last_top; ++top) {
    vertical_moments(a, b, top, border, w, moments);
    for (size_t x = 0; x < across; ++x) sum += ssim_at(moments, x, w);
  }
  return sum / (static_cast<double>(across) * (last_top - border + 1));
}

}  // namespace coco::quality
