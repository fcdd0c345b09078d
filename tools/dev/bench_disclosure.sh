# What the invisible mark survives: bits read wrongly after encoding, scaling and cutting, and marks found where none is.
# shellcheck shell=bash

# bits_apart HEX HEX: how many of 64 bits differ
bits_apart() {
  local a=$((16#${1:0:8} ^ 16#${2:0:8})) b=$((16#${1:8} ^ 16#${2:8})) n=0 x
  for x in $a $b; do
    while [ "$x" -gt 0 ]; do
      n=$((n + (x & 1)))
      x=$((x >> 1))
    done
  done
  echo $n
}

# bench_mark CLIP FRAMES: one row for each thing done to the marked clip.
bench_mark() {
  local clip=$1 frames=$2 folder=build/bench/disclosure name true json filter
  name=$(basename "${clip%.*}")
  "$COCOPIPE" disclose "$clip" "$folder/$name.mkv" --id "$name" --crf 12 --quiet 2>/dev/null || return 0
  true=$("$COCOPIPE" disclose --check "$folder/$name.mkv" --frames "$frames" --json | text bits)
  # The mark alone: both labelled, both without loss.
  "$COCOPIPE" disclose "$clip" "$folder/plain.mkv" --id "$name" --codec ffv1 --no-mark --quiet 2>/dev/null
  "$COCOPIPE" disclose "$clip" "$folder/exact.mkv" --id "$name" --codec ffv1 --quiet 2>/dev/null
  row "$name: with the mark against without" \
    "$(ffmpeg -v info -i "$folder/plain.mkv" -i "$folder/exact.mkv" -lavfi psnr -f null - 2>&1 </dev/null |
      sed -n 's/.*PSNR y:\([0-9.]*\).*/\1/p' | tail -n 1 | xargs printf '%.1f') dB" "PSNR of luma"
  rm -f "$folder/plain.mkv" "$folder/exact.mkv"
  while read -r label filter; do
    # shellcheck disable=SC2086
    ffmpeg -v error -y -i "$folder/$name.mkv" ${filter//+/ } -an -c:v libx264 "$folder/attacked.mkv" </dev/null
    json=$("$COCOPIPE" disclose --check "$folder/attacked.mkv" --frames "$frames" --json || true)
    row "$name: ${label//_/ }" "$(bits_apart "$true" "$(text bits <<<"$json")") of 64" \
      "$(sed -n 's/.*"found": \(true\|false\).*/found: \1/p' <<<"$json"), $(number deviations <<<"$json" |
        xargs printf '%.1f') deviations"
  done <<'ATTACKS'
x264_crf_23 -crf+23
x264_crf_28 -crf+28
x264_crf_33 -crf+33
half_size,_crf_23 -vf+scale=trunc(iw/4)*2:-2+-crf+23
three_quarters,_crf_23 -vf+scale=trunc(iw*3/8)*2:-2+-crf+23
a_tenth_cut,_crf_23 -vf+crop=iw*0.9:ih*0.9:iw*0.03:ih*0.06+-crf+23
half_size,_crf_28 -vf+scale=trunc(iw/4)*2:-2+-crf+28
ATTACKS
}

# False alarms: clips without a mark, in pieces of a second.
bench_false_marks() {
  local clip folder=build/bench/disclosure pieces=0 found=0 most=0 piece json
  for clip in "$@"; do
    rm -f "$folder"/piece-*
    ffmpeg -v error -y -i "$clip" -an -c:v libx264 -crf 16 -preset veryfast -force_key_frames "expr:gte(t,n_forced)" -f segment \
      -segment_time 1 "$folder/piece-%03d.mkv" </dev/null || continue
    for piece in "$folder"/piece-*; do
      json=$("$COCOPIPE" disclose --check "$piece" --json 2>/dev/null || true)
      [ -n "$json" ] || continue
      pieces=$((pieces + 1))
      grep -q '"found": true' <<<"$json" && found=$((found + 1))
      most=$(awk -v a="$most" -v b="$(number deviations <<<"$json")" 'BEGIN {print (a > b ? a : b)}')
    done
  done
  rm -f "$folder"/piece-* "$folder/attacked.mkv"
  row "marks found where there is none" "$found of $pieces" "pieces of a second; at most $(printf '%.1f' "$most") deviations, 9 are taken as sure"
}

bench_disclosure() {
  local clips=() clip data=${COCO_DATA_DIR:-../shared/data}/video
  COCOPIPE=build/release/bin/cocopipe
  dev_setup build run test
  build release cocopipe
  mkdir -p build/bench/disclosure out
  [ -f out/bench.mp4 ] || "$COCOPIPE" demo-clip out/bench.mp4 --quiet
  clips=(out/bench.mp4)
  if [ "${1:-}" != --quick ]; then
    for clip in bbb_1080p60_2s.mp4 butterfly_720p30.mp4 flower_720p30.264 bbb_480p24_audio_30s.mp4; do
      [ -f "$data/$clip" ] && clips+=("$data/$clip")
    done
  fi
  for clip in "${clips[@]}"; do bench_mark "$clip" 96; done
  bench_false_marks "${clips[@]}"
}
