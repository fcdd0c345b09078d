#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/image_io.h"
#include "apps/filejob/degrade.h"
#include "coco/vision.h"
#include "quality/quality.h"

namespace coco::cli {
namespace {

using quality::Plane8;

struct Options {
  std::string model = "sr2x-s", dataset;
  std::optional<double> crf;
  SessionOptions session;
  bool json = false;
};

struct Figures {
  double psnr = 0, ssim = 0;
};

struct Score {
  std::string image;
  Figures clean, coded;  ///< of the shrunk picture as it is, and out of H.264
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

Result<Figures> measure(const Plane8& high, const Plane8& low, const std::shared_ptr<const Model>& model,
                        const Options& options, int scale) {
  COCO_ASSIGN(const Plane8 result, upscale(low, high.width, high.height, model, options));
  Figures figures;
  COCO_ASSIGN(figures.psnr, quality::psnr(high, result, scale));
  COCO_ASSIGN(figures.ssim, quality::ssim(high, result, scale));
  return figures;
}

/// `index` draws how the clip around the picture moves.
Result<Score> score_image(const std::string& path, size_t index, const std::shared_ptr<const Model>& model,
                          const Options& options) {
  const int scale = model != nullptr ? model->card().scale : 2;
  COCO_ASSIGN(Image image, read_image(path));
  const Plane8 high = quality::crop_to_multiple(luma_of(std::move(image)), scale);
  if (high.width <= 8 * scale || high.height <= 8 * scale) {
    return make_error(ErrorCode::kInvalidArgument, "picture '" + path + "' is too small to measure");
  }
  const Plane8 low = quality::resize_bicubic(high, high.width / scale, high.height / scale);
  Score score{std::filesystem::path(path).filename().string(), {}, {}};
  COCO_ASSIGN(score.clean, measure(high, low, model, options, scale));
  if (options.crf) {
    COCO_ASSIGN(const Plane8 coded, filejob::degrade(low, {0, 0, *options.crf}, index));
    COCO_ASSIGN(score.coded, measure(high, coded, model, options, scale));
  }
  return score;
}

void print_line(const std::string& name, const Score& score, bool coded) {
  std::printf("%-32s %7.3f dB  %.4f", name.c_str(), score.clean.psnr, score.clean.ssim);
  if (coded) std::printf("  %7.3f dB  %.4f", score.coded.psnr, score.coded.ssim);
  std::printf("\n");
}

nlohmann::ordered_json to_json(const Score& score, bool coded) {
  nlohmann::ordered_json json = {{"psnr_y", score.clean.psnr}, {"ssim_y", score.clean.ssim}};
  if (coded) json.update({{"psnr_y_coded", score.coded.psnr}, {"ssim_y_coded", score.coded.ssim}});
  return json;
}

void print(const Options& options, const std::vector<Score>& scores, const Score& mean) {
  const bool coded = options.crf.has_value();
  if (!options.json) {
    if (coded) std::printf("%-32s %-18s  H.264 at crf %g\n", "", "clean", *options.crf);
    for (const Score& s : scores) print_line(s.image, s, coded);
    print_line("mean (PSNR-Y, SSIM-Y)", mean, coded);
    return;
  }
  nlohmann::ordered_json json = {{"model", options.model}, {"dataset", options.dataset}};
  if (coded) json["crf"] = *options.crf;
  json.update(to_json(mean, coded));
  json["images"] = scores.size();
  json["per_image"] = nlohmann::ordered_json::array();
  for (const Score& s : scores) {
    json["per_image"].push_back({{"image", s.image}});
    json["per_image"].back().update(to_json(s, coded));
  }
  std::printf("%s\n", json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

void add_share(Figures& mean, const Figures& figures, size_t count) {
  mean.psnr += figures.psnr / static_cast<double>(count);
  mean.ssim += figures.ssim / static_cast<double>(count);
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
    COCO_ASSIGN(const Score score, score_image(file, scores.size(), model, options));
    add_share(mean.clean, score.clean, files.size());
    add_share(mean.coded, score.coded, files.size());
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
  sr->add_option("--crf", options->crf, "measure on H.264 input too: the shrunk picture coded by libx264 at this crf")
      ->check(CLI::Range(0.0, 51.0));
  add_threads(*sr, options->session);
  sr->add_flag("--json", options->json,
               "print JSON: psnr_y, ssim_y, images, per_image; with --crf psnr_y_coded and ssim_y_coded too");
  sr->footer(
      "Luma of BT.601 (grey files as they are), cropped to a multiple of the scale, shrunk with an antialiased "
      "bicubic\n"
      "(a = -0.5), upscaled, the scale's number of border pixels left out, means over the pictures.\n"
      "With --crf the shrunk picture is also the last of four frames, I B B P, of a clip that pans over it.\n"
      "Examples: cocopipe eval sr --model bicubic --dataset Set5 --json\n"
      "          cocopipe eval sr --model sr2x-s --dataset Set5 --crf 28");
  sr->callback([options, &action] { action = [options] { return eval_sr(*options); }; });
}

}  // namespace coco::cli
