# Upscales a file, or a clip made here, to 4K.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh

dev_demo() {
  local input=${1:-} cocopipe=build/release/bin/cocopipe name extension output
  [ -z "$input" ] || [ -f "$input" ] || die "$input: no such file"
  dev_setup build run
  build release cocopipe coco_models
  mkdir -p out
  if [ -z "$input" ]; then
    input=out/demo.mp4
    [ -f "$input" ] || "$cocopipe" demo-clip "$input" --quiet
  fi
  name=$(basename "${input%.*}")
  extension=mkv # holds every kind of stream; mp4 stays mp4
  case "$input" in *.mp4) extension=mp4 ;; esac
  output=out/${name}_4k.$extension
  say "upscaling $input to 3840x2160"
  "$cocopipe" upscale "$input" "$output" --size 3840x2160 --preset veryfast --report out/report.json
  "$cocopipe" compare "$input" --model sr2x-s --out out/before_after.png
  printf '\nvideo         %s\nbefore/after  out/before_after.png\nreport        out/report.json\n' "$output"
}
