// Purpose: which point of one head is which of the other: the ICT head is bent onto the MakeHuman head, so that skins
// painted for the one can be worn by the other and both have the same landmarks.
#pragma once

#include <vector>

#include "tune/synth/head_model.h"

namespace coco::synth {

/// Where a vertex of one head lies on another.
struct Correspondence {
  int triangle = -1;  ///< Of the other head; -1: nowhere near.
  cv::Vec3f weight;
  float distance = 0;  ///< Centimetres that were left between the two.
};

/// Bends `head` onto `target` (alternating closest points and a least-squares step: similarity and identities first,
/// then single vertices, ever less stiff) and returns one correspondence a vertex; parts other than skin have none.
std::vector<Correspondence> match_heads(const HeadModel& head, const HeadModel& target);

/// Gives `head` the target's places in the atlas where all of a triangle's corners match and no seam lies between.
void transfer_atlas(const std::vector<Correspondence>& matches, const HeadModel& target, HeadModel& head);

/// Moves the brows' landmarks to where the brows are painted: `brows` are masks in the atlas. Before
/// transfer_landmarks.
void settle_brows(std::span<const cv::Mat> brows, HeadModel& head);

/// Gives `target` the landmarks and lips of `head`.
void transfer_landmarks(const std::vector<Correspondence>& matches, const HeadModel& head, HeadModel& target);

}  // namespace coco::synth
