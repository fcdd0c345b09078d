# One table of measured figures: kernels, the network, the whole file job; with --peers other software beside it.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh
. tools/dev/peers.sh
. tools/dev/bench_disclosure.sh

row() { printf '%-44s %12s  %s\n' "$1" "$2" "${3:-}"; }

# The small network before it was pruned: in f32, and in integers calibrated on the clip cocopipe makes itself.
F32_MODEL=engine/models/f32/sr2x-s.onnx
INT8_MODEL=build/bench/sr2x-s-int8.coco
make_int8() {
  [ "$INT8_MODEL" -nt "$COCOPIPE" ] && return 0
  mkdir -p build/bench
  "$COCOPIPE" compile "$F32_MODEL" -o "$INT8_MODEL" --precision int8 --max-loss 1 >build/bench/int8.log
}

# The same with its middle layers pruned to 4 of 9 weights, not trained again: for its speed, not for its pictures.
PRUNED_MODEL=build/bench/sr2x-s-4of9.coco
make_pruned() { build/release/bench/ablation_bench "$F32_MODEL" --write "$PRUNED_MODEL"; }

# bench_network SECONDS THREADS MODEL LABEL [scene]: one frame of 1080p to 4K, luma and chroma, frame to frame
bench_network() {
  local json
  json=$("$COCOPIPE" bench upscale --model "$3" --input-size 1920x1080 --threads "$2" --seconds "$1" \
    --scene "${5:-moving}" --json)
  row "$4 1080p -> 4K, $2 threads" "$(number fps <<<"$json" | xargs printf '%.1f') fps" \
    "p50 $(number ms_p50 <<<"$json" | xargs printf '%.1f') ms"
}

# bench_job LABEL [cocopipe upscale options]: a whole file, decoder to muxer.
bench_job() {
  local label=$1 json
  shift
  "$COCOPIPE" upscale out/bench.mp4 out/bench_4k.mp4 --size 3840x2160 --report out/bench.json --quiet "$@"
  json=$(cat out/bench.json)
  row "$label" "$(number fps <<<"$json" | xargs printf '%.1f') fps" \
    "decode $(number decode_seconds <<<"$json" | xargs printf '%.2f') s, upscale $(number upscale_seconds <<<"$json" |
      xargs printf '%.2f') s, encode $(number encode_seconds <<<"$json" | xargs printf '%.2f') s of $(
      number seconds <<<"$json" | xargs printf '%.2f') s"
  rm -f out/bench_4k.mp4
}

# bench_target TARGET SECONDS: what a processor with no better instructions than TARGET gives.
bench_target() {
  local json
  json=$(COCO_CPU_TARGET=$1 "$COCOPIPE" bench upscale --model "$INT8_MODEL" --input-size 1920x1080 \
    --threads "$(nproc)" --seconds "$2" --json 2>/dev/null) || return 0 # the processor has no such instructions
  [ "$(text target <<<"$json")" = "$1" ] || return 0
  row "sr2x-s int8, dense, $1 only, $(nproc) threads" "$(number fps <<<"$json" | xargs printf '%.1f') fps"
}

# bench_cold_start WxH SECONDS: the planner's choice against what tuning finds.
bench_cold_start() {
  local json
  json=$(COCO_TUNING_DIR=build/bench/tuning "$COCOPIPE" tune-device --model sr2x-s --input-size "$1" \
    --threads "$(nproc)" --seconds "$2" --json)
  row "sr2x-s from $1, planned / tuned" \
    "$(awk -v a="$(number default_ms <<<"$json")" -v b="$(number tuned_ms <<<"$json")" 'BEGIN {printf "%.2fx", a / b}')" \
    "$(number default_ms <<<"$json" | xargs printf '%.2f') ms without a cache"
}

# The way a player goes, without the encoder: file, decoder, upscaler, nowhere. The time of a run that ends with the
# first frame, most of it the start of the program, is taken off.
pipeline_ns() {
  local frames=$1 start
  shift
  start=$(date +%s%N)
  GST_PLUGIN_PATH=$PWD/build/release/lib/gstreamer-1.0 gst-launch-1.0 -q filesrc location=out/bench.mp4 ! qtdemux ! \
    h264parse ! avdec_h264 ! "$@" ! fakesink sync=false num-buffers="$frames" || return 1
  echo $(($(date +%s%N) - start))
}
bench_pipeline() {
  local label=$1 frames=$2 all first
  shift 2
  first=$(pipeline_ns 1 "$@") && all=$(pipeline_ns "$frames" "$@") || return 1
  row "$label" "$(awk -v f="$frames" -v a="$all" -v b="$first" 'BEGIN {printf "%.1f", (f - 1) / ((a - b) * 1e-9)}') fps" \
    "$frames frames"
}

