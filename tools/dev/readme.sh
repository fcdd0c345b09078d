# Runs the commands the README shows, each block marked <!-- run --> on the line before it.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh

# readme_blocks FILE DIRECTORY: writes DIRECTORY/block_N.sh for each marked ```sh block, and prints N of them.
readme_blocks() {
  awk -v dir="$2" '
    /^<!-- run -->$/ { marked = 1; next }
    /^```/ {
      if (inside) { inside = 0; close(file); next }
      if (marked && $0 == "```sh") { inside = 1; file = dir "/block_" ++n ".sh"; printf "" >file }
      marked = 0; next
    }
    inside { print >file }
    END { print n + 0 }' "$1"
}

# The blocks run in a directory of their own that looks like the root; `video.mp4` there is a short clip.
dev_readme() {
  local scratch=$PWD/build/readme root=$PWD entry count n
  dev_setup build run
  build release
  rm -rf "$scratch"
  mkdir -p "$scratch"
  for entry in *; do
    case "$entry" in dev|out) ;; *) ln -s "$root/$entry" "$scratch/$entry" ;; esac
  done
  printf '#!/bin/sh\nexec "%s/dev" "$@"\n' "$root" >"$scratch/dev"
  chmod +x "$scratch/dev"
  build/release/bin/cocopipe demo-clip "$scratch/video.mp4" --frames 12 --size 640x360 --quiet
  count=$(readme_blocks README.md "$scratch")
  [ "$count" -gt 0 ] || die "README.md has no block marked <!-- run -->"
  for n in $(seq 1 "$count"); do
    say "README block $n"
    sed 's/^/  $ /' "$scratch/block_$n.sh"
    (cd "$scratch" && bash -euo pipefail "block_$n.sh" </dev/null) >"$scratch/block_$n.log" 2>&1 ||
      { tail -n 30 "$scratch/block_$n.log" >&2; die "README block $n failed"; }
  done
  echo "readme: $count blocks run"
}
