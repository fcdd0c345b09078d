// Purpose: job files of `cocopipe-tune report`. docs/tune.md is their reference.
#pragma once

#include <string>
#include <vector>

#include "apps/cocopipe-tune/yaml_map.h"
#include "coco/status.h"
#include "tune/report/report.h"

namespace coco::jobs {

/// Reads the job and all that it names but the pictures. `runs` are folders beside those of the job.
Result<tune::ReportRequest> read_report_job(const JobTree& tree, const std::vector<std::string>& runs);

/// A list of published networks: `networks:`, each with name, parameters, macs, psnr by set, source.
Status read_published(const std::string& path, std::vector<tune::NetworkEntry>& networks);

}  // namespace coco::jobs
