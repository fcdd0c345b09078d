// cocopipe-tune: trains, evaluates and exports the super-resolution networks.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "tune/architecture.h"
#include "tune/dataset.h"
#include "tune/evaluate.h"
#include "tune/onnx_export.h"
#include "tune/trainer.h"

namespace {

using namespace coco;
using namespace coco::tune;
namespace fs = std::filesystem;

std::atomic<bool> stop_requested{false};
void on_signal(int) { stop_requested = true; }

struct Arguments {
  TrainOptions train;
  std::string data, checkpoint, onnx;
  std::vector<double> shrink;
  int threads = 1;
};

void print_progress(const Progress& p) {
  static const bool terminal = isatty(STDERR_FILENO) != 0;
  static int calls = 0;
  if (!terminal && calls++ % 10 != 0) return;
  const auto left = static_cast<long long>(p.seconds_left);
  std::fprintf(stderr, "%s%lld/%lld  loss %.6f  rate %.2e  %.1f it/s  %lld:%02lld:%02lld left%s",
               terminal ? "\r\033[K" : "", static_cast<long long>(p.iteration), static_cast<long long>(p.iterations),
               p.loss, p.learning_rate, p.per_second, left / 3600, left / 60 % 60, left % 60, terminal ? "" : "\n");
  std::fflush(stderr);
}

void print_log_line(const std::string& line) {
  std::fprintf(stderr, "%s%s\n", isatty(STDERR_FILENO) ? "\r\033[K" : "", line.c_str());
}

void print_figures(const std::string& set, const Figures& f) {
  std::printf("%-8s psnr_y %.3f  ssim_y %.4f  images %d\n", set.c_str(), f.psnr_y, f.ssim_y, f.images);
  std::fflush(stdout);
}

Status print_benchmarks(const PlainNet& net, const std::string& data) {
  COCO_ASSIGN(const auto sets, load_benchmarks(data, net.architecture.scale));
  for (const NamedSet& set : sets) {
    COCO_ASSIGN(const Figures figures, evaluate(net, set.images));
    print_figures(set.name, figures);
  }
  return {};
}

Status run_train(const Arguments& a) {
  COCO_ASSIGN(const Architecture architecture, find_architecture(a.train.architecture));
  std::fprintf(stderr, "loading %s\n", a.data.c_str());
  COCO_ASSIGN(auto images, load_pairs((fs::path(a.data) / "train").string(), architecture.scale));
  add_shrunk(images, a.shrink, architecture.scale, a.train.patch);
  COCO_ASSIGN(auto validation, load_pairs((fs::path(a.data) / "val").string(), architecture.scale));
  add_shrunk(validation, a.shrink, architecture.scale, a.train.patch);
  std::fprintf(stderr, "%s: %lld parameters, %lld MAC per input pixel; %zu images, %zu for validation\n",
               architecture.name.c_str(), static_cast<long long>(parameter_count(architecture)),
               static_cast<long long>(macs_per_pixel(architecture)), images.size(), validation.size());
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  COCO_ASSIGN(const PlainNet net,
              train(a.train, images, validation, {print_progress, print_log_line, &stop_requested}));
  COCO_ASSIGN(const std::string model, to_onnx(net));
  const std::string path = (fs::path(a.train.out) / (architecture.name + ".onnx")).string();
  COCO_TRY(write_file_atomically(path, {reinterpret_cast<const uint8_t*>(model.data()), model.size()}));
  std::printf("wrote %s\n", path.c_str());
  if (!fs::is_directory(fs::path(a.data) / "benchmarks")) return {};
  return print_benchmarks(net, a.data);
}

Status run_eval(const Arguments& a) {
  COCO_ASSIGN(const PlainNet net, load_trained(a.checkpoint));
  return print_benchmarks(net, a.data);
}

Status run_export(const Arguments& a) {
  COCO_ASSIGN(const PlainNet net, load_trained(a.checkpoint));
  COCO_ASSIGN(const std::string model, to_onnx(net));
  return write_file_atomically(a.onnx, {reinterpret_cast<const uint8_t*>(model.data()), model.size()});
}

CLI::App* add_train(CLI::App& app, Arguments& a) {
  CLI::App* c = app.add_subcommand("train", "Train a network and export it to OUT/ARCH.onnx");
  c->footer("Example: cocopipe-tune train --arch sr2x-s --data ../shared/data/sr --out runs/sr2x-s --seed 1");
  TrainOptions& t = a.train;
  c->add_option("--arch", t.architecture, "Network to train")->capture_default_str();
  c->add_option("--data", a.data, "Folder with train/, val/ and perhaps benchmarks/")->required();
  c->add_option("--out", t.out, "Folder for checkpoint, log and model")->required();
  c->add_option("--seed", t.seed, "Seed of everything random")->capture_default_str();
  c->add_option("--iterations", t.iterations, "Steps")->capture_default_str();
  c->add_option("--shrink", a.shrink, "Factors of additional, shrunk copies of all images")
      ->delimiter(',')
      ->check(CLI::Range(0.1, 0.99));
  c->add_option("--batch", t.batch, "Patches a step")->capture_default_str();
  c->add_option("--patch", t.patch, "Low resolution pixels a side of a patch")->capture_default_str();
  c->add_option("--rate", t.learning_rate, "Highest learning rate")->capture_default_str();
  c->add_option("--warmup", t.warmup, "Steps of rising rate")->capture_default_str();
  const std::map<std::string, LossKind> losses = {
      {"absolute", LossKind::kAbsolute}, {"squared", LossKind::kSquared}, {"log", LossKind::kLogSquared}};
  c->add_option("--loss", t.loss, "absolute, squared or log")->transform(CLI::CheckedTransformer(losses));
  c->add_option("--last-loss", t.last_loss, "Loss of the last part")->transform(CLI::CheckedTransformer(losses));
  c->add_option("--last-share", t.last_share, "How much of the run the last part is")->capture_default_str();
  c->add_option("--average", t.average_decay, "Decay of the averaged weights")->capture_default_str();
  const std::map<std::string, Branches> branches = {{"plain", Branches::kPlain}, {"rich", Branches::kRich}};
  c->add_option("--branches", t.branches, "plain or rich")->transform(CLI::CheckedTransformer(branches));
  const std::map<std::string, OptimizerKind> kinds = {{"adam", OptimizerKind::kAdam}, {"soap", OptimizerKind::kSoap}};
  c->add_option("--optimizer", t.optimizer.kind, "adam or soap")->transform(CLI::CheckedTransformer(kinds));
  c->add_option("--beta1", t.optimizer.beta1, "Decay of the momentum")->capture_default_str();
  c->add_option("--beta2", t.optimizer.beta2, "Decay of the second moment")->capture_default_str();
  c->add_option("--beta-factors", t.optimizer.beta_factors, "Decay of SOAP's factors")->capture_default_str();
  c->add_option("--refresh", t.optimizer.refresh, "Steps between updates of SOAP's basis")->capture_default_str();
  c->add_option("--validate-every", t.validate_every, "Steps between validations")->capture_default_str();
  c->add_option("--checkpoint-every", t.checkpoint_every, "Steps between checkpoints")->capture_default_str();
  c->add_option("--threads", a.threads, "Threads; 1 gives the same numbers every time")->capture_default_str();
  c->add_flag("--portable", t.portable, "Gradients from libtorch only");
  c->add_flag("--resume", t.resume, "Go on from the checkpoint in OUT");
  return c;
}

int fail(const Error& error) {
  std::fprintf(stderr, "cocopipe-tune: %s\n", error.message.c_str());
  return error.code == ErrorCode::kCancelled ? 130 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments a;
  CLI::App app{"Train, evaluate and export cocopipe's networks", "cocopipe-tune"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "0.1.0");
  const CLI::App* train_command = add_train(app, a);
  CLI::App* eval_command = app.add_subcommand("eval", "PSNR and SSIM of a checkpoint on folders of images");
  eval_command->footer("Example: cocopipe-tune eval --checkpoint runs/sr2x-s/checkpoint.pt --data ../shared/data/sr");
  eval_command->add_option("--checkpoint", a.checkpoint, "Checkpoint file")->required();
  eval_command->add_option("--data", a.data, "Folder of images, or of such folders (benchmarks/)")->required();
  CLI::App* export_command = app.add_subcommand("export", "Write a checkpoint's network as ONNX");
  export_command->footer("Example: cocopipe-tune export --checkpoint runs/sr2x-s/checkpoint.pt --onnx sr2x-s.onnx");
  export_command->add_option("--checkpoint", a.checkpoint, "Checkpoint file")->required();
  export_command->add_option("--onnx", a.onnx, "File to write")->required();
  CLI11_PARSE(app, argc, argv);
  set_threads(a.threads);
  Status status;
  if (*train_command) {
    status = run_train(a);
  } else if (*eval_command) {
    status = run_eval(a);
  } else {
    status = run_export(a);
  }
  return status.ok() ? 0 : fail(status.error());
}
