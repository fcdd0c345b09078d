// Purpose: what the report shows: networks with their figures, training runs, searches; read from the files that the
// other commands write.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::tune {

/// A network and its PSNR-Y by set ("set5"); sets it was not measured on are missing.
struct NetworkEntry {
  std::string name;
  double parameters = 0, macs = 0;  ///< macs: multiply-adds per input pixel; 0: unknown
  std::map<std::string, double> psnr;
  std::string source;  ///< where the figures are from
  bool ours = false;
  std::string onnx;  ///< the file beside the card, empty when there is none
};

struct RunPoint {
  double iteration = 0, psnr = 0, ssim = 0, seconds = 0;
};

/// log.jsonl of a training run.
struct RunEntry {
  std::string name;
  std::vector<RunPoint> points;  ///< validations
};

/// A fine-tuned configuration of a search.
struct TriedEntry {
  std::string choices;  ///< "0 2 1 1"
  double milliseconds = 0, psnr_start = 0, psnr = 0;
};

/// explore.jsonl of a search.
struct SearchEntry {
  std::string name;
  std::vector<TriedEntry> tried;
  std::string verdict;  ///< empty when the search has not ended
  double configurations = 0, blocks = 0, seconds_measuring = 0, seconds_blocks = 0, seconds_tuning = 0;
};

struct Runs {
  std::vector<RunEntry> runs;
  std::vector<SearchEntry> searches;
};

/// The cards (*.card.json) of a folder, or one card. Figures are taken from NAME_psnr_y, parameters and
/// macs_per_input_pixel. Those of other tasks than super-resolution are left out. None there, or a damaged one, is an
/// error that names it.
Status read_cards(const std::string& path, std::vector<NetworkEntry>& entries);

/// log.jsonl and explore.jsonl of a folder and of the folders in it. None there is an error.
Status read_runs(const std::string& folder, Runs& runs);

}  // namespace coco::tune
