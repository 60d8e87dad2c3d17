#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: onnxruntime.sh BUILD
# Puts onnxruntime-node, a peer that the export tests compare with, into BUILD/onnxruntime.  Exit status 1
# with a note where it cannot be had; those tests then skip.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
target=$1/onnxruntime
[ -d "$target/node_modules/onnxruntime-node" ] && exit 0
command -v npm >/dev/null || { echo "npm is not installed: the onnxruntime comparison is left out" >&2; exit 1; }
mkdir -p "$target" && cp "$root"/tests/io/onnxruntime/package*.json "$target" || exit 1
# The package's install script fetches GPU libraries from another place; the CPU library is inside.
(cd "$target" && ONNXRUNTIME_NODE_INSTALL=skip npm install --ignore-scripts --no-audit --no-fund >npm.log 2>&1) || {
  echo "onnxruntime-node cannot be installed here: that comparison is left out" >&2
  exit 1
}
