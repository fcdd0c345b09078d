// kernels_bench [--seconds S] [--filter TEXT]: every row of kernels.def on one thread, beside what this machine's
// fused multiply-add units (for integer rows, its dot products of bytes) do at most, measured in the same process
// between them.
// kernels_bench --peak THREADS: only what that many threads do at most, f32 multiply-adds, as JSON.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "bench/cases.h"
#include "bench/peak_hwy.h"

namespace {

using coco::bench::Case;

struct Line {
  std::string name;
  double microseconds = 0, gflops = 0, gigabytes = 0;
  bool integer = false;
};

/// Keeps the best repetition of each case: neighbours on the machine only ever make a kernel slower.
class Collect : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }  // NOLINT(readability-identifier-naming)
  void ReportRuns(const std::vector<Run>& runs) override {      // NOLINT(readability-identifier-naming)
    peak = std::max(peak, coco::bench::peak_fma_gflops(0.05));  // between the kernels, so that noise meets both alike
    dot_peak = std::max(dot_peak, coco::bench::peak_dot_gops(0.05));
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      const double seconds = run.real_accumulated_time / static_cast<double>(run.iterations);
      Line line{run.run_name.function_name, seconds * 1e6, run.counters.at("operations") / seconds / 1e9,
                run.counters.at("bytes") / seconds / 1e9, run.counters.at("integer") != 0};
      const auto old = std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.name == line.name; });
      if (old == lines.end()) {
        lines.push_back(line);
      } else if (line.microseconds < old->microseconds) {
        *old = line;
      }
    }
  }
  std::vector<Line> lines;
  double peak = 0, dot_peak = 0;
};

void register_case(const Case& one, double seconds) {
  const auto body = [one](benchmark::State& state) {
    for (auto _ : state) {
      one.run();
      benchmark::ClobberMemory();
    }
    state.counters["operations"] = one.operations;
    state.counters["bytes"] = one.bytes;
    state.counters["integer"] = one.integer ? 1 : 0;
  };
  const std::string name = one.kernel + "  " + one.shape;
  benchmark::RegisterBenchmark(name.c_str(), body)->MinTime(seconds)->Repetitions(3)->UseRealTime();
}

void print(const std::vector<Line>& lines, double peak, double dot_peak) {
  std::printf("one thread, %s, measured peaks: %.1f GFLOP/s (f32 multiply-add), %.1f GOP/s (bytes, %s)\n",
              coco::bench::peak_target().c_str(), peak, dot_peak, coco::bench::peak_dot_instructions().c_str());
  std::printf("%-44s %12s %9s %8s %8s\n", "kernel", "us", "G(FL)OP/s", "of peak", "GB/s");
  for (const Line& line : lines) {
    const double most = line.integer ? dot_peak : peak;
    if (line.gflops > 0 && most > 0) {
      std::printf("%-44s %12.2f %9.2f %7.1f%% %8.2f\n", line.name.c_str(), line.microseconds, line.gflops,
                  100 * line.gflops / most, line.gigabytes);
    } else {
      std::printf("%-44s %12.2f %9s %8s %8.2f\n", line.name.c_str(), line.microseconds, "-", "-", line.gigabytes);
    }
  }
}

/// All threads at once, each for itself.
double peak_of_threads(int threads, double seconds) {
  std::vector<double> peaks(static_cast<size_t>(threads), 0.0);
  std::vector<std::thread> workers;
  for (double& peak : peaks) workers.emplace_back([&peak, seconds] { peak = coco::bench::peak_fma_gflops(seconds); });
  for (std::thread& worker : workers) worker.join();
  return std::accumulate(peaks.begin(), peaks.end(), 0.0);
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 0.1;
  std::string filter;
  if (argc == 3 && argv[1] == std::string("--peak")) {
    std::printf("{\"gflops\": %.1f}\n", peak_of_threads(std::clamp(std::atoi(argv[2]), 1, 256), 0.2));
    return 0;
  }
  for (int i = 1; i + 1 < argc; i += 2) {
    if (argv[i] == std::string("--seconds")) seconds = std::atof(argv[i + 1]);
    if (argv[i] == std::string("--filter")) filter = argv[i + 1];
  }
  std::vector<Case> cases;
  for (auto&& part : {coco::bench::row_cases(), coco::bench::quant_row_cases(), coco::bench::block_cases(),
                      coco::bench::plane_cases(), coco::bench::dense_cases()}) {
    cases.insert(cases.end(), part.begin(), part.end());
  }
  for (const Case& one : cases) {
    if ((one.kernel + "  " + one.shape).find(filter) != std::string::npos) register_case(one, seconds / 3);
  }
  Collect collect;
  benchmark::RunSpecifiedBenchmarks(&collect);
  print(collect.lines, collect.peak, collect.dot_peak);
  const auto missing = coco::bench::rows_without_case(cases);
  for (const std::string& name : missing) std::fprintf(stderr, "kernels_bench: no case measures '%s'\n", name.c_str());
  return missing.empty() ? 0 : 1;
}
