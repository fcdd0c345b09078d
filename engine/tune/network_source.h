// Purpose: from the description of what is trained to the network, and to text that a checkpoint keeps.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tune/checkpoint.h"
#include "tune/random.h"
#include "tune/trainable.h"
#include "tune/trainer.h"

namespace coco::tune {

/// First weights from `random`, or from the model.
Result<std::unique_ptr<Trainable>> make_network(const NetworkSource& source, Random& random);

/// What the result is called.
std::string name_of(const NetworkSource& source);

/// One line of JSON, which tells the model by its checksum, and the model itself, which a checkpoint keeps beside it;
/// and back.
std::string to_json(const NetworkSource& source);
std::vector<NamedTensor> model_to_keep(const NetworkSource& source);
Result<NetworkSource> read_source(const Checkpoint& checkpoint);

}  // namespace coco::tune