# The same network, the same input, 2 threads each; the runs alternate so that a noisy neighbour meets both.
bench_onnxruntime() {
  local seconds=$1 peer=$PEER model=$F32_MODEL json ours=() ints=() shipped=() theirs=() a b c s
  local qdq=build/bench/sr2x-s-int8.onnx theirs8=() e same differ pruned=() r
  local bench=("$COCOPIPE" bench upscale --input-size 1920x1080 --threads 2 --luma-only --json)
  fetch_onnxruntime || { tail -n 5 build/peers/npm.log >&2; die "npm could not fetch onnxruntime-node"; }
  node "$peer" input --dims 1,1,1080,1920 --out build/peers/in.npy >/dev/null
  "$COCOPIPE" export "$INT8_MODEL" --onnx-qdq "$qdq" --quiet
  for _ in 1 2 3; do
    json=$("${bench[@]}" --model "$model" --seconds "$seconds")
    ours+=("$(number ms_p50 <<<"$json")")
    json=$("${bench[@]}" --model "$INT8_MODEL" --seconds "$seconds")
    ints+=("$(number ms_p50 <<<"$json")")
    json=$("${bench[@]}" --model "$PRUNED_MODEL" --seconds "$seconds")
    pruned+=("$(number ms_p50 <<<"$json")")
    json=$("${bench[@]}" --model sr2x-s --seconds "$seconds")
    shipped+=("$(number ms_p50 <<<"$json")")
    json=$(node "$peer" run --modules build/peers --model "$model" --in build/peers/in.npy --out build/peers/theirs.npy \
      --threads 2 --seconds "$seconds")
    theirs+=("$(number ms_p50 <<<"$json")")
    json=$(node "$peer" run --modules build/peers --model "$qdq" --in build/peers/in.npy --out build/peers/theirs8.npy \
      --threads 2 --seconds "$seconds")
    theirs8+=("$(number ms_p50 <<<"$json")")
  done
  "$COCOPIPE" infer "$model" --input build/peers/in.npy --output build/peers/ours.npy >/dev/null
  differ=$(node "$peer" differ --a build/peers/ours.npy --b build/peers/theirs.npy | number max_abs_difference)
  "$COCOPIPE" infer "$INT8_MODEL" --input build/peers/in.npy --output build/peers/ours8.npy >/dev/null
  same=$(node "$peer" differ --a build/peers/ours8.npy --b build/peers/theirs8.npy)
  a=$(printf '%s\n' "${ours[@]}" | sort -g | sed -n 2p)
  b=$(printf '%s\n' "${theirs[@]}" | sort -g | sed -n 2p)
  c=$(printf '%s\n' "${ints[@]}" | sort -g | sed -n 2p)
  e=$(printf '%s\n' "${theirs8[@]}" | sort -g | sed -n 2p)
  s=$(printf '%s\n' "${shipped[@]}" | sort -g | sed -n 2p)
  r=$(printf '%s\n' "${pruned[@]}" | sort -g | sed -n 2p)
  row "cocopipe sr2x-s f32, 2 threads" "$(awk -v t="$a" 'BEGIN {printf "%.2f fps", 1000 / t}')" "p50 $a ms, 8-bit luma in and out"
  row "cocopipe sr2x-s int8, dense, 2 threads" "$(awk -v t="$c" 'BEGIN {printf "%.2f fps", 1000 / t}')" "p50 $c ms, 8-bit luma in and out"
  row "cocopipe sr2x-s int8, 4 of 9, 2 threads" "$(awk -v t="$r" 'BEGIN {printf "%.2f fps", 1000 / t}')" "p50 $r ms, 8-bit luma in and out"
  row "cocopipe sr2x-s as shipped, 2 threads" "$(awk -v t="$s" 'BEGIN {printf "%.2f fps", 1000 / t}')" "p50 $s ms, 8-bit luma in and out"
  row "ONNX Runtime $ORT_VERSION, 2 threads" "$(awk -v t="$b" 'BEGIN {printf "%.2f fps", 1000 / t}')" "p50 $b ms, f32 tensors"
  row "ONNX Runtime on our QDQ export, 2 threads" "$(awk -v t="$e" 'BEGIN {printf "%.2f fps", 1000 / t}')" \
    "p50 $e ms, noise: $(number percent_apart <<<"$same" | xargs printf '%.4f') % of samples apart, by up to $(
      number max_steps <<<"$same")"
  row "cocopipe f32 / ONNX Runtime" "$(awk -v a="$a" -v b="$b" 'BEGIN {printf "%.2fx", b / a}')" "largest output difference $differ"
  row "cocopipe int8, dense / ONNX Runtime f32" "$(awk -v a="$c" -v b="$b" 'BEGIN {printf "%.2fx", b / a}')"
  row "cocopipe int8, 4 of 9 / ONNX Runtime f32" "$(awk -v a="$r" -v b="$b" 'BEGIN {printf "%.2fx", b / a}')"
  row "cocopipe as shipped / ONNX Runtime f32" "$(awk -v a="$s" -v b="$b" 'BEGIN {printf "%.2fx", b / a}')"
  row "cocopipe int8 / ONNX Runtime QDQ" "$(awk -v a="$c" -v b="$e" 'BEGIN {printf "%.2fx", b / a}')"
  awk -v d="$differ" 'BEGIN {exit !(d < 1e-3)}' || die "the outputs differ by $differ, more than 1e-3"
}

