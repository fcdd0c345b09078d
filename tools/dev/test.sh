# Runs the test suite of a preset.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh
. tools/dev/peers.sh
. tools/dev/avx512.sh

# Where the sanitizers' reports go, and what they may ignore (each line of the .supp files says why).
sanitizer_environment() {
  local supp=$PWD/tools/sanitizers
  export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:${ASAN_OPTIONS:-}"
  export LSAN_OPTIONS="suppressions=$supp/lsan.supp:print_suppressions=0"
  export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
  # GStreamer and FFmpeg are not instrumented: what they do under their own locks would be taken for races.
  export TSAN_OPTIONS="suppressions=$supp/tsan.supp:halt_on_error=1:second_deadlock_stack=1:ignore_noninstrumented_modules=1"
  export G_SLICE=always-malloc
  export GST_REGISTRY_FORK=no # the scanner is built without the sanitizer and could not load our plugin
}

has_target() { ninja -C "build/$1" -t query "$2" >/dev/null 2>&1; }

# run_tests PRESET [ctest arguments]
run_tests() {
  local preset=$1
  shift
  case "$preset" in asan|tsan|fuzz) sanitizer_environment ;; esac
  # Whole pipelines hand our element from thread to thread by means of libraries that are not instrumented.
  [ "$preset" = tsan ] && set -- -E '^test_pipelines_run$' "$@"
  ctest --test-dir "build/$preset" --output-on-failure -j "$JOBS" "$@" </dev/null
}

dev_test() {
  local preset=release groups=(build run test tune) install=1 only='' peers=0 name targets=()
  while [ $# -gt 0 ]; do
    case "$1" in
      --asan) preset=asan ;;
      --tsan) preset=tsan ;;
      --aarch64) preset=aarch64 groups=(build run test aarch64) ;;
      --aarch64-quick) aarch64_quick; return ;;
      --avx512) dev_setup avx512; avx512_conformance; return ;;
      --preset) preset=${2:?--preset needs a name}; shift ;;
      --only) only=${2:?--only needs test names}; shift ;;
      --no-setup) install=0 ;;
      --peers) peers=1 ;;
      *) break ;;
    esac
    shift
  done
  [ "$install" = 1 ] && dev_setup "${groups[@]}"
  if [ "$peers" = 1 ]; then
    build "$preset" cocopipe coco_models test_compiler_random_graph
    compare_random_graphs "build/$preset/tests/test_compiler_random_graph"
    compare_onnxruntime "build/$preset/bin/cocopipe"
    return
  fi
  if [ -n "$only" ]; then # a test is called as its program; what programs it may start is built too
    configure "$preset"
    read -ra targets -d '' <<<"$only" || true
    set -- -R "^($(IFS='|'; echo "${targets[*]}"))\$" "$@"
    if [[ $only =~ apps|plugins|pipelines|shipped|eval ]]; then
      for name in cocopipe coco_models gstcoco; do has_target "$preset" "$name" && targets+=("$name"); done
    fi
  fi
  build "$preset" "${targets[@]}"
  run_tests "$preset" "$@"
  if [ "$preset" = aarch64 ] && [ -z "$only" ] && [ $# -eq 0 ]; then aarch64_processors && aarch64_compare; fi
}
