// Purpose: pictures as pairs of high and low resolution luma planes by the measuring protocol, and random patches.
#pragma once

#include <string>
#include <vector>

#include "coco/status.h"
#include "quality/quality.h"
#include "tune/random.h"

namespace coco::tune {

struct ImagePair {
  std::string name;  ///< file name
  quality::Plane8 hr, lr;
  std::vector<quality::Plane8> degraded{};  ///< when there are any, patches are taken from these instead of lr
};

/// Luma of an image file (PNG, JPEG, BMP, WebP; 8 bits): RGB through the protocol's formula, grey values as they are.
Result<quality::Plane8> read_luma(const std::string& path);

/// What pictures become.
struct PairOptions {
  int scale = 2;
  int multiple = 1;  ///< the sides of the LR plane are multiples of it: what an unshuffled input needs
  int smallest = 1;  ///< pictures with a shorter LR side are skipped
  int fewest = 1;    ///< fewer pictures than this are an error
};

/// HR cropped to a multiple of scale * multiple, LR by resize_bicubic of the whole HR plane.
ImagePair make_pair(std::string name, const quality::Plane8& luma, const PairOptions& options);

struct LoadedPairs {
  std::vector<ImagePair> pairs;
  std::vector<std::string> skipped;  ///< one line for each picture that cannot be used: its path and why
};

/// Every image of the folders (not below them), in order of file name, and the image files named themselves. A folder
/// that is not there is an error; an image that is missing, unreadable or too small is skipped, and so many that fewer
/// than options.fewest are left are an error again, which names the first and says how many.
Result<LoadedPairs> load_pairs(const std::vector<std::string>& sources, const PairOptions& options);

/// Adds a copy of every picture for each factor (below 1), shrunk by it before the LR is made: finer detail per pixel
/// and less of the source's compression noise. Copies whose LR side would fall below options.smallest are left out.
void add_shrunk(std::vector<ImagePair>& images, const std::vector<double>& factors, const PairOptions& options);

/// `count` aligned square patches, contiguous: lr is count * size * size, hr count * (scale * size)^2.
struct PatchBatch {
  int count = 0, size = 0, scale = 0;
  std::vector<uint8_t> lr, hr;
};

/// Draws a picture, one of its degraded copies if it has any, a position and one of the eight dihedral transforms for
/// each patch. Every image must be at least `size` LR pixels wide and high (check_patch_size).
void sample_patches(const std::vector<ImagePair>& images, int count, int size, int scale, Random& random,
                    PatchBatch& batch);

Status check_patch_size(const std::vector<ImagePair>& images, int size);

}  // namespace coco::tune
