#include "bench/peak_hwy.h"

#include <algorithm>
#include <chrono>

#include "kernels/qconv/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak_hwy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/qconv/dot4-inl.h"

HWY_BEFORE_NAMESPACE();
namespace coco::bench {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// a_i <- a_i * m + b for 12 independent a_i: enough to hide a latency of 4 to 6 cycles on two FMA units.
HWY_NOINLINE double fma_loop(long rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto m = hn::Set(d, 0.9999f);
  const auto b = hn::Set(d, 1e-4f);
  auto a0 = hn::Iota(d, 1), a1 = hn::Iota(d, 2), a2 = hn::Iota(d, 3), a3 = hn::Iota(d, 4);
  auto a4 = hn::Iota(d, 5), a5 = hn::Iota(d, 6), a6 = hn::Iota(d, 7), a7 = hn::Iota(d, 8);
  auto a8 = hn::Iota(d, 9), a9 = hn::Iota(d, 10), a10 = hn::Iota(d, 11), a11 = hn::Iota(d, 12);
  for (long i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, m, b), a1 = hn::MulAdd(a1, m, b), a2 = hn::MulAdd(a2, m, b), a3 = hn::MulAdd(a3, m, b);
    a4 = hn::MulAdd(a4, m, b), a5 = hn::MulAdd(a5, m, b), a6 = hn::MulAdd(a6, m, b), a7 = hn::MulAdd(a7, m, b);
    a8 = hn::MulAdd(a8, m, b), a9 = hn::MulAdd(a9, m, b), a10 = hn::MulAdd(a10, m, b), a11 = hn::MulAdd(a11, m, b);
  }
  a0 = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  a0 = hn::Add(a0, hn::Add(hn::Add(a8, a9), hn::Add(a10, a11)));
  *sink = hn::GetLane(hn::SumOfLanes(d, a0));
  return 12.0 * 2.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

#if HWY_TARGET == HWY_SCALAR

double dot_loop(long, float*) { return 0; }
const char* dot_instructions() { return "none"; }

#else

// A new value to the compiler, so that no product is computed before the loop.
#undef COCO_CHANGED
#undef COCO_STEP
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define COCO_CHANGED(x) __asm__("" : "+v"((x).raw))
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
#define COCO_CHANGED(x) __asm__("" : "+x"((x).raw))
#elif HWY_TARGET == HWY_NEON
#define COCO_CHANGED(x) __asm__("" : "+w"((x).raw))
#else
#define COCO_CHANGED(x) static_cast<void>(x)
#endif

#define COCO_STEP(acc) \
  COCO_CHANGED(x);     \
  acc = dot4::Dot4(acc, x, w)

// Twelve independent sums: two a cycle with a latency of up to six.
HWY_NOINLINE double dot_loop(long rounds, float* sink) {
  namespace dot4 = kernels::HWY_NAMESPACE::dot4;
  const dot4::DI d;
  dot4::VI x = hn::Set(d, 0x01020304), w = hn::Set(d, 0x04030201);
  dot4::VI a0 = hn::Zero(d), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0, a8 = a0, a9 = a0, a10 = a0,
           a11 = a0;
  for (long i = 0; i < rounds; ++i) {
    COCO_STEP(a0);
    COCO_STEP(a1);
    COCO_STEP(a2);
    COCO_STEP(a3);
    COCO_STEP(a4);
    COCO_STEP(a5);
    COCO_STEP(a6);
    COCO_STEP(a7);
    COCO_STEP(a8);
    COCO_STEP(a9);
    COCO_STEP(a10);
    COCO_STEP(a11);
  }
  a0 = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(hn::Add(a4, a5), hn::Add(a6, a7)));
  a0 = hn::Add(a0, hn::Add(hn::Add(a8, a9), hn::Add(a10, a11)));
  *sink = static_cast<float>(hn::GetLane(a0));
  return 12.0 * 8.0 * static_cast<double>(hn::Lanes(d)) * static_cast<double>(rounds);
}

const char* dot_instructions() {
#if defined(COCO_DOT4_PAIRS)
  return "pmaddubsw + pmaddwd + paddd";
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3_DL
  return "vpdpbusd";
#else
  return "products in 16 bits";
#endif
}

#endif

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace HWY_NAMESPACE
}  // namespace coco::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coco::bench {
HWY_EXPORT(fma_loop);
HWY_EXPORT(dot_loop);
HWY_EXPORT(dot_instructions);
HWY_EXPORT(target_name);

namespace {

template <typename Loop>
double best_rate(double seconds, Loop loop) {
  using Clock = std::chrono::steady_clock;
  constexpr int kTries = 10;
  volatile float kept = 0;
  float sink = 0;
  long rounds = 1000;
  double best = 0;
  for (int i = 0; i < kTries;) {
    const auto start = Clock::now();
    const double operations = loop(rounds, &sink);
    if (operations == 0) return 0;
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    kept = sink;
    if (elapsed < seconds / kTries / 2) {
      rounds *= 2;
      continue;
    }
    best = std::max(best, operations / elapsed / 1e9);
    ++i;
  }
  (void)kept;
  return best;
}

}  // namespace

double peak_fma_gflops(double seconds) { return best_rate(seconds, HWY_DYNAMIC_DISPATCH(fma_loop)); }
double peak_dot_gops(double seconds) { return best_rate(seconds, HWY_DYNAMIC_DISPATCH(dot_loop)); }

std::string peak_dot_instructions() { return HWY_DYNAMIC_DISPATCH(dot_instructions)(); }

std::string peak_target() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

}  // namespace coco::bench
#endif
