#include <memory>

#include "bench/cases.h"
#include "coco/device.h"
#include "kernels/registry.h"

namespace coco::bench {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace)

using Floats = std::vector<float>;

std::shared_ptr<Floats> make_floats(size_t count) {
  auto values = std::make_shared<Floats>(count);
  for (size_t i = 0; i < count; ++i) (*values)[i] = static_cast<float>(i % 511) / 255.0f - 1.0f;
  return values;
}

Capabilities capabilities() {
  static const std::string target = active_target();
  return {target};
}

struct Picture {
  int in, out, size, kernel, stride;
  bool depthwise;
};

/// A whole picture of size x size results.
void add_conv(std::vector<Case>& cases, const Picture& p) {
  BlockConvWeights shape;
  shape.out_channels = p.out, shape.in_channels = p.in;
  shape.kernel_h = shape.kernel_w = p.kernel, shape.depthwise = p.depthwise;
  shape.epilogue = Epilogue::kRelu;
  const int width = (p.size - 1) * p.stride + p.kernel;
  const double macs = double(p.depthwise ? 1 : p.in) * p.out * p.kernel * p.kernel * p.size * p.size;
  const std::string side = std::to_string(p.size), kernel = std::to_string(p.kernel);
  const std::string name = std::to_string(p.in) + "->" + std::to_string(p.out) + " " + kernel + "x" + kernel +
                           (p.stride > 1 ? "/" + std::to_string(p.stride) : "") + (p.depthwise ? " depthwise" : "") +
                           ", " + side + "x" + side;
  for (const auto& row : kernel_rows<BlockConvSlot>()) {
    if (!row.matches(shape, capabilities())) continue;
    auto weights = std::make_shared<BlockConvWeights>(shape);
    weights->bias.assign(static_cast<size_t>(p.out), 0.1f);
    pack_block_weights(make_floats(size_t(p.out) * (p.depthwise ? 1 : p.in) * p.kernel * p.kernel)->data(), *weights);
    const auto in = make_floats(size_t(channel_blocks(p.in)) * width * width * kBlock);
    const auto out = make_floats(size_t(channel_blocks(p.out)) * p.size * p.size * kBlock);
    BlockConvArgs args;
    args.weights = weights.get();
    args.blocks = channel_blocks(p.out), args.rows = p.size, args.pixels = p.size;
    args.tap_row = ptrdiff_t(width) * kBlock, args.in_block = args.tap_row * width;
    args.in_row = args.tap_row * p.stride, args.in_pixel = ptrdiff_t(p.stride) * kBlock;
    args.in = in->data(), args.out = out->data();
    args.out_row = ptrdiff_t(p.size) * kBlock, args.out_block = args.out_row * p.size;
    const auto run = row.function;
    cases.push_back({std::string(row.name), name, 2 * macs, 4.0 * double(in->size() + out->size()),
                     [run, args, weights, in, out] { run(args); }});
  }
}

/// 3x3 on a picture of size x size; the operations counted are those of the convolution.
void add_winograd(std::vector<Case>& cases, int in, int out, int size) {
  auto weights = std::make_shared<BlockConvWeights>();
  weights->in_channels = in, weights->out_channels = out, weights->kernel_h = weights->kernel_w = 3;
  weights->epilogue = Epilogue::kRelu;
  weights->bias.assign(static_cast<size_t>(out), 0.1f);
  pack_winograd_weights(make_floats(size_t(out) * in * 9)->data(), *weights);
  const int tiles = winograd_tiles(size) * winograd_tiles(size), step = std::min(tiles, 28);
  const ptrdiff_t row = ptrdiff_t(size + 2) * kBlock;
  const auto from = make_floats(size_t(channel_blocks(in) * row * (size + 2)));
  const auto to = make_floats(size_t(channel_blocks(out)) * size * size * kBlock);
  const auto scratch = std::make_shared<Buffer>(std::move(*Buffer::allocate(winograd_scratch(*weights, step) * 4)));
  WinogradArgs args;
  args.weights = weights.get(), args.height = args.width = size;
  args.in = from->data() + row + kBlock, args.in_row = row, args.in_block = row * (size + 2);
  args.out = to->data(), args.out_row = ptrdiff_t(size) * kBlock, args.out_block = args.out_row * size;
  args.scratch = static_cast<float*>(scratch->data());
  const std::string side = std::to_string(size);
  for (const auto& kernel : kernel_rows<WinogradSlot>()) {
    if (!kernel.matches({}, capabilities())) continue;
    const auto run = kernel.function;
    cases.push_back({std::string(kernel.name),
                     std::to_string(in) + "->" + std::to_string(out) + " 3x3, " + side + "x" + side,
                     2.0 * in * out * 9 * size * size, 4.0 * double(from->size() + to->size()),
                     [run, args, tiles, step, weights, from, to, scratch]() mutable {
                       for (args.first_tile = 0; args.first_tile < tiles; args.first_tile += step) {
                         args.tiles = std::min(step, tiles - args.first_tile);
                         run(args);
                       }
                     }});
  }
}

}  // namespace

