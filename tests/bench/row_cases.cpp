#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "bench/cases.h"
#include "coco/buffer.h"
#include "coco/device.h"
#include "kernels/registry.h"
#include "kernels/resample/planes.h"

namespace coco::bench {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace)

constexpr int kWidth = 512;  // floats: a strip of the line executor

using Floats = std::vector<float>;

/// A few hundred distinct values in -1..1 with room for what vector kernels touch beyond the end.
std::shared_ptr<Floats> make_floats(size_t count) {
  auto values = std::make_shared<Floats>(count + static_cast<size_t>(kRowSlop));
  for (size_t i = 0; i < values->size(); ++i) (*values)[i] = static_cast<float>(i % 511) / 255.0f - 1.0f;
  return values;
}

Capabilities capabilities() {
  static const std::string target = active_target();
  return {target};
}

/// make(row) for every row of a slot that serves `key` here.
template <typename Slot, typename Make>
void each_row(std::vector<Case>& cases, const typename Slot::Key& key, Make make) {
  for (const auto& row : kernel_rows<Slot>()) {
    if (row.matches(key, capabilities())) cases.push_back(make(row));
  }
}

void add_conv(std::vector<Case>& cases, int in, int out, int size, Epilogue epilogue) {
  ConvRowWeights shape;
  shape.out_channels = out;
  shape.in_channels = in;
  shape.kernel_h = shape.kernel_w = size;
  shape.epilogue = epilogue;
  const double macs = static_cast<double>(in) * out * size * size * kWidth;
  const std::string name = std::to_string(in) + "->" + std::to_string(out) + " " + std::to_string(size) + "x" +
                           std::to_string(size) + (epilogue == Epilogue::kPrelu ? " prelu" : "");
  each_row<ConvRowSlot>(cases, shape, [&](const KernelRow<ConvRowSlot>& row) {
    auto weights = std::make_shared<ConvRowWeights>(shape);
    weights->oc_tile = row.function.oc_tile();
    const auto oihw = make_floats(static_cast<size_t>(in * out * size * size));
    pack_conv_weights(oihw->data(), *weights);
    weights->bias.assign(static_cast<size_t>(out), 0.1f);
    weights->slope.assign(static_cast<size_t>(out), 0.2f);
    const ptrdiff_t stride = kWidth + 2 * kRowSlop;
    const auto input = make_floats(static_cast<size_t>(stride * in * size));
    const auto output = make_floats(static_cast<size_t>(stride * out));
    ConvRowArgs args;
    args.weights = weights.get();
    args.row_count = size;
    for (int ky = 0; ky < size; ++ky) {
      args.ky[ky] = ky;
      args.rows[ky] = input->data() + ky * in * stride;
    }
    args.in_channel_stride = args.out_channel_stride = stride;
    args.out = output->data();
    args.width = kWidth;
    const auto run = row.function.run;
    return Case{std::string(row.name), name, 2 * macs, 4.0 * kWidth * (in * size + out),
                [run, args, weights, input, output] { run(args); }};
  });
}

/// Two rows at once; the operations counted are those of the two rows one by one.
void add_conv_pair(std::vector<Case>& cases, int in, int out, Epilogue epilogue) {
  ConvRowWeights shape;
  shape.out_channels = out;
  shape.in_channels = in;
  shape.kernel_h = shape.kernel_w = 3;
  shape.epilogue = epilogue;
  const std::string name = std::to_string(in) + "->" + std::to_string(out) + " 3x3 two rows" +
                           (epilogue == Epilogue::kPrelu ? " prelu" : "");
  each_row<ConvPairSlot>(cases, shape, [&](const KernelRow<ConvPairSlot>& row) {
    auto weights = std::make_shared<ConvRowWeights>(shape);
    weights->oc_tile = row.function.oc_tile();
    pack_conv_pair_weights(make_floats(static_cast<size_t>(in * out * 9))->data(), *weights);
    weights->bias.assign(static_cast<size_t>(out), 0.1f);
    weights->slope.assign(static_cast<size_t>(out), 0.2f);
    const ptrdiff_t stride = kWidth + 2 * kRowSlop;
    const auto input = make_floats(static_cast<size_t>(stride * in * kPairRows));
    const auto output = make_floats(static_cast<size_t>(stride * out * 2));
    const auto scratch = std::make_shared<Buffer>(std::move(*Buffer::allocate(conv_pair_scratch(*weights) * 4)));
    ConvPairArgs args;
    args.weights = weights.get();
    for (int r = 0; r < kPairRows; ++r) args.rows[r] = input->data() + r * in * stride;
    args.in_channel_stride = args.out_channel_stride = stride;
    args.out[0] = output->data(), args.out[1] = output->data() + out * stride;
    args.width = kWidth;
    args.scratch = static_cast<float*>(scratch->data());
    const auto run = row.function.run;
    return Case{std::string(row.name), name, 2.0 * in * out * 9 * 2 * kWidth, 4.0 * kWidth * (in * kPairRows + 2 * out),
                [run, args, weights, input, output, scratch] { run(args); }};
  });
}

