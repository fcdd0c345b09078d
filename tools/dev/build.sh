# Configures and builds a preset.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/aarch64.sh

# configure PRESET [cmake arguments]: once, and again when its arguments change.
configure() {
  local preset=$1 args=("${@:2}") stamp linker
  if have ccache; then
    args+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=1
  fi
  case "$preset" in aarch64) aarch64_sysroot arm64-engine arm64 ;; aarch64-engine) aarch64_sysroot arm64-engine ;; esac
  for linker in mold lld; do
    [[ "$preset" == aarch64* ]] && break # the cross compiler finds its own alone
    have "$linker" || continue
    args+=("-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=$linker" "-DCMAKE_MODULE_LINKER_FLAGS=-fuse-ld=$linker"
           "-DCMAKE_SHARED_LINKER_FLAGS=-fuse-ld=$linker")
    break
  done
  [ "${CI:-}" = true ] && args+=(-DCOCO_WERROR=ON)
  stamp="build/$preset/.dev-configured"
  [ -f "build/$preset/build.ninja" ] && [ "$(cat "$stamp" 2>/dev/null)" = "${args[*]}" ] && return 0
  cmake --preset "$preset" "${args[@]}" >/dev/null
  echo "${args[*]}" >"$stamp"
}

# build PRESET [TARGET ...]
build() {
  local preset=$1 targets=("${@:2}")
  have cmake || die "cmake is not installed; run: ./dev setup"
  configure "$preset"
  if [ ${#targets[@]} -gt 0 ]; then targets=(--target "${targets[@]}"); fi
  say "building $preset"
  if [ -t 1 ]; then
    cmake --build "build/$preset" -j "$JOBS" "${targets[@]}"
  else # in a log only warnings and errors are of interest
    NINJA_STATUS="" cmake --build "build/$preset" -j "$JOBS" "${targets[@]}" -- --quiet
  fi
}

dev_build() {
  local preset=${1:-release}
  [ $# -gt 0 ] && shift
  build "$preset" "$@"
}
