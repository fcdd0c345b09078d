# Runs the libFuzzer targets of the fuzz preset.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh
. tools/dev/test.sh

# fuzz_one TARGET SECONDS: new inputs collect in build/fuzz/corpus, a crashing one lands in build/fuzz.
fuzz_one() {
  local target=$1 seconds=$2 log=build/fuzz/$1.log inputs=("build/fuzz/corpus/$1")
  local seeds=build/fuzz/tests/fuzz/seeds_${target#fuzz_}
  mkdir -p "${inputs[0]}"
  [ -d "$seeds" ] && inputs+=("$seeds")
  say "$target for $seconds s"
  if ! "build/fuzz/bin/$target" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 \
      -artifact_prefix=build/fuzz/ "${inputs[@]}" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    die "$target found a failure; its input is in build/fuzz/"
  fi
  tail -n 1 "$log"
}

dev_fuzz() {
  local seconds=60 targets=() target
  case "${1:-}" in [0-9]*) seconds=$1; shift ;; esac
  targets=("$@")
  dev_setup build dev
  build fuzz fuzz_programs
  sanitizer_environment
  ctest --test-dir build/fuzz -R '^fuzz_seeds_' --output-on-failure >build/fuzz/seeds.log </dev/null || {
    cat build/fuzz/seeds.log >&2; die "the seeds could not be made"; }
  [ ${#targets[@]} -eq 0 ] && mapfile -t targets < <(cd build/fuzz/bin && ls fuzz_*)
  for target in "${targets[@]}"; do fuzz_one "$target" "$seconds"; done
}
