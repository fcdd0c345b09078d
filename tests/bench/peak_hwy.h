// Purpose: what this machine can do at most, measured: the yardstick next to every kernel's figure.
#pragma once

#include <string>

namespace coco::bench {

/// Fused multiply-adds of f32 on one thread, best of several tries over about `seconds`, in GFLOP/s (two operations
/// each), with the best instruction set this CPU has.
double peak_fma_gflops(double seconds);

/// The instruction set peak_fma_gflops used, for example "AVX3_ZEN4".
std::string peak_target();

}  // namespace coco::bench
