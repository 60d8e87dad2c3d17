#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tools/make-sample-model.sh [OUT.onnx]
#
# Trains the bundled network on all of Fashion-MNIST: minutes on a few free cores.  $PENJING_CLI is the program
# to use, $PENJING_DATA the folder of the data set.  Writes OUT.onnx (default:
# resources/sample/vgg-mini.onnx) and, beside it, the session that the training can be resumed from;
# prints the accuracy on the 10,000 test pictures, which resources/sample/README quotes.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cli=${PENJING_CLI:-$root/build/app/penjing-cli}
data=${PENJING_DATA:-/usr/share/datasets/fashion-mnist}
out=${1:-$root/resources/sample/vgg-mini.onnx}

exec "$cli" train vgg-mini --device cpu --data "$data" --epochs 8 --batch 64 --lr 0.1 --warmup 200 \
  --weight-decay 0.0005 --crop 2 --seed 1 --out "$out" --session "${out%.onnx}.penjing"
