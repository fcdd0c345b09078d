// Purpose: from the description of what is trained to the network, and to text that a checkpoint keeps.
#pragma once

#include <memory>
#include <string>

#include "tune/random.h"
#include "tune/trainable.h"
#include "tune/trainer.h"

namespace coco::tune {

/// First weights from `random`.
Result<std::unique_ptr<Trainable>> make_network(const NetworkSource& source, Random& random);

/// What the result is called.
std::string name_of(const NetworkSource& source);

/// One line of JSON, and back.
std::string to_json(const NetworkSource& source);
Result<NetworkSource> source_from_json(const std::string& text);

}  // namespace coco::tune
