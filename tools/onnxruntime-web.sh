#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: onnxruntime-web.sh [FOLDER]
# Puts the three files of onnxruntime-web that a demo holds into FOLDER (default: penjing/demo of the person's
# data folder, where penjing and penjing-cli look).  Exit status 1 with a note where it cannot be had: demos
# cannot be exported then, everything else works.
version=1.23.2
sum=0b8707d7efab9a2bea63564d66cad79e897cfd0bd627e5ae000488ffc1c45c7d
target=${1:-${XDG_DATA_HOME:-$HOME/.local/share}/penjing/demo}

[ "$(cat "$target/version" 2>/dev/null)" = "$version" ] && exit 0
command -v npm >/dev/null || { echo "npm is not installed, so onnxruntime-web cannot be fetched: demos are left out" >&2; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent --fetch-retries=1 "onnxruntime-web@$version" >npm.log 2>&1) || {
  echo "onnxruntime-web cannot be fetched here: demos are left out" >&2
  exit 1
}
echo "$sum  $work/onnxruntime-web-$version.tgz" | sha256sum --check --status || {
  echo "onnxruntime-web $version is not the file that it was: it is left out" >&2
  exit 1
}
tar -xzf "$work/onnxruntime-web-$version.tgz" -C "$work" package/dist/ort.wasm.min.mjs \
  package/dist/ort-wasm-simd-threaded.mjs package/dist/ort-wasm-simd-threaded.wasm && mkdir -p "$target" && mv "$work"/package/dist/ort* "$target" \
  && echo "$version" >"$target/version"
