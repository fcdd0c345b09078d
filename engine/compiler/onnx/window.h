// Purpose: the window of a convolution or pool from a node's attributes. One-dimensional operators become
// two-dimensional ones of height 1.
#pragma once

#include <array>
#include <string>

#include "compiler/onnx/node_context.h"

namespace coco::compiler {

struct Window {
  bool one_dimensional = false;
  std::array<int64_t, 2> kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};
  std::string auto_pad;  ///< NOTSET, VALID, SAME_UPPER or SAME_LOWER
};

/// A one- or two-element attribute as height and width; `lowest` stands for a height that is not there.
Result<std::array<int64_t, 2>> spatial_attribute(const NodeContext& node, const char* name, size_t rank,
                                                 int64_t fallback, int64_t lowest);

/// The attributes kernel_shape, strides, dilations, pads and auto_pad for `rank` spatial dimensions, 1 or 2.
Result<Window> read_window(const NodeContext& node, size_t rank);

/// The padding of SAME_UPPER / SAME_LOWER, which must be the same in every trial; nothing for other windows.
Status resolve_same(NodeContext& node, const graph::Value* x, Window& window);

/// [A, B, L] as [A, B, 1, L]; a constant stays one.
Result<graph::Value*> with_height(NodeContext& node, graph::Value* value, const std::string& role);
/// The node's result [A, B, 1, L] as [A, B, L].
Status finish_without_height(NodeContext& node, format::OpParams params, std::vector<graph::Value*> inputs);

}  // namespace coco::compiler
