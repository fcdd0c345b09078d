// Purpose: COCO_X86(op), the intrinsic `op` at the vector width of the target being compiled; undefined where there is
// none with byte shuffles. Included anew for every target.
#undef COCO_X86
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
#if HWY_TARGET <= HWY_AVX3
#define COCO_X86(op) _mm512_##op
#elif HWY_TARGET <= HWY_AVX2
#define COCO_X86(op) _mm256_##op
#else
#define COCO_X86(op) _mm_##op
#endif
#endif
