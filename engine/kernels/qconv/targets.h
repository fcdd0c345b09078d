// Purpose: the Highway targets of the integer rows, included before any Highway header: also AVX-512 with byte dot
// products, which Highway 1.0 leaves out unless asked.
#pragma once

#include "kernels/targets.h"

#ifndef HWY_WANT_AVX3_DL
#define HWY_WANT_AVX3_DL 1
#endif
