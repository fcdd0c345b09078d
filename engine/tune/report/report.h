// Purpose: the page that shows what training gave: quality against work and speed, runs, layers, pictures.
// Failure: what cannot be read or written is named; nothing is left out silently.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "tune/report/crops.h"
#include "tune/report/entries.h"

namespace coco::tune {

struct ReportRequest {
  std::string title, out;  ///< `out`: the folder that index.html and the PNG files go to, made when missing
  std::vector<NetworkEntry> networks;
  Runs runs;
  std::vector<std::string> calibration;  ///< pictures or folders that integers are calibrated on; may be empty
  std::vector<std::string> pictures;     ///< image files that are compared
  CropOptions crops;
};

/// Layers and pictures are shown of those networks that have an ONNX file. Returns the files written.
Result<std::vector<std::string>> write_report(const ReportRequest& request);

}  // namespace coco::tune
