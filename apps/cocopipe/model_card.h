// Purpose: model cards as JSON, and models as text for people.
// Ownership: values.
// Threads: calls are independent.
// Failure: unknown keys and wrong types are named.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "coco/model.h"

namespace coco::cli {

/// Overwrites the fields a JSON file names. Keys as in ModelCard; "figures" is an object of strings or numbers.
Status read_card(const std::string& path, ModelCard& card);
nlohmann::ordered_json to_json(const ModelCard& card);
/// One "key  value" line per field that is set.
std::string to_lines(const ModelCard& card);

}  // namespace coco::cli
