# clang-format over the project's C++ files.
# shellcheck shell=bash

dev_format() {
  local check=0 tool files=()
  if [ "${1:-}" = --check ]; then check=1; shift; fi
  tool=$(clang_tool clang-format)
  if [ $# -gt 0 ]; then mapfile -t files < <(printf "%s\n" "$@" | grep -E "\.(h|cpp)$"); else mapfile -t files < <(cxx_files); fi
  if [ "$check" = 0 ]; then "$tool" -i "${files[@]}"; return; fi
  "$tool" --dry-run -Werror --ferror-limit=3 "${files[@]}" || die "not formatted; run: ./dev format"
  echo "format: ${#files[@]} files clean ($tool)"
}
