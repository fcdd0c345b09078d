#include "apps/filejob/degrade.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/filejob/h264_clip.h"
#include "base/random.h"

namespace coco::filejob {
namespace {

using quality::Plane8;

constexpr double kFastestPan = 3;  // pixels a frame, along each axis

struct PlaneF {
  int width = 0, height = 0;
  std::vector<float> data;
};

/// taps[k] weighs the sample at distance first + k.
struct Filter {
  int first = 0;
  std::vector<double> taps;
};

/// exp(-d^2 / (2 s^2)), to 3 s, of sum 1.
Filter gaussian(double deviation) {
  const int reach = static_cast<int>(std::ceil(3 * deviation));
  Filter filter{-reach, {}};
  double sum = 0;
  for (int d = -reach; d <= reach; ++d) {
    filter.taps.push_back(reach == 0 ? 1.0 : std::exp(-d * d / (2 * deviation * deviation)));
    sum += filter.taps.back();
  }
  for (double& tap : filter.taps) tap /= sum;
  return filter;
}

/// out[x] = in[x + shift] by Keys' cubic, a = -0.5.
Filter shifted(double shift) {
  const double whole = std::floor(shift), t = shift - whole;
  return {static_cast<int>(whole) - 1,
          {((-0.5 * t + 1.0) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1.0, ((-1.5 * t + 2.0) * t + 0.5) * t,
           (0.5 * t - 0.5) * t * t}};
}

/// Samples beyond an edge repeat the edge sample.
PlaneF filter_rows(const PlaneF& in, const Filter& filter) {
  PlaneF out{in.width, in.height, std::vector<float>(in.data.size())};
  const int last = in.width - 1;
  std::vector<float> padded(static_cast<size_t>(in.width) + filter.taps.size());
  for (int y = 0; y < in.height; ++y) {
    const float* row = in.data.data() + static_cast<ptrdiff_t>(y) * in.width;
    for (size_t i = 0; i < padded.size(); ++i) {
      padded[i] = row[std::clamp(static_cast<int>(i) + filter.first, 0, last)];
    }
    float* sums = out.data.data() + static_cast<ptrdiff_t>(y) * in.width;
    for (size_t k = 0; k < filter.taps.size(); ++k) {
      const auto tap = static_cast<float>(filter.taps[k]);
      const float* from = padded.data() + k;
      for (int x = 0; x < in.width; ++x) sums[x] += tap * from[x];
    }
  }
  return out;
}

PlaneF filter_columns(const PlaneF& in, const Filter& filter) {
  PlaneF out{in.width, in.height, std::vector<float>(in.data.size())};
  for (int y = 0; y < in.height; ++y) {
    float* sums = out.data.data() + static_cast<ptrdiff_t>(y) * in.width;
    for (size_t k = 0; k < filter.taps.size(); ++k) {
      const int from = std::clamp(y + filter.first + static_cast<int>(k), 0, in.height - 1);
      const float* row = in.data.data() + static_cast<ptrdiff_t>(from) * in.width;
      const auto tap = static_cast<float>(filter.taps[k]);
      for (int x = 0; x < in.width; ++x) sums[x] += tap * row[x];
    }
  }
  return out;
}

PlaneF to_float(const Plane8& plane) {
  return {plane.width, plane.height, std::vector<float>(plane.data.begin(), plane.data.end())};
}

/// Of mean 0 and deviation 1, near enough to Gaussian for grain: the sum of four even values of 16 bits, at most 3.5.
double grain(Random& random) {
  constexpr double kMean = 4 * 65535 / 2.0;
  constexpr double kDeviation = 65536 * 0.57735026918962576;  // sqrt(4 / 12)
  const uint64_t bits = random.next();
  const uint64_t sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
  return (static_cast<double>(sum) - kMean) / kDeviation;
}

Plane8 to_samples(const PlaneF& plane, double noise, Random& random) {
  Plane8 out{plane.width, plane.height, std::vector<uint8_t>(plane.data.size())};
  for (size_t i = 0; i < plane.data.size(); ++i) {
    const double v = noise > 0 ? plane.data[i] + noise * grain(random) : static_cast<double>(plane.data[i]);
    out.data[i] = static_cast<uint8_t>(std::clamp(v + 0.5, 0.0, 255.0));
  }
  return out;
}

}  // namespace

Result<Plane8> degrade(const Plane8& picture, const Degradation& how, uint64_t seed) {
  if (picture.width < 1 || picture.height < 1)
    return make_error(ErrorCode::kInvalidArgument, "a picture without pixels");
  if (how.place < 0 || how.place >= kClipFrames) {
    return make_error(ErrorCode::kInvalidArgument, "a clip has the frames 0 to " + std::to_string(kClipFrames - 1));
  }
  Random random(seed);
  PlaneF clean = to_float(picture);
  if (how.blur > 0) clean = filter_columns(filter_rows(clean, gaussian(how.blur)), gaussian(how.blur));
  if (how.crf < 0) return to_samples(clean, how.noise, random);
  const double across = kFastestPan * (2 * random.uniform() - 1), down = kFastestPan * (2 * random.uniform() - 1);
  std::vector<Plane8> clip;
  for (int i = 0; i < kClipFrames; ++i) {
    const double steps = i - how.place;
    const PlaneF moved =
        i == how.place ? clean : filter_columns(filter_rows(clean, shifted(steps * across)), shifted(steps * down));
    clip.push_back(to_samples(moved, how.noise, random));
  }
  COCO_ASSIGN(std::vector<Plane8> coded, code_h264(clip, how.crf));
  return std::move(coded[static_cast<size_t>(how.place)]);
}

}  // namespace coco::filejob
