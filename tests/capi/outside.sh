#!/usr/bin/env bash
# outside.sh BUILD CMAKE CC CXX: installs the built engine into a folder, moves it, and builds docs/examples there as
# anyone would - find_package and pkg-config, shared and static, as far as they are installed. Every program must print
# what the build itself computes.
set -euo pipefail
build=$1 cmake=$2
export CC=$3 CXX=$4
unset CMAKE_C_COMPILER_LAUNCHER CMAKE_CXX_COMPILER_LAUNCHER CFLAGS CXXFLAGS LDFLAGS DESTDIR BUILD_SHARED_LIBS
source=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "outside: $*" >&2; exit 1; }
# quietly WHAT COMMAND...: its output is shown only if it fails.
quietly() { local what=$1; shift; "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$what"; }; }

quietly "cannot install" "$cmake" --install "$build" --prefix "$work/first"
mv "$work/first" "$work/moved"
lib=$(dirname "$(find "$work/moved" -name pkgconfig)")
export PKG_CONFIG_PATH=$lib/pkgconfig CMAKE_PREFIX_PATH=$work/moved LD_LIBRARY_PATH=$lib
if grep -rn -e "$source" -e "$build" "$lib/cmake" "$lib/pkgconfig"; then fail "the package names the build"; fi
cp -r "$source/docs/examples" "$work/examples"
cd "$work/examples"
"$build/tests/capi_example_model" "$work/small.coco" >"$work/expected"
[ "$(wc -l <"$work/expected")" -eq 1024 ] || fail "nothing to compare with"

# try NAME PROGRAM KIND: linked with the engine of this kind; prints what it should, and a message for an absent file.
try() {
  local name="$1, $3" kind=static
  readelf -d "$2" | grep -q 'NEEDED.*libcocopipe-engine' && kind=shared
  [ $kind = "$3" ] || fail "$name: linked with the $kind library"
  "$2" "$work/small.coco" >"$work/got" || fail "$name: does not run"
  cmp "$work/expected" "$work/got" || fail "$name: prints other values"
  if "$2" "$work/absent.coco" >"$work/got" 2>&1; then fail "$name: no error for an absent file"; fi
  grep -q "absent.coco" "$work/got" || fail "$name: the error does not name the file"
  echo "outside: $name: ok"
}
# with_cmake LANGUAGE KIND: a second kind is linked from what the first one compiled.
with_cmake() {
  local shared=ON
  [ "$2" = static ] && shared=OFF
  quietly "find_package, $1, $2" "$cmake" -S "$1" -B "$1/build" -DBUILD_SHARED_LIBS=$shared -DCMAKE_BUILD_TYPE=Release
  quietly "find_package, $1, $2" "$cmake" --build "$1/build"
  try "find_package, $1" "$1/build/run_model" "$2"
}
# with_pkg_config LANGUAGE KIND
with_pkg_config() {
  local static=
  [ "$2" = static ] && static=" --static"
  quietly "pkg-config, $1, $2" make -B -C "$1" CC="$CC" CXX="$CXX" PKG_CONFIG="pkg-config$static"
  try "pkg-config, $1" "$1/run_model" "$2"
}
# What the shared library shows is the C functions of the header and names in coco::.
check_exports() {
  nm -D --defined-only "$lib/libcocopipe-engine.so" | awk '$2 != "A" {sub("@.*", "", $3); print $3}' >"$work/shown"
  tr '\n' ' ' <"$work/moved/include/coco/coco.h" | sed 's/COCO_API/\n&/g' |
    sed -n 's/^COCO_API [^(]*\b\(coco_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/declared"
  [ "$(wc -l <"$work/declared")" -ge 30 ] || fail "the header declares nothing"
  grep '^coco_' "$work/shown" | sort | diff "$work/declared" - || fail "the library does not show what coco.h declares"
  if grep -v '^coco_' "$work/shown" | grep -v '^_ZNK\?4coco'; then fail "the library shows more than its API"; fi
}

for header in "$work"/moved/include/coco/*.h; do echo "#include <coco/$(basename "$header")>"; done >"$work/all.cpp"
quietly "the installed headers" "$CXX" -std=c++20 -Wall -Werror -fsyntax-only -I "$work/moved/include" "$work/all.cpp"
if [ -e "$lib/libcocopipe-engine.so" ]; then
  check_exports
  with_cmake c shared
  with_cmake cpp shared
  with_pkg_config c shared
fi
if [ -e "$lib/libcocopipe-engine.a" ]; then
  with_cmake c static
  with_cmake cpp static
  rm -f "$lib"/libcocopipe-engine.so* # the linker would take it
  with_pkg_config c static
  with_pkg_config cpp static
fi