std::vector<Case> block_cases() {
  std::vector<Case> cases;
  for (const Picture& p : {Picture{64, 64, 56, 3, 1, false},
                           {96, 96, 14, 1, 1, false},
                           {160, 320, 7, 1, 1, false},
                           {64, 128, 28, 3, 2, false},
                           {96, 96, 56, 3, 1, true},
                           {96, 96, 28, 3, 2, true}})
    add_conv(cases, p);
  add_winograd(cases, 64, 64, 56);
  add_winograd(cases, 128, 128, 28);
  constexpr int kWidth = 112;
  const auto in = make_floats(size_t(kWidth) * 3 * kBlock), out = make_floats(size_t(kWidth) * 2 * kBlock);
  BlockPoolArgs pool;
  pool.in = in->data(), pool.in_row = ptrdiff_t(kWidth) * kBlock, pool.rows = 3, pool.width = kWidth;
  pool.first = -1, pool.stride = 2, pool.kernel = 3, pool.pixels = kWidth / 2, pool.out = out->data();
  BlockRowArgs rows;
  rows.width = kWidth, rows.plane = kWidth + kBlock;
  const auto planes = make_floats(size_t(kWidth + kBlock) * kBlock);
  for (const auto& row : kernel_rows<BlockLoadSlot>()) {
    if (!row.matches({}, capabilities())) continue;
    const auto run = row.function;
    cases.push_back({std::string(row.name), "16 channels, 112 wide", 0, 8.0 * kBlock * kWidth,
                     [run, rows, planes, out] { run(rows, planes->data(), out->data()); }});
  }
  for (const auto& row : kernel_rows<BlockStoreSlot>()) {
    if (!row.matches({}, capabilities())) continue;
    const auto run = row.function;
    cases.push_back({std::string(row.name), "16 channels, 112 wide", 0, 8.0 * kBlock * kWidth,
                     [run, rows, planes, in] { run(rows, in->data(), planes->data()); }});
  }
  for (const auto& row : kernel_rows<BlockPoolSlot>()) {
    if (!row.matches({}, capabilities())) continue;
    const auto run = row.function;
    cases.push_back({std::string(row.name), "maximum 3x3/2, 112 wide", 9.0 * kBlock * pool.pixels,
                     4.0 * double(in->size()) + 4.0 * kBlock * pool.pixels, [run, pool, in, out] { run(pool); }});
  }
  const auto columns = std::make_shared<FilterTable>(make_filter(kWidth, 2 * kWidth, ResampleKernel::kBicubic));
  BlockResizeArgs resize;
  resize.in = in->data(), resize.in_row = ptrdiff_t(kWidth) * kBlock, resize.rows = 2;
  resize.row_weights = columns->weights.data(), resize.columns = columns.get(), resize.out = out->data();
  for (const auto& row : kernel_rows<BlockResizeSlot>()) {
    if (!row.matches({}, capabilities())) continue;
    const auto run = row.function;
    cases.push_back({std::string(row.name), "2 rows x 4 columns, x2", 2.0 * 12 * kBlock * 2 * kWidth,
                     4.0 * kBlock * 4 * kWidth, [run, resize, in, out, columns] { run(resize); }});
  }
  return cases;
}

}  // namespace coco::bench
