#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: [DEVICE=ID] tools/compare-refinement.sh PENJING-CLI PHOTOS FOLDER [NETWORK …]
#
# Does CURL's fine-tuning beat plain fine-tuning?  Trains each NETWORK (default: resnet-mini and mobilenetv2-0.5) on PHOTOS
# at 32 x 32 (mobilenetv2: 64 x 64, four times as long), cuts it by CURL to 0.3 of its MACs, and trains what is left in three
# ways that see equally many pictures (18 epochs; one of label refinement counts as six), by three seeds: plainly; by mixup
# and distillation alone; by that and one epoch of label refinement.  Networks and results stay in FOLDER; what is there is
# not computed again, and what was stopped goes on.  About 20 minutes on two cores for each network.
set -eu
[ $# -ge 3 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cli=$(readlink -f -- "$1") photos=$(readlink -f -- "$2") folder=$3 device=${DEVICE:-auto}
shift 3
[ $# -gt 0 ] || set -- resnet-mini mobilenetv2-0.5

mkdir -p -- "$folder"
cd -- "$folder"

# way NAME SEED OPTION …: the network of the stage in NAME-SEED.onnx, and its report in NAME-SEED.txt
way () {
  name=$network-$1-$2 seed=$2
  shift 2
  [ ! -f "$name.onnx" ] || return 0
  if [ -f "$name.penjing" ] && "$cli" sessions "$name.penjing" resume --quiet > "$name.txt"; then return 0; fi
  "$cli" prune "$network.onnx" --data "$photos" --method curl --macs 0.3 --seed "$seed" --device "$device" "$@" --quiet \
    --out "$name.onnx" > "$name.txt"
}

for network in "$@"; do
  case $network in mobilenetv2*) size=64 epochs=100 ;; *) size=32 epochs=25 ;; esac
  [ -f "$network.onnx" ] || "$cli" train "$network" --data "$photos" --size $size --epochs $epochs --batch 32 --lr 0.05 --device "$device" \
    --out "$network.onnx"
  for seed in 1 2 3; do
    way plain "$seed" --finetune 18 --batch 32
    way distilled "$seed" --finetune-a 18
    way refined "$seed" --finetune-a 12 --finetune-b 1 --lr-b 0.01
  done
  echo "$network, top-1 by seeds 1, 2, 3:"
  for name in plain distilled refined; do
    for seed in 1 2 3; do
      awk '/^  after / { top1 = $0; sub(/^[^0-9]*/, "", top1); sub(/ .*/, "", top1) } END { print top1 }' "$network-$name-$seed.txt"
    done | awk -v name="$name" '{ sum += $1; sq += $1 * $1; list = list " " $1 }
      END { mean = sum / NR; var = (sq - NR * mean * mean) / (NR - 1)
            printf "  %-10s %s  mean %.2f ± %.2f\n", name, list, mean, sqrt (var > 0 ? var : 0) }'
  done
done
