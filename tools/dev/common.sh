# Shared by the parts of ./dev; sourced, runs from the repository's root.
# shellcheck shell=bash

die() { printf 'dev: %s\n' "$*" >&2; exit 1; }
say() { printf '\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9]*m//g'; fi; }
have() { command -v "$1" >/dev/null 2>&1; }

# Parallel jobs: every core the process may use, but 1.5 GB of memory for each (the compiler's need on the largest files).
jobs_allowed() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  by_memory=$((${memory_kb:-1500000} / 1500000))
  [ "$by_memory" -lt 1 ] && by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}
JOBS=${JOBS:-$(jobs_allowed)}

# clang-format, clang-tidy: version 14 where there is one, else what is installed.
clang_tool() {
  if have "$1-14"; then echo "$1-14"; elif have "$1"; then echo "$1"; else
    die "$1 is not installed; run: ./dev setup dev"; fi
}

# The project's C++ files under version control (or about to be), one a line.
cxx_files() { git ls-files --cached --others --exclude-standard -- '*.h' '*.cpp' | sort -u | while read -r f; do [ -f "$f" ] && echo "$f"; done; }
