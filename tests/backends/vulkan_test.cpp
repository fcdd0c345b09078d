// Networks on a Vulkan device against the CPU: integer ones give the same bytes.
#include <cmath>
#include <cstring>
#include <thread>

#include "backends/vulkan_device.h"
#include "base/file.h"
#include "catch.h"
#include "runtime/networks.h"

using namespace coco;
using namespace coco::testing;

namespace {

std::shared_ptr<const Model> model_of(format::Program program) {
  auto model = Model::from_program(std::move(program));
  if (!model.ok()) FAIL(model.error().message);
  return *model;
}

std::string checksum(const std::vector<float>& values) {
  return sha256_hex({reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)});
}

/// Noise about 0.5, beyond 0 and 1 in places.
std::vector<float> picture(const Shape& shape, uint64_t seed) {
  std::vector<float> values = Noise(seed).many(static_cast<size_t>(*shape.element_count()), 0.6f);
  for (float& v : values) v += 0.5f;
  return values;
}

/// The program's result on the device and on the CPU, for sizes around those of workgroups.
void check_same_bytes(const std::shared_ptr<VulkanDevice>& device, const format::Program& program) {
  const int64_t channels = program.values[program.inputs[0]].shape[1];
  const auto model = model_of(program);
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{1, 1}, {2, 1}, {1, 2}, {17, 8}, {31, 9}, {32, 8}, {33, 17}, {70, 21}}) {
    INFO(width << " x " << height);
    const Shape shape{1, channels, height, width};
    const std::vector<float> input = picture(shape, static_cast<uint64_t>(100 * width + height));
    SessionOptions reference;
    reference.threads = 1;
    CHECK((run_model(model, shape, input, on(device)) == run_model(model, shape, input, reference)));
  }
}

/// One plane of samples, with bytes behind its rows that are not to be touched.
struct Plane {
  int width, height;
  SampleType type;
  ptrdiff_t stride;
  std::vector<uint8_t> bytes;
  Plane(int w, int h, SampleType t, uint64_t seed = 0)
      : width(w), height(h), type(t), stride(static_cast<ptrdiff_t>(byte_size(t)) * (w + 3)) {
    bytes.assign(static_cast<size_t>(stride * h), 0xa5);
    Noise noise(seed);
    const int peak = max_value(type);
    for (int y = 0; seed != 0 && y < h; ++y)
      for (int x = 0; x < w; ++x) {
        const auto code = static_cast<uint32_t>((noise.next() + 1.0f) / 2 * static_cast<float>(peak));
        const uint32_t stored = type == SampleType::kU16Msb10 ? code << 6 : code;
        std::memcpy(bytes.data() + y * stride + x * static_cast<ptrdiff_t>(byte_size(type)), &stored, byte_size(type));
      }
  }
  PlaneView view() const { return {bytes.data(), stride, width, height, type}; }
  MutablePlaneView view() { return {bytes.data(), stride, width, height, type}; }
};

std::vector<uint8_t> upscaled(const std::shared_ptr<const Model>& model, const Plane& in, Plane out, int repeats,
                              const SessionOptions& options) {
  ImageJob job{in.width, in.height, in.type, out.width, out.height, out.type, repeats};
  auto session = ImageSession::create(model, job, options);
  if (!session.ok()) FAIL(session.error().message);
  int called = 0;
  const std::function<void(int)> extra = [&](int) { ++called; };

  for (int frame = 0; frame < 2; ++frame) REQUIRE((*session)->run(in.view(), out.view(), 1, &extra).ok());
  CHECK(called == 2);
  return out.bytes;
}

}  // namespace

