# clang-tidy with .clang-tidy's checks over the changed files (or those named, or all).
# shellcheck shell=bash
. tools/dev/build.sh

# Source files changed since origin/main (or HEAD~1 where there is no such branch), committed or not.
changed_sources() {
  local base
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse -q --verify HEAD~1 || git rev-parse HEAD)
  { git diff --name-only --diff-filter=d "$base" -- '*.cpp'; git ls-files --others --exclude-standard -- '*.cpp'; } | sort -u
}

dev_lint() {
  local tool files=() known=()
  tool=$(clang_tool clang-tidy)
  configure release
  if [ "${1:-}" = --all ]; then mapfile -t files < <(cxx_files | grep '\.cpp$'); 
  elif [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(changed_sources); fi
  # Generated headers must exist before the files that include them are read.
  cmake --build build/release --target coco_format -j "$JOBS" >/dev/null
  for f in "${files[@]}"; do grep -q "\"file\": \".*/$f\"" build/release/compile_commands.json && known+=("$f"); done
  [ ${#known[@]} -eq 0 ] && { echo "lint: nothing to read"; return 0; }
  printf '%s\n' "${known[@]}" | xargs -P "$JOBS" -n 1 "$tool" -p build/release --quiet --warnings-as-errors='*'
  echo "lint: ${#known[@]} files clean ($tool)"
}
