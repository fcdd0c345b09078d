// Purpose: the entry every fuzz target defines, called by libFuzzer or by replay_main.cpp.
#pragma once

#include <cstddef>
#include <cstdint>

/// Must not crash, hang or leak for any bytes; returns 0.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