TEST_CASE("golden bytes on Vulkan") {
  for (const PackedDot dot : {PackedDot::kNever, PackedDot::kSupported}) {
    const auto device = validated_device(dot);
    if (device == nullptr) return;
    INFO(device->info().name << ", packed dot product " << device->info().packed_dot);
    const auto result = run_model(model_of(golden_stack()), golden_shape(), golden_input(), on(device));
    CHECK(checksum(result) == kGoldenStack);
  }
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("integer networks give the CPU's bytes on Vulkan") {
  for (const PackedDot dot : {PackedDot::kNever, PackedDot::kSupported}) {
    const auto device = validated_device(dot);
    if (device == nullptr) return;
    check_same_bytes(device, integer_geometries());
    check_same_bytes(device, integer_super_resolution(8, 2));
    check_same_bytes(device, integer_super_resolution(13, 1));
  }
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("pruned networks give the CPU's bytes on Vulkan") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder net(3);
  int x = net.op(format::QuantizeParams{255, 0}, {net.input({1, 1, kDynamicDim, kDynamicDim})});
  x = net.quant_conv(x, 1, 16, same3x3(0, 37));
  // Four of nine positions in blocks of 4 x 4, and blocks that are gone: one tile keeps nothing.
  x = net.quant_conv(x, 16, 16, same3x3(37, 128),
                     [](int64_t m, int64_t c, int64_t tap) { return m / 4 != 2 && (m / 4 + c / 4 + tap) % 9 < 4; });
  auto last = same3x3(128, 0);
  last.dequantize = true;
  check_same_bytes(device, net.finish({net.quant_conv(x, 16, 3, last)}));
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("pictures of every sample type on Vulkan") {
  const auto device = validated_device();
  if (device == nullptr) return;
  const auto model = model_of(integer_super_resolution(8, 1));
  for (const SampleType type : {SampleType::kU8, SampleType::kU16Lsb10, SampleType::kU16Msb10, SampleType::kF32}) {
    INFO("samples " << static_cast<int>(type));
    const Plane in(21, 10, type, type == SampleType::kF32 ? 0 : 5);
    // Once, twice, and to sizes that need a resampling behind the network, enlarging and shrinking; without a network.
    for (const auto& [width, height, repeats] :
         std::vector<std::array<int, 3>>{{42, 20, 1}, {84, 40, 2}, {61, 33, 2}, {35, 20, 1}, {33, 17, 0}}) {
      INFO(width << " x " << height << ", " << repeats << " times");
      const Plane out(width, height, type);
      const auto network = repeats > 0 ? model : nullptr;
      CHECK((upscaled(network, in, out, repeats, on(device)) == upscaled(network, in, out, repeats, {})));
    }
  }
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("several results on Vulkan, in any order, and of what others are made of") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder net(8);
  const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
  auto last = same3x3(0, 0);
  last.dequantize = true;
  const int sums = net.quant_conv(net.op(format::QuantizeParams{255, 0}, {in}), 1, 4, last);
  format::ResizeParams resize;
  resize.mode = format::ResizeMode::kLinear, resize.scales = {1, 1, 2, 2};
  const int base = net.op(resize, {in});
  const int result = net.op(format::BinaryParams{}, {net.op(format::DepthToSpaceParams{}, {sums}), base});
  for (const std::vector<int32_t>& outputs :
       std::vector<std::vector<int32_t>>{{result, sums}, {sums, result}, {base, result}, {result}, {in}})
    check_same_bytes(device, net.finish(outputs));
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("sessions share a device") {
  const auto device = validated_device();
  if (device == nullptr) return;
  const auto model = model_of(golden_stack());
  std::vector<std::string> sums(4);
  std::vector<std::thread> threads;
  for (std::string& sum : sums)
    threads.emplace_back([&] { sum = checksum(run_model(model, golden_shape(), golden_input(), on(device))); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& sum : sums) CHECK(sum == kGoldenStack);
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("f32 networks on Vulkan, within the convolutions' tolerance") {
  const auto device = validated_device();
  if (device == nullptr) return;
  NetworkBuilder net(9);
  format::Conv2dParams wide;
  wide.kernel = {5, 7}, wide.pads = {2, 3, 2, 3}, wide.activation = format::UnaryKind::kLeakyRelu, wide.act_a = 0.2f;
  int x = net.conv(net.input({1, 6, kDynamicDim, kDynamicDim}), 6, 9, wide);
  format::Conv2dParams grouped;
  grouped.kernel = {3, 3}, grouped.pads = {1, 2, 1, 2}, grouped.dilation = {1, 2}, grouped.group = 3;
  grouped.activation = format::UnaryKind::kRelu;
  x = net.conv(x, 9, 15, grouped);
  format::Conv2dParams strided;
  strided.kernel = {2, 3}, strided.pads = {1, 1, 0, 1}, strided.stride = {2, 2};
  strided.activation = format::UnaryKind::kClip, strided.act_a = -0.5f, strided.act_b = 0.4f;
  for (const format::Program& program : {super_resolution(8, 3), net.finish({net.conv(x, 15, 5, strided)})}) {
    const auto model = model_of(program);
    const Shape shape{1, program.values[program.inputs[0]].shape[1], 19, 41};
    const std::vector<float> input = picture(shape, 4);
    const std::vector<float> ours = run_model(model, shape, input, on(device));
    const std::vector<float> theirs = run_model(model, shape, input, {});
    REQUIRE(ours.size() == theirs.size());
    for (size_t i = 0; i < ours.size(); ++i)
      CHECK(std::abs(ours[i] - theirs[i]) <= 1e-5f * std::max(1.0f, std::abs(theirs[i])));
  }
  CHECK(validation_messages() == std::vector<std::string>{});
}

TEST_CASE("f32 operators around an integer network on Vulkan") {
  const auto device = validated_device();
  if (device == nullptr) return;
  for (const auto mode : {format::ResizeMode::kNearest, format::ResizeMode::kLinear, format::ResizeMode::kCubic})
    for (const auto kind : {format::BinaryKind::kAdd, format::BinaryKind::kSub, format::BinaryKind::kMul}) {
      NetworkBuilder net(7);
      const int in = net.input({1, 1, kDynamicDim, kDynamicDim});
      auto last = same3x3(0, 0);
      last.dequantize = true;
      int x = net.quant_conv(net.op(format::QuantizeParams{255, 0}, {in}), 1, 18, last);
      format::DepthToSpaceParams shuffle;
      shuffle.block = 3;
      shuffle.mode = kind == format::BinaryKind::kAdd ? format::DepthToSpaceMode::kCrd : format::DepthToSpaceMode::kDcr;
      x = net.op(shuffle, {x});
      format::ResizeParams resize;
      resize.mode = mode, resize.scales = {1, 1, 3, 3};
      if (mode == format::ResizeMode::kNearest) resize.coordinates = format::CoordinateMode::kAsymmetric;
      const int base = net.op(resize, {net.op(format::BinaryParams{}, {in, in})});
      // Two results, one of them read again.
      const int sum = net.op(format::BinaryParams{kind}, {x, x});
      check_same_bytes(device, net.finish({sum, base}));
    }
  CHECK(validation_messages() == std::vector<std::string>{});
}
