// Purpose: every key a pipeline file may hold. pipelines/schema/pipeline.schema.json says the same to editors; a test
// compares the two.
#pragma once

#include <string>
#include <vector>

namespace coco::loader {

inline const std::vector<std::string> kRootKeys = {"description", "variables", "pipeline", "branches"};
inline const std::vector<std::string> kVariableKeys = {"help", "default"};
inline const std::vector<std::string> kElementKeys = {"element", "name", "properties"};
inline const std::vector<std::string> kCapsKeys = {"caps"};
inline const std::vector<std::string> kFromKeys = {"from", "optional"};
inline const std::vector<std::string> kToKeys = {"to"};

}  // namespace coco::loader
