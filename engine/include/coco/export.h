// Purpose: COCO_API marks what the shared library shows to the programs that link it; everything else is hidden in it.
// Ownership: none.
// Threads: none.
// Failure: none.
#pragma once

#if defined(__GNUC__)
#define COCO_API __attribute__((visibility("default")))
#else
#define COCO_API
#endif
