#include "tune/evaluate.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "coco/compile.h"
#include "coco/session.h"
#include "format/program.h"
#include "tune/evaluate_network.h"

namespace coco::tune {
namespace {

using Upscale = std::function<Result<quality::Plane8>(const ImagePair&)>;

Result<Figures> mean_over(const std::vector<ImagePair>& images, const Upscale& upscale) {
  Figures figures;
  for (const ImagePair& image : images) {
    const int scale = image.hr.width / image.lr.width;
    COCO_ASSIGN(const quality::Plane8 out, upscale(image));
    COCO_ASSIGN(const double psnr, quality::psnr(image.hr, out, scale));
    COCO_ASSIGN(const double ssim, quality::ssim(image.hr, out, scale));
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

Result<quality::Plane8> run_engine(const std::shared_ptr<const Model>& model, const ImagePair& image, int threads) {
  auto out = upscale(model, image.lr, image.hr.width, image.hr.height, threads);
  if (!out.ok()) return make_error(out.error().code, "image '" + image.name + "': " + out.error().message);
  return out;
}

}  // namespace

Result<quality::Plane8> upscale(const std::shared_ptr<const Model>& model, const quality::Plane8& low, int width,
                                int height, int threads) {
  ImageJob job;
  job.in_width = low.width;
  job.in_height = low.height;
  job.out_width = width;
  job.out_height = height;
  SessionOptions options;
  options.threads = threads;
  COCO_ASSIGN(const auto session, ImageSession::create(model, job, options));
  quality::Plane8 out{width, height, {}};
  out.data.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  COCO_TRY(session->run({low.data.data(), low.width, low.width, low.height}, {out.data.data(), width, width, height}));
  return out;
}

Result<Figures> evaluate(const std::shared_ptr<const Model>& model, const std::vector<ImagePair>& images, int threads) {
  return mean_over(images, [&](const ImagePair& image) { return run_engine(model, image, threads); });
}

Result<std::shared_ptr<const Model>> compile_model(const std::string& onnx) {
  COCO_ASSIGN(const auto bytes, compile_onnx_bytes({reinterpret_cast<const uint8_t*>(onnx.data()), onnx.size()}, {}));
  return Model::from_bytes(bytes);
}

PairOptions pairs_for(const Model& model) {
  PairOptions options{model.card().scale};
  for (const format::Operator& op : model.program().operators) {
    if (const auto* p = std::get_if<format::SpaceToDepthParams>(&op.params)) {
      options.multiple *= static_cast<int>(p->block);
    }
  }
  return options;
}

Result<Figures> evaluate(const Trainable& network, const std::vector<NamedTensor>& deployed,
                         const std::vector<ImagePair>& images) {
  const torch::NoGradGuard no_grad;
  const torch::Device device = deployed.front().tensor.device();
  return mean_over(images, [&](const ImagePair& image) -> Result<quality::Plane8> {
    const quality::Plane8& lr = image.lr;
    const torch::Tensor bytes =
        torch::from_blob(const_cast<uint8_t*>(lr.data.data()), {1, 1, lr.height, lr.width}, torch::kUInt8);
    const torch::Tensor out = network.forward(deployed, bytes.to(device).to(torch::kFloat32) / 255.0);
    const torch::Tensor rounded =
        (out * 255.0).add_(0.5).floor_().clamp_(0, 255).to(torch::kUInt8).to(torch::kCPU).contiguous();
    quality::Plane8 plane{image.hr.width, image.hr.height, {}};
    plane.data.assign(rounded.data_ptr<uint8_t>(), rounded.data_ptr<uint8_t>() + rounded.numel());
    return plane;
  });
}

Result<std::vector<NamedSet>> load_benchmarks(const std::string& folder, const PairOptions& options) {
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
    COCO_ASSIGN(auto loaded, load_pairs({path.string()}, options));
    // Figures of a part of a set would pass for those of the set.
    if (!loaded.skipped.empty()) return make_error(ErrorCode::kInvalidData, loaded.skipped.front());
    sets.push_back({path.filename().string(), std::move(loaded.pairs)});
  }
  return sets;
}

}  // namespace coco::tune
