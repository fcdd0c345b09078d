#include "tune/report/report.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <set>

#include "coco/compile.h"
#include "tune/report/layers.h"
#include "tune/report/page.h"
#include "tune/report/plots.h"

namespace coco::tune {
namespace {

namespace fs = std::filesystem;
using Row = std::vector<std::string>;

constexpr int kSmallestSide = 32;  // of pictures to calibrate on, low resolution

std::string text_of(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// What may stand in a file's name.
std::string file_part(std::string text) {
  const auto odd = [](unsigned char c) { return std::isalnum(c) == 0; };
  std::replace_if(text.begin(), text.end(), odd, '_');
  return text;
}

std::string known(double value, int digits) { return value > 0 ? text_of(value, digits) : ""; }

std::set<std::string> sets_of(const std::vector<NetworkEntry>& networks) {
  std::set<std::string> sets;
  for (const NetworkEntry& network : networks) {
    for (const auto& [set, psnr] : network.psnr) sets.insert(set);
  }
  return sets;
}

Status add_networks(const ReportRequest& request, Page& page) {
  if (request.networks.empty()) return {};
  page.heading("Quality against work");
  page.paragraph(
      "PSNR of luma at x2 against multiply-adds per pixel of the input. The line joins those that nothing with less "
      "work beats. Published figures are their authors'; figures of ours are by the measuring protocol.");
  const std::set<std::string> sets = sets_of(request.networks);
  for (const std::string& set : sets) {
    std::vector<PlotPoint> points;
    for (const NetworkEntry& n : request.networks) {
      const auto psnr = n.psnr.find(set);
      if (psnr != n.psnr.end() && n.macs > 0) points.push_back({n.name, n.macs, psnr->second, n.ours ? 0 : 1});
    }
    if (points.size() < 2) continue;
    // Ours first: they take their places for labels before the others.
    std::stable_sort(points.begin(), points.end(),
                     [](const PlotPoint& a, const PlotPoint& b) { return a.group < b.group; });
    const Plot plot{set, "multiply-adds per input pixel", "PSNR-Y, dB", true, {"ours", "published"}};
    COCO_TRY(page.drawing("work-" + file_part(set), draw_points(plot, points)));
  }
  std::vector<Row> rows = {{"network", "parameters", "multiply-adds"}};
  rows[0].insert(rows[0].end(), sets.begin(), sets.end());
  rows[0].push_back("source");
  for (const NetworkEntry& n : request.networks) {
    Row row = {n.name, known(n.parameters, 0), known(n.macs, 0)};
    for (const std::string& set : sets) {
      const auto psnr = n.psnr.find(set);
      row.push_back(psnr == n.psnr.end() ? "" : text_of(psnr->second, 2));
    }
    row.push_back(n.source);
    rows.push_back(std::move(row));
  }
  page.table(rows);
  return {};
}

Status add_searches(const ReportRequest& request, Page& page) {
  if (request.runs.searches.empty()) return {};
  page.heading("Quality against speed: configurations tried");
  page.paragraph(
      "Milliseconds of the engine on the device that searched, against PSNR of luma on the validation images, after "
      "fine-tuning. A label is the choice for each module.");
  std::vector<PlotPoint> points;
  Plot plot{"Configurations", "milliseconds", "PSNR-Y, dB", false, {}};
  std::vector<Row> rows = {{"search", "choices", "milliseconds", "before", "after"}};
  for (const SearchEntry& search : request.runs.searches) {
    const int group = static_cast<int>(plot.groups.size());
    plot.groups.push_back(search.name);
    for (const TriedEntry& t : search.tried) {
      points.push_back({t.choices, t.milliseconds, t.psnr, group});
      rows.push_back(
          {search.name, t.choices, text_of(t.milliseconds, 3), text_of(t.psnr_start, 3), text_of(t.psnr, 3)});
    }
  }
  COCO_TRY(page.drawing("searches", draw_points(plot, points)));
  for (const SearchEntry& s : request.runs.searches) {
    if (s.verdict.empty()) {
      page.paragraph(s.name + ": not ended.");
      continue;
    }
    page.paragraph(s.name + ": " + s.verdict + "; " + text_of(s.configurations, 0) + " configurations, " +
                   std::to_string(s.tried.size()) + " fine-tuned, " + text_of(s.blocks, 0) + " blocks; " +
                   text_of(s.seconds_measuring, 0) + " s of measuring, " + text_of(s.seconds_blocks, 0) +
                   " s of blocks, " + text_of(s.seconds_tuning, 0) + " s of fine-tuning.");
  }
  page.table(rows);
  return {};
}

Status add_runs(const ReportRequest& request, Page& page) {
  if (request.runs.runs.empty()) return {};
  page.heading("Training runs");
  std::vector<PlotCurve> curves;
  std::vector<Row> rows = {{"run", "steps", "PSNR-Y at the end", "best", "SSIM-Y at the end", "minutes"}};
  for (const RunEntry& run : request.runs.runs) {
    PlotCurve curve{run.name, {}};
    double best = 0;
    for (const RunPoint& p : run.points) {
      curve.points.emplace_back(p.iteration, p.psnr);
      best = std::max(best, p.psnr);
    }
    const RunPoint& last = run.points.back();
    rows.push_back({run.name, text_of(last.iteration, 0), text_of(last.psnr, 3), text_of(best, 3),
                    text_of(last.ssim, 4), text_of(last.seconds / 60, 1)});
    curves.push_back(std::move(curve));
  }
  const Plot plot{"PSNR on the validation images of each run", "step", "PSNR-Y, dB", false, {}};
  COCO_TRY(page.drawing("runs", draw_curves(plot, curves)));
  page.table(rows);
  return {};
}

Status add_layers(const ModelLayers& model, size_t number, Page& page) {
  std::vector<PlotBar> zeros, snr;
  std::vector<Row> rows = {{"layer", "weights", "zeros", "SNR, dB"}};
  for (const LayerFacts& layer : model.layers) {
    const double share =
        layer.weights == 0 ? 0 : 100.0 * static_cast<double>(layer.zeros) / static_cast<double>(layer.weights);
    zeros.push_back({layer.name, share, text_of(share, 1) + " %"});
    if (layer.snr_db) snr.push_back({layer.name, *layer.snr_db, text_of(*layer.snr_db, 1) + " dB"});
    rows.push_back({layer.name, std::to_string(layer.weights), text_of(share, 1) + " %",
                    layer.snr_db ? text_of(*layer.snr_db, 1) : "f32"});
  }
  const std::string end = "-" + std::to_string(number);
  COCO_TRY(page.drawing("sparsity" + end, draw_bars(model.name + ": weights that are 0", zeros)));
  if (!snr.empty()) {
    COCO_TRY(page.drawing("snr" + end, draw_bars(model.name + ": integers against f32", snr)));
  }
  page.paragraph(model.note);
  page.table(rows);
  return {};
}

Status add_models(const ReportRequest& request, Page& page, std::vector<NamedModel>& models) {
  std::vector<ImagePair> images;
  if (!request.calibration.empty()) {
    COCO_ASSIGN(LoadedPairs loaded, load_pairs(request.calibration, {2, 1, kSmallestSide, 1}));
    images = std::move(loaded.pairs);
  }
  size_t number = 0;
  for (const NetworkEntry& network : request.networks) {
    if (network.onnx.empty()) continue;
    if (number == 0) page.heading("Layers");
    COCO_ASSIGN(const ModelLayers layers, inspect_layers(network.name, network.onnx, images));
    COCO_TRY(add_layers(layers, ++number, page));
    COCO_ASSIGN(auto model, load_or_compile(network.onnx));
    models.push_back({network.name, std::move(model)});
  }
  return {};
}

Status add_pictures(const ReportRequest& request, const std::vector<NamedModel>& models, Page& page) {
  if (request.pictures.empty()) return {};
  page.heading("Before and after");
  page.paragraph(
      "The part with most detail of each picture, shrunk to a half and enlarged again. The figure is the PSNR of the "
      "whole picture's luma, in full range.");
  size_t number = 0;
  for (const std::string& picture : request.pictures) {
    COCO_ASSIGN(const auto png, compare_crops(picture, models, request.crops));
    COCO_TRY(page.picture("crop-" + std::to_string(++number), png, fs::path(picture).filename().string()));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> write_report(const ReportRequest& request) {
  if (request.networks.empty() && request.runs.runs.empty() && request.runs.searches.empty() &&
      request.pictures.empty()) {
    return make_error(ErrorCode::kInvalidArgument, "there is nothing to report; name models, runs or pictures");
  }
  std::error_code failure;
  fs::create_directories(request.out, failure);
  if (failure) return make_error(ErrorCode::kIo, "cannot make folder '" + request.out + "': " + failure.message());
  Page page(request.title, request.out);
  std::vector<NamedModel> models;
  COCO_TRY(add_networks(request, page));
  COCO_TRY(add_searches(request, page));
  COCO_TRY(add_runs(request, page));
  COCO_TRY(add_models(request, page, models));
  COCO_TRY(add_pictures(request, models, page));
  return page.finish();
}

}  // namespace coco::tune
