// Purpose: the one include of Catch2, so that version 2 (Debian 12) and version 3 (Debian 13, Ubuntu 24.04) both work.
#pragma once
#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
/// Version 3's name for it.
inline auto ContainsSubstring(const std::string& text) { return Catch::Contains(text); }
#endif
