#include "vision/geometry.h"

#include <cstdlib>
#include <string>

#include "format/program.h"

namespace coco::vision {
namespace {

std::string size_text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

Error frame_error(std::string_view what, const std::string& message) {
  return make_error(ErrorCode::kInvalidArgument, std::string(what) + " frame: " + message);
}

Error network_error(const Model& model, const std::string& message) {
  const std::string name = model.card().name.empty() ? "the model" : "model '" + model.card().name + "'";
  return make_error(ErrorCode::kUnsupported, name + " cannot upscale frames: " + message);
}

bool one_channel_image(const Shape& shape) {
  return shape.rank() == 4 && (shape[0] == 1 || shape[0] == kDynamicDim) && (shape[1] == 1 || shape[1] == kDynamicDim);
}

}  // namespace

PlaneSize plane_size(PixelFormat format, int plane, int width, int height) {
  const int sample_bytes = static_cast<int>(byte_size(sample_type(format)));
  if (plane == 0) return {width * sample_bytes, height};
  const int components = plane_count(format) == 2 ? 2 : 1;
  return {(width + 1) / 2 * components * sample_bytes, (height + 1) / 2};
}

Status check_frame(std::string_view what, const FrameView& frame, PixelFormat format, int width, int height) {
  if (frame.format != format) {
    return frame_error(what, "format is " + std::string(to_string(frame.format)) + ", the upscaler was made for " +
                                 std::string(to_string(format)));
  }
  if (frame.width != width || frame.height != height) {
    return frame_error(what, "size is " + size_text(frame.width, frame.height) + ", the upscaler was made for " +
                                 size_text(width, height));
  }
  const auto alignment = static_cast<ptrdiff_t>(byte_size(sample_type(format)));
  for (int plane = 0; plane < plane_count(format); ++plane) {
    const auto index = static_cast<size_t>(plane);
    const PlaneSize size = plane_size(format, plane, width, height);
    const ptrdiff_t stride = frame.stride[index];
    const std::string name = "plane " + std::to_string(plane);
    if (frame.data[index] == nullptr) return frame_error(what, name + " has no data");
    if (size.rows > 1 && std::abs(stride) < size.row_bytes) {
      return frame_error(what, name + " has a stride of " + std::to_string(stride) + " bytes, its rows have " +
                                   std::to_string(size.row_bytes));
    }
    if (stride % alignment != 0 || reinterpret_cast<uintptr_t>(frame.data[index]) % static_cast<size_t>(alignment)) {
      return frame_error(what, name + " is not aligned to its " + std::to_string(alignment) + "-byte samples");
    }
  }
  return {};
}

Result<int> network_scale(const Model& model) {
  if (model.inputs().size() != 1 || model.outputs().size() != 1) {
    return network_error(model, "it has " + std::to_string(model.inputs().size()) + " inputs and " +
                                    std::to_string(model.outputs().size()) + " outputs, not one of each");
  }
  Shape shape = model.inputs()[0].shape;
  if (!one_channel_image(shape) || model.inputs()[0].type != DataType::kF32) {
    return network_error(model, "its input is " + shape.to_string() + ", not an f32 [1, 1, height, width]");
  }
  constexpr int64_t kProbe = 96;
  shape[0] = shape[1] = 1;
  for (const size_t axis : {size_t{2}, size_t{3}}) {
    if (shape[axis] == kDynamicDim) shape[axis] = kProbe;
  }
  const format::Program& program = model.program();
  COCO_ASSIGN(const std::vector<Shape> shapes, format::resolve_shapes(program, {&shape, 1}));
  const Shape& result = shapes[static_cast<size_t>(program.outputs[0])];
  if (!one_channel_image(result)) {
    return network_error(model, "its output is " + result.to_string() + ", not [1, 1, height, width]");
  }
  const int64_t scale = result[2] / shape[2];
  if (scale < 2 || scale > 16 || result[2] != scale * shape[2] || result[3] != scale * shape[3]) {
    return network_error(model, "it makes " + result.to_string() + " of " + shape.to_string() +
                                    ", which is no enlargement by a whole factor of 2 to 16");
  }
  return static_cast<int>(scale);
}

int network_repeats(int scale, int in_width, int in_height, int out_width, int out_height) {
  int64_t width = in_width, height = in_height;
  int repeats = 0;
  while (repeats < kMaxRepeats && (width < out_width || height < out_height)) {
    width *= scale;
    height *= scale;
    if (width > kMaxNetworkSize || height > kMaxNetworkSize) break;
    ++repeats;
  }
  return repeats;
}

}  // namespace coco::vision
