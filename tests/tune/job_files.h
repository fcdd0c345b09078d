// Purpose: what the tests of job files share: jobs that are refused, and the jobs that are shipped.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/cocopipe-tune/yaml_map.h"
#include "catch.h"

namespace coco::jobs::testing {

struct Refusal {
  std::string text, message;
};

/// `read` gives an error for each text, and the message has that part.
template <class Read>
void check_refused(const std::vector<Refusal>& refusals, const Read& read) {
  for (const Refusal& refusal : refusals) {
    const auto job = read(refusal.text);
    INFO(refusal.text);
    REQUIRE_FALSE(job.ok());
    INFO(job.error().message);
    CHECK(job.error().message.find(refusal.message) != std::string::npos);
  }
}

/// Calls check(tree, path) for every job in a folder of configs/tune, and tells how many there are.
template <class Check>
size_t for_shipped_jobs(const std::string& folder, const Check& check) {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(source != nullptr ? source : ".") /
                                                               "configs/tune" / folder)) {
    if (entry.is_directory()) continue;  // jobs of other commands
    INFO(entry.path().string());
    const auto tree = read_job_tree(entry.path().string(), {});
    REQUIRE(tree.ok());
    check(*tree, entry.path());
    ++count;
  }
  return count;
}

}  // namespace coco::jobs::testing
