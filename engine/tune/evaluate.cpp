#include "tune/evaluate.h"

#include <algorithm>
#include <filesystem>

#include "tune/network.h"

namespace coco::tune {

namespace {

quality::Plane8 run_plane(const Architecture& architecture, const std::vector<FoldedLayer>& layers,
                          const quality::Plane8& lr) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor bytes =
      torch::from_blob(const_cast<uint8_t*>(lr.data.data()), {1, 1, lr.height, lr.width}, torch::kUInt8);
  const torch::Tensor out = run_folded(architecture, layers, bytes.to(torch::kFloat32) / 255.0);
  const torch::Tensor rounded = (out * 255.0).add_(0.5).floor_().clamp_(0, 255).to(torch::kUInt8).contiguous();
  quality::Plane8 plane{lr.width * architecture.scale, lr.height * architecture.scale, {}};
  plane.data.assign(rounded.data_ptr<uint8_t>(), rounded.data_ptr<uint8_t>() + rounded.numel());
  return plane;
}

}  // namespace

quality::Plane8 upscale(const PlainNet& net, const quality::Plane8& lr) {
  return run_plane(net.architecture, from_plain(net), lr);
}

Result<Figures> evaluate(const PlainNet& net, const std::vector<ImagePair>& images) {
  const std::vector<FoldedLayer> layers = from_plain(net);
  const int border = net.architecture.scale;
  Figures figures;
  for (const ImagePair& image : images) {
    const quality::Plane8 out = run_plane(net.architecture, layers, image.lr);
    COCO_ASSIGN(const double psnr, quality::psnr(image.hr, out, border));
    COCO_ASSIGN(const double ssim, quality::ssim(image.hr, out, border));
    figures.psnr_y += psnr;
    figures.ssim_y += ssim;
    ++figures.images;
  }
  if (figures.images > 0) {
    figures.psnr_y /= figures.images;
    figures.ssim_y /= figures.images;
  }
  return figures;
}

Result<std::vector<NamedSet>> load_benchmarks(const std::string& folder, int scale) {
  namespace fs = std::filesystem;
  std::error_code failure;
  fs::path root = folder;
  if (fs::is_directory(root / "benchmarks", failure)) root /= "benchmarks";
  if (!fs::is_directory(root, failure)) {
    return make_error(ErrorCode::kNotFound, "no folder '" + root.string() + "'; give the folder that holds the images");
  }
  std::vector<fs::path> folders;
  for (fs::directory_iterator it(root, failure), end; !failure && it != end; it.increment(failure)) {
    if (it->is_directory()) folders.push_back(it->path());
  }
  if (failure) return make_error(ErrorCode::kIo, "cannot read folder '" + root.string() + "': " + failure.message());
  if (folders.empty()) folders.push_back(root);
  std::sort(folders.begin(), folders.end());
  std::vector<NamedSet> sets;
  for (const fs::path& path : folders) {
    COCO_ASSIGN(auto images, load_pairs(path.string(), scale));
    sets.push_back({path.filename().string(), std::move(images)});
  }
  return sets;
}

}  // namespace coco::tune
