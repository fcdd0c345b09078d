// Purpose: pictures, nets and folders made on the fly for the trainer's tests.
#pragma once

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <string>

#include "tune/architecture.h"
#include "tune/dataset.h"
#include "tune/random.h"

namespace coco::tune::testing {

/// Waves, edges and a little noise: something a network can learn from.
inline quality::Plane8 make_luma(int width, int height, uint64_t seed) {
  Random random(seed);
  const double fx = 0.05 + 0.5 * random.uniform(), fy = 0.05 + 0.5 * random.uniform();
  quality::Plane8 plane{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double edge = (x / 11 + y / 7) % 2 ? 40.0 : -40.0;
      const double v = 128.0 + 50.0 * std::sin(fx * x + fy * y) + edge + 2.0 * random.normal();
      plane.data.push_back(static_cast<uint8_t>(std::min(235.0, std::max(16.0, v))));
    }
  }
  return plane;
}

inline std::vector<ImagePair> make_images(int count, int side, uint64_t seed) {
  std::vector<ImagePair> images;
  for (int i = 0; i < count; ++i) {
    images.push_back(make_pair("image" + std::to_string(i), make_luma(side + 2 * i, side, seed + i), {}));
  }
  return images;
}

inline PlainNet make_net(uint64_t seed, Architecture architecture = find_architecture("sr2x-s").value()) {
  Random random(seed);
  PlainNet net{std::move(architecture), {}};
  for (size_t index = 0; index < net.architecture.layers.size(); ++index) {
    const LayerSpec& spec = net.architecture.layers[index];
    PlainLayer l{spec, {}, {}, {}};
    int64_t weights = 1;
    for (const int64_t d : weight_shape(net.architecture, index)) weights *= d;
    for (int64_t i = 0; i < weights; ++i) l.weight.push_back(static_cast<float>(0.2 * random.normal()));
    for (int i = 0; i < spec.out; ++i) l.bias.push_back(static_cast<float>(0.05 * random.normal()));
    const bool sloped = spec.activation == Activation::kPrelu;
    for (int i = 0; sloped && i < spec.out; ++i) l.slope.push_back(static_cast<float>(0.5 * random.uniform()));
    net.layers.push_back(std::move(l));
  }
  return net;
}

/// An empty folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "coco_tune_XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  std::string string() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace coco::tune::testing
