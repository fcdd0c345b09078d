// Purpose: one tap of a 4-channel x 3-vector tile where there are 16 vector registers and fused multiply-add. The tile
// needs all of them, and compilers spill one accumulator: the row then waits for the store to be read back (65-75 %
// of the peak instead of 85-90 %). So the registers are given out by hand.
// Included inside the target's namespace: V is its vector of floats.
#if HWY_TARGET == HWY_AVX2 && defined(__x86_64__)
#define COCO_HAS_TAP_4X3 1

// clang-format off
// ymm12-14: the input; ymm15: a channel's weight.
#define COCO_TAP_CHANNEL(weight, a, b, c)       \
  "vbroadcastss " weight "(%[w]), %%ymm15\n\t"  \
  "vfmadd231ps %%ymm12, %%ymm15, %[" a "]\n\t"  \
  "vfmadd231ps %%ymm13, %%ymm15, %[" b "]\n\t"  \
  "vfmadd231ps %%ymm14, %%ymm15, %[" c "]\n\t"

// acc[o][v] += weights[o] * in[8 v .. 8 v + 7].
HWY_INLINE void Tap4x3(const float* in, const float* weights, V (&acc)[4][3]) {
  __asm__("vmovups (%[in]), %%ymm12\n\t"
          "vmovups 32(%[in]), %%ymm13\n\t"
          "vmovups 64(%[in]), %%ymm14\n\t"
          COCO_TAP_CHANNEL("", "a0", "b0", "c0")
          COCO_TAP_CHANNEL("4", "a1", "b1", "c1")
          COCO_TAP_CHANNEL("8", "a2", "b2", "c2")
          COCO_TAP_CHANNEL("12", "a3", "b3", "c3")
          : [a0] "+x"(acc[0][0].raw), [b0] "+x"(acc[0][1].raw), [c0] "+x"(acc[0][2].raw),
            [a1] "+x"(acc[1][0].raw), [b1] "+x"(acc[1][1].raw), [c1] "+x"(acc[1][2].raw),
            [a2] "+x"(acc[2][0].raw), [b2] "+x"(acc[2][1].raw), [c2] "+x"(acc[2][2].raw),
            [a3] "+x"(acc[3][0].raw), [b3] "+x"(acc[3][1].raw), [c3] "+x"(acc[3][2].raw)
          : [in] "r"(in), [w] "r"(weights)
          : "ymm12", "ymm13", "ymm14", "ymm15", "memory");
}
// clang-format on

#undef COCO_TAP_CHANNEL
#endif
