// Purpose: what the program without an operating system has instead of one.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>

namespace coco::emulator {

/// To the emulator's debug port, a byte at a time.
void print(std::string_view text);
void print(int64_t number);

/// Memory is never given back but as a whole: everything since `mark` was taken.
void* heap_mark();
void heap_release(void* mark);

class Random {
 public:
  explicit Random(uint32_t seed) : engine_(seed) {}
  uint32_t bits() { return engine_(); }
  /// 0 .. below - 1
  int below(int limit) { return static_cast<int>(engine_() % static_cast<uint32_t>(limit)); }
  bool one_in(int n) { return below(n) == 0; }
  /// -1..1
  float sample() { return static_cast<float>(below(20001) - 10000) / 10000.f; }

 private:
  std::mt19937 engine_;
};

/// One random case of a kernel against its reference, for the chosen target.
struct Check {
  std::string_view name;
  bool (*run)(Random& random);
};
extern const Check kIntegerChecks[];
extern const int kIntegerCheckCount;
extern const Check kFloatChecks[];
extern const int kFloatCheckCount;

}  // namespace coco::emulator
