// Purpose: the configurations of a search: one choice of compression for every module of a network.
#pragma once

#include <cstdint>
#include <vector>

#include "tune/random.h"

namespace coco::tune {

/// By module: the number of the choice made.
using Configuration = std::vector<int>;

/// How many there are; the largest number when they are more than fit.
uint64_t count_configurations(const std::vector<int>& choices);

/// All of them in lexicographic order when they are at most `limit`, else so many different ones drawn at random, in
/// that order too. choices: by module, how many there are, at least 1.
std::vector<Configuration> make_configurations(const std::vector<int>& choices, size_t limit, Random& random);

}  // namespace coco::tune
