#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/image_io.h"
#include "coco/vision.h"
#include "quality/quality.h"

namespace coco::cli {
namespace {

using quality::Plane8;

struct Options {
  std::string model = "sr2x-s", dataset;
  SessionOptions session;
  bool json = false;
};

struct Score {
  std::string image;
  double psnr = 0, ssim = 0;
};

/// Grey pictures are their own luma.
Plane8 luma_of(Image image) {
  if (image.channels == 1) return {image.width, image.height, std::move(image.data)};
  return quality::luma_from_rgb(image.data.data(), image.width, image.height);
}

Result<Plane8> upscale(const Plane8& low, int width, int height, const std::shared_ptr<const Model>& model,
                       const Options& options) {
  // The literature's own bicubic, which shrank the picture as well.
  if (options.model == "bicubic") return quality::resize_bicubic(low, width, height);
  vision::UpscalerConfig config;
  config.format = PixelFormat::kGray8;
  config.in_width = low.width;
  config.in_height = low.height;
  config.out_width = width;
  config.out_height = height;
  config.filter = vision::resample_filter(options.model);
  config.session = options.session;
  COCO_ASSIGN(const auto upscaler, vision::Upscaler::create(model, config));
  Plane8 high{width, height, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height))};
  const FrameView in{PixelFormat::kGray8, low.width, low.height, {low.data.data()}, {low.width}};
  const MutableFrameView out{PixelFormat::kGray8, width, height, {high.data.data()}, {width}};
  COCO_TRY(upscaler->process(in, out));
  return high;
}

Result<Score> score_image(const std::string& path, const std::shared_ptr<const Model>& model, const Options& options) {
  const int scale = model != nullptr ? model->card().scale : 2;
  COCO_ASSIGN(Image image, read_image(path));
  const Plane8 high = quality::crop_to_multiple(luma_of(std::move(image)), scale);
  if (high.width <= 8 * scale || high.height <= 8 * scale) {
    return make_error(ErrorCode::kInvalidArgument, "picture '" + path + "' is too small to measure");
  }
  const Plane8 low = quality::resize_bicubic(high, high.width / scale, high.height / scale);
  COCO_ASSIGN(const Plane8 result, upscale(low, high.width, high.height, model, options));
  Score score{std::filesystem::path(path).filename().string()};
  COCO_ASSIGN(score.psnr, quality::psnr(high, result, scale));
  COCO_ASSIGN(score.ssim, quality::ssim(high, result, scale));
  return score;
}

void print(const Options& options, const std::vector<Score>& scores, const Score& mean) {
  if (!options.json) {
    for (const Score& s : scores) std::printf("%-32s %7.3f dB  %.4f\n", s.image.c_str(), s.psnr, s.ssim);
    std::printf("%-32s %7.3f dB  %.4f\n", "mean (PSNR-Y, SSIM-Y)", mean.psnr, mean.ssim);
    return;
  }
  nlohmann::ordered_json json = {{"model", options.model}, {"dataset", options.dataset}, {"psnr_y", mean.psnr},
                                 {"ssim_y", mean.ssim},    {"images", scores.size()},    {"per_image", {}}};
  json["per_image"] = nlohmann::ordered_json::array();
  for (const Score& s : scores)
    json["per_image"].push_back({{"image", s.image}, {"psnr_y", s.psnr}, {"ssim_y", s.ssim}});
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

Result<int> eval_sr(const Options& options) {
  COCO_ASSIGN(const std::shared_ptr<const Model> model, vision::load_upscale_model(options.model));
  if (model != nullptr && model->card().scale < 2) {
    return make_error(ErrorCode::kInvalidArgument, "model '" + options.model + "' has scale " +
                                                       std::to_string(model->card().scale) + "; an upscaler is wanted");
  }
  COCO_ASSIGN(const std::vector<std::string> files, list_images(options.dataset));
  std::vector<Score> scores;
  Score mean;
  for (const std::string& file : files) {
    COCO_ASSIGN(const Score score, score_image(file, model, options));
    mean.psnr += score.psnr / static_cast<double>(files.size());
    mean.ssim += score.ssim / static_cast<double>(files.size());
    scores.push_back(score);
  }
  print(options, scores, mean);
  return static_cast<int>(kOk);
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("eval", "measure a model by the literature's protocol");
  command->require_subcommand(1);
  command->footer("Example: cocopipe eval sr --model sr2x-s --dataset Set5");
  CLI::App* sr = command->add_subcommand("sr", "super-resolution: PSNR and SSIM of luma over a folder of pictures");
  sr->add_option("--model", options->model, "shipped model, .coco or .onnx file, bicubic or lanczos; default sr2x-s");
  sr->add_option("--dataset", options->dataset, "folder of high-resolution .png and .jpg pictures")->required();
  add_threads(*sr, options->session);
  sr->add_flag("--json", options->json, "print JSON: psnr_y, ssim_y, images, per_image");
  sr->footer(
      "Luma of BT.601 (grey files as they are), cropped to a multiple of the scale, shrunk with an antialiased "
      "bicubic\n"
      "(a = -0.5), upscaled, the scale's number of border pixels left out, means over the pictures.\n"
      "Example: cocopipe eval sr --model bicubic --dataset Set5 --json");
  sr->callback([options, &action] { action = [options] { return eval_sr(*options); }; });
}

}  // namespace coco::cli