/// A pattern of 4 taps of 9 in blocks of 8 x 1 channels.
void add_conv_taps(std::vector<Case>& cases, int channels) {
  ConvRowWeights shape;
  shape.out_channels = shape.in_channels = channels;
  shape.kernel_h = shape.kernel_w = 3;
  shape.epilogue = Epilogue::kPrelu;
  const std::string name = std::to_string(channels) + "->" + std::to_string(channels) + " 3x3 prelu, 4 of 9";
  each_row<ConvTapsSlot>(cases, shape, [&](const KernelRow<ConvTapsSlot>& row) {
    constexpr unsigned kPatterns[] = {0x1b, 0x36, 0xd8, 0x1b0};
    const auto oihw = make_floats(static_cast<size_t>(channels * channels * 9));
    for (int i = 0; i < channels * channels * 9; ++i)
      if ((kPatterns[(i / 9 % channels + i / 9 / channels / 8) % 4] >> i % 9 & 1) == 0) (*oihw)[i] = 0;
    shape.oc_tile = row.function.oc_tile();
    shape.bias.assign(static_cast<size_t>(channels), 0.1f);
    shape.slope.assign(static_cast<size_t>(channels), 0.2f);
    const auto weights = std::make_shared<ConvTapsWeights>(make_conv_taps(oihw->data(), shape));
    const ptrdiff_t stride = kWidth + 2 * kRowSlop;
    const auto input = make_floats(static_cast<size_t>(stride * channels * 3));
    const auto output = make_floats(static_cast<size_t>(stride * channels));
    ConvTapsArgs args;
    args.weights = weights.get();
    args.row_count = 3;
    for (int ky = 0; ky < 3; ++ky) args.ky[ky] = ky, args.rows[ky] = input->data() + ky * channels * stride;
    args.in_channel_stride = args.out_channel_stride = stride;
    args.out = output->data();
    args.width = kWidth;
    const auto run = row.function.run;
    return Case{std::string(row.name), name, 2.0 * static_cast<double>(weights->weights.size()) * kWidth,
                4.0 * kWidth * channels * 4, [run, args, weights, input, output] { run(args); }};
  });
}

void add_samples(std::vector<Case>& cases, SampleType type, const std::string& name) {
  const auto samples = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(kWidth) * byte_size(type), 77);
  const auto values = make_floats(kWidth);
  const double bytes = static_cast<double>(kWidth) * static_cast<double>(4 + byte_size(type));
  each_row<LoadRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), name, kWidth, bytes,
                [run = row.function, type, samples, values] { run(type, samples->data(), kWidth, values->data()); }};
  });
  const auto stored = std::make_shared<std::vector<uint8_t>>(*samples);
  const auto input = make_floats(kWidth);
  each_row<StoreRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), name, kWidth, bytes,
                [run = row.function, type, stored, input] { run(type, input->data(), kWidth, stored->data()); }};
  });
}

