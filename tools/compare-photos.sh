#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tools/compare-photos.sh PENJING-CLI PHOTOS FOLDER [NETWORK …]
#
# Repeats the comparison on photos that README.md quotes: trains each NETWORK (default: vgg-mini and resnet-mini) on
# PHOTOS at 32 x 32, then compares the methods at keep 0.5 by three seeds.  Networks, reports, tables and sessions stay in
# FOLDER, and a run that was stopped goes on where it was when it is started again.  About 25 minutes on two cores.
set -eu
[ $# -ge 3 ] || { sed -n '3,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cli=$(readlink -f -- "$1") photos=$(readlink -f -- "$2") folder=$3
shift 3
[ $# -gt 0 ] || set -- vgg-mini resnet-mini
methods=random,uniform-thin,weight-sum,apoz,taylor,kl,curl,thinet,thinet-ls,channel-pruning,autopruner,scratch-e

mkdir -p -- "$folder"
cd -- "$folder"
for network in "$@"; do
  [ -f "$network.onnx" ] || "$cli" train "$network" --data "$photos" --size 32 --epochs 25 --batch 32 --lr 0.05 \
    --out "$network.onnx"
  if [ -f "$network-methods.penjing" ] && "$cli" sessions "$network-methods.penjing" resume; then continue; fi
  "$cli" compare "$network.onnx" --data "$photos" --criteria "$methods" --keep 0.5 --seeds 1,2,3 --finetune 1 \
    --lr 0.01 --batch 32 --layer-test 0 --session "$network-methods.penjing" --out "$network-methods.html"
done
