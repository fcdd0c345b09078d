# The kernels' AVX-512 code on a processor the machine at hand may not be: Bochs, an emulator of a whole PC, starts a
# program without an operating system that holds every vector kernel against its reference (tests/emulator).
# shellcheck shell=bash

AVX512_CPU=corei7_icelake_u # with AVX-512 VNNI

# The program as a CD that starts it.
avx512_disc() {
  local folder=$1 modules=/usr/lib/syslinux/modules/bios
  rm -rf "$folder" && mkdir -p "$folder/disc/isolinux"
  objcopy -O elf32-i386 build/release/tests/emulated_conformance "$folder/disc/test.elf"
  cp /usr/lib/ISOLINUX/isolinux.bin "$modules"/{ldlinux,mboot,libcom32}.c32 "$folder/disc/isolinux/"
  printf 'DEFAULT test\nPROMPT 0\nLABEL test\n KERNEL /isolinux/mboot.c32\n APPEND /test.elf\n' >"$folder/disc/isolinux/isolinux.cfg"
  xorriso -as mkisofs -quiet -J -R -o "$folder/test.iso" -b isolinux/isolinux.bin -c isolinux/catalog -no-emul-boot \
    -boot-load-size 4 -boot-info-table "$folder/disc" 2>"$folder/xorriso.log" || { cat "$folder/xorriso.log" >&2; return 1; }
}

avx512_machine() {
  cat <<TEXT
megs: 256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
cpu: model=$AVX512_CPU, count=1, ips=200000000
ata0-master: type=cdrom, path=$1/test.iso, status=inserted
boot: cdrom
port_e9_hack: enabled=1
display_library: rfb, options="timeout=0"
log: $1/bochs.log
clock: sync=none
TEXT
}

# avx512_conformance [SECONDS]: fails when a kernel differs, or nothing came of it in time.
avx512_conformance() {
  local folder=$PWD/build/avx512 limit=${1:-400} pid waited=0 result=1
  [ "$(uname -m)" = x86_64 ] || { echo "avx512: skipped, the program is for x86-64"; return 0; }
  build release emulated_conformance
  avx512_disc "$folder" || return 1
  avx512_machine "$folder" >"$folder/bochsrc"
  : >"$folder/out.txt"
  echo c | bochs -q -f "$folder/bochsrc" >"$folder/out.txt" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt "$limit" ] && ! grep -q '^conformance: ' "$folder/out.txt"; do
    sleep 1
    waited=$((waited + 1))
  done
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  grep -aE ' of [0-9]+ differ|first differing|^conformance' "$folder/out.txt" || true
  if grep -aq '^conformance: passed' "$folder/out.txt"; then result=0; fi
  [ "$result" = 0 ] || { echo "avx512: not passed within $limit s; see build/avx512/out.txt and bochs.log" >&2; }
  return "$result"
}