bench_swscale() {
  local line
  build/release/bench/swscale_bench --seconds "$1" --threads 2 | while read -r line; do
    row "$(sed -n 's/.*"engine":"\([^"]*\)".*/\1/p' <<<"$line"), 2 threads" "$(number fps <<<"$line") fps" "no network"
  done
}

# What each technique gives, on the small network: steps from layer by layer in f32 to integers with reuse.
bench_ablation() {
  local rounds=7
  [ "${1:-}" = --quick ] && rounds=1
  dev_setup build run
  build release ablation_bench
  COCO_TUNING_DIR= build/release/bench/ablation_bench "$F32_MODEL" --rounds $rounds
}

# What both threads do at most, in GFLOP/s: f32 multiply-adds out of registers.
bench_peak() { build/release/bench/kernels_bench --peak 2 | number gflops; }

# make_int8_network FOLDER NAME: FOLDER/NAME-int8.coco and .onnx (QDQ), calibrated as docs/numerics.md has it, and NAME-half.coco,
# half of its blocks pruned; networks that take no pictures are calibrated on noise. Made anew when the network or what makes integers of it has changed.
make_int8_network() {
  local folder=$1 name=$2 model=$1/$2.onnx int8=$1/$2-int8 calibrate=() pictures
  pictures=${COCO_DATA_DIR:-../shared/data}/sr/benchmarks/set5
  [ -d "$pictures" ] && calibrate=(--calibrate "$pictures")
  if [ ! -f "$int8.coco" ] || [ "$(cat "$int8.of" 2>/dev/null)" != "$(sha256sum <"$model")" ] ||
    [ -n "$(find engine/compiler engine/kernels/dense -name '*.[ch]*' -newer "$int8.of" -print -quit)" ]; then
    build/release/bin/cocopipe compile "$model" -o "$int8.coco" --precision int8 --min-snr 0 --no-measure \
      "${calibrate[@]}" >"$int8.log" 2>&1 || build/release/bench/quantize_noise "$model" "$int8.coco"
    sha256sum <"$model" >"$int8.of"
  fi
  build/release/bin/cocopipe export "$int8.coco" --onnx-qdq "$int8.onnx" --quiet
  build/release/bench/prune_blocks "$int8.coco" "$folder/$name-half.coco"
}

# Networks of well-known shapes with random weights beside ONNX Runtime, 2 threads each, the runs in turn: f32, int8, and
# int8 with half of the 16 x 4 blocks pruned beside f32, and int8 beside its QDQ export. The share of the peak counts the
# products of the plain convolutions in f32; the peak is the best of those measured around each network.
bench_networks() {
  local seconds=2 rounds=3 folder=build/bench/networks peer=$PEER name dims kind file json differ peak most=0 macs
  local -A ms=() all=()
  [ "${1:-}" = --quick ] && seconds=0.3
  dev_setup build run
  build release cocopipe make_networks prune_blocks quantize_noise kernels_bench
  fetch_onnxruntime || { tail -n 5 build/peers/npm.log >&2; die "npm could not fetch onnxruntime-node"; }
  mkdir -p "$folder"
  printf '%-18s %7s %7s %7s %9s %9s | %6s %6s %6s %9s | %7s %8s  %s\n' "2 threads, ms" f32 int8 half "ORT f32" "ORT QDQ" \
    f32 int8 half int8/QDQ GMAC/s "of peak" "difference f32, int8"
  while read -r name dims; do
    all=()
    node "$peer" input --dims "$dims" --out "$folder/in.npy" >/dev/null
    make_int8_network "$folder" "$name"
    for ((round = 0; round < rounds; ++round)); do
      peak=$(bench_peak)
      most=$(awk -v a="$most" -v b="$peak" 'BEGIN {print (a > b ? a : b)}')
      for file in .onnx -int8.coco -half.coco; do
        json=$(build/release/bin/cocopipe bench model "$folder/$name$file" --threads 2 --seconds "$seconds" --json)
        all[$file]+="$(number ms_p50 <<<"$json") "
      done
      macs=$(number macs <<<"$json")
      for kind in "" -int8; do
        json=$(node "$peer" run --modules build/peers --model "$folder/$name$kind.onnx" --in "$folder/in.npy" \
          --out "$folder/theirs$kind.npy" --threads 2 --seconds "$seconds")
        all[ort$kind]+="$(number ms_p50 <<<"$json") "
      done
    done
    differ=
    for kind in "" -int8; do
      file=$folder/$name$kind.onnx
      [ -z "$kind" ] || file=$folder/$name$kind.coco
      build/release/bin/cocopipe infer "$file" --input "$folder/in.npy" --output "$folder/ours.npy" --quiet
      differ+="$(node "$peer" differ --a "$folder/ours.npy" --b "$folder/theirs$kind.npy" | number max_abs_difference) "
    done
    for kind in "${!all[@]}"; do ms[$kind]=$(tr ' ' '\n' <<<"${all[$kind]}" | grep . | sort -g | sed -n "$((rounds / 2 + 1))p"); done
    awk -v n="$name" -v f="${ms[.onnx]}" -v i="${ms[-int8.coco]}" -v h="${ms[-half.coco]}" -v o="${ms[ort]}" \
      -v q="${ms[ort-int8]}" -v m="$macs" -v d="$differ" -v p="$most" \
      'BEGIN {printf "%-18s %7.2f %7.2f %7.2f %9.2f %9.2f | %5.2fx %5.2fx %5.2fx %8.2fx | %7.1f %7.0f%%  %s\n", n, f, i, h,
                     o, q, o / f, o / i, o / h, q / i, m / f / 1e6, m / f / 5e3 / p, d}'
  done < <(build/release/bench/make_networks "$folder" | grep "${COCO_NETWORKS:-.}")
  printf 'peak: %.1f GFLOP/s\n' "$most"
}

dev_bench() {
  local peers=0 quick=0 seconds=5 min_time=0.2 threads target model size
  if [ "${1:-}" = ablation ]; then
    shift
    bench_ablation "$@"
    return
  fi
  if [ "${1:-}" = disclosure ]; then
    shift
    bench_disclosure "$@"
    return
  fi
  if [ "${1:-}" = networks ]; then
    shift
    bench_networks "$@"
    return
  fi
  COCOPIPE=build/release/bin/cocopipe
  while [ $# -gt 0 ]; do
    case "$1" in
      --peers) peers=1 ;;
      --quick) quick=1 seconds=1 min_time=0.02 ;;
      *) die "bench: unknown option '$1'" ;;
    esac
    shift
  done
  dev_setup build run
  build release cocopipe coco_models gstcoco kernels_bench swscale_bench ablation_bench
  mkdir -p out
  build/release/bench/kernels_bench --seconds $min_time
  printf '\n%-44s %12s  %s\n' "whole frames and files" "speed" ""
  make_int8
  make_pruned
  for threads in $(printf '1\n%s\n' "$(nproc)" | sort -un); do
    bench_network "$seconds" "$threads" "$F32_MODEL" "sr2x-s f32"
    bench_network "$seconds" "$threads" "$INT8_MODEL" "sr2x-s int8, dense"
    bench_network "$seconds" "$threads" "$PRUNED_MODEL" "sr2x-s int8, 4 of 9"
    for model in bicubic $(basename -s .onnx engine/models/sr2x-*.onnx); do
      bench_network "$seconds" "$threads" "$model" "$model"
    done
  done
  bench_network "$seconds" "$(nproc)" sr2x-s "sr2x-s, talking head," talking
  bench_network "$seconds" "$(nproc)" sr2x-s "sr2x-s, still scene," still
  for size in 1920x1080 1280x720 640x360; do bench_cold_start "$size" "$seconds"; done
  [ -f out/bench.mp4 ] || "$COCOPIPE" demo-clip out/bench.mp4 --quiet
  bench_job "file 1080p -> 4K, libx264 ultrafast" --codec libx264 --preset ultrafast
  bench_job "file 1080p -> 4K, no encoder" --no-encode
  for target in AVX3_DL AVX3 AVX2 SSE4 SSSE3; do bench_target "$target" "$seconds"; done
  bench_pipeline "GStreamer: H.264 1080p decoded" 75 identity
  bench_pipeline "GStreamer: decoded, sr2x-s 4 of 9 to 4K" 75 \
    cocoupscale model="$PRUNED_MODEL" ! video/x-raw,width=3840,height=2160
  bench_pipeline "GStreamer: decoded, sr2x-s to 4K" 75 cocoupscale model=sr2x-s ! video/x-raw,width=3840,height=2160
  if [ "$quick" = 1 ]; then # only whether it runs; ./dev bench ablation measures
    COCO_TUNING_DIR= build/release/bench/ablation_bench "$F32_MODEL" --width 320 --height 180 --rounds 1
  fi
  if [ "$peers" = 1 ]; then
    printf '\n%-44s %12s  %s\n' "other software, same run" "speed" ""
    bench_onnxruntime "$seconds"
    bench_swscale "$seconds"
  fi
}
