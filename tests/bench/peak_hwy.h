// Purpose: what this machine can do at most, measured: the yardstick next to every kernel's figure.
#pragma once

#include <string>

namespace coco::bench {

/// Fused multiply-adds of f32 on one thread, best of several tries over about `seconds`, in GFLOP/s (two operations
/// each), with the best instruction set this CPU has.
double peak_fma_gflops(double seconds);

/// The same for 4-way dot products of u8 by s8 (an operation is a product or a sum), as the integer rows do them one
/// entry at a time; 0 where there is only the reference.
double peak_dot_gops(double seconds);

/// What peak_dot_gops ran, for example "vpdpbusd".
std::string peak_dot_instructions();

/// The instruction set peak_fma_gflops used, for example "AVX3_ZEN4".
std::string peak_target();

}  // namespace coco::bench
