# Other software to measure against and to be judged by, fetched below build/peers and nowhere else.
# shellcheck shell=bash

ORT_VERSION=1.20.1 # of the npm package onnxruntime-node
PEER=tools/peers/onnxruntime.js

# number KEY: the first number behind "KEY": in the JSON on standard input.
number() { tr -d '\n' | sed -n "s/.*\"$1\": *\(-\{0,1\}[0-9.][0-9.eE+-]*\).*/\1/p"; }
text() { tr -d '\n' | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

# ONNX Runtime from its npm package.
fetch_onnxruntime() {
  [ -d build/peers/node_modules/onnxruntime-node ] && return 0
  { have npm && have node; } || dev_setup bench
  mkdir -p build/peers
  npm install --ignore-scripts --no-audit --no-fund --loglevel error --prefix build/peers "onnxruntime-node@$ORT_VERSION" \
    >build/peers/npm.log 2>&1
}

# compare_onnxruntime COCOPIPE: the integer engine and ONNX Runtime on the model it exports, over the pictures of set5.
# Of all their 8-bit samples at most 0.1 % may be apart, and 0.01 % by more than 1.
compare_onnxruntime() {
  local cocopipe=$1 sr=${COCO_DATA_DIR:-../shared/data}/sr/benchmarks work=build/peers/qdq picture side result
  local all=0 apart=0 far=0
  [ -d "$sr/set5" ] || { echo "peers: skipped: the pictures of $sr/set5 are not there"; return 0; }
  { have npm && have node; } || { echo "peers: skipped: npm and node are not installed (./dev setup bench)"; return 0; }
  fetch_onnxruntime || { echo "peers: skipped: ONNX Runtime could not be fetched, see build/peers/npm.log"; return 0; }
  have ffmpeg || { echo "peers: skipped: ffmpeg is not installed"; return 0; }
  mkdir -p "$work"
  "$cocopipe" compile engine/models/f32/sr2x-s.onnx -o "$work/int8.coco" --precision int8 --max-loss 1 \
    --calibrate "$sr/set14" --quiet
  "$cocopipe" export "$work/int8.coco" --onnx-qdq "$work/int8.onnx" --quiet
  "$cocopipe" compile "$work/int8.onnx" -o "$work/back.coco" --quiet
  for picture in "$sr"/set5/*.png; do
    ffmpeg -v error -y -i "$picture" -vf scale=iw/2:ih/2:flags=bicubic -pix_fmt gray -f rawvideo "$work/in.raw" </dev/null
    side=$(ffprobe -v error -select_streams v -show_entries stream=width,height -of csv=p=0:s=x "$picture")
    node "$PEER" picture --raw "$work/in.raw" --width $((${side%x*} / 2)) --height $((${side#*x} / 2)) --out "$work/in.npy" \
      >/dev/null
    "$cocopipe" infer "$work/int8.coco" --input "$work/in.npy" --output "$work/ours.npy" --quiet
    "$cocopipe" infer "$work/back.coco" --input "$work/in.npy" --output "$work/back.npy" --quiet
    cmp "$work/ours.npy" "$work/back.npy" || die "peers: the exported model gives other bytes than the one it was made from"
    node "$PEER" run --modules build/peers --model "$work/int8.onnx" --in "$work/in.npy" --out "$work/theirs.npy" --threads 2 \
      --seconds 0 >/dev/null
    result=$(node "$PEER" differ --a "$work/ours.npy" --b "$work/theirs.npy")
    printf 'peers: %s: %.4f %% of samples apart, %.4f %% by more than 1, by up to %d\n' "$(basename "$picture")" \
      "$(number percent_apart <<<"$result")" "$(number percent_beyond_one <<<"$result")" "$(number max_steps <<<"$result")"
    all=$((all + $(number elements <<<"$result")))
    apart=$((apart + $(number apart <<<"$result")))
    far=$((far + $(number beyond_one <<<"$result")))
  done
  awk -v n="$all" -v a="$apart" -v f="$far" 'BEGIN {
    printf "peers: together: %.4f %% apart, %.4f %% by more than 1\n", 100 * a / n, 100 * f / n
    exit !(a <= n / 1000 && f <= n / 10000)
  }' || die "peers: ONNX Runtime differs from the integer engine by too much"
}

# compare_random_graphs TEST: random graphs of the importer's operators, here and in ONNX Runtime.
compare_random_graphs() {
  local test=$1 folder=build/peers/graphs seeds=${COCO_FUZZ_SEEDS:-500}
  { have npm && have node; } || { echo "peers: skipped: npm and node are not installed (./dev setup bench)"; return 0; }
  fetch_onnxruntime || { echo "peers: skipped: ONNX Runtime could not be fetched, see build/peers/npm.log"; return 0; }
  rm -rf "$folder"
  mkdir -p "$folder"
  COCO_FUZZ_SEEDS=$seeds COCO_RANDOM_GRAPHS=$folder "$test" >"$folder/log.txt" || { tail -n 20 "$folder/log.txt" >&2; return 1; }
  printf 'peers: random graphs: '
  node tools/peers/random_graphs.js --modules build/peers --folder "$folder" ||
    die "peers: ONNX Runtime gives other results for random graphs (COCO_FUZZ_SEEDS=$seeds)"
}
