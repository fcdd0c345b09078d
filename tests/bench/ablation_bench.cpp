// ablation_bench MODEL.onnx: what each technique of the engine gives, on one network: from layer by layer in f32 with
// activations as passes of their own, one step at a time. Luma of 1080p frames made twice as large (the first two
// steps: the same picture as f32 tensors). The integer steps run the network with its middle layers pruned to 4 taps of
// 9 in blocks of 4 x 4 channels that do not stand side by side, without retraining: its speed means something, its
// pictures do not. Steps take turns, a few frames each, and each shows its median.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "coco/device.h"
#include "coco/tuning.h"
#include "coco/vision.h"
#include "compiler/emit.h"
#include "compiler/onnx/import.h"
#include "compiler/passes/passes.h"
#include "compiler/quantize/quantize.h"

namespace coco::bench {
namespace {

using graph::Graph;
using graph::Node;

struct Setup {
  std::string model, write;
  int width = 1920, height = 1080, threads = 0, rounds = 7, frames = 3;
  double tuning_seconds = 3;
};

struct Step {
  std::string name;
  std::function<Status()> frame;
  std::vector<double> milliseconds = {};
};

Result<Graph> imported(const Setup& setup) {
  COCO_ASSIGN(const auto file, MappedFile::open(setup.model, size_t{1} << 30));
  return compiler::import_onnx(file->bytes(), {});
}

/// Channel -> block of four, the blocks' channels scattered.
std::vector<size_t> scattered_blocks(size_t channels, std::mt19937& random) {
  std::vector<size_t> block(channels);
  for (size_t i = 0; i < channels; ++i) block[i] = i / 4;
  for (size_t i = channels; i-- > 1;) std::swap(block[i], block[random() % (i + 1)]);
  return block;
}

/// Keeps, in each block, the pattern of four taps with the centre in which the most weight lies.
Status prune(Graph& graph, Node* conv, const std::vector<size_t>& in_block, const std::vector<size_t>& out_block) {
  constexpr unsigned kPatterns[] = {0b000011011, 0b000110110, 0b011011000, 0b110110000,
                                    0b010011010, 0b010110010, 0b010111000, 0b000111010};
  const Shape shape = conv->input(1)->shape();
  std::vector<float> weights(conv->input(1)->floats().begin(), conv->input(1)->floats().end());
  const auto outs = static_cast<size_t>(shape[0]), ins = static_cast<size_t>(shape[1]);
  const auto each = [&](size_t ob, size_t ib, const auto& visit) {
    for (size_t i = 0; i < weights.size(); ++i)
      if (out_block[i / (ins * 9)] == ob && in_block[i / 9 % ins] == ib) visit(weights[i], i % 9);
  };
  for (size_t ob = 0; ob < (outs + 3) / 4; ++ob)
    for (size_t ib = 0; ib < (ins + 3) / 4; ++ib) {
      double most = -1;
      unsigned best = 0;
      for (const unsigned pattern : kPatterns) {
        double energy = 0;
        each(ob, ib, [&](float w, size_t tap) { energy += (pattern >> tap & 1) != 0 ? double(w) * w : 0.0; });
        if (energy > most) most = energy, best = pattern;
      }
      each(ob, ib, [&](float& w, size_t tap) { w = (best >> tap & 1) != 0 ? w : 0.0f; });
    }
  std::vector<graph::Value*> inputs = conv->inputs();
  inputs[1] = graph.add_constant("pruned", shape, weights);
  return graph.rewrite(conv, conv->params(), std::move(inputs));
}

/// 3x3 convolutions but the first and the last.
Status prune_middle(Graph& graph) {
  std::vector<Node*> convs;
  for (Node* node = graph.first(); node != nullptr; node = graph.next(node))
    if (node->as<format::Conv2dParams>() != nullptr) convs.push_back(node);
  std::mt19937 random(1);
  std::vector<size_t> in_block;
  for (size_t i = 0; i + 1 < convs.size(); ++i) {
    const Shape& shape = convs[i]->input(1)->shape();
    std::vector<size_t> out_block = scattered_blocks(static_cast<size_t>(shape[0]), random);
    if (i > 0 && shape[2] == 3 && shape[3] == 3) COCO_TRY(prune(graph, convs[i], in_block, out_block));
    in_block = std::move(out_block);
  }
  graph.erase_unused_constants();
  return {};
}

Result<std::shared_ptr<const Model>> model_of(Graph graph) {
  COCO_ASSIGN(format::Program program, compiler::emit(std::move(graph), {}));
  return Model::from_program(std::move(program));
}

Result<std::shared_ptr<const Model>> f32_model(const Setup& setup, bool fused) {
  COCO_ASSIGN(Graph graph, imported(setup));
  if (fused) COCO_TRY(compiler::run_passes(graph));
  return model_of(std::move(graph));
}

Result<format::Program> int8_program(const Setup& setup, bool ordered) {
  COCO_ASSIGN(Graph graph, imported(setup));
  COCO_TRY(compiler::run_passes(graph));
  COCO_TRY(prune_middle(graph));
  if (ordered) COCO_TRY(compiler::order_channels(graph));
  QuantizeOptions options;
  options.equalize = options.fit_weights = options.refine_ranges = options.correct_bias = false;
  options.min_snr_db = -100;
  CalibrationSample sample;
  FloatTensor picture{{1, 1, 64, 64}, {}};
  for (int i = 0; i < 64 * 64; ++i)
    picture.data.push_back(0.5f + 0.4f * std::sin(static_cast<float>(i % 64 * (i / 64)) * 0.02f));
  sample.inputs.push_back(std::move(picture));
  options.samples.push_back(std::move(sample));
  QuantizeReport report;
  COCO_ASSIGN(Graph quantized, compiler::quantize(graph, Precision::kInt8, options, report));
  ModelCard card;
  card.name = "pruned", card.scale = 2;
  return compiler::emit(std::move(quantized), card);
}

Result<std::shared_ptr<const Model>> int8_model(const Setup& setup, bool ordered) {
  COCO_ASSIGN(format::Program program, int8_program(setup, ordered));
  return Model::from_program(std::move(program));
}

/// Whole tensors through a session.
Result<Step> tensor_step(std::string name, const Setup& setup, bool fused) {
  struct Run {
    std::unique_ptr<Session> session;
    std::vector<float> in, out;
    Shape in_shape, out_shape;
  };
  auto run = std::make_shared<Run>();
  COCO_ASSIGN(const auto model, f32_model(setup, fused));
  run->in_shape = {1, 1, setup.height, setup.width};
  SessionOptions options;
  options.threads = setup.threads;
  options.techniques.depth_first = options.techniques.row_pairs = false;
  COCO_ASSIGN(run->session, Session::create(model, std::span(&run->in_shape, 1), options));
  run->out_shape = run->session->outputs()[0].shape;
  run->in.assign(static_cast<size_t>(*run->in_shape.element_count()), 0.5f);
  run->out.resize(static_cast<size_t>(*run->out_shape.element_count()));
  return Step{std::move(name), [run] {
                const TensorView in{DataType::kF32, run->in_shape, run->in.data()};
                const MutableTensorView out{DataType::kF32, run->out_shape, run->out.data()};
                return run->session->run({&in, 1}, {&out, 1});
              }};
}

/// Luma planes of 8 bits at the default plan.
vision::UpscalerConfig config_of(const Setup& setup) {
  vision::UpscalerConfig config;
  config.format = PixelFormat::kGray8;
  config.in_width = setup.width, config.in_height = setup.height;
  config.out_width = 2 * setup.width, config.out_height = 2 * setup.height;
  config.session.threads = setup.threads;
  config.tuning = vision::Tuning::kOff;
  return config;
}

/// 8-bit luma planes. With reuse, an oval in the middle of the picture moves, an eighth of it, and nothing else.
Result<Step> frame_step(std::string name, std::shared_ptr<const Model> model, const vision::UpscalerConfig& config) {
  struct Run {
    std::unique_ptr<vision::Upscaler> upscaler;
    std::vector<std::vector<uint8_t>> in;
    std::vector<uint8_t> out;
    size_t next = 0;
  };
  auto run = std::make_shared<Run>();
  const int width = config.in_width, height = config.in_height;
  COCO_ASSIGN(run->upscaler, vision::Upscaler::create(std::move(model), config));
  run->in.resize(2, std::vector<uint8_t>(static_cast<size_t>(width) * static_cast<size_t>(height), 128));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double dx = (x - width * 0.5) / (width * 0.16), dy = (y - height * 0.45) / (height * 0.25);
      const bool moves = dx * dx + dy * dy < 1;
      const auto at = static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
      run->in[0][at] = static_cast<uint8_t>((x * y) >> 4);
      run->in[1][at] = static_cast<uint8_t>(run->in[0][at] + (moves ? 9 : 0));
    }
  run->out.resize(4 * run->in[0].size());
  return Step{
      std::move(name), [run, config] {
        FrameView in{config.format, config.in_width, config.in_height, {run->in[run->next].data()}, {config.in_width}};
        run->next ^= 1;
        return run->upscaler->process(
            in, {config.format, config.out_width, config.out_height, {run->out.data()}, {config.out_width}});
      }};
}

Result<std::vector<Step>> make_steps(const Setup& setup) {
  std::vector<Step> steps;
  const auto add = [&](Result<Step> step) -> Status {
    if (!step.ok()) return step.take_error();
    steps.push_back(std::move(*step));
    return {};
  };
  COCO_ASSIGN(const auto f32, f32_model(setup, true));
  COCO_ASSIGN(const auto scattered, int8_model(setup, false));
  COCO_ASSIGN(const auto ordered, int8_model(setup, true));
  vision::UpscalerConfig all = config_of(setup);
  vision::UpscalerConfig no_pairs = all, dense = all;
  no_pairs.session.techniques.row_pairs = false;
  dense.session.techniques.skip_zeros = false;
  COCO_ASSIGN(const vision::TuningResult tuned, vision::tune(ordered, all, setup.tuning_seconds));
  vision::UpscalerConfig planned = all;
  planned.session.strip_width = tuned.plan.strip_width, planned.session.band_height = tuned.plan.band_height;
  vision::UpscalerConfig reusing = all;
  reusing.session.reuse = true;
  COCO_TRY(add(tensor_step("layer by layer, dense f32, activations apart", setup, false)));
  COCO_TRY(add(tensor_step("+ fusion", setup, true)));
  COCO_TRY(add(frame_step("+ depth-first", f32, no_pairs)));
  COCO_TRY(add(frame_step("+ two rows at once (f32)", f32, all)));
  COCO_TRY(add(frame_step("+ int8", scattered, dense)));
  COCO_TRY(add(frame_step("+ entry lists without the zeros", scattered, all)));
  COCO_TRY(add(frame_step("+ channel ordering", ordered, all)));
  COCO_TRY(add(frame_step(tuned.plan == vision::TunedPlan{} ? "+ tuning (the default plan stays)" : "+ tuning", ordered,
                          planned)));
  COCO_TRY(add(frame_step("+ temporal reuse, talking head", ordered, reusing)));
  return steps;
}

Status measure(std::vector<Step>& steps, const Setup& setup) {
  for (int round = 0; round < setup.rounds; ++round)
    for (Step& step : steps) {
      COCO_TRY(step.frame());  // the caches hold another step's rows
      for (int i = 0; i < setup.frames; ++i) {
        const auto start = std::chrono::steady_clock::now();
        COCO_TRY(step.frame());
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
        step.milliseconds.push_back(took.count());
      }
    }
  return {};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

void print(const std::vector<Step>& steps, const Setup& setup) {
  std::printf("%d x %d luma twice as large, %d threads, %s; medians of %zu frames\n", setup.width, setup.height,
              setup.threads > 0 ? setup.threads : cpu_info().allowed_threads, active_target().c_str(),
              steps[0].milliseconds.size());
  std::printf("%-48s %10s %8s %8s %8s\n", "step", "ms", "fps", "gain", "in all");
  double before = 0, first = 0;
  for (const Step& step : steps) {
    const double ms = median(step.milliseconds);
    if (first == 0) first = before = ms;
    std::printf("%-48s %10.2f %8.2f %7.2fx %7.2fx\n", step.name.c_str(), ms, 1000 / ms, before / ms, first / ms);
    before = ms;
  }
}

Status write(const Setup& setup) {
  COCO_ASSIGN(const format::Program program, int8_program(setup, true));
  COCO_ASSIGN(const std::vector<uint8_t> bytes, format::write_program(program));
  std::ofstream file(setup.write, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (file.flush()) return {};
  return make_error(ErrorCode::kIo, "cannot write '" + setup.write + "'");
}

Status run(const Setup& setup) {
  if (!setup.write.empty()) return write(setup);
  COCO_ASSIGN(std::vector<Step> steps, make_steps(setup));
  COCO_TRY(measure(steps, setup));
  print(steps, setup);
  return {};
}

}  // namespace
}  // namespace coco::bench

int main(int argc, char** argv) {
  coco::bench::Setup setup;
  CLI::App app{"what each technique of the engine gives"};
  app.add_option("model", setup.model, "an .onnx luma network that doubles the size")->required();
  app.add_option("--width", setup.width)->check(CLI::Range(16, 8192));
  app.add_option("--height", setup.height)->check(CLI::Range(16, 8192));
  app.add_option("--threads", setup.threads)->check(CLI::Range(0, 1024));
  app.add_option("--rounds", setup.rounds)->check(CLI::Range(1, 1000));
  app.add_option("--frames", setup.frames, "measured in each round")->check(CLI::Range(1, 1000));
  app.add_option("--tuning-seconds", setup.tuning_seconds)->check(CLI::Range(0.0, 60.0));
  app.add_option("--write", setup.write, "only write the pruned integer network to this .coco file");
  CLI11_PARSE(app, argc, argv);
  const coco::Status status = coco::bench::run(setup);
  if (status.ok()) return 0;
  std::fprintf(stderr, "ablation_bench: %s\n", status.error().message.c_str());
  return 1;
}
