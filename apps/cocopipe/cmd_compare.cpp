#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "apps/cocopipe/command.h"
#include "apps/cocopipe/image_io.h"
#include "apps/demo/font.h"
#include "apps/filejob/frame_grab.h"
#include "coco/vision.h"

namespace coco::cli {
namespace {

using filejob::RgbImage;

constexpr int kGap = 6;
constexpr int kLabelHeight = 56;

struct Options {
  std::string input, output, model = "sr2x-s", against = "bicubic";
  Size size, region{320, 300};
  std::vector<int> place;
  int64_t frame = 0;
  int zoom = 3;
  SessionOptions session;
  bool quiet = false;
};

int clipped_side(int region, int image) { return std::min(region, image); }

/// The region-sized place where the two pictures differ most.
std::pair<int, int> busiest(const RgbImage& a, const RgbImage& b, int width, int height) {
  std::pair<int, int> best{0, 0};
  int64_t best_score = -1;
  const int step_x = std::max(1, width / 4), step_y = std::max(1, height / 4);
  for (int y = 0; y + height <= a.height; y += step_y) {
    for (int x = 0; x + width <= a.width; x += step_x) {
      int64_t score = 0;
      for (int row = y; row < y + height; row += 2) {
        const size_t at = (static_cast<size_t>(row) * static_cast<size_t>(a.width) + static_cast<size_t>(x)) * 3 + 1;
        for (size_t i = 0; i < static_cast<size_t>(width); i += 2)
          score += std::abs(a.data[at + 3 * i] - b.data[at + 3 * i]);
      }
      if (score <= best_score) continue;
      best_score = score;
      best = {x, y};
    }
  }
  return best;
}

void paste_zoomed(const RgbImage& from, int x0, int y0, int width, int height, int zoom, Image& to, int left, int top) {
  for (int y = 0; y < height * zoom; ++y) {
    for (int x = 0; x < width * zoom; ++x) {
      const size_t source =
          (static_cast<size_t>(y0 + y / zoom) * static_cast<size_t>(from.width) + static_cast<size_t>(x0 + x / zoom)) *
          3;
      const size_t target =
          (static_cast<size_t>(top + y) * static_cast<size_t>(to.width) + static_cast<size_t>(left + x)) * 3;
      std::copy_n(from.data.begin() + static_cast<ptrdiff_t>(source), 3,
                  to.data.begin() + static_cast<ptrdiff_t>(target));
    }
  }
}

void label(Image& image, int left, const std::string& text) {
  demo::draw_text(left + 16, kLabelHeight / 4.0, kLabelHeight / 2.0, text, [&](int x, int y, float coverage) {
    if (x < 0 || y < 0 || x >= image.width || y >= kLabelHeight) return;
    const size_t at = (static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x)) * 3;
    for (size_t c = 0; c < 3; ++c) {
      image.data[at + c] = std::max(image.data[at + c], static_cast<uint8_t>(255 * coverage));
    }
  });
}

std::string short_name(const std::string& model) {
  const size_t slash = model.rfind('/');
  return slash == std::string::npos ? model : model.substr(slash + 1);
}

Result<int> compare(const Options& options) {
  filejob::Method before{nullptr, vision::resample_filter(options.against)};
  filejob::Method after{nullptr, vision::resample_filter(options.model)};
  COCO_ASSIGN(before.model, vision::load_upscale_model(options.against));
  COCO_ASSIGN(after.model, vision::load_upscale_model(options.model));
  COCO_ASSIGN(const std::vector<RgbImage> images,
              filejob::grab_upscaled(options.input, options.frame, options.size.width, options.size.height,
                                     {before, after}, options.session));
  const RgbImage& left = images[0];
  const RgbImage& right = images[1];
  const int width = clipped_side(options.region.width, left.width);
  const int height = clipped_side(options.region.height, left.height);
  std::pair<int, int> place = busiest(left, right, width, height);
  if (!options.place.empty()) {
    place = {std::min(options.place[0], left.width - width), std::min(options.place[1], left.height - height)};
  }
  Image out;
  out.width = 2 * width * options.zoom + kGap;
  out.height = height * options.zoom + kLabelHeight;
  out.data.assign(static_cast<size_t>(out.width) * static_cast<size_t>(out.height) * 3, 24);
  const int second = width * options.zoom + kGap;
  paste_zoomed(left, place.first, place.second, width, height, options.zoom, out, 0, kLabelHeight);
  paste_zoomed(right, place.first, place.second, width, height, options.zoom, out, second, kLabelHeight);
  label(out, 0, short_name(options.against));
  label(out, second, short_name(options.model));
  COCO_TRY(write_png(options.output, out));
  if (!options.quiet) {
    std::printf("%s: %s | %s, frame %lld at %dx%d, %dx%d samples from (%d, %d), zoom %d\n", options.output.c_str(),
                short_name(options.against).c_str(), short_name(options.model).c_str(),
                static_cast<long long>(options.frame), left.width, left.height, width, height, place.first,
                place.second, options.zoom);
  }
  return static_cast<int>(kOk);
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("compare", "one frame upscaled two ways, side by side and zoomed, as PNG");
  command->add_option("input", options->input, "video file")->required();
  command->add_option("--out", options->output, "the .png file to write")->required();
  command->add_option("--model", options->model, "right half: shipped model or file; default sr2x-s");
  command->add_option("--against", options->against, "left half; default bicubic");
  command->add_option("--frame", options->frame, "frame number from 0; default 0")->check(CLI::NonNegativeNumber);
  add_size(*command, "--size", options->size, "size upscaled to; default twice the frame's");
  add_size(*command, "--region", options->region, "how much of the upscaled frame is shown; default 320x300");
  command->add_option("--at", options->place, "X Y of the region; default: where the two differ most")
      ->expected(2)
      ->check(CLI::NonNegativeNumber);
  command->add_option("--zoom", options->zoom, "each sample becomes a square of this side; default 3")
      ->check(CLI::Range(1, 16));
  add_threads(*command, options->session);
  command->add_flag("--quiet", options->quiet, "print errors only");
  command->footer("Example: cocopipe compare in.mp4 --model sr2x-s --frame 30 --out before_after.png");
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace coco::cli
