#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: [SIZE=N] [KEEP=R] [METHODS=A,B,…] [DEVICE=ID] tools/compare-methods.sh PENJING-CLI DATA FOLDER [NETWORK …]
#
# Repeats the comparisons of methods that README.md quotes: trains each NETWORK (default: vgg-mini and resnet-mini) on
# DATA, then compares the methods at KEEP (0.5) by three seeds.  DATA is a folder of photos, brought to SIZE x SIZE (32)
# pixels, or fashion-mnist, of which the first 12,000 pictures train and all 10,000 test.  Networks, reports, tables and
# sessions stay in FOLDER, and a run that was stopped goes on where it was when it is started again.  On two cores about
# 25 minutes for photos of 32 x 32, four times that for 64 x 64.
set -eu
[ $# -ge 3 ] || { sed -n '3,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
tools=$(dirname -- "$(readlink -f -- "$0")")
cli=$(readlink -f -- "$1") data=$2 folder=$3 keep=${KEEP:-0.5} device=${DEVICE:-auto}
shift 3
[ $# -gt 0 ] || set -- vgg-mini resnet-mini
methods=${METHODS:-random,uniform-thin,weight-sum,apoz,taylor,kl,curl,thinet,thinet-ls,channel-pruning,autopruner,scratch-e}

mkdir -p -- "$folder"
if [ "$data" = fashion-mnist ]; then
  size=28 training="--epochs 5" batch=64
  data=$(readlink -f -- "$folder")/fashion-12000
  [ -d "$data" ] || python3 "$tools/first-pictures.py" /usr/share/datasets/fashion-mnist 12000 "$data"
else
  size=${SIZE:-32} training="--epochs 25 --batch 32" batch=32
  data=$(readlink -f -- "$data")
fi
cd -- "$folder"
for network in "$@"; do
  trained=$network-$size.onnx run=$network-$size-keep-$keep
  [ -f "$trained" ] || "$cli" train "$network" --data "$data" --size $size $training --lr 0.05 --device "$device" \
    --out "$trained"
  if [ -f "$run.penjing" ] && "$cli" sessions "$run.penjing" resume; then continue; fi
  "$cli" compare "$trained" --data "$data" --criteria "$methods" --keep "$keep" --seeds 1,2,3 --finetune 1 \
    --lr 0.01 --batch $batch --layer-test 0 --device "$device" --session "$run.penjing" --out "$run.html"
done
