# Cross building for aarch64: the folder of arm64 libraries, and the tests under an emulator.
# shellcheck shell=bash

# aarch64_sysroot GROUP ...: fills build/sysroot with the arm64 packages of these groups and all they depend on.
# Unpacked packages rather than `dpkg --add-architecture arm64`: that takes root and changes the machine, and not every
# package can be installed for two architectures (libyaml-cpp-dev and libgstreamer-plugins-base1.0-dev cannot).
aarch64_sysroot() {
  local root=$PWD/build/sysroot packages
  mapfile -t packages < <(packages_of "$@" | sed 's/ ?$//')
  [[ " $(cat "$root/.packages" 2>/dev/null) " == *" ${packages[*]} "* ]] && return 0
  have aarch64-linux-gnu-g++ || die "no cross compiler for aarch64; run: ./dev setup aarch64"
  have apt-get || die "the arm64 libraries come from a Debian or Ubuntu archive, and apt-get is not here"
  say "fetching arm64 libraries"
  mkdir -p "$root/.apt/lists/partial" "$root/.apt/archives/partial"
  : >"$root/.apt/status" # nothing is installed there
  aarch64_apt_settings "$root/.apt" >"$root/.apt/apt.conf"
  {
    APT_CONFIG=$root/.apt/apt.conf apt-get -q update || echo "going on with the package lists at hand"
    APT_CONFIG=$root/.apt/apt.conf apt-get -q -y --no-install-recommends --download-only install "${packages[@]}" &&
      aarch64_unpack "$root"
  } >"$root/.apt/log" 2>&1 </dev/null || {
    tail -n 20 "$root/.apt/log" >&2
    die "the arm64 libraries could not be fetched (whole output: build/sysroot/.apt/log)"
  }
  echo "${packages[*]}" >"$root/.packages"
}

# aarch64_apt_settings FOLDER: an apt of its own: arm64 only, its lists and packages in FOLDER, the machine's sources.
aarch64_apt_settings() {
  cat <<TEXT
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::State "$1/";
Dir::State::Lists "$1/lists/";
Dir::State::Status "$1/status";
Dir::Cache "$1/";
Dir::Cache::Archives "$1/archives/";
TEXT
}

# aarch64_unpack ROOT: every package in ROOT/.apt/archives. Links to absolute paths are made to stay within ROOT, and
# BLAS and LAPACK, which FFmpeg's filters need, get the links that installing them would make.
aarch64_unpack() {
  local deb link target
  for deb in "$1"/.apt/archives/*.deb; do dpkg-deb -x "$deb" "$1" || return 1; done
  find "$1/usr" "$1/lib" -type l -lname '/*' -printf '%p %l\n' | while read -r link target; do
    ln -sfnr "$1$target" "$link"
  done
  for link in "$1"/usr/lib/aarch64-linux-gnu/{blas/libblas,lapack/liblapack}.so.3; do
    [ ! -e "$link" ] || ln -sfr "$link" "$1/usr/lib/aarch64-linux-gnu/"
  done
}

# What depends on the processor's instructions, on one without byte dot products and on one with those of s8 alone;
# the emulator's own has all.
aarch64_processors() {
  local cpu
  for cpu in cortex-a53 cortex-a76; do
    say "aarch64 kernels and networks on $cpu"
    QEMU_CPU=$cpu run_tests aarch64 -R '^test_(kernels|runtime|vision)' || return 1
  done
}

# Every kernel of integer networks, of samples and of chroma against its reference, the golden bytes of networks on
# tensors and on frames, and some random networks, on three processors.
aarch64_quick() {
  local cpu tests=$PWD/build/aarch64-engine/tests rows='*integer*,*quantized*,*gathered*,*words*,*sample*,*shuffled*'
  build aarch64-engine test_kernels_rows test_kernels_resample test_runtime_line test_runtime_differential \
    test_vision_golden
  for cpu in cortex-a53 cortex-a76 max; do
    say "integer kernels and networks on $cpu"
    export QEMU_CPU=$cpu QEMU_LD_PREFIX=$PWD/build/sysroot COCO_FUZZ_SEEDS=10
    qemu-aarch64 "$tests/test_kernels_rows" "$rows" && qemu-aarch64 "$tests/test_kernels_resample" 'vector planes*' &&
      qemu-aarch64 "$tests/test_runtime_line" 'integer*,golden*' && qemu-aarch64 "$tests/test_runtime_differential" &&
      qemu-aarch64 "$tests/test_vision_golden" || return 1
  done
}

# aarch64_outputs FOLDER PROGRAM...: what PROGRAM makes of the clips and of the model in FOLDER, as checksums.
aarch64_outputs() {
  local folder=$1 clip result
  shift
  for clip in 8 10; do
    result=$folder/result$clip.mkv
    "$@" upscale "$folder/clip$clip.mkv" "$result" --model "$folder/int8.coco" --codec ffv1 --quiet || return 1
    echo "upscale, $clip bits: $(ffmpeg -v error -i "$result" -map 0:v -f md5 -)"
  done
  "$@" infer "$folder/int8.coco" --input "$folder/input.npy" --output "$folder/output.npy" --quiet || return 1
  echo "infer: $(md5sum <"$folder/output.npy")"
  "$@" bench upscale --model "$folder/int8.coco" --input-size 96x54 --seconds 1 >"$folder/bench.txt" || return 1
}

# The whole program: an integer model made here gives the same bytes here and on each emulated processor.
aarch64_compare() {
  local folder=build/aarch64/compare here=build/release/bin/cocopipe header wanted cpu
  build release cocopipe coco_models
  rm -rf "$folder" && mkdir -p "$folder"
  "$here" compile engine/models/f32/sr2x-s.onnx --card engine/models/f32/sr2x-s.card.json -o "$folder/int8.coco" \
    --precision int8 --quiet
  "$here" demo-clip "$folder/clip8.mkv" --size 160x90 --frames 6 --codec ffv1 --quiet
  ffmpeg -v error -i "$folder/clip8.mkv" -pix_fmt yuv420p10le -c:v ffv1 "$folder/clip10.mkv" </dev/null
  header="{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 45, 80), }"
  { printf '\x93NUMPY\x01\x00\x76\x00%-117s\n' "$header"
    ffmpeg -v error -f lavfi -i "testsrc2=size=80x45,format=gray,format=grayf32le" -frames:v 1 -f rawvideo - </dev/null
  } >"$folder/input.npy"
  wanted=$(aarch64_outputs "$folder" "$here")
  say "whole program, integer model"
  echo "$wanted"
  for cpu in cortex-a53 cortex-a76 max; do
    if [ "$(QEMU_CPU=$cpu aarch64_outputs "$folder" qemu-aarch64 -L build/sysroot build/aarch64/bin/cocopipe)" = "$wanted" ]
    then echo "the same bytes on $cpu"; else die "other bytes on $cpu"; fi
  done
}
