// The few functions of the C and C++ libraries that the kernels and their references call.
#include <cstddef>
#include <new>

#include "coco/buffer.h"
#include "kernels/dense/dense.h"
#include "tests/emulator/emulator.h"

namespace {

constexpr uintptr_t kHeap = 64 << 20;
constexpr size_t kLine = 64;
char* next = reinterpret_cast<char*>(kHeap);

void write_port(char byte) { asm volatile("outb %0, $0xe9" ::"a"(byte)); }

[[noreturn]] void stop(std::string_view why) {
  coco::emulator::print(why);
  for (;;) asm volatile("hlt");
}

void* allocate(size_t bytes) {
  void* result = next;
  next += (bytes + 2 * kLine - 1) / kLine * kLine;
  return result;
}

}  // namespace

namespace coco::emulator {

void print(std::string_view text) {
  for (const char c : text) write_port(c);
}

void print(int64_t number) {
  if (number < 0) write_port('-');
  uint64_t left = number < 0 ? 0 - static_cast<uint64_t>(number) : static_cast<uint64_t>(number);
  char digits[20];
  int count = 0;
  do digits[count++] = static_cast<char>('0' + left % 10);
  while ((left /= 10) != 0);
  while (count > 0) write_port(digits[--count]);
}

void* heap_mark() { return next; }
void heap_release(void* mark) { next = static_cast<char*>(mark); }

}  // namespace coco::emulator

// What the row references do with functions that have no vectors; no case here has one.
namespace coco::kernels {

float apply_unary(format::UnaryKind, float, float, float) noexcept { stop("apply_unary is not here\n"); }
float apply_binary(format::BinaryKind, float, float) noexcept { stop("apply_binary is not here\n"); }

}  // namespace coco::kernels

// Of coco_base, whose other parts need an operating system.
namespace coco {
size_t byte_size(SampleType type) { return type == SampleType::kU8 ? 1 : type == SampleType::kF32 ? 4 : 2; }
int max_value(SampleType type) { return type == SampleType::kU8 ? 255 : type == SampleType::kF32 ? 1 : 1023; }
void abort_with(std::string_view message, const char*, int) { stop(message); }
}  // namespace coco

extern "C" {

void* memcpy(void* to, const void* from, size_t bytes) {
  void* result = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
  return result;
}
void* memset(void* to, int value, size_t bytes) {
  void* result = to;
  asm volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
  return result;
}
void* memmove(void* to, const void* from, size_t bytes) {
  if (to <= from) return memcpy(to, from, bytes);
  auto* a = static_cast<volatile char*>(to);
  const auto* b = static_cast<const char*>(from);
  while (bytes-- > 0) a[bytes] = b[bytes];
  return to;
}
int memcmp(const void* left, const void* right, size_t bytes) {
  const auto* a = static_cast<const volatile unsigned char*>(left);
  const auto* b = static_cast<const volatile unsigned char*>(right);
  for (size_t i = 0; i < bytes; ++i) {
    if (a[i] != b[i]) return a[i] - b[i];
  }
  return 0;
}
float nearbyintf(float v) {
  asm("roundss $12, %1, %0" : "=x"(v) : "x"(v));
  return v;
}
double floor(double v) {
  asm("roundsd $9, %1, %0" : "=x"(v) : "x"(v));
  return v;
}
double sin(double) { stop("sin is not here\n"); }
float expf(float) { stop("expf is not here\n"); }
float tanhf(float) { stop("tanhf is not here\n"); }
void abort() { stop("aborted\n"); }
void _Unwind_Resume() { stop("an exception\n"); }
int __gxx_personality_v0() { stop("an exception\n"); }
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }
void* __dso_handle = nullptr;

}  // extern "C"

void* operator new(size_t bytes) { return allocate(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void operator delete(void*) noexcept {}
void operator delete(void*, size_t) noexcept {}

namespace std {
const nothrow_t nothrow{};
void __throw_length_error(const char*) { stop("a container has grown too long\n"); }
void __throw_bad_alloc() { stop("out of memory\n"); }
void __throw_bad_array_new_length() { stop("an array is too long\n"); }
}  // namespace std
