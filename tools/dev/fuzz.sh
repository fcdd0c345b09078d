# Runs the libFuzzer targets of the fuzz preset.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh
. tools/dev/test.sh

# fuzz_targets DIRECTORY: the target names, one a line.
fuzz_targets() { find "$1" -maxdepth 1 -type f -name '*_fuzz' -perm -u+x -printf '%f\n' | sort; }

# fuzz_one TARGET SECONDS: new inputs collect in build/fuzz/corpus, a crashing one lands in build/fuzz.
fuzz_one() {
  local target=$1 log=build/fuzz/$1.log inputs=("build/fuzz/corpus/$1")
  mkdir -p "${inputs[0]}"
  [ -d "tests/fuzz/corpus/$target" ] && inputs+=("tests/fuzz/corpus/$target")
  say "$target for $2 s"
  if ! "build/fuzz/fuzz/$target" -max_total_time="$2" -rss_limit_mb=2048 -timeout=10 -artifact_prefix=build/fuzz/ \
      "${inputs[@]}" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    die "$target found a failure (input in build/fuzz/)"
  fi
  tail -n 1 "$log"
}

dev_fuzz() {
  local seconds=60 targets=() target
  case "${1:-}" in [0-9]*) seconds=$1; shift ;; esac
  targets=("$@")
  have clang++ || dev_setup build dev
  build fuzz
  sanitizer_environment
  [ ${#targets[@]} -eq 0 ] && mapfile -t targets < <(fuzz_targets build/fuzz/fuzz)
  [ ${#targets[@]} -eq 0 ] && die "no fuzz targets in build/fuzz/fuzz"
  for target in "${targets[@]}"; do fuzz_one "$target" "$seconds"; done
}
