// Purpose: the inner loop of a 4-channel x 3-vector tile where there are 16 vector registers and fused multiply-add.
// The tile needs all of them, and compilers spill accumulators: the row then waits for the stores to be read back
// (65-75 % of the peak instead of 85-90 %). So the registers are given out by hand. Included inside the target's
// namespace: V is its vector of floats.
#if HWY_TARGET == HWY_AVX2 && defined(__x86_64__)
#define COCO_HAS_TAPS_4X3 1

// What the loop walks over. Strides in bytes.
struct Taps4x3Args {
  const float* in;
  const float* weights;
  ptrdiff_t channel_stride, dilation, channels;
};

// The taps of an entry list; x in bytes.
struct TapList4x3Args {
  const float* const* in;
  const float* weights;
  ptrdiff_t x;
  size_t count;
};

// clang-format off
// ymm12-14: the input; ymm15: a channel's weight. rax: the input, rdx: the weights.
#define COCO_TAP_CHANNEL(weight, a, b, c)     \
  "vbroadcastss " weight "(%%rdx), %%ymm15\n\t"  \
  "vfmadd231ps %%ymm12, %%ymm15, %[" a "]\n\t"  \
  "vfmadd231ps %%ymm13, %%ymm15, %[" b "]\n\t"  \
  "vfmadd231ps %%ymm14, %%ymm15, %[" c "]\n\t"
#define COCO_TAP(index, w0, w1, w2, w3)     \
  "vmovups (%%rax" index "), %%ymm12\n\t"   \
  "vmovups 32(%%rax" index "), %%ymm13\n\t" \
  "vmovups 64(%%rax" index "), %%ymm14\n\t" \
  COCO_TAP_CHANNEL(w0, "a0", "b0", "c0")    \
  COCO_TAP_CHANNEL(w1, "a1", "b1", "c1")    \
  COCO_TAP_CHANNEL(w2, "a2", "b2", "c2")    \
  COCO_TAP_CHANNEL(w3, "a3", "b3", "c3")

// acc[o][v] += sum over c, kx of weights[c][kx][o] * in[c][kx * dilation + 8 v .. + 7], three taps wide.
HWY_INLINE void Taps4x3(const Taps4x3Args& args, V (&acc)[4][3]) {
  __asm__("movq (%[args]), %%rax\n\t"
          "movq 8(%[args]), %%rdx\n\t"
          "movq 16(%[args]), %%rcx\n\t"
          "movq 24(%[args]), %%rsi\n\t"
          "movq 32(%[args]), %%rdi\n\t"
          ".p2align 5\n"
          "1:\n\t"
          COCO_TAP("", "", "4", "8", "12")
          COCO_TAP(",%%rsi", "16", "20", "24", "28")
          COCO_TAP(",%%rsi,2", "32", "36", "40", "44")
          "addq %%rcx, %%rax\n\t"
          "addq $48, %%rdx\n\t"
          "decq %%rdi\n\t"
          "jnz 1b\n\t"
          : [a0] "+x"(acc[0][0].raw), [b0] "+x"(acc[0][1].raw), [c0] "+x"(acc[0][2].raw),
            [a1] "+x"(acc[1][0].raw), [b1] "+x"(acc[1][1].raw), [c1] "+x"(acc[1][2].raw),
            [a2] "+x"(acc[2][0].raw), [b2] "+x"(acc[2][1].raw), [c2] "+x"(acc[2][2].raw),
            [a3] "+x"(acc[3][0].raw), [b3] "+x"(acc[3][1].raw), [c3] "+x"(acc[3][2].raw)
          : [args] "r"(&args)
          : "rax", "rdx", "rcx", "rsi", "rdi", "cc", "ymm12", "ymm13", "ymm14", "ymm15", "memory");
}

// acc[o][v] += sum over i of weights[i][o] * in[i][8 v + x .. + 7].
HWY_INLINE void TapList4x3(const TapList4x3Args& args, V (&acc)[4][3]) {
  __asm__("movq (%[args]), %%rsi\n\t"
          "movq 8(%[args]), %%rdx\n\t"
          "movq 16(%[args]), %%rcx\n\t"
          "movq 24(%[args]), %%rdi\n\t"
          "testq %%rdi, %%rdi\n\t"
          "jz 2f\n\t"
          ".p2align 5\n"
          "1:\n\t"
          "movq (%%rsi), %%rax\n\t"
          COCO_TAP(",%%rcx", "", "4", "8", "12")
          "addq $8, %%rsi\n\t"
          "addq $16, %%rdx\n\t"
          "decq %%rdi\n\t"
          "jnz 1b\n"
          "2:\n\t"
          : [a0] "+x"(acc[0][0].raw), [b0] "+x"(acc[0][1].raw), [c0] "+x"(acc[0][2].raw),
            [a1] "+x"(acc[1][0].raw), [b1] "+x"(acc[1][1].raw), [c1] "+x"(acc[1][2].raw),
            [a2] "+x"(acc[2][0].raw), [b2] "+x"(acc[2][1].raw), [c2] "+x"(acc[2][2].raw),
            [a3] "+x"(acc[3][0].raw), [b3] "+x"(acc[3][1].raw), [c3] "+x"(acc[3][2].raw)
          : [args] "r"(&args)
          : "rax", "rdx", "rcx", "rsi", "rdi", "cc", "ymm12", "ymm13", "ymm14", "ymm15", "memory");
}
// clang-format on

#undef COCO_TAP
#undef COCO_TAP_CHANNEL
#endif
