// Purpose: the file of compiled pipelines of one driver on one device, beside the tuning cache: what a driver has
// compiled once, it need not compile again.
// Ownership: values.
// Threads: any; files are written whole or not at all.
// Failure: a file that is damaged, too large or another device's counts as none and is written over.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "coco/status.h"

namespace coco::backends {

inline constexpr size_t kMaxPipelineFile = size_t{64} << 20;

/// `key`: one line of text that names driver and device. The file's name is a hash of it.
std::string pipeline_file(const std::string& folder, const std::string& key);
/// What write_pipelines has written for this key; empty when there is none.
std::vector<uint8_t> read_pipelines(const std::string& folder, const std::string& key);
/// Makes the folder where it is missing.
Status write_pipelines(const std::string& folder, const std::string& key, std::span<const uint8_t> pipelines);

}  // namespace coco::backends
