# Makes a shipped network from nothing: the jobs of configs/tune with its name, one after the other.
# shellcheck shell=bash
. tools/dev/setup.sh
. tools/dev/build.sh

# train_stage COMMAND JOB OUT RESULT [cocopipe-tune arguments]: goes on where it was stopped; done is done.
train_stage() {
  local command=$1 job=$2 out=$3 result=$4 resume=()
  shift 4
  [ -f "$result" ] && { say "$result is there"; return 0; }
  [ -f "$out/checkpoint.pt" ] && resume=(--resume)
  say "cocopipe-tune $command $job"
  build/release/bin/cocopipe-tune "$command" "$job" --out "$out" "${resume[@]}" "$@"
}

# dev_train NAME: runs/NAME, runs/NAME-pruned and runs/NAME-int8, each from the one before, as far as there are jobs.
dev_train() {
  local name=${1:-} model='' init=() step command=()
  [ -f "configs/tune/quantize/$name.yaml" ] ||
    die "train: give one of: $(basename -s .yaml configs/tune/quantize/*.yaml | xargs)"
  # Debian 12's OpenBLAS takes server processors newer than itself for the oldest, and runs on SSE3.
  if grep -qw avx512f /proc/cpuinfo; then export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}; fi
  dev_setup build tune
  build release cocopipe-tune
  for step in train prune quantize; do
    case $step in
      train) command=(configs/tune "runs/$name" "$name") ;;
      prune) command=(configs/tune/prune "runs/$name-pruned" "$name-pruned") ;;
      quantize) command=(configs/tune/quantize "runs/$name-int8" "$name") ;;
    esac
    [ -f "${command[0]}/$name.yaml" ] || continue
    train_stage $step "${command[0]}/$name.yaml" "${command[1]}" "${command[1]}/${command[2]}.onnx" "${init[@]}"
    model=${command[1]}/${command[2]}.onnx
    init=(--set "init=$model")
  done
  printf '\nmodel         %s\n' "$model"
}