void add_pointwise(std::vector<Case>& cases) {
  const auto a = make_floats(kWidth), b = make_floats(kWidth), out = make_floats(kWidth);
  for (const auto kind : {format::UnaryKind::kRelu, format::UnaryKind::kSigmoid}) {
    format::UnaryParams params;
    params.kind = kind;
    each_row<UnaryRowSlot>(cases, {}, [&](const auto& row) {
      return Case{std::string(row.name), std::string(to_string(kind)), kWidth, 8.0 * kWidth,
                  [run = row.function, params, a, out] { run(params, a->data(), kWidth, out->data()); }};
    });
  }
  each_row<BinaryRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), "add", kWidth, 12.0 * kWidth, [run = row.function, a, b, out] {
                  run(format::BinaryKind::kAdd, a->data(), b->data(), kWidth, out->data());
                }};
  });
  each_row<BinaryConstRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), "add", kWidth, 8.0 * kWidth, [run = row.function, a, out] {
                  run(format::BinaryKind::kAdd, a->data(), 0.5f, false, kWidth, out->data());
                }};
  });
}

void add_interleave(std::vector<Case>& cases, int block) {
  const auto input = make_floats(static_cast<size_t>(block) * (kWidth + kRowSlop));
  const auto output = make_floats(static_cast<size_t>(block) * kWidth);
  std::vector<const float*> rows;
  for (int b = 0; b < block; ++b) rows.push_back(input->data() + b * (kWidth + kRowSlop));
  each_row<InterleaveRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), "block " + std::to_string(block), 0, 8.0 * kWidth * block,
                [run = row.function, block, rows, input, output] { run(block, rows.data(), kWidth, output->data()); }};
  });
}

void add_shuffle_store(std::vector<Case>& cases) {
  const auto even = make_floats(kWidth + kRowSlop), odd = make_floats(kWidth + kRowSlop);
  const auto base = make_floats(2 * kWidth + kRowSlop);
  const auto samples = std::make_shared<std::vector<uint8_t>>(2 * kWidth);
  each_row<ShuffleStoreRowSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), "8 bit", 2.0 * kWidth, 18.0 * kWidth,
                [run = row.function, even, odd, base, samples] {
                  run(SampleType::kU8, even->data(), odd->data(), base->data(), kWidth, samples->data());
                }};
  });
}

void add_resample(std::vector<Case>& cases, int in, int out, ResampleKernel kernel, const std::string& name) {
  const auto table = std::make_shared<FilterTable>(make_filter(in, out, kernel));
  const auto input = make_floats(static_cast<size_t>(std::max(in, kWidth) * table->taps));
  const auto output = make_floats(static_cast<size_t>(std::max(out, kWidth)));
  std::vector<const float*> rows;
  for (int k = 0; k < table->taps; ++k) rows.push_back(input->data() + k);
  each_row<ResampleRowVSlot>(cases, {}, [&](const auto& row) {
    return Case{
        std::string(row.name), name, 2.0 * table->taps * kWidth, 4.0 * kWidth * (table->taps + 1),
        [run = row.function, table, rows, input, output] { run(*table, 1, rows.data(), kWidth, output->data()); }};
  });
  each_row<ResampleRowHSlot>(cases, {}, [&](const auto& row) {
    return Case{std::string(row.name), name, 2.0 * table->taps * out, 4.0 * (in + out),
                [run = row.function, table, in, out, input, output] {
                  run(*table, input->data(), 0, in, 0, out, output->data());
                }};
  });
}

template <typename Slot>
void add_names(std::set<std::string>& names) {
  for (const auto& row : kernel_rows<Slot>()) names.emplace(row.name);
}

}  // namespace

std::vector<Case> row_cases() {
  std::vector<Case> cases;
  add_conv(cases, 1, 8, 3, Epilogue::kPrelu);
  add_conv(cases, 8, 8, 3, Epilogue::kPrelu);
  add_conv(cases, 8, 4, 3, Epilogue::kNone);
  add_conv(cases, 16, 16, 3, Epilogue::kPrelu);
  add_conv(cases, 32, 32, 1, Epilogue::kRelu);
  add_conv_taps(cases, 8);
  add_conv_taps(cases, 16);
  add_conv_pair(cases, 1, 8, Epilogue::kPrelu);
  add_conv_pair(cases, 8, 8, Epilogue::kPrelu);
  add_conv_pair(cases, 8, 4, Epilogue::kNone);
  add_conv_pair(cases, 16, 16, Epilogue::kPrelu);
  add_conv_pair(cases, 32, 32, Epilogue::kPrelu);
  add_samples(cases, SampleType::kU8, "8 bit");
  add_samples(cases, SampleType::kU16Lsb10, "10 bit low");
  add_samples(cases, SampleType::kU16Msb10, "10 bit high");
  add_pointwise(cases);
  add_shuffle_store(cases);
  add_interleave(cases, 2);
  add_interleave(cases, 4);
  add_resample(cases, 512, 1024, ResampleKernel::kBicubic, "x2 bicubic");
  add_resample(cases, 512, 768, ResampleKernel::kLanczos3, "x1.5 lanczos");
  return cases;
}

std::vector<Case> plane_cases() {
  std::vector<Case> cases;
  constexpr int kIn = 480, kOut = 960, kRows = 16;
  const auto horizontal = std::make_shared<FilterTable>(make_filter(kIn, kOut, ResampleKernel::kBicubic));
  const auto vertical = std::make_shared<FilterTable>(make_filter(kRows, 2 * kRows, ResampleKernel::kBicubic));
  for (const int components : {1, 2}) {
    const auto in = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(kIn * kRows * components), 77);
    const auto out = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(kOut * 2 * kRows * components));
    const auto scratch = std::make_shared<Floats>(
        (resample_scratch_bytes(*horizontal, components) + kResampleScratchAlignment) / sizeof(float));
    PlaneJob job;
    job.horizontal = horizontal.get();
    job.vertical = vertical.get();
    job.components = components;
    job.in = in->data();
    job.in_stride = kIn * components;
    job.out = out->data();
    job.out_stride = kOut * components;
    void* aligned = scratch->data();
    size_t space = scratch->size() * sizeof(float);
    std::align(kResampleScratchAlignment, 1, aligned, space);
    const double outputs = 2.0 * kRows * components;
    const double operations = outputs * 2.0 * (vertical->taps * kIn + horizontal->taps * kOut);
    const double bytes = static_cast<double>(in->size() + out->size());
    const std::string name = std::string("8 bit x2 ") + (components == 1 ? "planar" : "interleaved");
    for (const bool reference : {false, true}) {
      const auto run = reference ? &resample_plane_ref : &resample_plane;
      const char* label = reference ? "resample_plane_ref" : "resample_plane";
      cases.push_back({label, name, operations, bytes, [run, job, aligned, in, out, scratch, horizontal, vertical] {
                         run(job, 0, 2 * kRows, aligned);
                       }});
    }
  }
  return cases;
}

std::vector<std::string> rows_without_case(const std::vector<Case>& cases) {
  std::set<std::string> names;
  add_names<ConvRowSlot>(names);
  add_names<ConvPairSlot>(names);
  add_names<ConvTapsSlot>(names);
  add_names<BlockConvSlot>(names);
  add_names<WinogradSlot>(names);
  add_names<BlockLoadSlot>(names);
  add_names<BlockStoreSlot>(names);
  add_names<BlockPoolSlot>(names);
  add_names<BlockResizeSlot>(names);
  add_names<QuantConvRowSlot>(names);
  add_names<QuantizeRowSlot>(names);
  add_names<GatherRowSlot>(names);
  add_names<LoadRowSlot>(names);
  add_names<StoreRowSlot>(names);
  add_names<UnaryRowSlot>(names);
  add_names<BinaryRowSlot>(names);
  add_names<BinaryConstRowSlot>(names);
  add_names<InterleaveRowSlot>(names);
  add_names<ShuffleStoreRowSlot>(names);
  add_names<ResampleRowVSlot>(names);
  add_names<ResampleRowHSlot>(names);
  add_names<StepsRowSlot>(names);
  add_names<DenseSlot>(names);
  for (const Case& one : cases) names.erase(one.kernel);
  // A vector row has nothing to measure where Highway compiled no vector target.
  if (active_target().empty()) std::erase_if(names, [](const std::string& name) { return name.ends_with("_hwy"); });
  return {names.begin(), names.end()};
}

}  // namespace coco::bench
